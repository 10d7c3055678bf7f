//! One step of training: examples → tokens and candidates → vectors → loss → gradients → weights.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use burn::tensor::Device;
use domain::{PinId, Rng, hash64};
use models::{IdTable, ModelConfig, Token, Weights};
use rayon::prelude::*;

use crate::adamw::AdamW;
use crate::batch::Example;
use crate::forward::{self, Leaves, PinRows, TrunkInput};
use crate::softmax::{self, Scored, floats};
use crate::sparse::{RowAdagrad, Touched};
use crate::{Dataset, TrainConfig, TrainError};

pub static TIMES: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];

struct Clock(Instant);
impl Clock {
    fn lap(&mut self, i: usize) {
        TIMES[i].fetch_add(self.0.elapsed().as_micros() as u64, Ordering::Relaxed);
        self.0 = Instant::now();
    }
}

/// Everything that changes while training.
pub(crate) struct Learner {
    pub(crate) model: ModelConfig,
    pub(crate) weights: Weights,
    pub(crate) ids: IdTable,
    pub(crate) adamw: AdamW,
    pub(crate) adagrad: RowAdagrad,
    pub(crate) touched: Touched,
    /// Known pins: what uniform negatives are drawn from.
    pub(crate) known: Vec<PinId>,
    /// Share of all targets that fell on each pin.
    pub(crate) popularity: Vec<f32>,
}

