//! One step of training: examples → candidates, tokens → vectors → loss → gradients → weights. Shards of pins and of
//! pinners each build and differentiate their own graph; their sums are taken in a fixed order, so the result does not
//! depend on the number of threads.

use domain::{HEAD_COUNT, PinId, Rng, hash64};
use models::{IdTable, ModelConfig, Part, Weights};
use rayon::prelude::*;

use crate::adamw::{AdamW, Stride};
use crate::batch::Example;
use crate::deed::{Labelled, loss as deed_loss};
use crate::gpu::Seat;
use crate::net::{self, Dropout, Leaf, Rows};
use crate::rows::{pin_rows, trunk_input};
use crate::softmax::{Answers, Scored};
use crate::sparse::{RowAdagrad, Touched, uses};
use crate::tape::{Cpu, Engine, Loaded, Place, Tape, Var};
use crate::{Dataset, TrainConfig, TrainError};

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
    /// The card that computes, if one does: the id table and its sums are newer there.
    pub(crate) seat: Option<Seat>,
}

/// What a step scores against: pins, and the logarithm of the chance that each one is among them.
struct Candidates {
    pins: Vec<PinId>,
    log_chance: Vec<f32>,
}

/// What a step is about.
pub(crate) struct Step<'a> {
    data: &'a Dataset,
    config: &'a TrainConfig,
    model: &'a ModelConfig,
    touched: &'a Touched,
    candidates: &'a Candidates,
    examples: &'a [Example],
    /// Softmax scale.
    scale: f32,
    seed: u64,
}

/// What a step found: its mean loss, and the gradients of the dense weights and of the touched pins' id vectors.
pub(crate) struct Found<B> {
    pub(crate) loss: f64,
    pub(crate) dense: Vec<Vec<f32>>,
    pub(crate) ids: B,
}

/// A shard's tape with the vectors that it made, what it expects of candidates, and the leaves that stand for id
/// vectors.
struct Shard<'w, E: Engine> {
    tape: Tape<'w, E>,
    vectors: Var,
    deeds: Option<Var>,
    leaves: Vec<Leaf<E>>,
}

type Shards<'w, E> = Vec<Shard<'w, E>>;

/// A shard's gradients: of the dense weights, and of the leaves.
struct Backward<E: Engine> {
    dense: Vec<Vec<f32>>,
    leaves: Vec<(Leaf<E>, Option<E::Buffer>)>,
}

impl Learner {
    /// Learns from a batch of examples, each with a question at least; returns the mean loss.
    ///
    /// # Errors
    /// When a device fails.
    pub(crate) fn step(
        &mut self,
        data: &Dataset,
        config: &TrainConfig,
        examples: &[Example],
        rate: f32,
        seed: u64,
    ) -> Result<f64, TrainError> {
        let candidates = &self.candidates(config, examples, &mut Rng::new(seed));
        self.gather(data, config, examples, &candidates.pins, seed);
        let (model, touched, scale) = (&self.model, &self.touched, self.scale());
        let step = Step { data, config, model, touched, candidates, examples, scale, seed };
        let (rows, weights) = (touched.rows(&self.ids), self.weights.matrices());
        let rate_ids = rate * config.rate_ids;
        let (loss, dense) = match &mut self.seat {
            Some(seat) => seat.step(&step, weights, rows, rate_ids)?,
            None => {
                let ids = Cpu.bag(&self.ids.rows().values, model.dim, &rows);
                let found = step.learn(&Cpu, &Loaded::host(weights), &Rows { ids: &ids, content: &data.content });
                if found.loss.is_finite() {
                    self.adagrad.step(&mut self.ids, &uses(&rows), &found.ids, rate_ids);
                }
                (found.loss, found.dense)
            }
        };
        if loss.is_finite() {
            let (decay, clip_norm) = (config.weight_decay, config.clip_norm);
            let stride = Stride { rate: rate * config.rate_dense, decay, clip_norm };
            self.adamw.step(self.weights.matrices_mut(), &dense, stride);
        }
        Ok(loss)
    }

    /// Goes on computing on a card.
    ///
    /// # Errors
    /// When there is none, or the program was built without it.
    pub(crate) fn sit(&mut self, data: &Dataset) -> Result<(), TrainError> {
        self.seat = Some(Seat::take(&self.ids, &self.adagrad.sums, &data.content)?);
        Ok(())
    }

