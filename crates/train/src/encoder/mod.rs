//! Learning an encoder: pictures and words of pins, brought into one space.

mod config;
mod data;
mod looks;
mod nested;
mod net;
mod step;

pub use config::EncoderTraining;
pub use data::{Described, EncoderData, Pieces};

use domain::{Rng, hash64};
use models::{COLOURS, Encoder, EncoderPart, EncoderScratch, Epoch, ModelCard, centred, pixel};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use crate::adamw::{AdamW, Stride};
use crate::checkpoint::{self, State};
use crate::{Progress, Session, TrainError, Work, schedule};
use looks::Looks;
use step::Step;

/// Fewest pins that an encoder is learned from.
const PINS_MIN: usize = 64;
/// Pictures by which convolutions are standardised once they serve.
const STANDARDS_MAX: usize = 512;
/// Where held-back pins are looked for.
const LOOKED_AT: usize = 10;

/// Learns an encoder. The same data, configuration and seed give the same bytes, stopped and continued or not. The
/// card tells `validation/recall@10`: how often the picture (or the other words) of a title is among the ten nearest
/// of those held back.
///
/// # Errors
/// When the data or the configuration are wrong, there are fewer than 64 pins with words, the checkpoint cannot be read
/// or written, the loss leaves the finite numbers, or `session.stop` was set.
pub fn fit_encoder(
    data: &EncoderData,
    config: &EncoderTraining,
    session: &mut Session,
) -> Result<(Encoder, ModelCard), TrainError> {
    config.check()?;
    data.check(&config.shape)?;
    let mut run = Run::start(data, config)?;
    if let Some(path) = session.checkpoint {
        run.resume(path)?;
    }
    while run.state.step < run.steps {
        run.step()?;
        (session.progress)(&run.progress());
        let stopped = session.stop.load(Ordering::Relaxed);
        if run.at_epoch_end() {
            run.end_epoch();
        }
        if let Some(path) = session.checkpoint.filter(|_| stopped || run.at_epoch_end()) {
            run.write(path)?;
        }
        if stopped && run.state.step < run.steps {
            return Err(TrainError::Stopped { step: run.state.step });
        }
    }
    let card = run.card(session);
    Ok((run.served(), card))
}

struct Run<'a> {
    data: &'a EncoderData,
    config: &'a EncoderTraining,
    /// Reads scaled looks.
    encoder: Encoder,
    looks: Looks,
    adamw: AdamW,
    state: State,
    work: Work,
    steps: u64,
    steps_per_epoch: u64,
    /// Pins that are learned from, in the order of the epoch at hand.
    order: Vec<usize>,
    learned: Vec<usize>,
    held_back: Vec<usize>,
    /// What topics count.
    rarity: Vec<f32>,
}

