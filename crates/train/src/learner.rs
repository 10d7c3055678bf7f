//! One step of training: examples → candidates, tokens → vectors → loss → gradients → weights. Shards of pins and of
//! pinners each build and differentiate their own graph; their sums are taken in a fixed order, so the result does not
//! depend on the number of threads.

use burn::tensor::{Device, Gradients, Tensor};
use domain::{PinId, Rng, hash64};
use models::{IdTable, Matrix, ModelConfig, Part, Weights};
use rayon::prelude::*;

use crate::adamw::{AdamW, Stride};
use crate::batch::Example;
use crate::forward::{self, Leaves, floats};
use crate::rows::{padded, pin_rows, trunk_input};
use crate::softmax::{self, Loss, Scored};
use crate::sparse::{RowAdagrad, Touched};
use crate::{Dataset, TrainConfig};

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
    /// Share of all acts that fell on each pin.
    pub(crate) popularity: Vec<f32>,
}

/// What a step scores against: pins, and the logarithm of the chance that each one is among them.
struct Candidates {
    pins: Vec<PinId>,
    log_chance: Vec<f32>,
}

/// A shard's graph: leaves, the two leaves that stand for rows of ids, and the vectors.
struct Shard {
    leaves: Leaves,
    ids: [Tensor<2>; 2],
    vectors: Tensor<2>,
}

/// A shard's gradients: of the dense weights, and of the two id leaves.
struct Backward {
    dense: Vec<Option<Vec<f32>>>,
    ids: [Vec<f32>; 2],
}

impl Learner {
    /// Learns from a batch of examples, each with a question at least; returns the mean loss.
    pub(crate) fn step(
        &mut self,
        data: &Dataset,
        config: &TrainConfig,
        examples: &[Example],
        rate: f32,
        seed: u64,
    ) -> f64 {
        let candidates = self.candidates(config, examples, &mut Rng::new(seed));
        self.gather(data, config, examples, &candidates.pins, seed);
        let device = Device::flex().autodiff();
        let pins: Vec<&[PinId]> = split(&candidates.pins, config.shards);
        let examples: Vec<&[Example]> = split(examples, config.shards);
        let towers: Vec<Shard> = pins.par_iter().map(|pins| self.tower(data, pins, &device)).collect();
        let trunks: Vec<(Shard, Vec<usize>)> =
            examples.par_iter().map(|examples| self.trunk(data, examples, &device)).collect();
        let loss = self.loss(config, &candidates, &examples, &towers, &trunks);
        if !loss.mean.is_finite() {
            return loss.mean;
        }
        let mut gradients: Vec<Vec<f32>> = self.weights.matrices().iter().map(zeros_like).collect();
        gradients[Part::LogScale as usize][0] = loss.d_scale * self.scale();
        self.back_pins(data, towers, &pins, &loss, &mut gradients);
        self.back_users(trunks, &examples, &loss, &mut gradients);
        let (decay, clip_norm) = (config.weight_decay, config.clip_norm);
        let stride = Stride { rate: rate * config.rate_dense, decay, clip_norm };
        self.adamw.step(self.weights.matrices_mut(), &gradients, stride);
        self.adagrad.step(&mut self.ids, &self.touched, rate * config.rate_ids);
        loss.mean
    }

    fn scale(&self) -> f32 {
        self.weights.part(Part::LogScale).values[0].exp()
    }

    /// All known pins while they are few; else the targets (in-batch negatives of each other; a random part of them
    /// when they are too many) and uniform draws. A pin's chance to be there corrects its weight in the sum:
    /// `1 - (1 - kept · (1 - (1 - popularity)^targets)) · (1 - 1/known)^draws`, where `kept` is the part of the
    /// different targets that stays.
    fn candidates(&self, config: &TrainConfig, examples: &[Example], rng: &mut Rng) -> Candidates {
        if self.known.len() <= config.candidates_max {
            return Candidates { pins: self.known.clone(), log_chance: vec![0.0; self.known.len()] };
        }
        let questions = examples.iter().flat_map(|example| &example.questions);
        let mut pins: Vec<PinId> = questions.flat_map(|question| question.targets.iter().copied()).collect();
        let (targets, draws) = (pins.len() as f32, config.candidates_max / 2);
        pins.sort_unstable();
        pins.dedup();
        rng.shuffle(&mut pins);
        let different = pins.len().max(1) as f32;
        pins.truncate(config.candidates_max - draws);
        let kept = pins.len() as f32 / different;
        let known = self.known.len() as u32;
        pins.extend((0..draws).map(|_| self.known[rng.below(known) as usize]));
        pins.sort_unstable();
        pins.dedup();
        let miss_draws = (draws as f32 * (-1.0 / known as f32).ln_1p()).exp();
        let chance = |pin: &PinId| {
            let miss_targets = (targets * (-self.popularity[pin.index()]).ln_1p()).exp();
            let miss_kept = 1.0 - kept * (1.0 - miss_targets);
            (1.0 - miss_kept * miss_draws).max(f32::MIN_POSITIVE).ln()
        };
        let log_chance = pins.iter().map(chance).collect();
        Candidates { pins, log_chance }
    }