impl Learner {
    pub(crate) fn step(
        &mut self,
        data: &Dataset,
        config: &TrainConfig,
        examples: Vec<Example>,
        rate: f32,
        seed: u64,
    ) -> Result<f64, TrainError> {
        let mut clock = Clock(Instant::now());
        let mut rng = Rng::new(seed);
        let (candidates, log_chance) = self.candidates(config, &examples, &mut rng);
        let dropped = |pin: PinId| {
            let draw = hash64(seed ^ hash64(u64::from(pin.0))) >> 40;
            (draw as f32) < config.id_dropout * (1u64 << 24) as f32 && !data.content_of(pin).is_empty()
        };
        let in_histories = examples.iter().flat_map(|example| example.acts.iter().map(|act| act.pin));
        let in_questions = examples.iter().flat_map(|e| e.questions.iter().flat_map(|q| q.pins.iter().copied()));
        let near = candidates.iter().flat_map(|&pin| data.neighbours_of(pin, config.pool_max).iter().copied());
        let all = candidates.iter().copied().chain(near).chain(in_histories).chain(in_questions);
        self.touched.gather(&self.ids, all, dropped);
        clock.lap(0);

        let device = Device::flex().autodiff();
        let examples: Vec<&[Example]> = examples.chunks(examples.len().div_ceil(config.shards).max(1)).collect();
        let per_tower = candidates.len().div_ceil(config.shards).max(1);
        let towers: Vec<&[PinId]> = candidates.chunks(per_tower).collect();

        // Forward.
        let this = &*self;
        let mut pin_shards: Vec<(Leaves, forward::Pins)> = towers
            .par_iter()
            .map(|pins| {
                let leaves = Leaves::new(&this.weights, &device);
                let rows = this.pin_rows(data, config, pins);
                let pins = forward::pins(&leaves, rows, &this.model, &device);
                (leaves, pins)
            })
            .collect();
        clock.lap(1);
        let mut user_shards: Vec<(Leaves, forward::Users, Vec<usize>)> = examples
            .par_iter()
            .map(|examples| {
                let leaves = Leaves::new(&this.weights, &device);
                let (input, places) = this.trunk_input(data, examples);
                let users = forward::users(&leaves, input, &this.model, &device);
                (leaves, users, places)
            })
            .collect();
        clock.lap(2);

        // Loss.
        let d = self.model.dim;
        let pin_values: Vec<f32> =
            pin_shards.iter().flat_map(|(_, pins)| floats(pins.vectors.clone().inner())).collect();
        let mut user_values = Vec::new();
        for (_, users, places) in &user_shards {
            let values = floats(users.vectors.clone().inner());
            places.iter().for_each(|&place| user_values.extend_from_slice(&values[place * d..][..d]));
        }
        let mut row_of = vec![u32::MAX; data.pins];
        candidates.iter().enumerate().for_each(|(row, pin)| row_of[pin.index()] = row as u32);
        let (mut targets, mut positives) = (Vec::new(), Vec::new());
        for example in examples.iter().flat_map(|examples| examples.iter()) {
            let rows = |pins: &[PinId]| -> Vec<u32> {
                pins.iter().map(|pin| row_of[pin.index()]).filter(|&row| row != u32::MAX).collect()
            };
            for question in &example.questions {
                targets.push(rows(&question.targets));
                positives.push(rows(&example.positives));
            }
        }
        let log_scale = self.weights.part(models::Part::LogScale).values[0];
        let scored = Scored {
            dim: d,
            users: &user_values,
            pins: &pin_values,
            log_chance: &log_chance,
            targets: &targets,
            positives: &positives,
            scale: log_scale.exp(),
            multinomial: config.multinomial,
        };
        let loss = softmax::loss(&scored, config.shards);
        if !loss.mean.is_finite() {
            return Err(TrainError::Diverged { step: self.adamw.steps });
        }
        clock.lap(3);

        // Backward.
        let mut gradients: Vec<Vec<f32>> =
            self.weights.matrices().iter().map(|matrix| vec![0.0; matrix.values.len()]).collect();
        if config.learn_scale {
            gradients[models::Part::LogScale as usize][0] = loss.d_scale * scored.scale;
        }
        let mut start = 0;
        let seeds: Vec<Vec<f32>> = pin_shards
            .iter()
            .map(|(_, pins)| {
                let len = pins.vectors.dims()[0] * d;
                start += len;
                loss.d_pins[start - len..start].to_vec()
            })
            .collect();
        let pin_back: Vec<(Vec<Option<Vec<f32>>>, Vec<f32>, Vec<f32>)> = pin_shards
            .par_drain(..)
            .zip(seeds)
            .map(|((leaves, pins), seed)| {
                let seed = forward::tensor(seed, pins.vectors.dims(), &device);
                let mut found = (pins.vectors * seed).sum().backward();
                let take = |leaf: &burn::tensor::Tensor<2>, found: &mut _| leaf.grad_remove(found).map(floats);
                let ids = take(&pins.ids, &mut found).unwrap_or_default();
                let pooled = take(&pins.pooled, &mut found).unwrap_or_default();
                (leaves.0.iter().map(|leaf| take(leaf, &mut found)).collect(), ids, pooled)
            })
            .collect();
        clock.lap(4);
        let mut start = 0;
        let seeds: Vec<Vec<f32>> = user_shards
            .iter()
            .map(|(_, users, places)| {
                let mut seed = vec![0.0; users.vectors.dims()[0] * d];
                for &place in places {
                    seed[place * d..][..d].copy_from_slice(&loss.d_users[start..start + d]);
                    start += d;
                }
                seed
            })
            .collect();
        let user_back: Vec<(Vec<Option<Vec<f32>>>, Vec<f32>, Vec<f32>)> = user_shards
            .par_drain(..)
            .zip(seeds)
            .map(|((leaves, users, _), seed)| {
                let seed = forward::tensor(seed, users.vectors.dims(), &device);
                let mut found = (users.vectors * seed).sum().backward();
                let take = |leaf: &burn::tensor::Tensor<2>, found: &mut _| leaf.grad_remove(found).map(floats);
                let ids = take(&users.ids, &mut found).unwrap_or_default();
                let subject = take(&users.subject_ids, &mut found).unwrap_or_default();
                (leaves.0.iter().map(|leaf| take(leaf, &mut found)).collect(), ids, subject)
            })
            .collect();
        clock.lap(5);

        for (found, ids, pooled) in &pin_back {
            add(&mut gradients, found);
            let _ = (ids, pooled);
        }
        for ((_, ids, pooled), pins) in pin_back.iter().zip(&towers) {
            for (i, &pin) in pins.iter().enumerate() {
                self.touched.back(&[pin], &ids[i * d..][..d]);
                self.touched.back(data.neighbours_of(pin, config.pool_max), &pooled[i * d..][..d]);
            }
        }
        for ((found, ids, subject), examples) in user_back.iter().zip(&examples) {
            add(&mut gradients, found);
            let (length, questions) = padded(examples);
            for (b, example) in examples.iter().enumerate() {
                for (t, act) in example.acts.iter().enumerate() {
                    self.touched.back(&[act.pin], &ids[(b * length + t) * d..][..d]);
                }
                for (q, question) in example.questions.iter().enumerate() {
                    self.touched.back(&question.pins, &subject[(b * questions + q) * d..][..d]);
                }
            }
        }
        clock.lap(6);
        self.adamw.step(&mut self.weights, &gradients, rate * config.lr_dense, config.weight_decay, config.clip_norm);
        self.adagrad.step(&mut self.ids, &self.touched, rate * config.lr_ids, config.id_decay);
        clock.lap(7);
        Ok(loss.mean)
    }

