//! How a run begins: who is learned from, how large the model is, where its weights start.

use domain::{PinId, PinnerId, hash64};
use models::{IdTable, ModelConfig, Part, Weights};

use crate::adamw::AdamW;
use crate::learner::Learner;
use crate::sparse::{RowAdagrad, Touched};
use crate::validate::Probe;
use crate::{Dataset, History, TrainConfig, TrainError, spectral};

/// A pinner with fewer acts is never held back: there would be too little to show and to predict.
const HELD_BACK_ACTS_MIN: usize = 8;
/// Bounds of the id table: four rows per pin, so that few pins share any.
const ID_ROWS: (usize, usize) = (1 << 8, 1 << 21);

/// Who is learned from and who is not.
pub(crate) struct Cast {
    /// Pinners with two pins at least.
    pub(crate) learned: Vec<History>,
    /// Pinners that are not learned from, sorted.
    pub(crate) held_back: Vec<PinnerId>,
    /// What validates: a part of the held-back pinners.
    pub(crate) probes: Vec<Probe>,
}

/// Chooses who is held back: those with enough acts whose seeded hash is lowest.
pub(crate) fn cast(data: &Dataset, config: &TrainConfig) -> Result<Cast, TrainError> {
    let stories = data.stories();
    let draw = |story: &History| hash64(hash64(config.seed) ^ u64::from(story.pinner.0));
    let mut able: Vec<(u64, PinnerId)> = stories
        .iter()
        .filter(|story| story.acts.len() >= HELD_BACK_ACTS_MIN)
        .map(|story| (draw(story), story.pinner))
        .collect();
    able.sort_unstable();
    able.truncate(((stories.len() as f32 * config.held_back) as usize).min(config.held_back_max));
    let validating: std::collections::HashSet<PinnerId> =
        able.iter().take(config.validation_max).map(|(_, pinner)| *pinner).collect();
    let mut held_back: Vec<PinnerId> = able.into_iter().map(|(_, pinner)| pinner).collect();
    held_back.sort_unstable();
    let chosen = |story: &History| validating.contains(&story.pinner);
    let probes = stories.iter().filter(|story| chosen(story)).filter_map(|s| Probe::new(s, config.seed)).collect();
    let is_held = |story: &History| held_back.binary_search(&story.pinner).is_ok();
    let two_pins = |story: &History| story.acts.iter().any(|act| act.pin != story.acts[0].pin);
    let learned: Vec<History> = stories.into_iter().filter(|story| !is_held(story) && two_pins(story)).collect();
    if learned.is_empty() {
        return Err(TrainError::TooLittle("no pinner acted on two different pins".into()));
    }
    Ok(Cast { learned, held_back, probes })
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
    Ok(Learner {
        adamw: AdamW::new(weights.matrices()),
        adagrad: RowAdagrad::new(model.id_rows),
        touched: Touched::new(data.pins, model.dim),
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