impl<'a> Run<'a> {
    fn start(data: &'a EncoderData, config: &'a EncoderTraining) -> Result<Run<'a>, TrainError> {
        if data.pins.len() < PINS_MIN {
            let reason = format!("{} pins have words, {PINS_MIN} are needed to learn an encoder", data.pins.len());
            return Err(TrainError::TooLittle(reason));
        }
        let mut all: Vec<usize> = (0..data.pins.len()).collect();
        Rng::new(hash64(config.seed) ^ 0xE0).shuffle(&mut all);
        let held = ((all.len() as f32 * config.held_back) as usize).min(config.held_back_max);
        let learned = all.split_off(held);
        let mut encoder = Encoder::untrained(config.shape.clone(), 0, config.seed)?;
        weigh(&mut encoder, data);
        let adamw = AdamW::new(encoder.matrices());
        let steps_per_epoch = learned.len().div_ceil(config.batch) as u64;
        let steps = steps_per_epoch * config.epochs_for(learned.len()) as u64;
        let state = State { fingerprint: fingerprint(data, config), ..State::default() };
        let mut run = Run {
            data,
            config,
            encoder,
            looks: Looks::of(data, config.shape.side),
            adamw,
            state,
            work: Work::default(),
            steps,
            steps_per_epoch,
            order: Vec::new(),
            learned,
            held_back: all,
            rarity: data.rarity(),
        };
        run.shuffle();
        Ok(run)
    }

    fn epoch(&self) -> u64 {
        self.state.step / self.steps_per_epoch
    }

    fn shuffle(&mut self) {
        self.order.clone_from(&self.learned);
        Rng::new(hash64(self.config.seed) ^ hash64(self.epoch())).shuffle(&mut self.order);
    }

    fn step(&mut self) -> Result<(), TrainError> {
        let place = (self.state.step % self.steps_per_epoch) as usize * self.config.batch;
        let pins = &self.order[place..(place + self.config.batch).min(self.order.len())];
        let seed = hash64(self.config.seed) ^ hash64(!self.state.step);
        let (data, config, encoder, looks) = (self.data, self.config, &self.encoder, &self.looks);
        let step = Step { data, config, encoder, looks, pins, rarity: &self.rarity, seed };
        let (loss, dense) = step.learn();
        self.work = Work { examples: pins.len(), questions: 2 * pins.len(), targets: 2 * pins.len(), tokens: 0 };
        let rate = self.config.rate * schedule::rate(self.state.step, self.steps, self.config.warmup);
        self.state.step += 1;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step });
        }
        let (decay, clip_norm) = (self.config.weight_decay, self.config.clip_norm);
        self.adamw.step(self.encoder.matrices_mut(), &dense, Stride { rate, decay, clip_norm });
        self.state.loss = (self.state.loss.0 + loss, self.state.loss.1 + 1);
        Ok(())
    }

    fn at_epoch_end(&self) -> bool {
        self.state.step.is_multiple_of(self.steps_per_epoch)
    }

    fn end_epoch(&mut self) {
        self.state.losses.push(self.progress().loss as f32);
        self.state.loss = (0.0, 0);
        self.state.validations.push(self.recall());
        self.shuffle();
    }

    /// The encoder as it stands, for looks as they are, and standardised by some of the pictures.
    fn served(&self) -> Encoder {
        let side = self.config.shape.side;
        let all = self.data.pixels.len() / (side * side * COLOURS);
        let some = (0..all).step_by(all.div_ceil(STANDARDS_MAX).max(1));
        let pixels: Vec<f32> =
            some.flat_map(|picture| self.data.picture(picture, side)).map(|&value| centred(pixel(value))).collect();
        let encoder = self.looks.fold(self.encoder.clone());
        if pixels.is_empty() { encoder } else { net::settled(encoder, pixels) }
    }

    /// How often what belongs to a title is among the ten nearest, of those that are held back.
    fn recall(&self) -> f64 {
        let encoder = self.served();
        let vectors = |of: &(dyn Fn(usize, &mut EncoderScratch) -> Vec<f32> + Sync)| -> Vec<Vec<f32>> {
            self.held_back.par_iter().map_init(EncoderScratch::default, |s, &pin| of(pin, s)).collect()
        };
        let titles = vectors(&|pin, s| encoder.text(&self.data.pins[pin].title, s));
        let belonging = vectors(&|pin, s| match self.data.pins[pin].picture {
            Some(picture) => encoder.picture(self.data.picture(picture, self.config.shape.side), s),
            None => encoder.text(&self.data.pins[pin].rest(), s),
        });
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let found = |(title, own): (&Vec<f32>, &Vec<f32>)| {
            let own = dot(title, own);
            belonging.iter().filter(|other| dot(title, other) > own).count() < LOOKED_AT
        };
        titles.par_iter().zip(&belonging).filter(|&pair| found(pair)).count() as f64 / titles.len().max(1) as f64
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

    fn write(&self, path: &Path) -> Result<(), TrainError> {
        let mut lists: Vec<&[f32]> = self.encoder.matrices().iter().map(|matrix| &matrix.values[..]).collect();
        lists.extend(self.adamw.first.iter().chain(&self.adamw.second).map(Vec::as_slice));
        checkpoint::write(path, State { adam_steps: self.adamw.steps, ..self.state.clone() }, &lists)
    }

    /// Goes on from a checkpoint of this run, when there is one.
    fn resume(&mut self, path: &Path) -> Result<(), TrainError> {
        let Some((state, lists)) = checkpoint::read(path, self.state.fingerprint)? else { return Ok(()) };
        let matrices = self.encoder.matrices_mut().iter_mut().map(|matrix| &mut matrix.values);
        let mut slots: Vec<&mut Vec<f32>> = matrices.collect();
        slots.extend(self.adamw.first.iter_mut().chain(&mut self.adamw.second));
        checkpoint::fill(path, slots.into_iter().map(Vec::as_mut_slice).collect(), &lists)?;
        self.adamw.steps = state.adam_steps;
        self.state = state;
        self.shuffle();
        Ok(())
    }

    fn card(&self, session: &Session) -> ModelCard {
        let pictures = self.data.pins.iter().filter(|pin| pin.picture.is_some()).count();
        let counts = [
            ("pins", self.data.pins.len()),
            ("pictures", pictures),
            ("held_back", self.held_back.len()),
            ("epochs", self.epoch() as usize),
        ];
        let recall = self.state.validations.last().map(|&recall| ("validation/recall@10".to_owned(), recall));
        let validations = self.state.losses.iter().zip(&self.state.validations);
        ModelCard {
            version: session.version.clone(),
            created_ms: session.now_ms,
            counts: counts.into_iter().map(|(name, count)| (name.into(), count as u64)).collect(),
            metrics: recall.into_iter().collect(),
            curve: validations.map(|(&loss, &recall)| Epoch { loss, recall: Some(recall as f32) }).collect(),
            seeds: BTreeMap::from([("encoder".into(), self.config.seed)]),
            training: serde_json::to_value(self.config).unwrap_or_default(),
            ..ModelCard::default()
        }
    }
}

