//! The loop that both models are learned by.

use super::{LabelledPin, RelevanceData};
use crate::adamw::{AdamW, Stride};
use crate::bounds::within;
use crate::checkpoint::{self, State};
use crate::learner::add;
use crate::tape::{Cpu, Loaded, Tape, Var};
use crate::{Progress, Session, TrainError, Work, schedule};
use domain::{Rng, hash64};
use models::{LEVELS, Levels, Matrix, softmax};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::Ordering;

/// How relevance is learned. Nothing needs to be set for a particular catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelevanceTraining {
    /// Seed of weights and order.
    pub seed: u64,
    /// Passes over all labels; chosen from their number when open, so that about `reads` are read in all.
    pub epochs: Option<usize>,
    /// See `epochs`.
    pub reads: usize,
    /// Labels of a step.
    pub batch: usize,
    /// In how many parts a step is computed at once.
    pub shards: usize,
    /// Peak learning rate (AdamW).
    pub rate: f32,
    /// Pull of matrices towards zero, relative to the rate.
    pub weight_decay: f32,
    /// Longest gradient; longer ones are cut.
    pub clip_norm: f32,
    /// Part of all steps in which the rate rises; after it, it falls along a cosine.
    pub warmup: f32,
    /// Part of hidden numbers that are forgotten in each step (dropout).
    pub forgotten: f32,
    /// Part of the queries that is not learned from: it says after which pass to stop, and calibrates.
    pub held_back: f32,
}

impl RelevanceTraining {
    /// What the student is learned with.
    pub fn student() -> RelevanceTraining {
        RelevanceTraining {
            seed: 1,
            epochs: None,
            reads: 600_000,
            batch: 256,
            shards: 2,
            rate: 3e-3,
            weight_decay: 0.05,
            clip_norm: 1.0,
            warmup: 0.1,
            forgotten: 0.2,
            held_back: 0.1,
        }
    }

    /// What the teacher is learned with.
    pub fn teacher() -> RelevanceTraining {
        RelevanceTraining {
            reads: 60_000,
            batch: 64,
            rate: 1e-3,
            weight_decay: 0.02,
            forgotten: 0.1,
            ..RelevanceTraining::student()
        }
    }

    /// Whether every value is inside its bounds.
    pub fn check(&self) -> Result<(), TrainError> {
        let counts = [
            ("epochs", self.epochs.unwrap_or(1), 1, 1_000),
            ("reads", self.reads, 1, 1 << 40),
            ("batch", self.batch, 2, 65_536),
            ("shards", self.shards, 1, 64),
        ];
        let numbers = [
            ("rate", self.rate, 1.0),
            ("weight_decay", self.weight_decay, 10.0),
            ("clip_norm", self.clip_norm, 1e6),
            ("warmup", self.warmup, 0.9),
            ("forgotten", self.forgotten, 0.9),
            ("held_back", self.held_back, 0.5),
        ];
        within("relevance: ", &counts, &numbers)
    }

    /// Passes over so many labels.
    pub fn epochs_for(&self, labels: usize) -> usize {
        self.epochs.unwrap_or_else(|| (self.reads / labels.max(1)).clamp(3, 40))
    }
}

/// A net over labelled pins.
pub(super) trait Net: Sync {
    /// What is learned, in the order of the list.
    fn matrices(&self) -> &[Matrix];
    /// See [`Net::matrices`].
    fn matrices_mut(&mut self) -> &mut [Matrix];
    /// Logits of the levels, a row a pin; while learning, a part of what is known on the way is forgotten.
    fn logits(&self, tape: &mut Tape<Cpu>, data: &RelevanceData, pins: &[&LabelledPin], forget: Forget) -> Var;
    /// Where one over the temperature is kept.
    fn sharpness(&self) -> usize;
}

/// What is forgotten on the way: a part, as a seed draws.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forget {
    share: f32,
    seed: u64,
}

impl Forget {
    pub(super) const NOTHING: Forget = Forget { share: 0.0, seed: 0 };

    /// `x` with a part forgotten; `at` tells one place from another.
    pub(super) fn of(self, tape: &mut Tape<Cpu>, x: Var, at: u64) -> Var {
        tape.drop(x, self.share, hash64(self.seed ^ at))
    }
}

