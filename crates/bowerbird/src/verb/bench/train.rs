//! `bowerbird bench train`: how fast the sequence model learns on one core.

use super::clock::{Clock, median, peak_bytes};
use crate::output::{print_json, thousands};
use crate::progress::Progress;
use crate::setup::Setup;
use crate::stop::Interrupted;
use ::train::{Dataset, Device, History, Session, TrainConfig, TrainError, Work, fit};
use anyhow::{Context, Result, ensure};
use domain::{Act, Action, BoardId, PinId, PinnerId, Rng, Surface, hash64};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// The workload that is always at hand.
const WORKLOAD: &str = include_str!("../../../../../bench/workloads/train-20k.toml");
const BEGAN_MS: u64 = 1_700_000_000_000;
const HOUR_MS: u32 = 3_600_000;

/// Trains the sequence model with the configuration's defaults on planted histories and measures the steps between a
/// warm-up and the end: drawing examples, the trunk, the tower of all pins, the softmax over them, the way back and the
/// optimisers. What comes before the first step and validation are not measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Steps before anything is measured.
    #[arg(long, default_value_t = 3)]
    warm_up: usize,
    /// Steps of a repeat.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// How often that many steps are measured; figures are the medians.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// What computes: `cpu`, on one thread, or `gpu`, with a thread per core beside it.
    #[arg(long, default_value = "cpu")]
    device: Device,
}

/// What pinners did (`bench/workloads/train-20k.toml`).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Workload {
    pins: u32,
    pinners: u32,
    acts: u32,
    boards: u32,
    topics: u32,
    neighbours: u32,
    content_dim: usize,
    seed: u64,
}

/// What some steps took, and what they learned from.
#[derive(Clone, Copy, Debug, Default)]
struct Repeat {
    work: Work,
    cpu_s: f64,
    wall_s: f64,
    /// Mean loss of the pass at hand, at the repeat's end.
    loss: f64,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    ensure!(args.steps > 0 && args.repeats > 0, "there is nothing to measure");
    let workload: Workload = toml::from_str(WORKLOAD).context("the workload train-20k is odd")?;
    let data = workload.data();
    let steps = args.warm_up + args.steps * args.repeats;
    let config = config(&workload, steps);
    let threads = if args.device == Device::Cpu { 1 } else { 0 };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let repeats = pool.install(|| measured(args, setup, &data, &config))?;
    tell(args, setup, workload, &config, &repeats);
    Ok(())
}

/// The defaults, with nobody held back and as many passes as the steps need.
fn config(workload: &Workload, steps: usize) -> TrainConfig {
    let config = TrainConfig { seed: workload.seed, held_back: 0.0, ..TrainConfig::default() };
    let per_epoch = (workload.pinners as usize).div_ceil(config.batch);
    TrainConfig { epochs: Some(steps.div_ceil(per_epoch) + 1), ..config }
}

/// Trains for as long as it is measured.
fn measured(args: &Args, setup: &Setup, data: &Dataset, config: &TrainConfig) -> Result<Vec<Repeat>> {
    let bar = Progress::new("train", (args.warm_up + args.steps * args.repeats) as u64);
    let (stop, mut clock) = (AtomicBool::new(false), Clock::start());
    let (mut repeats, mut work, mut done) = (Vec::new(), Work::default(), 0);
    let mut after_step = |progress: &::train::Progress| {
        bar.set(progress.step);
        let of_repeat = (progress.step as usize).checked_sub(args.warm_up).filter(|step| *step > 0);
        if of_repeat.is_some() {
            work = sum(work, progress.work);
            done += 1;
        }
        if of_repeat.is_none() || done == args.steps {
            if done > 0 {
                repeats.push(Repeat { work, cpu_s: clock.cpu_s(), wall_s: clock.wall_s(), loss: progress.loss });
            }
            (work, done, clock) = (Work::default(), 0, Clock::start());
        }
        stop.store(setup.stop.asked() || repeats.len() == args.repeats, Ordering::Relaxed);
    };
    let session = Session {
        device: args.device,
        checkpoint: None,
        progress: &mut after_step,
        stop: &stop,
        now_ms: BEGAN_MS,
        version: "bench".into(),
    };
    let ended = fit(data, config, session);
    setup.stop.check()?;
    match ended {
        Ok(_) | Err(TrainError::Stopped { .. }) if repeats.len() == args.repeats => {}
        Ok(_) => return Err(Interrupted.into()),
        Err(error) => return Err(error).context("cannot train"),
    }
    bar.finish("measured");
    Ok(repeats)
}

fn sum(a: Work, b: Work) -> Work {
    Work {
        examples: a.examples + b.examples,
        questions: a.questions + b.questions,
        tokens: a.tokens + b.tokens,
        targets: a.targets + b.targets,
    }
}

