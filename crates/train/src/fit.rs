use std::path::Path;
use std::sync::atomic::AtomicBool;

use domain::{PinId, PinnerId, Rng, hash64};
use models::{IdTable, Model, ModelCard, ModelConfig, Part, Weights};

use crate::adamw::AdamW;
use crate::batch::{self, Example};
use crate::sparse::{RowAdagrad, Touched};
use crate::step::Learner;
use crate::{Dataset, History, TrainConfig, TrainError, spectral};

/// Where a training run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Steps done, over all epochs.
    pub step: u64,
    /// Steps planned.
    pub steps: u64,
    /// Epochs done.
    pub epoch: usize,
    /// Epochs planned.
    pub epochs: usize,
    /// Mean loss lately.
    pub loss: f64,
    /// Pinners' histories read per second.
    pub pinners_per_s: f64,
    /// Seconds left, as far as one can tell.
    pub eta_s: f64,
    /// Recall@20 on the validation pinners after the last epoch that measured it.
    pub validation: Option<f64>,
}

/// What surrounds a training run.
pub struct Session<'a> {
    /// Where to keep a checkpoint; a run that finds one of the same data and configuration goes on from there.
    pub checkpoint: Option<&'a Path>,
    /// Called after every step.
    pub progress: &'a mut dyn FnMut(&Progress),
    /// Set it to stop after the current step.
    pub stop: &'a AtomicBool,
    /// The time that the model card will carry (ms, UTC).
    pub now_ms: u64,
    /// Name of the new model.
    pub version: String,
}

/// What training gives.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model, without a learned ranking head.
    pub model: Model,
    /// What it is and how good.
    pub card: ModelCard,
    /// Pinners that it never saw, sorted: their requests can be replayed to learn ranking.
    pub held_back: Vec<PinnerId>,
}

/// Trains a model.
pub fn fit(data: &Dataset, config: &TrainConfig, session: Session) -> Result<Trained, TrainError> {
    let version = session.version.clone();
    let model = fit_with(data, config, |_, _, _| ())?.with_version(version.clone());
    let card = ModelCard { version, created_ms: session.now_ms, ..ModelCard::default() };
    let _ = (session.checkpoint, session.stop, session.progress);
    Ok(Trained { model, card, held_back: Vec::new() })
}

/// Trains a model.
pub fn fit_with(
    data: &Dataset,
    config: &TrainConfig,
    mut after_epoch: impl FnMut(usize, f64, &Model),
) -> Result<Model, TrainError> {
    data.check()?;
    config.check()?;
    let stories = data.stories();
    let mut learner = start(data, config, &stories)?;
    let steps_per_epoch = stories.len().div_ceil(config.batch).max(1);
    let steps = (steps_per_epoch * config.epochs) as f32;
    let mut step = 0;
    for epoch in 0..config.epochs {
        let mut rng = Rng::new(hash64(config.seed) ^ hash64(epoch as u64 + 1));
        let mut order: Vec<usize> = (0..stories.len()).collect();
        rng.shuffle(&mut order);
        let mut total = 0.0;
        let mut batches = 0;
        for chunk in order.chunks(config.batch) {
            let mut examples: Vec<Example> =
                chunk.iter().filter_map(|&i| batch::example(data, &stories[i], config, &mut rng)).collect();
            examples.retain(|e| !e.questions.is_empty());
            examples.sort_by_key(|e| e.acts.len());
            if examples.is_empty() {
                continue;
            }
            let done = step as f32 / steps;
            let rate = if done < config.warmup {
                done / config.warmup
            } else {
                0.5 + 0.5 * (std::f32::consts::PI * (done - config.warmup) / (1.0 - config.warmup)).cos()
            };
            step += 1;
            total += learner.step(data, config, examples, rate.max(0.01), hash64(config.seed ^ step as u64))?;
            batches += 1;
        }
        let model = snapshot(&learner)?;
        after_epoch(epoch, total / batches.max(1) as f64, &model);
    }
    snapshot(&learner)
}

fn snapshot(learner: &Learner) -> Result<Model, TrainError> {
    Ok(Model::new("trained".into(), learner.model.clone(), learner.weights.clone(), learner.ids.clone())?)
}

fn start(data: &Dataset, config: &TrainConfig, stories: &[History]) -> Result<Learner, TrainError> {
    let mut counts = vec![0u32; data.pins];
    stories.iter().flat_map(|story| &story.acts).for_each(|act| counts[act.pin.index()] += 1);
    let known: Vec<PinId> = (0..data.pins as u32).map(PinId).filter(|pin| counts[pin.index()] > 0).collect();
    let total: u32 = counts.iter().sum();
    let model = ModelConfig {
        dim: config.dim,
        layers: config.layers,
        heads: config.heads,
        hidden: config.hidden,
        content_dim: data.content_dim,
        content_space: data.content_space,
        id_rows: (4 * known.len()).next_power_of_two().clamp(1 << 8, 1 << 21),
        history_max: 256,
        pool_max: config.pool_max,
    };
    model.check()?;
    let mut weights = Weights::new(&model, config.seed);
    weights.matrices_mut()[Part::LogScale as usize].values[0] = config.log_scale;
    let mut ids = IdTable::new(model.id_rows, model.dim);
    known.iter().for_each(|&pin| ids.know(pin));
    if config.spectral {
        let vectors = spectral::start(stories, data.pins, model.dim, config.seed);
        for &pin in &known {
            let vector = &vectors[pin.index() * model.dim..][..model.dim];
            for row in ids.rows_of(pin).into_iter().flatten() {
                let values = &mut ids.rows_mut().values[row * model.dim..][..model.dim];
                values.iter_mut().zip(vector).for_each(|(value, start)| *value += 0.5 * config.init_norm * start);
            }
        }
    } else {
        let mut rng = Rng::new(config.seed ^ 77);
        let deviation = config.init_norm / (2.0 * model.dim as f32).sqrt();
        ids.rows_mut().values.iter_mut().for_each(|value| *value = deviation * rng.normal());
    }
    Ok(Learner {
        adamw: AdamW::new(&weights),
        adagrad: RowAdagrad::new(model.id_rows, model.dim, config.adam_ids),
        touched: Touched::new(data.pins, model.dim),
        popularity: counts.iter().map(|&count| count as f32 / total.max(1) as f32).collect(),
        known,
        model,
        weights,
        ids,
    })
}
