use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{Act, Rng, hash64};
use models::{Epoch, Model, ModelCard};
use rayon::prelude::*;

use crate::batch::{self, Example};
use crate::checkpoint::{self, State};
use crate::gpu::Seat;
use crate::learner::Learner;
use crate::start::{self, Cast, HeldBack};
use crate::{Dataset, TrainConfig, TrainError, schedule, validate};

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
    /// Mean loss of the epoch at hand.
    pub loss: f64,
    /// What the last step learned from.
    pub work: Work,
}

/// What a step learns from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Pinners with at least one question.
    pub examples: usize,
    /// Questions.
    pub questions: usize,
    /// Acts of histories that are read.
    pub tokens: usize,
    /// Pins that answer, over all questions.
    pub targets: usize,
}

impl Work {
    fn of(examples: &[Example]) -> Work {
        let questions = || examples.iter().flat_map(|example| &example.questions);
        Work {
            examples: examples.len(),
            questions: questions().count(),
            tokens: examples.iter().map(|example| example.acts.len()).sum(),
            targets: questions().map(|question| question.targets.len()).sum(),
        }
    }
}

/// What computes the steps of the sequence model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor's cores. The same data, configuration and seed give the same bytes.
    #[default]
    Cpu,
    /// The first CUDA card. It adds numbers up in any order: two runs differ in last bits, as those of other frameworks
    /// do. What draws and what is counted is the same as on a CPU.
    Gpu,
}

impl std::str::FromStr for Device {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Device, TrainError> {
        match name {
            "cpu" => Ok(Device::Cpu),
            "gpu" => Ok(Device::Gpu),
            other => Err(TrainError::Config(format!("the device is `{other}`, must be `cpu` or `gpu`"))),
        }
    }
}

/// What surrounds a training run.
pub struct Session<'a> {
    /// What computes.
    pub device: Device,
    /// A file for checkpoints: written after each epoch and when stopped, continued when it is of the same data and
    /// configuration. A finished run leaves it, so that the same run gives its result at once; who has put the result
    /// in safety removes it.
    pub checkpoint: Option<&'a Path>,
    /// Called after every step.
    pub progress: &'a mut dyn FnMut(&Progress),
    /// Set it to stop after the step at hand.
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
    /// What it is and how good. What the run does not know is left open: the range of the data, the code, the parents.
    pub card: ModelCard,
    /// What it never learned from, in the order of pinners.
    pub held_back: Vec<HeldBack>,
}

/// Trains a model. The same data, configuration and seed give the same bytes, stopped and continued or not.
///
/// # Errors
/// When the data or the configuration are wrong, there is too little to learn from, the checkpoint cannot be read or
/// written, the loss leaves the finite numbers, or `session.stop` was set.
pub fn fit(data: &Dataset, config: &TrainConfig, session: Session) -> Result<Trained, TrainError> {
    data.check()?;
    config.check()?;
    let cast = start::cast(data, config)?;
    let mut run = Run::start(data, config, &cast)?;
    if let Some(path) = session.checkpoint {
        run.resume(path)?;
    }
    if session.device == Device::Gpu {
        run.learner.sit(data)?;
    }
    while run.state.step < run.steps && !run.is_over() {
        run.step()?;
        (session.progress)(&run.progress());
        let stopped = session.stop.load(Ordering::Relaxed);
        if run.at_epoch_end() {
            run.end_epoch()?;
        }
        if let Some(path) = session.checkpoint.filter(|_| stopped || run.at_epoch_end()) {
            run.write(path)?;
        }
        if stopped && run.state.step < run.steps {
            return Err(TrainError::Stopped { step: run.state.step });
        }
    }
    run.finish(&session)
}

/// Validations that differ by less are as good: of those the later model is kept, which has learned at lower rates.
const ALIKE: f64 = 0.005;

struct Run<'a> {
    data: &'a Dataset,
    config: &'a TrainConfig,
    cast: &'a Cast,
    learner: Learner,
    /// The last model that was as good as any, by validation.
    best: Option<Model>,
    state: State,
    /// Of the last step.
    work: Work,
    steps: u64,
    steps_per_epoch: u64,
    /// Pinners in the order of the epoch at hand.
    order: Vec<usize>,
}

