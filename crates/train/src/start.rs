//! How a run begins: who is learned from, how large the model is, where its weights start.

use domain::{Action, PinId, PinnerId, Rng, hash64};
use models::{IdTable, ModelConfig, Part, Weights};

use crate::adamw::AdamW;
use crate::learner::Learner;
use crate::sparse::{RowAdagrad, Touched};
use crate::validate::Probe;
use crate::{Dataset, History, TrainConfig, TrainError, spectral};

/// Of a pinner with fewer acts nothing is held back: there would be too little to show and to predict.
const HELD_BACK_ACTS_MIN: usize = 8;
/// The part of a held-back pinner's acts that is learned from is drawn from here.
const KNOWN: std::ops::Range<f32> = 0.5..0.9;
/// Bounds of the id table: four rows per pin, so that few pins share any.
const ID_ROWS: (usize, usize) = (1 << 8, 1 << 21);

/// A pinner whose later acts are not learned from: they validate, and their requests can be replayed to learn ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBack {
    /// Who.
    pub pinner: PinnerId,
    /// When the first later act happened (ms, UTC). Where acts tie, earlier ones may carry the same moment.
    pub from_ms: u64,
    /// Pins first acted on later, sorted.
    pub later: Vec<PinId>,
}

/// What is learned from and what is not.
pub(crate) struct Cast {
    /// Pinners with two pins at least, without what is held back.
    pub(crate) learned: Vec<History>,
    /// In the order of pinners.
    pub(crate) held_back: Vec<HeldBack>,
    /// What validates: a part of the held-back pinners.
    pub(crate) probes: Vec<Probe>,
}

/// Whose later acts [`crate::fit`] will not learn from, in the order of pinners.
///
/// # Errors
/// When nobody acted on two different pins.
pub fn held_back(data: &Dataset, config: &TrainConfig) -> Result<Vec<HeldBack>, TrainError> {
    Ok(cast(data, config)?.held_back)
}

/// Chooses whose later acts are held back: pinners with enough acts whose seeded hash is lowest.
pub(crate) fn cast(data: &Dataset, config: &TrainConfig) -> Result<Cast, TrainError> {
    let mut stories = data.stories();
    let draw = |story: &History| hash64(hash64(config.seed) ^ u64::from(story.pinner.0));
    let enough = |story: &History| story.acts.len() >= HELD_BACK_ACTS_MIN;
    let able = stories.iter().enumerate().filter(|(_, story)| enough(story));
    let mut able: Vec<(u64, usize)> = able.map(|(at, story)| (draw(story), at)).collect();
    able.sort_unstable();
    able.truncate(((stories.len() as f32 * config.held_back) as usize).min(config.held_back_max));
    let (mut held_back, mut probes) = (Vec::new(), Vec::new());
    for (number, (seed, at)) in able.into_iter().enumerate() {
        let story = &mut stories[at];
        let Some(probe) = Probe::cut(story, KNOWN, &mut Rng::new(seed)) else { continue };
        story.shown.retain(|shown| shown.ts_ms < probe.asked_ms);
        held_back.push(HeldBack { pinner: story.pinner, from_ms: probe.asked_ms, later: probe.later.clone() });
        if number < config.validation_max {
            probes.push(probe);
        }
    }
    held_back.sort_by_key(|held| held.pinner);
    let two_pins = |story: &History| story.acts.iter().any(|act| act.pin != story.acts[0].pin);
    if !stories.iter().any(two_pins) {
        return Err(TrainError::TooLittle("no pinner acted on two different pins".into()));
    }
    stories.retain(|story| two_pins(story) || !story.shown.is_empty());
    Ok(Cast { learned: stories, held_back, probes })
}

/// The learner before the first step.
pub(crate) fn learner(data: &Dataset, config: &TrainConfig, stories: &[History]) -> Result<Learner, TrainError> {
    let counts = counts(data, stories);
    let known = known(&counts);
    let total = counts.iter().map(|&count| f64::from(count)).sum::<f64>().max(1.0);
    let model = ModelConfig {
        dim: config.dim,
        layers: config.layers,
        heads: config.heads,
        hidden: config.hidden,
        content_dim: data.content_dim,
        content_space: data.content_space,
        id_rows: (4 * known.len()).next_power_of_two().clamp(ID_ROWS.0, ID_ROWS.1),
        history_max: 256,
        pool_max: config.neighbours_max,
    };
    model.check()?;
    let mut weights = Weights::new(&model, hash64(config.seed));
    weights.matrices_mut()[Part::LogScale as usize].values[0] = config.log_scale;
    if !config.actions {
        weights.matrices_mut()[Part::TokenFacts as usize].values[..Action::ALL.len() * model.dim].fill(0.0);
    }
    Ok(Learner {
        adamw: AdamW::new(weights.matrices()),
        adagrad: RowAdagrad::new(model.id_rows),
        touched: Touched::new(data.pins),
        seat: None,
        popularity: counts.iter().map(|&count| (f64::from(count) / total) as f32).collect(),
        ids: ids(data, config, &model, stories, &known),
        known,
        model,
        weights,
    })
}

/// Per pin how many acts teach something about it.
fn counts(data: &Dataset, stories: &[History]) -> Vec<u32> {
    let mut counts = vec![0; data.pins];
    stories.iter().flat_map(|story| &story.acts).for_each(|act| counts[act.pin.index()] += 1);
    counts
}

/// The pins that are learned about.
fn known(counts: &[u32]) -> Vec<PinId> {
    (0u32..).zip(counts).filter(|(_, count)| **count > 0).map(|(pin, _)| PinId(pin)).collect()
}

/// What [`crate::fit`] would validate a model of this data with: the pins that are ranked, and the probes.
pub(crate) fn validation(data: &Dataset, config: &TrainConfig) -> Result<(Vec<PinId>, Vec<Probe>), TrainError> {
    let cast = cast(data, config)?;
    Ok((known(&counts(data, &cast.learned)), cast.probes))
}

/// The id table at the start: each pin's two rows hold half of its spectral vector.
fn ids(data: &Dataset, config: &TrainConfig, model: &ModelConfig, stories: &[History], known: &[PinId]) -> IdTable {
    let mut ids = IdTable::new(model.id_rows, model.dim);
    let vectors = spectral::start(stories, data.pins, model.dim, config.seed);
    for &pin in known {
        ids.know(pin);
        let vector = &vectors[pin.index() * model.dim..][..model.dim];
        for row in ids.rows_of(pin).into_iter().flatten() {
            let values = &mut ids.rows_mut().values[row * model.dim..][..model.dim];
            values.iter_mut().zip(vector).for_each(|(value, start)| *value += 0.5 * config.id_length * start);
        }
    }
    ids
}
