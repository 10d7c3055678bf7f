//! What a new model must pass before it serves.

use anyhow::Result;
use domain::PinId;
use models::{Condition, Model, ModelCard, PinInput, Scratch};

/// How much worse than the live model a new one may be on a validation metric (relative).
const WORSE_MAX: f64 = 0.02;
/// Pins and histories that are tried on the new model.
const PROBES: u32 = 64;
/// Largest difference between the model and the same model written and read again.
const PARITY_MAX: f32 = 1e-6;

/// What the gates say.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Gate {
    /// Why the model must not serve; empty when it may.
    pub reasons: Vec<String>,
}

impl Gate {
    /// Whether the model may serve.
    pub(crate) fn passed(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Judges a model and its card against the live one's card.
pub(crate) fn judge(model: &Model, card: &ModelCard, live: Option<&ModelCard>) -> Result<Gate> {
    let mut gate = Gate::default();
    if let Some((name, value)) = card.metrics.iter().find(|(_, value)| !value.is_finite()) {
        gate.reasons.push(format!("{name} is {value}"));
    }
    probe(model, &mut gate)?;
    if let Some(live) = live {
        compare(card, live, &mut gate);
    }
    Ok(gate)
}

/// The weights as they will be read must give what these give, and numbers.
fn probe(model: &Model, gate: &mut Gate) -> Result<()> {
    let read = Model::from_bytes(&model.to_bytes())?;
    let home = Condition::home(None, 0);
    let (ours, theirs) =
        (model.encode(&[], &home, &mut Scratch::default()), read.encode(&[], &home, &mut Scratch::default()));
    let mut pairs = vec![(ours.vector, theirs.vector)];
    for pin in 0..PROBES {
        let input = PinInput { pin: PinId(pin), content: &[], neighbours: &[] };
        pairs.push((model.pin_vector(&input), read.pin_vector(&input)));
    }
    if pairs.iter().flat_map(|(ours, _)| ours).any(|value| !value.is_finite()) {
        gate.reasons.push("the model gives vectors that are no numbers".into());
    }
    let apart = |(ours, theirs): &(Vec<f32>, Vec<f32>)| {
        ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(a, b)| (a - b).abs() > PARITY_MAX)
    };
    if pairs.iter().any(apart) {
        gate.reasons.push("the weights read back differ from the weights written".into());
    }
    Ok(())
}

/// Validation metrics that both have; where more is better.
fn compare(card: &ModelCard, live: &ModelCard, gate: &mut Gate) {
    for (name, &before) in live.metrics.iter().filter(|(name, _)| better_when_larger(name)) {
        if let Some(&now) = card.metrics.get(name)
            && now < before * (1.0 - WORSE_MAX)
        {
            let margin = WORSE_MAX * 100.0;
            gate.reasons.push(format!("{name} is {now:.4}, the live model has {before:.4} (margin {margin} %)"));
        }
    }
}

fn better_when_larger(name: &str) -> bool {
    name.starts_with("validation/") && (name.contains("recall") || name.contains("ndcg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(recall: f64) -> ModelCard {
        ModelCard { metrics: [("validation/recall@20".to_owned(), recall)].into(), ..ModelCard::default() }
    }

    fn reasons(card: &ModelCard, live: Option<&ModelCard>) -> Vec<String> {
        let model = Model::untrained(models::ModelConfig::default(), 1).expect("the default shape");
        judge(&model, card, live).expect("a model").reasons
    }

    #[test]
    fn a_worse_model_does_not_pass() {
        assert_eq!(reasons(&card(0.10), None), [""; 0]);
        assert_eq!(reasons(&card(0.099), Some(&card(0.10))), [""; 0], "within the margin");
        let why = reasons(&card(0.09), Some(&card(0.10)));
        assert_eq!(why, ["validation/recall@20 is 0.0900, the live model has 0.1000 (margin 2 %)"]);
        assert_eq!(reasons(&card(f64::NAN), None), ["validation/recall@20 is NaN"]);
    }
}