/// Learns a net; the same data, configuration and seed give the same numbers, stopped and continued or not.
pub(super) fn fit<N: Net>(
    net: &mut N,
    data: &RelevanceData,
    config: &RelevanceTraining,
    session: &mut Session,
) -> Result<(), TrainError> {
    config.check()?;
    let (held, learned) = parted(data, config);
    let adamw = AdamW::new(net.matrices());
    let steps_per_epoch = learned.len().div_ceil(config.batch) as u64;
    let steps = steps_per_epoch * config.epochs_for(learned.len()) as u64;
    let state = State { fingerprint: fingerprint(net, data, config), ..State::default() };
    let best = net.matrices().iter().map(|matrix| matrix.values.clone()).collect();
    let mut run =
        Run { net, data, config, adamw, state, steps, steps_per_epoch, order: Vec::new(), learned, held, best };
    if let Some(path) = session.checkpoint {
        run.resume(path)?;
    }
    run.shuffle();
    while run.state.step < run.steps {
        run.step()?;
        (session.progress)(&run.progress());
        let stopped = session.stop.load(Ordering::Relaxed);
        let ended = run.state.step.is_multiple_of(run.steps_per_epoch);
        if ended {
            run.state.losses.push(run.progress().loss as f32);
            run.state.loss = (0.0, 0);
            run.validate();
            run.shuffle();
        }
        if let Some(path) = session.checkpoint.filter(|_| stopped || ended) {
            run.write(path)?;
        }
        if stopped && run.state.step < run.steps {
            return Err(TrainError::Stopped { step: run.state.step });
        }
    }
    let Run { net, best, held, .. } = run;
    net.matrices_mut().iter_mut().zip(best).for_each(|(matrix, values)| matrix.values = values);
    let (sharpness, _) = calibrated(net, data, &held);
    let place = net.sharpness();
    net.matrices_mut()[place].values[0] = sharpness;
    Ok(())
}

/// Pins of held-back queries, and the others.
fn parted(data: &RelevanceData, config: &RelevanceTraining) -> (Vec<usize>, Vec<usize>) {
    let share = |query: usize| hash64(hash64(config.seed) ^ query as u64) as f64 / u64::MAX as f64;
    (0..data.pins.len()).partition(|&pin| share(data.pins[pin].query) < f64::from(config.held_back))
}

struct Run<'a, N> {
    net: &'a mut N,
    data: &'a RelevanceData,
    config: &'a RelevanceTraining,
    adamw: AdamW,
    state: State,
    steps: u64,
    steps_per_epoch: u64,
    order: Vec<usize>,
    learned: Vec<usize>,
    held: Vec<usize>,
    /// The weights after the pass that was best for what was held back.
    best: Vec<Vec<f32>>,
}

impl<N: Net> Run<'_, N> {
    fn epoch(&self) -> u64 {
        self.state.step / self.steps_per_epoch.max(1)
    }

    fn shuffle(&mut self) {
        self.order.clone_from(&self.learned);
        Rng::new(hash64(self.config.seed) ^ hash64(self.epoch())).shuffle(&mut self.order);
    }

    fn step(&mut self) -> Result<(), TrainError> {
        let place = (self.state.step % self.steps_per_epoch) as usize * self.config.batch;
        let pins = &self.order[place..(place + self.config.batch).min(self.order.len())];
        let seed = hash64(self.config.seed ^ 0x0F) ^ hash64(self.state.step);
        let forget = Forget { share: self.config.forgotten, seed };
        let (loss, dense) = learn(&*self.net, self.data, pins, (self.config.shards, forget));
        let rate = self.config.rate * schedule::rate(self.state.step, self.steps, self.config.warmup);
        self.state.step += 1;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step });
        }
        let stride = Stride { rate, decay: self.config.weight_decay, clip_norm: self.config.clip_norm };
        self.adamw.step(self.net.matrices_mut(), &dense, stride);
        self.state.loss = (self.state.loss.0 + loss, self.state.loss.1 + 1);
        Ok(())
    }

    /// Keeps the weights when no pass before was better; the last pass, where nothing was held back.
    fn validate(&mut self) {
        let loss = calibrated(&*self.net, self.data, &self.held).1;
        let before = self.state.best.and_then(|best| self.state.validations.get(best)).copied();
        if self.held.is_empty() || before.is_none_or(|before| loss < before) {
            self.state.best = Some(self.state.validations.len());
            self.best = self.net.matrices().iter().map(|matrix| matrix.values.clone()).collect();
        }
        self.state.validations.push(loss);
    }

    fn progress(&self) -> Progress {
        Progress {
            step: self.state.step,
            steps: self.steps,
            epoch: self.epoch() as usize,
            epochs: (self.steps / self.steps_per_epoch.max(1)) as usize,
            loss: self.state.loss.0 / self.state.loss.1.max(1) as f64,
            work: Work { examples: self.config.batch, ..Work::default() },
        }
    }

    fn write(&self, path: &Path) -> Result<(), TrainError> {
        let mut lists: Vec<&[f32]> = self.net.matrices().iter().map(|matrix| &matrix.values[..]).collect();
        lists.extend(self.adamw.first.iter().chain(&self.adamw.second).chain(&self.best).map(Vec::as_slice));
        checkpoint::write(path, State { adam_steps: self.adamw.steps, ..self.state.clone() }, &lists)
    }

    fn resume(&mut self, path: &Path) -> Result<(), TrainError> {
        let Some((state, lists)) = checkpoint::read(path, self.state.fingerprint)? else { return Ok(()) };
        let mut slots: Vec<&mut Vec<f32>> =
            self.net.matrices_mut().iter_mut().map(|matrix| &mut matrix.values).collect();
        slots.extend(self.adamw.first.iter_mut().chain(&mut self.adamw.second).chain(&mut self.best));
        checkpoint::fill(path, slots.into_iter().map(Vec::as_mut_slice).collect(), &lists)?;
        self.adamw.steps = state.adam_steps;
        self.state = state;
        Ok(())
    }
}