impl<'a> Run<'a> {
    fn start(data: &'a Dataset, config: &'a TrainConfig, cast: &'a Cast) -> Result<Run<'a>, TrainError> {
        let learner = start::learner(data, config, &cast.learned)?;
        let acts = cast.learned.iter().map(|story| story.acts.len()).sum();
        let steps_per_epoch = cast.learned.len().div_ceil(config.batch) as u64;
        let steps = steps_per_epoch * config.epochs_for(acts) as u64;
        let state = State { fingerprint: fingerprint(data, config), ..State::default() };
        let (best, work, order) = (None, Work::default(), Vec::new());
        let mut run = Run { data, config, cast, learner, best, state, work, steps, steps_per_epoch, order };
        run.shuffle();
        Ok(run)
    }

    fn epoch(&self) -> u64 {
        self.state.step / self.steps_per_epoch
    }

    /// The pinners' order of the epoch at hand.
    fn shuffle(&mut self) {
        self.order = (0..self.cast.learned.len()).collect();
        Rng::new(hash64(self.config.seed) ^ hash64(self.epoch())).shuffle(&mut self.order);
    }

    fn step(&mut self) -> Result<(), TrainError> {
        let place = (self.state.step % self.steps_per_epoch) as usize * self.config.batch;
        let chosen = &self.order[place..(place + self.config.batch).min(self.order.len())];
        let drawn: Vec<Vec<Example>> = chosen.par_iter().map(|&story| self.examples(story).collect()).collect();
        let examples: Vec<Example> = drawn.into_iter().flatten().collect();
        let seed = hash64(self.config.seed) ^ hash64(!self.state.step);
        let rate = schedule::rate(self.state.step, self.steps, self.config.warmup);
        self.state.step += 1;
        self.work = Work::of(&examples);
        if examples.is_empty() {
            return Ok(());
        }
        let loss = self.learner.step(self.data, self.config, &examples, rate, seed)?;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step });
        }
        self.state.loss = (self.state.loss.0 + loss, self.state.loss.1 + 1);
        Ok(())
    }

    /// Examples of a pinner, of what came next and of what was shown: the same in each run, others in each epoch.
    fn examples(&self, story: usize) -> impl Iterator<Item = Example> {
        let seed = hash64(self.config.seed ^ hash64(self.epoch() << 32 | story as u64));
        let (story, rng) = (&self.cast.learned[story], &mut Rng::new(seed));
        let next = batch::example(self.data, story, self.config, rng);
        next.into_iter().chain(batch::shown(self.data, story, self.config, rng))
    }

    fn at_epoch_end(&self) -> bool {
        self.state.step.is_multiple_of(self.steps_per_epoch)
    }

    /// Notes the loss, validates, keeps the model if none before was clearly better, and prepares the next epoch.
    fn end_epoch(&mut self) -> Result<(), TrainError> {
        self.state.losses.push(self.progress().loss as f32);
        self.state.loss = (0.0, 0);
        self.shuffle();
        if self.cast.probes.is_empty() {
            return Ok(());
        }
        self.learner.settle()?;
        let model = self.snapshot()?;
        let recall =
            validate::recall(&model, self.data, &self.learner.known, (&self.cast.probes, self.config.validates()));
        let most = self.state.validations.iter().copied().fold(recall, f64::max);
        if recall >= most * (1.0 - ALIKE) {
            self.state.best = Some(self.state.validations.len());
            self.best = Some(model);
        }
        self.state.validations.push(recall);
        Ok(())
    }

    /// Whether validation has not been as good as the best for too long.
    fn is_over(&self) -> bool {
        self.state.best.is_some_and(|best| self.state.validations.len() - 1 - best >= self.config.patience)
    }

    fn snapshot(&self) -> Result<Model, TrainError> {
        let Learner { model, weights, ids, .. } = &self.learner;
        Ok(Model::new(String::new(), model.clone(), weights.clone(), ids.clone())?)
    }

    fn progress(&self) -> Progress {
        Progress {
            step: self.state.step,
            steps: self.steps,
            epoch: self.epoch() as usize,
            epochs: (self.steps / self.steps_per_epoch) as usize,
            loss: self.state.loss.0 / self.state.loss.1.max(1) as f64,
            work: self.work,
        }
    }

    fn write(&mut self, path: &Path) -> Result<(), TrainError> {
        self.learner.settle()?;
        let learner = &self.learner;
        let mut lists: Vec<&[f32]> = learner.weights.matrices().iter().map(|matrix| &matrix.values[..]).collect();
        lists.extend(learner.adamw.first.iter().chain(&learner.adamw.second).map(Vec::as_slice));
        lists.extend([&learner.ids.rows().values[..], &learner.adagrad.sums[..]]);
        if let Some(best) = &self.best {
            lists.extend(best.weights().matrices().iter().map(|matrix| &matrix.values[..]));
            lists.push(&best.ids().rows().values);
        }
        let state = State { adam_steps: learner.adamw.steps, ..self.state.clone() };
        checkpoint::write(path, state, &lists)
    }

    /// Goes on from a checkpoint of this run, when there is one.
    fn resume(&mut self, path: &Path) -> Result<(), TrainError> {
        let Some((state, lists)) = checkpoint::read(path, self.state.fingerprint)? else { return Ok(()) };
        let mut best = self.snapshot()?;
        let learner = &mut self.learner;
        let mut slots: Vec<&mut [f32]> =
            learner.weights.matrices_mut().iter_mut().map(|matrix| &mut matrix.values[..]).collect();
        slots.extend(learner.adamw.first.iter_mut().chain(&mut learner.adamw.second).map(Vec::as_mut_slice));
        slots.extend([&mut learner.ids.rows_mut().values[..], &mut learner.adagrad.sums[..]]);
        if state.best.is_some() {
            let (weights, ids) = best.parts_mut();
            slots.extend(weights.matrices_mut().iter_mut().map(|matrix| &mut matrix.values[..]));
            slots.push(&mut ids.rows_mut().values);
        }
        checkpoint::fill(path, slots, &lists)?;
        learner.adamw.steps = state.adam_steps;
        self.best = state.best.is_some().then_some(best);
        self.state = state;
        self.shuffle();
        Ok(())
    }

    fn finish(mut self, session: &Session) -> Result<Trained, TrainError> {
        self.learner.settle()?;
        let card = self.card(session);
        let model = match self.best {
            Some(best) => best,
            None => self.snapshot()?,
        };
        let held_back = self.cast.held_back.clone();
        Ok(Trained { model: model.with_version(session.version.clone()), card, held_back })
    }

    fn curve(&self) -> Vec<Epoch> {
        let recall = |epoch: usize| self.state.validations.get(epoch).map(|recall| *recall as f32);
        let epochs = self.state.losses.iter().enumerate();
        epochs.map(|(epoch, &loss)| Epoch { loss, recall: recall(epoch) }).collect()
    }

    fn card(&self, session: &Session) -> ModelCard {
        let counts = [
            ("pinners", self.cast.learned.len()),
            ("pins", self.data.pins),
            ("known_pins", self.learner.known.len()),
            ("acts", self.cast.learned.iter().map(|story| story.acts.len()).sum()),
            ("held_back", self.cast.held_back.len()),
            ("validation", self.cast.probes.len()),
            ("epochs", self.epoch() as usize),
        ];
        let mut metrics = BTreeMap::new();
        if let Some(best) = self.state.best {
            metrics.insert("validation/recall@20".into(), self.state.validations[best]);
            metrics.insert("validation/epoch".into(), (best + 1) as f64);
        }
        let mut training = serde_json::to_value(self.config).unwrap_or_default();
        let device = self.learner.seat.as_ref().map_or_else(|| "cpu".into(), Seat::name);
        training["device"] = serde_json::Value::String(device);
        ModelCard {
            version: session.version.clone(),
            created_ms: session.now_ms,
            counts: counts.into_iter().map(|(name, count)| (name.into(), count as u64)).collect(),
            metrics,
            curve: self.curve(),
            seeds: BTreeMap::from([("train".into(), self.config.seed)]),
            training,
            ..ModelCard::default()
        }
    }
}