    /// Brings here what a card moved since.
    pub(crate) fn settle(&mut self) -> Result<(), TrainError> {
        match &self.seat {
            Some(seat) => seat.bring(&mut self.ids, &mut self.adagrad.sums),
            None => Ok(()),
        }
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
        let questions = || examples.iter().flat_map(|example| &example.questions);
        let asked = questions().flat_map(|question| &question.pins).copied();
        let shown = questions().flat_map(|question| &question.rows).map(|(pin, _)| *pin);
        let near = pins.iter().flat_map(|&pin| data.neighbours_of(pin, self.model.pool_max)).copied();
        // Nobody else has an id when all who are known are candidates.
        let others = (pins.len() < self.known.len()).then(|| near.chain(read).chain(asked).chain(shown));
        self.touched.gather(&self.ids, pins.iter().copied().chain(others.into_iter().flatten()), dropped);
    }
}

impl Step<'_> {
    /// Loss and gradients.
    pub(crate) fn learn<E: Engine>(
        &self,
        engine: &E,
        weights: &Loaded<E::Buffer>,
        rows: &Rows<E::Buffer>,
    ) -> Found<E::Buffer> {
        let shards = engine.shards(self.config.shards);
        let pins: Vec<&[PinId]> = split(&self.candidates.pins, shards);
        let examples: Vec<&[Example]> = split(self.examples, shards);
        let tower = |pins: &&[PinId]| self.tower((engine, weights), rows, pins);
        let trunk = |(number, examples): (usize, &&[Example])| self.trunk((engine, weights), rows, examples, number);
        let ((towers, trunks), answers): ((Shards<E>, Shards<E>), _) = rayon::join(
            || {
                rayon::join(
                    || pins.par_iter().map(tower).collect(),
                    || examples.par_iter().enumerate().map(trunk).collect(),
                )
            },
            || self.answers(),
        );
        let vectors = |shards: &[Shard<E>]| joined(engine, shards.iter().map(|shard| shard.tape.value(shard.vectors)));
        let (users, of_pins) = (vectors(&trunks), vectors(&towers));
        let (dim, log_chance, scale) = (self.model.dim, &self.candidates.log_chance[..], self.scale);
        let scored = Scored { dim, log_chance, answers: &answers, scale, shards };
        let loss = engine.contrast(&users, &of_pins, &scored);
        let (of_deeds, seeds) = deeds(&trunks, &examples, self.config.rank_weight);
        let towers = back(engine, towers, &loss.d_pins, Vec::new());
        let trunks = back(engine, trunks, &loss.d_users, seeds);
        let mut found = Found {
            loss: loss.mean + of_deeds,
            dense: weights.shapes().map(|(rows, cols)| vec![0.0; rows * cols]).collect(),
            ids: engine.zeros(engine.len(rows.ids)),
        };
        found.dense[Part::LogScale as usize][0] = loss.d_scale * self.scale;
        for shard in towers.into_iter().chain(trunks) {
            add(&mut found.dense, &shard.dense);
            for (leaf, gradient) in shard.leaves {
                if let Some(gradient) = gradient {
                    engine.bag_back_to(&gradient, dim, &leaf.bags, &mut found.ids);
                }
            }
        }
        found
    }

    fn tower<'w, E: Engine>(
        &self,
        (engine, weights): (&'w E, &'w Loaded<'w, E::Buffer>),
        rows: &Rows<E::Buffer>,
        pins: &[PinId],
    ) -> Shard<'w, E> {
        let mut tape = Tape::new(engine, weights);
        let input = pin_rows(self.data, self.model, self.touched, pins);
        let net::Pins { vectors, leaves } = net::pins(&mut tape, input, rows, self.model);
        Shard { tape, vectors, deeds: None, leaves }
    }

    fn trunk<'w, E: Engine>(
        &self,
        (engine, weights): (&'w E, &'w Loaded<'w, E::Buffer>),
        rows: &Rows<E::Buffer>,
        examples: &[Example],
        shard: usize,
    ) -> Shard<'w, E> {
        let mut tape = Tape::new(engine, weights);
        let input = trunk_input(self.data, self.model, self.touched, examples);
        let dropout = Dropout { share: self.config.dropout, seed: hash64(self.seed ^ 0xD0) ^ shard as u64 };
        let users = net::users(&mut tape, input, rows, self.model, dropout);
        Shard { tape, vectors: users.asking, deeds: Some(users.deeds), leaves: users.leaves }
    }

    /// Of each question about what comes next the candidates that answer it, with weights, and all that its pinner acted
    /// on.
    fn answers(&self) -> Answers {
        let mut row_of = vec![u32::MAX; self.data.pins];
        self.candidates.pins.iter().enumerate().for_each(|(row, pin)| row_of[pin.index()] = row as u32);
        let row = |pin: &PinId| Some(row_of[pin.index()]).filter(|&row| row != u32::MAX);
        let mut answers = Answers::default();
        for example in self.examples {
            for question in example.questions.iter().filter(|question| !question.targets.is_empty()) {
                let weighted = question.targets.iter().filter_map(|(pin, weight)| Some((row(pin)?, *weight)));
                answers.targets.push(weighted.collect());
                answers.positives.push(example.positives.iter().filter_map(row).collect());
            }
        }
        answers
    }
}

