//! The loop that learns a ranking head.

use domain::{HEAD_COUNT, Rng, hash64};
use models::{OUTS, Ranker};
use rayon::prelude::*;

use super::groups::{Group, batches};
use super::{Task, judge, net, seconds_ln};
use crate::TrainError;
use crate::adamw::{AdamW, Stride};
use crate::deed::{self, Labelled};
use crate::learner::add;
use crate::net::Dropout;
use crate::schedule;
use crate::tape::{Cpu, Loaded, Tape};

/// Rows of a step, about.
pub(super) const BATCH_ROWS: usize = 1_024;
const RATE: f32 = 2e-3;
const WARMUP: f32 = 0.05;
/// Weight of the error of expected looks.
const LOOK: f32 = 0.1;
/// How much of the mean of steps stays at each step.
const MEAN: f32 = 0.99;
/// Passes without a better one before learning stops: in the middle, where the rate is high, two may be worse than the
/// first and the last be the best.
const PATIENCE: usize = 4;
/// Losses that differ by less, relatively, are as good: of those the later pass is kept.
const ALIKE: f64 = 0.002;

/// A head, and how it was found.
pub(super) struct Learned {
    pub(super) ranker: Ranker,
    pub(super) epochs: usize,
    /// Of what checked it.
    pub(super) loss: f64,
}

/// Learns until `check` is not predicted better any more, and gives the best head.
pub(super) fn until_best(task: &Task, begun: Ranker, teach: &[Group], check: &[Group]) -> Result<Learned, TrainError> {
    let mut learner = Learner::new(task, begun, teach, task.config.rank_epochs);
    let mut best = Learned { ranker: learner.ranker.clone(), epochs: 0, loss: f64::INFINITY };
    for epoch in 1..=task.config.rank_epochs {
        learner.epoch(teach)?;
        let loss = judge::loss(task, &learner.mean, check);
        if loss <= best.loss * (1.0 + ALIKE) {
            best = Learned { ranker: learner.mean.clone(), epochs: epoch, loss: loss.min(best.loss) };
        } else if epoch >= best.epochs + PATIENCE {
            break;
        }
    }
    Ok(Learned { epochs: best.epochs.max(1), ..best })
}

/// Learns so many passes of the schedule.
pub(super) fn for_epochs(task: &Task, begun: Ranker, teach: &[Group], epochs: usize) -> Result<Ranker, TrainError> {
    let mut learner = Learner::new(task, begun, teach, task.config.rank_epochs);
    (0..epochs).try_for_each(|_| learner.epoch(teach))?;
    Ok(learner.mean)
}

struct Learner<'a> {
    task: &'a Task<'a>,
    ranker: Ranker,
    mean: Ranker,
    adamw: AdamW,
    rng: Rng,
    steps: u64,
}