fn tell(args: &Args, setup: &Setup, workload: Workload, config: &TrainConfig, repeats: &[Repeat]) {
    let rate = |of: fn(&Work) -> usize| median(repeats.iter().map(|one| of(&one.work) as f64 / one.cpu_s).collect());
    let (examples, questions) = (rate(|work| work.examples), rate(|work| work.questions));
    let tokens = rate(|work| work.tokens);
    let step_ms =
        |of: fn(&Repeat) -> f64| median(repeats.iter().map(|one| of(one) * 1e3 / args.steps as f64).collect());
    let all = repeats.iter().fold(Work::default(), |all, one| sum(all, one.work));
    let per_step = |count: usize| count as f64 / (args.steps * repeats.len()) as f64;
    let of_wall = median(repeats.iter().map(|one| one.work.examples as f64 / one.wall_s).collect());
    if !setup.json {
        if args.device == Device::Gpu {
            println!("{} examples a second", thousands(of_wall as u64));
            return;
        }
        println!("{} examples a CPU second, one thread", thousands(examples as u64));
        println!("{} questions, {} tokens", thousands(questions as u64), thousands(tokens as u64));
        println!("{:.0} ms CPU a step of {:.0} examples", step_ms(|one| one.cpu_s), per_step(all.examples));
        return;
    }
    print_json(&json!({
        "bench": "train",
        "workload": workload,
        "config": config,
        "device": if args.device == Device::Gpu { "gpu" } else { "cpu" },
        "examples_per_s": of_wall,
        "examples_per_cpu_s": examples,
        "questions_per_cpu_s": questions,
        "tokens_per_cpu_s": tokens,
        "step_cpu_ms": step_ms(|one| one.cpu_s),
        "step_wall_ms": step_ms(|one| one.wall_s),
        "step": {
            "examples": per_step(all.examples),
            "questions": per_step(all.questions),
            "tokens": per_step(all.tokens),
            "targets": per_step(all.targets),
            "candidates": workload.pins.min(config.candidates_max as u32),
        },
        "peak_bytes": peak_bytes(),
        "repeats": repeats.iter().map(Repeat::json).collect::<Vec<_>>(),
    }));
}

impl Repeat {
    fn json(&self) -> serde_json::Value {
        json!({ "cpu_s": self.cpu_s, "wall_s": self.wall_s, "loss": self.loss })
    }
}

impl Workload {
    fn data(&self) -> Dataset {
        let mut rng = Rng::new(hash64(self.seed));
        let content = self.content(&mut rng);
        let near = |pin: u32, rng: &mut Rng| (0..self.neighbours).map(|_| self.pin(pin % self.topics, rng)).collect();
        Dataset {
            pins: self.pins as usize,
            content_dim: self.content_dim,
            content_space: 1,
            content,
            neighbours: (0..self.pins).map(|pin| near(pin, &mut rng)).collect(),
            histories: (0..self.pinners).map(|pinner| self.history(pinner, &mut rng)).collect(),
            ..Dataset::default()
        }
    }

    /// A pin of a topic: those are `topic`, `topic + topics` and so on.
    fn pin(&self, topic: u32, rng: &mut Rng) -> PinId {
        let of_topic = self.pins / self.topics;
        let rank = (rng.uniform().powi(2) * of_topic as f32) as u32;
        PinId(topic + self.topics * rank.min(of_topic - 1))
    }

    /// Unit vectors around their topic's.
    fn content(&self, rng: &mut Rng) -> Vec<f32> {
        let centres: Vec<f32> = (0..self.topics as usize * self.content_dim).map(|_| rng.normal()).collect();
        let mut content = Vec::with_capacity(self.pins as usize * self.content_dim);
        for pin in 0..self.pins {
            let centre = &centres[(pin % self.topics) as usize * self.content_dim..][..self.content_dim];
            let mut vector: Vec<f32> = centre.iter().map(|value| value + rng.normal()).collect();
            let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|value| *value /= length);
            content.extend(vector);
        }
        content
    }

    fn history(&self, pinner: u32, rng: &mut Rng) -> History {
        let topics: Vec<u32> = (0..self.boards).map(|_| rng.below(self.topics)).collect();
        let (mut ts_ms, mut known) = (BEGAN_MS, HashSet::new());
        let act = |_| {
            let board = rng.below(self.boards);
            ts_ms += 1 + u64::from(rng.below(48 * HOUR_MS));
            let mut pin = self.pin(topics[board as usize], rng);
            while !known.insert(pin) {
                pin = self.pin(topics[board as usize], rng);
            }
            Act {
                pin,
                board: Some(BoardId(pinner * self.boards + board)),
                action: Action::Save,
                surface: Surface::Home,
                ts_ms,
                value: 0.0,
            }
        };
        let acts = (0..self.acts).map(act).collect();
        History { pinner: PinnerId(pinner), acts, shown: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_is_sound_and_the_same_again() -> Result<()> {
        let workload: Workload = toml::from_str(WORKLOAD)?;
        let small = Workload { pins: 400, topics: 4, pinners: 20, ..workload };
        let data = small.data();
        data.check()?;
        assert_eq!(data.histories, small.data().histories);
        for history in &data.histories {
            let pins: HashSet<PinId> = history.acts.iter().map(|act| act.pin).collect();
            assert_eq!(pins.len(), small.acts as usize);
        }
        Ok(())
    }
}
