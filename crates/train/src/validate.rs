//! Validation while training: full ranking of all known pins for pinners that are not learned from.

use std::ops::Range;

use domain::{Act, PinId, Rng};
use models::{Condition, Model, Operand, PinInput, Reach, Scratch, matmul, tokens};
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
    Ok((!probes.is_empty()).then(|| recall(model, data, &known, (&probes, config.validates()))))
}

/// Whom a model is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What the model is told that they did, newest last.
    pub before: Vec<Act>,
    /// The moment (ms, UTC).
    pub asked_ms: u64,
    /// Pins that are not ranked: what they had acted on, whether the model is told of it or not.
    pub known: Vec<PinId>,
    /// Whether for what came next or what came later.
    pub reach: Reach,
}

/// The first `depth` of all pins that something is known of, for everybody: by the inner product of the pinner's and
/// the pins' vectors alone, ties by id.
pub fn ranked(model: &Model, data: &Dataset, asked: &[Asked], depth: usize) -> Vec<Vec<PinId>> {
    let is_known = |pin: PinId| model.ids().knows(pin) || !data.content_of(pin).is_empty();
    let pins: Vec<PinId> = (0..data.pins as u32).map(PinId).filter(|&pin| is_known(pin)).collect();
    let vectors = vectors(model, data, &pins);
    let chunk = |asked: &[Asked]| -> Vec<Vec<PinId>> {
        let past: Vec<Past> = asked.iter().map(|asked| (&asked.before[..], asked.asked_ms, asked.reach)).collect();
        let scores = scores(model, data, &vectors, &past);
        let rows = asked.iter().zip(scores.chunks_exact(pins.len().max(1)));
        rows.map(|(asked, scores)| best(asked.known.iter().copied(), &pins, scores, depth)).collect()
    };
    asked.par_chunks(CHUNK).flat_map_iter(chunk).collect()
}

/// Mean recall@20 over the probes; what a pinner acted on before is not ranked.
pub(crate) fn recall(model: &Model, data: &Dataset, known: &[PinId], (probes, reach): (&[Probe], Reach)) -> f64 {
    let vectors = vectors(model, data, known);
    let chunks = probes.par_chunks(CHUNK);
    let sums: Vec<f64> = chunks.map(|probes| chunk(model, data, known, &vectors, (probes, reach))).collect();
    sums.iter().sum::<f64>() / probes.len().max(1) as f64
}

/// The vectors of pins, one after the other.
fn vectors(model: &Model, data: &Dataset, pins: &[PinId]) -> Vec<f32> {
    let dim = model.dim();
    let inputs: Vec<PinInput> = pins
        .iter()
        .map(|&pin| PinInput { pin, content: data.content_of(pin), neighbours: data.neighbours_of(pin, usize::MAX) })
        .collect();
    let mut vectors = vec![0.0; pins.len() * dim];
    let (inputs, slots) = (inputs.par_chunks(1024), vectors.par_chunks_mut(1024 * dim));
    inputs.zip(slots).for_each(|(inputs, out)| model.pin_vectors(inputs, out));
    vectors
}

/// Sum of recalls over one chunk of probes.
fn chunk(model: &Model, data: &Dataset, known: &[PinId], vectors: &[f32], (probes, reach): (&[Probe], Reach)) -> f64 {
    let past: Vec<Past> = probes.iter().map(|probe| (&probe.before[..], probe.asked_ms, reach)).collect();
    let scores = scores(model, data, vectors, &past);
    let rows = probes.iter().zip(scores.chunks_exact(known.len().max(1)));
    let best = |probe: &Probe, scores| best(probe.before.iter().map(|act| act.pin), known, scores, DEPTH);
    rows.map(|(probe, scores)| recall_at(&best(probe, scores), &probe.later, DEPTH)).sum()
}

/// What somebody did, the moment of asking (ms, UTC), and for what.
type Past<'a> = (&'a [Act], u64, Reach);

/// Scores of all pins for everybody, a row each.
fn scores(model: &Model, data: &Dataset, vectors: &[f32], past: &[Past]) -> Vec<f32> {
    let (dim, mut scratch) = (model.dim(), Scratch::default());
    let mut users = Vec::with_capacity(past.len() * dim);
    for &(acts, asked_ms, reach) in past {
        let history = tokens(acts, model.config().history_max, |pin| data.content_of(pin));
        let condition = Condition::home(acts.last().map(|act| act.ts_ms), asked_ms, reach);
        users.extend(model.encode(&history, &condition, &mut scratch).vector);
    }
    let pins = vectors.len() / dim;
    let mut scores = vec![0.0; past.len() * pins];
    let of_pins = Operand::new(vectors, pins, dim, dim);
    matmul(&mut scores, pins, Operand::new(&users, past.len(), dim, dim), of_pins.transposed(), 0.0, 1.0);
    scores
}

/// The best pins that are not of the past; ties by id.
fn best(past: impl Iterator<Item = PinId>, known: &[PinId], scores: &[f32], depth: usize) -> Vec<PinId> {
    let seen: std::collections::HashSet<PinId> = past.collect();
    let rows = known.iter().zip(scores).filter(|(pin, _)| !seen.contains(pin));
    let mut ranked: Vec<(f32, PinId)> = rows.map(|(pin, score)| (*score, *pin)).collect();
    let order = |a: &(f32, PinId), b: &(f32, PinId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if ranked.len() > depth {
        ranked.select_nth_unstable_by(depth, order);
        ranked.truncate(depth);
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
