//! What a new model must pass before it serves.

use super::acts::read_acts;
use super::dataset::dataset;
use super::shown::WasShown;
use crate::engine::Reading;
use crate::registry::Registry;
use crate::stop::Stop;
use anyhow::{Context, Result, bail};
use domain::PinId;
use models::{Condition, Model, ModelCard, PinInput, Reach, Scratch};
use train::{Dataset, TrainConfig, validation_recall};

/// How much worse than the live model a new one may be on the same held-back pinners (relative).
const WORSE_MAX: f64 = 0.02;
/// Pins and histories that are tried on the new model.
const PROBES: u32 = 64;
/// Largest difference between the model and the same model written and read again.
const PARITY_MAX: f32 = 1e-6;
/// What the new model reaches, by its card.
const RECALL: &str = "validation/recall@20";
/// What the live model reaches on the same pinners and pins, by the card of the new one.
const LIVE_RECALL: &str = "live/recall@20";

/// Judges a model by itself and by its card: the reasons why it must not serve, none when it may.
pub(crate) fn judge(model: &Model, card: &ModelCard) -> Result<Vec<String>> {
    let odd = card.metrics.iter().filter(|(_, value)| !value.is_finite());
    let mut reasons: Vec<String> = odd.map(|(name, value)| format!("{name} is {value}")).collect();
    reasons.extend(probe(model)?.map(str::to_owned));
    if let (Some(&now), Some(&live)) = (card.metrics.get(RECALL), card.metrics.get(LIVE_RECALL))
        && now < live * (1.0 - WORSE_MAX)
    {
        let margin = WORSE_MAX * 100.0;
        reasons.push(format!("recall@20 is {now:.4}, the live model has {live:.4} (margin {margin} %)"));
    }
    Ok(reasons)
}

/// Measures the live model on the pinners who are held back from the training at hand, for the new model's card. Cards
/// cannot be compared: each was measured on other pinners and another catalogue. Nothing without a live model, or when
/// it cannot be compared, which is told.
pub(crate) fn measure_live(registry: &Registry, data: &Dataset, config: &TrainConfig, card: &mut ModelCard) {
    let live =
        registry.live().and_then(|live| live.map_or(Ok(None), |version| recall_of(&version, registry, data, config)));
    match live {
        Ok(Some(recall)) => _ = card.metrics.insert(LIVE_RECALL.into(), recall),
        Ok(None) => {}
        Err(error) => eprintln!("remark: the new model was not compared with the live one: {error:#}"),
    }
}

/// Measures a kept version and the live one on the pinners who would be held back now, for the card that is judged:
/// when it was made, it was compared with another version or with none.
pub(crate) fn measure_again(data: &Reading, config: &TrainConfig, stop: &Stop, card: &mut ModelCard) -> Result<()> {
    let seed = card.seeds.get("train").copied().unwrap_or(config.seed);
    let (registry, config) = (data.registry(), TrainConfig { seed, ..config.clone() });
    let acts = read_acts(data.log.as_ref(), &data.views.catalogue(), stop)?;
    let data = dataset(&data.views, &acts, WasShown::default(), u64::MAX, &config)?;
    card.metrics.remove(LIVE_RECALL);
    match recall_of(&card.version, &registry, &data, &config) {
        Ok(Some(recall)) => {
            card.metrics.insert(RECALL.into(), recall);
            measure_live(&registry, &data, &config, card);
        }
        Ok(None) => {}
        Err(error) => eprintln!("remark: {} was not compared with the live model: {error:#}", card.version),
    }
    Ok(())
}

fn recall_of(version: &str, registry: &Registry, data: &Dataset, config: &TrainConfig) -> Result<Option<f64>> {
    if registry.card(version)?.seeds.get("train") != Some(&config.seed) {
        bail!("{version} was trained with another seed, so it learned from pinners who are held back now");
    }
    validation_recall(&registry.model(version)?, data, config).with_context(|| format!("model {version}"))
}

/// The weights as they will be read must give what these give, and numbers.
fn probe(model: &Model) -> Result<Option<&'static str>> {
    let read = Model::from_bytes(&model.to_bytes())?;
    let home = Condition::home(None, 0, Reach::Next);
    let user = |model: &Model| model.encode(&[], &home, &mut Scratch::default()).vector;
    let mut pairs = vec![(user(model), user(&read))];
    for pin in 0..PROBES {
        let input = PinInput { pin: PinId(pin), content: &[], neighbours: &[] };
        pairs.push((model.pin_vector(&input), read.pin_vector(&input)));
    }
    let apart = |(ours, theirs): &(Vec<f32>, Vec<f32>)| {
        ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(a, b)| (a - b).abs() > PARITY_MAX)
    };
    Ok(if pairs.iter().flat_map(|(ours, _)| ours).any(|value| !value.is_finite()) {
        Some("the model gives vectors that are no numbers")
    } else if pairs.iter().any(apart) {
        Some("the weights read back differ from the weights written")
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(recall: f64, live: Option<f64>) -> ModelCard {
        let metrics = [(RECALL, Some(recall)), (LIVE_RECALL, live)];
        let metrics = metrics.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        ModelCard { metrics, ..ModelCard::default() }
    }

    #[test]
    fn a_worse_model_does_not_pass() {
        let model = Model::untrained(models::ModelConfig::default(), 1).expect("the default shape");
        let reasons = |recall, live| judge(&model, &card(recall, live)).expect("a model");
        assert_eq!(reasons(0.10, None), [""; 0]);
        assert_eq!(reasons(0.099, Some(0.10)), [""; 0], "within the margin");
        assert_eq!(reasons(0.09, Some(0.10)), ["recall@20 is 0.0900, the live model has 0.1000 (margin 2 %)"]);
        assert_eq!(reasons(f64::NAN, None), ["validation/recall@20 is NaN"]);
    }
}