    /// Gathers the ids of all pins that the step reads. Some pins with content lose their id for the step, so that
    /// content learns to do without.
    fn gather(&mut self, data: &Dataset, config: &TrainConfig, examples: &[Example], pins: &[PinId], seed: u64) {
        let dropped = |pin: PinId| {
            let draw = (hash64(seed ^ hash64(u64::from(pin.0))) >> 40) as f32 / (1u64 << 24) as f32;
            draw < config.id_dropout && !data.content_of(pin).is_empty()
        };
        let read = examples.iter().flat_map(|example| example.acts.iter().map(|act| act.pin));
        let asked = examples.iter().flat_map(|example| &example.questions).flat_map(|question| &question.pins).copied();
        let near = pins.iter().flat_map(|&pin| data.neighbours_of(pin, self.model.pool_max)).copied();
        self.touched.gather(&self.ids, pins.iter().copied().chain(near).chain(read).chain(asked), dropped);
    }

    fn tower(&self, data: &Dataset, pins: &[PinId], device: &Device) -> Shard {
        let leaves = Leaves::new(&self.weights, device);
        let rows = pin_rows(data, &self.model, &self.touched, pins);
        let found = forward::pins(&leaves, rows, &self.model, device);
        Shard { leaves, ids: [found.ids, found.pooled], vectors: found.vectors }
    }

    fn trunk(&self, data: &Dataset, examples: &[Example], device: &Device) -> (Shard, Vec<usize>) {
        let leaves = Leaves::new(&self.weights, device);
        let (input, places) = trunk_input(data, &self.model, &self.touched, examples);
        let found = forward::users(&leaves, input, &self.model, device);
        (Shard { leaves, ids: [found.ids, found.subject_ids], vectors: found.vectors }, places)
    }

    fn loss(
        &self,
        config: &TrainConfig,
        candidates: &Candidates,
        examples: &[&[Example]],
        towers: &[Shard],
        trunks: &[(Shard, Vec<usize>)],
    ) -> Loss {
        let dim = self.model.dim;
        let pins: Vec<f32> = towers.iter().flat_map(|tower| floats(tower.vectors.clone().inner())).collect();
        let mut users = Vec::new();
        for (trunk, places) in trunks {
            let values = floats(trunk.vectors.clone().inner());
            places.iter().for_each(|&place| users.extend_from_slice(&values[place * dim..][..dim]));
        }
        let mut row_of = vec![u32::MAX; self.popularity.len()];
        candidates.pins.iter().enumerate().for_each(|(row, pin)| row_of[pin.index()] = row as u32);
        let rows = |pins: &[PinId]| -> Vec<u32> {
            pins.iter().map(|pin| row_of[pin.index()]).filter(|&row| row != u32::MAX).collect()
        };
        let (mut targets, mut positives) = (Vec::new(), Vec::new());
        for example in examples.iter().copied().flatten() {
            let mine = rows(&example.positives);
            targets.extend(example.questions.iter().map(|question| rows(&question.targets)));
            positives.extend(example.questions.iter().map(|_| mine.clone()));
        }
        let (log_chance, scale) = (&candidates.log_chance[..], self.scale());
        let scored =
            Scored { dim, users: &users, pins: &pins, log_chance, targets: &targets, positives: &positives, scale };
        softmax::loss(&scored, config.shards)
    }

    fn back_pins(&mut self, data: &Dataset, towers: Vec<Shard>, pins: &[&[PinId]], loss: &Loss, sums: &mut [Vec<f32>]) {
        let dim = self.model.dim;
        let sizes = pins.iter().map(|pins| pins.len() * dim);
        let starts = sizes.scan(0, |start, size| Some(std::mem::replace(start, *start + size)));
        let work: Vec<(Shard, &[f32])> = towers
            .into_iter()
            .zip(starts)
            .zip(pins)
            .map(|((tower, start), pins)| (tower, &loss.d_pins[start..start + pins.len() * dim]))
            .collect();
        let found: Vec<Backward> = work.into_par_iter().map(|(tower, seed)| backward(tower, seed.to_vec())).collect();
        for (found, pins) in found.iter().zip(pins) {
            add(sums, &found.dense);
            for (i, &pin) in pins.iter().enumerate() {
                self.touched.back(&[pin], &found.ids[0][i * dim..][..dim]);
                let near = data.neighbours_of(pin, self.model.pool_max);
                self.touched.back(near, &found.ids[1][i * dim..][..dim]);
            }
        }
    }