/// Buffers one after the other.
fn joined<'a, E: Engine>(engine: &E, parts: impl Iterator<Item = &'a E::Buffer> + Clone) -> E::Buffer
where
    E::Buffer: 'a,
{
    let (mut all, mut start) = (engine.zeros(parts.clone().map(|part| engine.len(part)).sum()), 0);
    for part in parts {
        let len = engine.len(part);
        engine.block_to((part, Place::of(len)), (&mut all, Place { start, stride: len }), (1, len), false);
        start += len;
    }
    all
}

/// At most `shards` parts of nearly equal size.
fn split<T>(items: &[T], shards: usize) -> Vec<&[T]> {
    items.chunks(items.len().div_ceil(shards.max(1)).max(1)).collect()
}

/// The loss of what was expected of shown pins, and its gradient per shard of questions.
fn deeds<E: Engine>(trunks: &[Shard<E>], examples: &[&[Example]], weight: f32) -> (f64, Vec<Vec<f32>>) {
    let questions = || examples.iter().copied().flatten().flat_map(|example| &example.questions);
    let rows: usize = questions().map(|question| question.rows.len()).sum();
    if rows == 0 {
        return (0.0, Vec::new());
    }
    let of_rows = rows as f32 / weight;
    let shard = |(trunk, examples): (&Shard<E>, &&[Example])| {
        let (mut labels, mut groups) = (Vec::new(), Vec::new());
        for question in examples.iter().flat_map(|example| &example.questions) {
            let start = labels.len();
            labels.extend(question.rows.iter().map(|(_, labels)| *labels));
            groups.push((start, labels.len()));
        }
        let logits = trunk.deeds.map(|deeds| trunk.tape.engine().download(trunk.tape.value(deeds)));
        let weights = vec![1.0; labels.len()];
        let labelled = Labelled { labels: &labels, weights: &weights, groups: &groups, of_rows, width: HEAD_COUNT };
        deed_loss(&logits.unwrap_or_default(), &labelled)
    };
    let (losses, gradients): (Vec<f64>, _) = trunks.iter().zip(examples).map(shard).unzip();
    (losses.iter().sum(), gradients)
}

/// The gradients of shards, given those of all their vectors one after the other, and per shard those of what it
/// expects.
fn back<E: Engine>(engine: &E, shards: Vec<Shard<E>>, gradients: &E::Buffer, deeds: Vec<Vec<f32>>) -> Vec<Backward<E>> {
    let (mut start, mut deeds) = (0, deeds.into_iter());
    let mut work = Vec::with_capacity(shards.len());
    for shard in shards {
        let (rows, cols) = shard.tape.shape(shard.vectors);
        let mut own = engine.zeros(rows * cols);
        engine.block_to((gradients, Place { start, stride: cols }), (&mut own, Place::of(cols)), (rows, cols), false);
        let mut seeds = vec![(shard.vectors, own)];
        seeds.extend(shard.deeds.zip(deeds.next().map(|deeds| engine.upload(deeds))));
        work.push((shard, seeds));
        start += rows * cols;
    }
    let of_shard = |(shard, seeds): (Shard<E>, Vec<(Var, E::Buffer)>)| {
        let mut found = shard.tape.backward(seeds);
        let leaves = shard.leaves.into_iter().map(|leaf| {
            let gradient = found.take(leaf.var);
            (leaf, gradient)
        });
        Backward { leaves: leaves.collect(), dense: found.dense(engine) }
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
            touched: Touched::new(PINS),
            seat: None,
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