    /// All known pins while they are few, else the targets and uniform draws; with the logarithm of each one's chance.
    fn candidates(&self, config: &TrainConfig, examples: &[Example], rng: &mut Rng) -> (Vec<PinId>, Vec<f32>) {
        if self.known.len() <= config.candidates_max {
            return (self.known.clone(), vec![0.0; self.known.len()]);
        }
        let targets = || examples.iter().flat_map(|e| e.questions.iter().flat_map(|q| q.targets.iter().copied()));
        let draws = targets().count() as f32;
        let mut pins: Vec<PinId> = targets().collect();
        let uniform = config.candidates_max;
        pins.extend((0..uniform).map(|_| self.known[rng.below(self.known.len() as u32) as usize]));
        pins.sort_unstable();
        pins.dedup();
        let miss_uniform = (-(uniform as f32) / self.known.len() as f32).exp();
        let chance = |pin: &PinId| {
            let miss_target = (draws * (-self.popularity[pin.index()]).ln_1p()).exp();
            (1.0 - miss_target * miss_uniform).max(1e-12).ln()
        };
        let log_chance = pins.iter().map(chance).collect();
        (pins, log_chance)
    }

    fn pin_rows(&self, data: &Dataset, config: &TrainConfig, pins: &[PinId]) -> PinRows {
        let (d, width) = (self.model.dim, self.model.content_dim);
        let mut rows = PinRows {
            rows: pins.len(),
            ids: vec![0.0; pins.len() * d],
            pooled: vec![0.0; pins.len() * d],
            content: vec![0.0; pins.len() * width],
        };
        for (i, &pin) in pins.iter().enumerate() {
            self.touched.add_mean(&[pin], &mut rows.ids[i * d..][..d]);
            self.touched.add_mean(data.neighbours_of(pin, config.pool_max), &mut rows.pooled[i * d..][..d]);
            let content = data.content_of(pin);
            rows.content[i * width..][..content.len()].copy_from_slice(content);
        }
        rows
    }

    /// The trunk's input, and the places of the real questions in its output.
    fn trunk_input(&self, data: &Dataset, examples: &[Example]) -> (TrunkInput, Vec<usize>) {
        let (d, width) = (self.model.dim, self.model.content_dim);
        let (length, questions) = padded(examples);
        let (tokens, asked) = (examples.len() * length, examples.len() * questions);
        let mut input = TrunkInput {
            pinners: examples.len(),
            length,
            questions,
            ids: vec![0.0; tokens * d],
            content: vec![0.0; tokens * width],
            missing: vec![1.0; tokens],
            facts: vec![[0, 14, 19, 27]; tokens],
            subject_ids: vec![0.0; asked * d],
            subject_content: vec![0.0; asked * width],
            condition_facts: vec![[0, 5, 9]; asked],
            prefix: vec![0; asked],
        };
        let mut places = Vec::new();
        for (b, example) in examples.iter().enumerate() {
            let mut before = example.before_ms;
            for (t, act) in example.acts.iter().enumerate() {
                let at = b * length + t;
                let content = data.content_of(act.pin);
                let token: Token = models::token(act, before, content);
                before = Some(act.ts_ms);
                self.touched.add_mean(&[token.pin], &mut input.ids[at * d..][..d]);
                input.facts[at] = token.facts();
                if !content.is_empty() {
                    input.content[at * width..][..width].copy_from_slice(content);
                    input.missing[at] = 0.0;
                }
            }
            for (q, question) in example.questions.iter().enumerate() {
                let at = b * questions + q;
                places.push(at);
                let condition = models::Condition {
                    surface: question.surface,
                    kind: question.kind,
                    pins: &question.pins,
                    content: &question.content,
                    gap: question.gap,
                };
                self.touched.add_mean(&question.pins, &mut input.subject_ids[at * d..][..d]);
                input.condition_facts[at] = condition.facts();
                input.prefix[at] = question.prefix;
                input.subject_content[at * width..][..question.content.len()].copy_from_slice(&question.content);
            }
        }
        (input, places)
    }
}

/// Longest history and most questions of the examples.
fn padded(examples: &[Example]) -> (usize, usize) {
    let length = examples.iter().map(|example| example.acts.len()).max().unwrap_or(1).max(1);
    let questions = examples.iter().map(|example| example.questions.len()).max().unwrap_or(1).max(1);
    (length, questions)
}

fn add(sums: &mut [Vec<f32>], parts: &[Option<Vec<f32>>]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        if let Some(part) = part {
            sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
    }
}
