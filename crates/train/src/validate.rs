//! Validation while training: full ranking of all known pins for pinners that are not learned from.

use std::ops::Range;

use domain::{Act, PinId, Rng};
use models::{Condition, Model, Operand, PinInput, Scratch, matmul, tokens};
use rayon::prelude::*;

use crate::metrics::recall_at;
use crate::{Dataset, History, TrainConfig, TrainError, start};

const DEPTH: usize = 20;
/// Pinners scored at once.
const CHUNK: usize = 64;

/// A pinner's acts, cut in two: the later part is predicted.
pub(crate) struct Probe {
    pub(crate) before: Vec<Act>,
    /// When the first later act happened (ms, UTC): the moment of asking.
    pub(crate) asked_ms: u64,
    /// Pins first acted on later, sorted.
    pub(crate) later: Vec<PinId>,
}

impl Probe {
    /// Cuts a share of `known` off a story, which keeps it, and asks for the rest; acts of one moment are in drawn
    /// order. None when a part would be empty; then the story stays as it was.
    pub(crate) fn cut(story: &mut History, known: Range<f32>, rng: &mut Rng) -> Option<Probe> {
        let mut acts = story.acts.clone();
        for tied in acts.chunk_by_mut(|a, b| a.ts_ms == b.ts_ms) {
            rng.shuffle(tied);
        }
        let share = known.start + (known.end - known.start) * rng.uniform();
        let later = acts.split_off(((acts.len() as f32 * share).round() as usize).clamp(1, acts.len().max(1)));
        let asked_ms = later.first()?.ts_ms;
        let mut later: Vec<PinId> = later.iter().map(|act| act.pin).collect();
        later.retain(|pin| acts.iter().all(|act| act.pin != *pin));
        later.sort_unstable();
        later.dedup();
        if later.is_empty() {
            return None;
        }
        story.acts.clone_from(&acts);
        Some(Probe { before: acts, asked_ms, later })
    }
}

/// Recall@20 of any model on what is held back that [`crate::fit`] would validate with, were it given this
/// data and configuration; nothing when nobody validates. What a model of other data reaches can so be compared.
///
/// # Errors
/// When the data or the configuration are wrong, or the model reads another content space than the data has.
pub fn validation_recall(model: &Model, data: &Dataset, config: &TrainConfig) -> Result<Option<f64>, TrainError> {
    data.check()?;
    let (reads, has) = (model.config(), (data.content_dim, data.content_space));
    if (reads.content_dim, reads.content_space) != has {
        let (dim, space) = (reads.content_dim, reads.content_space);
        let reason = format!("{} values of space {}, the model reads {dim} of space {space}", has.0, has.1);
        return Err(TrainError::Data(format!("content is {reason}")));
    }
    let (known, probes) = start::validation(data, config)?;
    Ok((!probes.is_empty()).then(|| recall(model, data, &known, &probes)))
}

/// Mean recall@20 over the probes; what a pinner acted on before is not ranked.
pub(crate) fn recall(model: &Model, data: &Dataset, known: &[PinId], probes: &[Probe]) -> f64 {
    let dim = model.dim();
    let inputs: Vec<PinInput> = known
        .iter()
        .map(|&pin| PinInput { pin, content: data.content_of(pin), neighbours: data.neighbours_of(pin, usize::MAX) })
        .collect();
    let mut vectors = vec![0.0; known.len() * dim];
    let (inputs, slots) = (inputs.par_chunks(1024), vectors.par_chunks_mut(1024 * dim));
    inputs.zip(slots).for_each(|(inputs, out)| model.pin_vectors(inputs, out));
    let sums: Vec<f64> = probes.par_chunks(CHUNK).map(|probes| chunk(model, data, known, &vectors, probes)).collect();
    sums.iter().sum::<f64>() / probes.len().max(1) as f64
}

/// Sum of recalls over one chunk of probes.
fn chunk(model: &Model, data: &Dataset, known: &[PinId], vectors: &[f32], probes: &[Probe]) -> f64 {
    let (dim, mut scratch) = (model.dim(), Scratch::default());
    let mut users = Vec::with_capacity(probes.len() * dim);
    for probe in probes {
        let history = tokens(&probe.before, model.config().history_max, |pin| data.content_of(pin));
        let condition = Condition::home(probe.before.last().map(|act| act.ts_ms), probe.asked_ms);
        users.extend(model.encode(&history, &condition, &mut scratch).vector);
    }
    let mut scores = vec![0.0; probes.len() * known.len()];
    let pins = Operand::new(vectors, known.len(), dim, dim);
    matmul(&mut scores, known.len(), Operand::new(&users, probes.len(), dim, dim), pins.transposed(), 0.0, 1.0);
    let rows = scores.chunks_exact(known.len().max(1));
    probes.iter().zip(rows).map(|(probe, scores)| recall_at(&best(probe, known, scores), &probe.later, DEPTH)).sum()
}

/// The best pins that the probe's pinner had not acted on; ties by id.
fn best(probe: &Probe, known: &[PinId], scores: &[f32]) -> Vec<PinId> {
    let seen: std::collections::HashSet<PinId> = probe.before.iter().map(|act| act.pin).collect();
    let rows = known.iter().zip(scores).filter(|(pin, _)| !seen.contains(pin));
    let mut ranked: Vec<(f32, PinId)> = rows.map(|(pin, score)| (*score, *pin)).collect();
    let order = |a: &(f32, PinId), b: &(f32, PinId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if ranked.len() > DEPTH {
        ranked.select_nth_unstable_by(DEPTH, order);
        ranked.truncate(DEPTH);
    }
    ranked.sort_by(order);
    ranked.into_iter().map(|(_, pin)| pin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Action, PinnerId, Surface};

    #[test]
    fn a_probe_asks_when_the_pinner_came_back() {
        let act = |(pin, ts_ms): (u32, u64)| {
            let (board, surface) = (None, Surface::Home);
            Act { pin: PinId(pin), board, action: Action::Save, surface, ts_ms, value: 0.0 }
        };
        let story = |moments: [u64; 10]| History {
            pinner: PinnerId(0),
            acts: (0..).zip(moments).map(act).collect(),
            shown: Vec::new(),
        };
        let cut = |mut story: History| (Probe::cut(&mut story, 0.8..0.8, &mut Rng::new(1)).expect("a probe"), story);
        let (probe, learned) = cut(story([1, 2, 3, 4, 5, 6, 7, 8, 90, 91]));
        assert_eq!((probe.before.last().map(|act| act.ts_ms), probe.asked_ms), (Some(8), 90));
        assert_eq!(
            (probe.later, learned.acts.len()),
            (vec![PinId(8), PinId(9)], 8),
            "what is asked for is not learned"
        );
        assert_eq!(cut(story([7; 10])).0.asked_ms, 7, "acts that tie stay tied");
    }
}