impl<'a> Learner<'a> {
    fn new(task: &'a Task<'a>, ranker: Ranker, teach: &[Group], epochs: usize) -> Learner<'a> {
        let rows: usize = teach.iter().map(|group| group.rows.len()).sum();
        let steps = (rows.div_ceil(BATCH_ROWS) * epochs) as u64;
        let adamw = AdamW::new(ranker.matrices());
        Learner { task, adamw, mean: ranker.clone(), ranker, rng: Rng::new(hash64(task.config.seed) ^ 0x4B), steps }
    }

    fn epoch(&mut self, teach: &[Group]) -> Result<(), TrainError> {
        batches(self.task.rows, teach, &mut self.rng).iter().try_for_each(|batch| self.step(batch))
    }

    fn step(&mut self, batch: &[Group]) -> Result<(), TrainError> {
        let config = self.task.config;
        let seed = hash64(config.seed ^ hash64(self.adamw.steps | 1 << 40));
        let parts: Vec<&[Group]> = batch.chunks(batch.len().div_ceil(config.shards).max(1)).collect();
        let of = batch.iter().map(|group| self.task.rows.weights[group.rows.clone()].iter().sum::<f32>()).sum();
        let (this, ranker) = (self.task, &self.ranker);
        let found: Vec<(f64, Vec<Vec<f32>>)> = parts
            .par_iter()
            .enumerate()
            .map(|(i, part)| this.gradients(ranker, part, of, hash64(seed ^ i as u64)))
            .collect();
        // What no gradient reaches (knots, calibration) stays empty, and as it is.
        let mut sums: Vec<Vec<f32>> = vec![Vec::new(); self.ranker.matrices().len()];
        for (loss, gradients) in found {
            if !loss.is_finite() {
                return Err(TrainError::Diverged { step: self.adamw.steps });
            }
            add(&mut sums, &gradients);
        }
        let rate = RATE * schedule::rate(self.adamw.steps, self.steps, WARMUP);
        let stride = Stride { rate, decay: config.rank_decay, clip_norm: config.clip_norm };
        self.adamw.step(self.ranker.matrices_mut(), &sums, stride);
        // The mean of the last steps says more than the last one (Polyak & Juditsky, 1992).
        let keep = MEAN.min(self.adamw.steps as f32 / (self.adamw.steps as f32 + 10.0));
        let learned = self.mean.matrices_mut().iter_mut().zip(self.ranker.matrices()).zip(&sums);
        for ((mean, last), _) in learned.filter(|(_, gradient)| !gradient.is_empty()) {
            mean.values.iter_mut().zip(&last.values).for_each(|(mean, last)| *mean += (1.0 - keep) * (last - *mean));
        }
        Ok(())
    }
}

impl Task<'_> {
    /// Loss and gradients of a part of a batch of `of` rows.
    fn gradients(&self, ranker: &Ranker, groups: &[Group], of: f32, seed: u64) -> (f64, Vec<Vec<f32>>) {
        let mut batch = net::RankBatch::default();
        let (mut labels, mut looks, mut same) = (Vec::new(), Vec::new(), Vec::<(usize, usize)>::new());
        let mut before = None;
        for group in groups {
            let request = &self.rows.requests[group.request];
            let known: [bool; HEAD_COUNT] =
                std::array::from_fn(|head| self.heads[head] && self.rows.known(head, request));
            let traits = group.traits(self.rows, self.said);
            let start = labels.len();
            for (place, row) in group.rows.clone().enumerate() {
                batch.push(ranker, group.surface, self.rows, row, (traits.pinner(), traits.pin(place)));
                let happened = self.rows.labels[row];
                labels.push(std::array::from_fn(|head| match known[head] {
                    true => f32::from(u8::from(happened[head])),
                    false => f32::NAN,
                }));
                looks.push(seconds_ln(self.rows.looks_ms[row]));
            }
            let now = request.pinner.map(|pinner| (pinner, group.surface));
            match same.last_mut().filter(|_| now.is_some() && now == before) {
                Some(last) => last.1 = labels.len(),
                None => same.push((start, labels.len())),
            }
            before = now;
        }
        let loaded = Loaded::host(ranker.matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let outs = net::outs(&mut tape, ranker, batch, Dropout { share: self.config.rank_dropout, seed });
        let weights: Vec<f32> =
            groups.iter().flat_map(|group| &self.rows.weights[group.rows.clone()]).copied().collect();
        let labelled = Labelled { labels: &labels, weights: &weights, groups: &same, of_rows: of, width: OUTS };
        let (mut loss, mut gradient) = deed::loss(tape.value(outs), &labelled);
        for ((outs, gradient), look) in
            tape.value(outs).chunks_exact(OUTS).zip(gradient.chunks_exact_mut(OUTS)).zip(looks)
        {
            let error = outs[HEAD_COUNT] - look;
            if error.is_finite() {
                loss += f64::from(LOOK / of * 0.5 * error * error);
                gradient[HEAD_COUNT] = LOOK / of * error.clamp(-2.0, 2.0);
            }
        }
        (loss, tape.backward(vec![(outs, gradient)]).dense(&Cpu))
    }
}