/// Rows of the table begin the longer the fewer pins say what is in them (inverse document frequency); what no pin says
/// means nothing, also to what is asked later.
fn weigh(encoder: &mut Encoder, data: &EncoderData) {
    let sayings = data.sayings(encoder.config());
    let table = &mut encoder.matrices_mut()[EncoderPart::Table as usize];
    let all = (data.pins.len() as f32 + 1.0).ln();
    for (row, pins) in table.values.chunks_exact_mut(table.cols).zip(sayings) {
        let rarity = if pins == 0 { 0.0 } else { (all - (pins as f32).ln()) / all };
        row.iter_mut().for_each(|value| *value *= rarity);
    }
}

/// A hash of everything that the result depends on.
fn fingerprint(data: &EncoderData, config: &EncoderTraining) -> u64 {
    let mut sum = hash64(data.pins.len() as u64);
    let mut mix = |value: u64| sum = hash64(sum ^ value);
    serde_json::to_vec(config).unwrap_or_default().iter().for_each(|byte| mix(u64::from(*byte)));
    data.pixels.chunks(8).for_each(|bytes| mix(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))));
    for pin in &data.pins {
        mix(pin.picture.map_or(u64::MAX, |picture| picture as u64));
        for (hash, weight) in pin.title.iter().chain(&pin.words).chain(pin.sentences.iter().flatten()) {
            mix(*hash);
            mix(u64::from(weight.to_bits()));
        }
        pin.queries.iter().flatten().for_each(|(hash, _)| mix(*hash));
        pin.topics.iter().chain(&pin.beside).for_each(|&number| mix(u64::from(number)));
    }
    data.topics.iter().flatten().for_each(|(hash, _)| mix(*hash));
    sum
}

#[cfg(test)]
mod tests;
