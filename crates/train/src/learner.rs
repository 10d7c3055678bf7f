//! One step of training: examples → candidates, tokens → vectors → loss → gradients → weights. Shards of pins and of
//! pinners each build and differentiate their own graph; their sums are taken in a fixed order, so the result does not
//! depend on the number of threads.

use domain::{HEAD_COUNT, PinId, Rng, hash64};
use models::{IdTable, Matrix, ModelConfig, Part, Weights};
use rayon::prelude::*;

use crate::adamw::{AdamW, Stride};
use crate::batch::{Example, Question};
use crate::deed::{Labelled, loss as deed_loss};
use crate::net::{self, Dropout, Pins};
use crate::rows::{pin_rows, trunk_input};
use crate::softmax::{self, Loss, Scored};
use crate::sparse::{RowAdagrad, Touched};
use crate::tape::{Tape, Var};
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

/// A shard's tape with the vectors that it made, what it expects of candidates, and the leaves that stand for rows of
/// ids.
struct Shard<'w> {
    tape: Tape<'w>,
    vectors: Var,
    deeds: Option<Var>,
    ids: Vec<Var>,
}

impl Shard<'_> {
    fn vectors(&self) -> &[f32] {
        self.tape.value(self.vectors)
    }
}

/// A shard's gradients: of the dense weights, and of the id leaves.
struct Backward {
    dense: Vec<Vec<f32>>,
    ids: Vec<Vec<f32>>,
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
        let pins: Vec<&[PinId]> = split(&candidates.pins, config.shards);
        let examples: Vec<&[Example]> = split(examples, config.shards);
        let (towers, trunks): (Vec<Shard>, Vec<Shard>) = {
            let (this, dropout) = (&*self, Dropout { share: config.dropout, seed: hash64(seed ^ 0xD0) });
            rayon::join(
                || pins.par_iter().map(|pins| this.tower(data, pins)).collect(),
                || {
                    let shards = examples.par_iter().enumerate();
                    shards
                        .map(|(i, examples)| {
                            this.trunk(data, examples, Dropout { seed: dropout.seed ^ i as u64, ..dropout })
                        })
                        .collect()
                },
            )
        };
        let mut loss = self.loss(config, &candidates, &examples, &towers, &trunks);
        let (of_deeds, seeds) = deeds(&trunks, &examples, config.rank_weight);
        loss.mean += of_deeds;
        if !loss.mean.is_finite() {
            return loss.mean;
        }
        let mut gradients: Vec<Vec<f32>> = self.weights.matrices().iter().map(zeros_like).collect();
        gradients[Part::LogScale as usize][0] = loss.d_scale * self.scale();
        let of_pins = back(towers, &loss.d_pins, Vec::new());
        let of_users = back(trunks, &loss.d_users, seeds);
        self.gather_pins(data, &of_pins, &pins, &mut gradients);
        self.gather_users(&of_users, &examples, &mut gradients);
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
        let mut pins: Vec<PinId> =
            questions.flat_map(|question| question.targets.iter().map(|(pin, _)| *pin)).collect();
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
        let shown = examples.iter().flat_map(|example| &example.questions).flat_map(|question| &question.rows);
        let shown = shown.map(|(pin, _)| *pin);
        let near = pins.iter().flat_map(|&pin| data.neighbours_of(pin, self.model.pool_max)).copied();
        self.touched.gather(&self.ids, pins.iter().copied().chain(near).chain(read).chain(asked).chain(shown), dropped);
    }

    fn tower(&self, data: &Dataset, pins: &[PinId]) -> Shard<'_> {
        let mut tape = Tape::new(self.weights.matrices());
        let rows = pin_rows(data, &self.model, &self.touched, pins);
        let Pins { vectors, ids, pooled } = net::pins(&mut tape, rows, &self.model);
        Shard { tape, vectors, deeds: None, ids: vec![ids, pooled] }
    }

    fn trunk(&self, data: &Dataset, examples: &[Example], dropout: Dropout) -> Shard<'_> {
        let mut tape = Tape::new(self.weights.matrices());
        let input = trunk_input(data, &self.model, &self.touched, examples);
        let users = net::users(&mut tape, input, &self.model, dropout);
        let ids = vec![users.ids, users.subject_ids, users.candidate_ids];
        Shard { tape, vectors: users.vectors, deeds: Some(users.deeds), ids }
    }

    fn loss(
        &self,
        config: &TrainConfig,
        candidates: &Candidates,
        examples: &[&[Example]],
        towers: &[Shard],
        trunks: &[Shard],
    ) -> Loss {
        let dim = self.model.dim;
        let pins: Vec<f32> = towers.iter().flat_map(|tower| tower.vectors()).copied().collect();
        let mut row_of = vec![u32::MAX; self.popularity.len()];
        candidates.pins.iter().enumerate().for_each(|(row, pin)| row_of[pin.index()] = row as u32);
        let row = |pin: &PinId| Some(row_of[pin.index()]).filter(|&row| row != u32::MAX);
        let (mut users, mut targets, mut positives) = (Vec::new(), Vec::new(), Vec::new());
        let vectors = trunks.iter().flat_map(|trunk| trunk.vectors().chunks_exact(dim));
        let questions =
            examples.iter().copied().flatten().flat_map(|example| example.questions.iter().map(move |q| (example, q)));
        // Questions that only have rows teach nothing here.
        let asks = |question: &Question| !question.targets.is_empty();
        for ((example, question), vector) in questions.clone().zip(vectors).filter(|((_, question), _)| asks(question))
        {
            users.extend_from_slice(vector);
            let weighted = question.targets.iter().filter_map(|(pin, weight)| Some((row(pin)?, *weight)));
            targets.push(weighted.collect());
            positives.push(example.positives.iter().filter_map(row).collect::<Vec<u32>>());
        }
        let (log_chance, scale) = (&candidates.log_chance[..], self.scale());
        let scored =
            Scored { dim, users: &users, pins: &pins, log_chance, targets: &targets, positives: &positives, scale };
        let mut loss = softmax::loss(&scored, config.shards);
        let mut found = loss.d_users.chunks_exact(dim);
        let nothing = vec![0.0; dim];
        let spread = questions.flat_map(|(_, q)| if asks(q) { found.next().unwrap_or(&nothing) } else { &nothing });
        loss.d_users = spread.copied().collect();
        loss
    }

    fn gather_pins(&mut self, data: &Dataset, found: &[Backward], pins: &[&[PinId]], sums: &mut [Vec<f32>]) {
        let dim = self.model.dim;
        for (found, pins) in found.iter().zip(pins) {
            add(sums, &found.dense);
            for (i, &pin) in pins.iter().enumerate() {
                self.touched.back(&[pin], &found.ids[0][i * dim..][..dim]);
                let near = data.neighbours_of(pin, self.model.pool_max);
                self.touched.back(near, &found.ids[1][i * dim..][..dim]);
            }
        }
    }

    fn gather_users(&mut self, found: &[Backward], examples: &[&[Example]], sums: &mut [Vec<f32>]) {
        let dim = self.model.dim;
        for (found, examples) in found.iter().zip(examples) {
            add(sums, &found.dense);
            let acts = examples.iter().flat_map(|example| &example.acts);
            for (act, gradient) in acts.zip(found.ids[0].chunks_exact(dim)) {
                self.touched.back(&[act.pin], gradient);
            }
            let questions = examples.iter().flat_map(|example| &example.questions);
            for (question, gradient) in questions.clone().zip(found.ids[1].chunks_exact(dim)) {
                self.touched.back(&question.pins, gradient);
            }
            let shown = questions.flat_map(|question| &question.rows);
            for ((pin, _), gradient) in shown.zip(found.ids[2].chunks_exact(dim)) {
                self.touched.back(&[*pin], gradient);
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

/// The loss of what was expected of shown pins, and its gradient per shard of questions.
fn deeds(trunks: &[Shard], examples: &[&[Example]], weight: f32) -> (f64, Vec<Vec<f32>>) {
    let questions = || examples.iter().copied().flatten().flat_map(|example| &example.questions);
    let rows: usize = questions().map(|question| question.rows.len()).sum();
    let of_rows = rows.max(1) as f32 / weight;
    let shard = |(trunk, examples): (&Shard, &&[Example])| {
        let (mut labels, mut groups) = (Vec::new(), Vec::new());
        for question in examples.iter().flat_map(|example| &example.questions) {
            let start = labels.len();
            labels.extend(question.rows.iter().map(|(_, labels)| *labels));
            groups.push((start, labels.len()));
        }
        let logits = trunk.deeds.map_or(&[][..], |deeds| trunk.tape.value(deeds));
        let weights = vec![1.0; labels.len()];
        let labelled = Labelled { labels: &labels, weights: &weights, groups: &groups, of_rows, width: HEAD_COUNT };
        deed_loss(logits, &labelled)
    };
    let (losses, gradients): (Vec<f64>, _) = trunks.iter().zip(examples).map(shard).unzip();
    (losses.iter().sum(), gradients)
}

/// The gradients of shards, given those of all their vectors one after the other, and per shard those of what it
/// expects.
fn back(shards: Vec<Shard>, gradients: &[f32], deeds: Vec<Vec<f32>>) -> Vec<Backward> {
    let mut rest = gradients;
    let mut work = Vec::with_capacity(shards.len());
    let mut deeds = deeds.into_iter();
    for shard in shards {
        let (own, others) = rest.split_at(shard.vectors().len());
        let mut seeds = vec![(shard.vectors, own.to_vec())];
        seeds.extend(shard.deeds.zip(deeds.next()));
        work.push((shard, seeds));
        rest = others;
    }
    let of_shard = |(shard, seeds): (Shard, Vec<(Var, Vec<f32>)>)| {
        let found = shard.tape.backward(seeds);
        let of_leaf = |leaf: &Var| match found.of(*leaf) {
            [] => vec![0.0; shard.tape.value(*leaf).len()],
            gradient => gradient.to_vec(),
        };
        let ids = shard.ids.iter().map(of_leaf).collect();
        Backward { dense: found.weights, ids }
    };
    work.into_par_iter().map(of_shard).collect()
}

/// Adds gradients list by list; an empty list is no gradient yet.
pub(crate) fn add(sums: &mut [Vec<f32>], parts: &[Vec<f32>]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        match sum.is_empty() {
            true => sum.extend_from_slice(part),
            false => sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            targets: (0..targets).map(|_| (draw(), 1.0 / targets as f32)).collect(),
            rows: Vec::new(),
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