    fn back_users(
        &mut self,
        trunks: Vec<(Shard, Vec<usize>)>,
        examples: &[&[Example]],
        loss: &Loss,
        sums: &mut [Vec<f32>],
    ) {
        let dim = self.model.dim;
        let mut next = loss.d_users.chunks_exact(dim);
        let mut work = Vec::with_capacity(trunks.len());
        for (trunk, places) in trunks {
            let mut seed = vec![0.0; trunk.vectors.dims()[0] * dim];
            for (place, gradient) in places.into_iter().zip(&mut next) {
                seed[place * dim..][..dim].copy_from_slice(gradient);
            }
            work.push((trunk, seed));
        }
        let found: Vec<Backward> = work.into_par_iter().map(|(trunk, seed)| backward(trunk, seed)).collect();
        for (found, examples) in found.iter().zip(examples) {
            add(sums, &found.dense);
            let (length, questions) = padded(examples);
            for (row, example) in examples.iter().enumerate() {
                for (i, act) in example.acts.iter().enumerate() {
                    self.touched.back(&[act.pin], &found.ids[0][(row * length + i) * dim..][..dim]);
                }
                for (i, question) in example.questions.iter().enumerate() {
                    self.touched.back(&question.pins, &found.ids[1][(row * questions + i) * dim..][..dim]);
                }
            }
        }
    }
}

/// At most `shards` parts of nearly equal size.
fn split<T>(items: &[T], shards: usize) -> Vec<&[T]> {
    items.chunks(items.len().div_ceil(shards.max(1)).max(1)).collect()
}

fn zeros_like(matrix: &Matrix) -> Vec<f32> {
    vec![0.0; matrix.values.len()]
}

/// The gradients of a shard, given the gradient of its vectors: `Σ vectors · seed` has exactly that gradient.
fn backward(shard: Shard, seed: Vec<f32>) -> Backward {
    let seed = forward::tensor(seed, shard.vectors.dims(), &shard.vectors.device());
    let mut found = (shard.vectors * seed).sum().backward();
    let take = |leaf: &Tensor<2>, found: &mut Gradients| leaf.grad_remove(found).map(floats);
    let ids = shard.ids.each_ref().map(|leaf| {
        let size = leaf.dims().iter().product();
        take(leaf, &mut found).unwrap_or_else(|| vec![0.0; size])
    });
    Backward { dense: shard.leaves.0.iter().map(|leaf| take(leaf, &mut found)).collect(), ids }
}

fn add(sums: &mut [Vec<f32>], parts: &[Option<Vec<f32>>]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        let part = part.iter().flatten();
        sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Question;
    use domain::Surface;
    use models::SubjectKind;

    const PINS: usize = 400;

    /// Knows that the pins' popularity falls with their number.
    fn learner() -> Learner {
        let model = ModelConfig { id_rows: 256, dim: 8, heads: 2, ..ModelConfig::default() };
        let weights = Weights::new(&model, 1);
        let total = (1..=PINS).map(|pin| 1.0 / pin as f32).sum::<f32>();
        Learner {
            adamw: AdamW::new(weights.matrices()),
            adagrad: RowAdagrad::new(model.id_rows),
            touched: Touched::new(PINS, model.dim),
            ids: IdTable::new(model.id_rows, model.dim),
            known: (0..PINS as u32).map(PinId).collect(),
            popularity: (1..=PINS).map(|pin| 1.0 / (pin as f32 * total)).collect(),
            model,
            weights,
        }
    }

    /// One question with so many targets, drawn by popularity.
    fn asked(popularity: &[f32], targets: usize, rng: &mut Rng) -> Example {
        let mut draw = || {
            let mut left = rng.uniform();
            let pin = popularity.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            PinId(pin.unwrap_or(0) as u32)
        };
        let question = Question {
            prefix: 0,
            surface: Surface::Home,
            kind: SubjectKind::None,
            pins: Vec::new(),
            content: Vec::new(),
            gap: 0,
            targets: (0..targets).map(|_| draw()).collect(),
        };
        Example { acts: Vec::new(), before_ms: None, questions: vec![question], positives: Vec::new() }
    }

    #[test]
    fn chances_are_the_shares_of_steps_in_which_a_pin_is_a_candidate() {
        const STEPS: u32 = 4_000;
        let learner = learner();
        // The 300 targets are about 110 different pins: all of them fit, and not half of them.
        for candidates_max in [300, 80] {
            let config = TrainConfig { candidates_max, ..TrainConfig::default() };
            let mut rng = Rng::new(3);
            let (mut seen, mut told) = (vec![0.0; PINS], vec![(0.0, 0.0); PINS]);
            for _ in 0..STEPS {
                let found = learner.candidates(&config, &[asked(&learner.popularity, 300, &mut rng)], &mut rng);
                assert!(found.pins.len() <= candidates_max);
                for (pin, log_chance) in found.pins.iter().zip(&found.log_chance) {
                    seen[pin.index()] += 1.0 / STEPS as f32;
                    let (sum, count) = &mut told[pin.index()];
                    *sum += log_chance.exp();
                    *count += 1.0;
                }
            }
            for pin in [0, 1, 5, 20, 100, 399] {
                let (sum, count) = told[pin];
                assert!((sum / count / seen[pin] - 1.0).abs() < 0.1, "pin {pin}: {} of {}", sum / count, seen[pin]);
            }
        }
    }
}