/// Mean loss of some pins, and the gradient of every matrix.
fn learn<N: Net>(
    net: &N,
    data: &RelevanceData,
    pins: &[usize],
    (shards, forget): (usize, Forget),
) -> (f64, Vec<Vec<f32>>) {
    let weights = &Loaded::host(net.matrices());
    let per_shard = pins.len().div_ceil(shards).max(1);
    let shard = |(number, rows): (usize, &[usize])| {
        let forget = Forget { seed: forget.seed ^ hash64(number as u64), ..forget };
        let rows: Vec<&LabelledPin> = rows.iter().map(|&row| &data.pins[row]).collect();
        let mut tape = Tape::new(&Cpu, weights);
        let logits = net.logits(&mut tape, data, &rows, forget);
        let (mut loss, mut gradient) = (0.0, tape.value(logits).clone());
        for (out, pin) in gradient.chunks_exact_mut(LEVELS).zip(&rows) {
            softmax(out);
            for (chance, label) in out.iter_mut().zip(pin.label) {
                loss -= f64::from(label) * f64::from(chance.max(1e-12)).ln();
                *chance = (*chance - label) / pins.len() as f32;
            }
        }
        (loss, tape.backward(vec![(logits, gradient)]).dense(&Cpu))
    };
    let found: Vec<(f64, Vec<Vec<f32>>)> = pins.par_chunks(per_shard).enumerate().map(shard).collect();
    let sizes = net.matrices().iter().map(|matrix| matrix.values.len());
    let mut dense: Vec<Vec<f32>> = sizes.map(|size| vec![0.0; size]).collect();
    // A matrix that a shard did not use has no gradient there.
    found.iter().for_each(|(_, part)| add(&mut dense, part));
    (found.iter().map(|(loss, _)| loss).sum::<f64>() / pins.len().max(1) as f64, dense)
}

/// Logits of pins, a row each, before they are calibrated.
pub(super) fn logits<N: Net>(net: &N, data: &RelevanceData, pins: &[&LabelledPin]) -> Vec<f32> {
    const BLOCK: usize = 64;
    let weights = &Loaded::host(net.matrices());
    let block = |pins: &[&LabelledPin]| {
        let mut tape = Tape::new(&Cpu, weights);
        let logits = net.logits(&mut tape, data, pins, Forget::NOTHING);
        tape.value(logits).clone()
    };
    pins.par_chunks(BLOCK).flat_map_iter(block).collect()
}

/// Chances of levels from logits.
pub(super) fn chances(logits: &[f32], sharpness: f32) -> Vec<Levels> {
    let of = |out: &[f32]| {
        let mut levels: Levels = std::array::from_fn(|level| sharpness * out[level]);
        softmax(&mut levels);
        levels
    };
    logits.chunks_exact(LEVELS).map(of).collect()
}

/// One over the temperature that makes the labels of held-back pins likeliest, by golden sections, and the mean log
/// loss with it.
fn calibrated<N: Net>(net: &N, data: &RelevanceData, held: &[usize]) -> (f32, f64) {
    const GOLDEN: f32 = 0.618_034;
    let pins: Vec<&LabelledPin> = held.iter().map(|&pin| &data.pins[pin]).collect();
    let logits = logits(net, data, &pins);
    let loss = |sharpness: f32| -> f64 {
        let of = |(chances, pin): (&Levels, &&LabelledPin)| -> f64 {
            chances.iter().zip(pin.label).map(|(c, label)| -f64::from(label) * f64::from(c.max(1e-7)).ln()).sum()
        };
        chances(&logits, sharpness).iter().zip(&pins).map(of).sum()
    };
    let (mut low, mut high) = (0.2f32, 3.0f32);
    for _ in 0..30 {
        let (a, b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        if loss(a) <= loss(b) { high = b } else { low = a }
    }
    let sharpness = if pins.is_empty() { 1.0 } else { 0.5 * (low + high) };
    (sharpness, loss(sharpness) / pins.len().max(1) as f64)
}

/// A hash of everything that the result depends on.
fn fingerprint<N: Net>(net: &N, data: &RelevanceData, config: &RelevanceTraining) -> u64 {
    let mut sum = hash64(data.pins.len() as u64);
    let mut mix = |value: u64| sum = hash64(sum ^ value);
    serde_json::to_vec(config).unwrap_or_default().iter().for_each(|byte| mix(u64::from(*byte)));
    net.matrices().iter().for_each(|matrix| mix((matrix.rows as u64) << 32 | matrix.cols as u64));
    data.queries.iter().flat_map(|query| query.text.bytes()).for_each(|byte| mix(u64::from(byte)));
    for pin in &data.pins {
        mix(pin.query as u64);
        pin.words.iter().for_each(|word| mix(*word));
        pin.label.iter().chain(&pin.features).chain(&pin.content).for_each(|value| mix(u64::from(value.to_bits())));
    }
    sum
}
