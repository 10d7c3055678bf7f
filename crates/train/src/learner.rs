//! One step of training: examples → candidates, tokens → vectors → loss → gradients → weights. Shards of pins and of
//! pinners each build and differentiate their own graph; their sums are taken in a fixed order, so the result does not
//! depend on the number of threads.

use domain::{Action, HEAD_COUNT, PinId, Rng, hash64};
use models::{IdTable, ModelConfig, Part, TOKEN_FACTS, Weights};
use rayon::prelude::*;

use crate::adamw::{AdamW, Stride};
use crate::batch::Example;
use crate::candidates::{self, Candidates};
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
        let of = (&self.known[..], &self.popularity[..]);
        let candidates = &candidates::draw(of, config, examples, &mut Rng::new(seed));
        self.gather(data, config, examples, &candidates.pins, seed);
        let (model, touched, scale) = (&self.model, &self.touched, self.scale());
        let step = Step { data, config, model, touched, candidates, examples, scale, seed };
        let (rows, weights) = (touched.rows(&self.ids), self.weights.matrices());
        let rate_ids = rate * config.rate_ids;
        let (loss, mut dense) = match &mut self.seat {
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
        if !config.actions {
            forget_actions(&mut dense);
        }
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

    /// Of each question about what comes next the candidates that answer it, with weights, and all of its pinner's.
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

/// Leaves what a token says of its action where it is.
fn forget_actions(dense: &mut [Vec<f32>]) {
    let facts = &mut dense[Part::TokenFacts as usize];
    let dim = facts.len() / TOKEN_FACTS;
    facts[..Action::ALL.len() * dim].fill(0.0);
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