/// A hash of everything that the result depends on.
fn fingerprint(data: &Dataset, config: &TrainConfig) -> u64 {
    let mut sum = hash64(data.pins as u64);
    let mut mix = |value: u64| sum = hash64(sum ^ value);
    serde_json::to_vec(config).unwrap_or_default().iter().for_each(|byte| mix(u64::from(*byte)));
    data.content.iter().for_each(|value| mix(u64::from(value.to_bits())));
    for near in &data.neighbours {
        near.iter().for_each(|pin| mix(u64::from(pin.0)));
        mix(u64::MAX);
    }
    data.known_from_ms.into_iter().for_each(&mut mix);
    for history in &data.histories {
        mix(u64::from(history.pinner.0) << 32 | history.acts.len() as u64);
        history.acts.iter().for_each(|act| act_words(act).into_iter().for_each(&mut mix));
        for shown in &history.shown {
            mix(u64::from(shown.pin.0) << 32 | u64::from(shown.done.0) << 8 | u64::from(shown.surface.code()));
            mix(shown.ts_ms);
        }
    }
    sum
}

fn act_words(act: &Act) -> [u64; 3] {
    let board = act.board.map_or(u64::MAX, |board| u64::from(board.0));
    let what = u64::from(act.action.code()) << 8 | u64::from(act.surface.code());
    [u64::from(act.pin.0) << 32 | u64::from(act.value.to_bits()), board << 16 ^ what, act.ts_ms]
}
