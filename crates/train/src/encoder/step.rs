//! One step: pins → vectors of words and of pictures → loss → gradients.

use domain::{Rng, hash64};
use models::{Encoder, EncoderConfig, EncoderPart, centred, look};
use rayon::prelude::*;
use std::collections::HashMap;

use super::data::{EncoderData, varied};
use super::looks::Looks;
use super::nested::nested;
use super::{EncoderTraining, net};
use crate::learner::add;
use crate::softmax::{self, Answers, Loss, Scored};
use crate::tape::{Bags, Cpu, Loaded, Tape, Var};

/// What a step is about.
pub(crate) struct Step<'a> {
    pub(crate) data: &'a EncoderData,
    pub(crate) config: &'a EncoderTraining,
    pub(crate) encoder: &'a Encoder,
    pub(crate) looks: &'a Looks,
    /// Pins, each once.
    pub(crate) pins: &'a [usize],
    /// What topics count, by [`EncoderData::rarity`].
    pub(crate) rarity: &'a [f32],
    pub(crate) seed: u64,
}

/// Some pins' vectors: of what they are called or say, and of what that belongs to.
struct Shard<'w> {
    tape: Tape<'w, Cpu>,
    words: Var,
    pictures: Option<Var>,
    /// Words that stand where a pin has no picture.
    others: Option<Var>,
    /// Per pin whether its counterpart is a picture.
    pictured: Vec<bool>,
}

impl Step<'_> {
    /// Mean loss, and the gradient of every matrix.
    pub(crate) fn learn(&self) -> (f64, Vec<Vec<f32>>) {
        let weights = &Loaded::host(self.encoder.matrices());
        let per_shard = self.pins.len().div_ceil(self.config.shards).max(1);
        let shard = |(number, pins): (usize, &[usize])| self.forward(weights, pins, number as u64);
        let shards: Vec<Shard> = self.pins.par_chunks(per_shard).enumerate().map(shard).collect();
        let words: Vec<f32> = shards.iter().flat_map(|shard| shard.tape.value(shard.words)).copied().collect();
        let belonging: Vec<f32> = shards.iter().flat_map(|shard| shard.belonging(self.dim())).collect();
        let topics = Topics::new(self.data, &self.config.shape, weights);
        let mut matched = self.matched(&words, &belonging);
        let named = self.named(&belonging, topics.vectors());
        let starts: Vec<usize> = (0..self.pins.len()).step_by(per_shard).map(|start| start * self.dim()).collect();
        add_to(&mut matched.d_pins, &named.d_users);
        let found: Vec<Vec<Vec<f32>>> = shards
            .par_iter()
            .zip(starts)
            .map(|(shard, start)| shard.back(&matched.d_users[start..], &matched.d_pins[start..], self.dim()))
            .collect();
        let sizes = self.encoder.matrices().iter().map(|matrix| matrix.values.len());
        let mut dense: Vec<Vec<f32>> = sizes.map(|size| vec![0.0; size]).collect();
        found.iter().for_each(|part| add(&mut dense, part));
        add(&mut dense, &topics.back(named.d_pins));
        dense[EncoderPart::LogScale as usize][0] = matched.d_scale;
        dense[EncoderPart::LogTopicScale as usize][0] = named.d_scale;
        (matched.mean + named.mean, dense)
    }

    /// Which of all pictures belongs to these words, and which of all words to this picture: half the loss each.
    fn matched(&self, words: &[f32], belonging: &[f32]) -> Loss<Vec<f32>> {
        let (answers, scale) = (self.answers(), self.scale(EncoderPart::LogScale));
        let log_chance = &vec![0.0; self.pins.len()];
        nested([words, belonging], self.dim(), self.config.nested_weight, |words, belonging, dim| {
            let scored = Scored { dim, log_chance, answers: &answers, scale, shards: self.config.shards };
            let (mut there, back) =
                rayon::join(|| softmax::loss(words, belonging, &scored), || softmax::loss(belonging, words, &scored));
            add_to(&mut there.d_users, &back.d_pins);
            add_to(&mut there.d_pins, &back.d_users);
            (there.mean, there.d_scale) = (there.mean + back.mean, (there.d_scale + back.d_scale) * scale);
            there.times(0.5)
        })
    }

    /// Which topics these belong to, of all.
    fn named(&self, belonging: &[f32], topics: &[f32]) -> Loss<Vec<f32>> {
        if topics.is_empty() {
            return Loss { mean: 0.0, d_users: Vec::new(), d_pins: Vec::new(), d_scale: 0.0 };
        }
        let (answers, scale) = (self.topic_answers(), self.scale(EncoderPart::LogTopicScale));
        let log_chance = &vec![0.0; self.data.topics.len()];
        nested([belonging, topics], self.dim(), self.config.nested_weight, |belonging, topics, dim| {
            let scored = Scored { dim, log_chance, answers: &answers, scale, shards: self.config.shards };
            let mut loss = softmax::loss(belonging, topics, &scored);
            loss.d_scale *= scale;
            loss.times(self.config.topic_weight)
        })
    }

    fn scale(&self, part: EncoderPart) -> f32 {
        self.encoder.matrices()[part as usize].values[0].exp()
    }

    fn dim(&self) -> usize {
        self.config.shape.dim
    }

    fn forward<'w>(&self, weights: &'w Loaded<'w, Vec<f32>>, pins: &[usize], shard: u64) -> Shard<'w> {
        let (shape, mut rng) = (&self.config.shape, Rng::new(hash64(self.seed) ^ shard));
        let mut tape = Tape::new(&Cpu, weights);
        let (mut words, mut others, mut pictured) = (Bags::default(), Bags::default(), Vec::new());
        let mut shown = net::Shown { pixels: Vec::new(), looks: Vec::new() };
        for &pin in pins {
            let pin = &self.data.pins[pin];
            let acted = pin.acted(&self.data.pins, &mut rng);
            match pin.picture {
                Some(picture) => {
                    let by_title = rng.uniform() < self.config.title_share;
                    words.push(rows(acted.unwrap_or(if by_title { &pin.title } else { &pin.words }), shape));
                    let pixels = varied(self.data.picture(picture, shape.side), shape.side, &mut rng);
                    look(&pixels, shape.side, &mut shown.looks);
                    shown.pixels.extend(pixels.into_iter().map(centred));
                }
                None => {
                    let (asked, rest) = match acted {
                        Some(acted) => (acted.clone(), pin.words.clone()),
                        None => pin.parted(&mut rng),
                    };
                    words.push(rows(&asked, shape));
                    others.push(rows(&rest, shape));
                }
            }
            pictured.push(pin.picture.is_some());
        }
        let count = pictured.iter().filter(|pictured| **pictured).count();
        self.looks.scale(&mut shown.looks);
        let pictures = (count > 0).then(|| {
            let forgotten = (self.config.forgotten, hash64(self.seed) ^ !shard);
            net::pictures(&mut tape, shape, shown, forgotten)
        });
        let others = (count < pins.len()).then(|| net::texts(&mut tape, others));
        Shard { words: net::texts(&mut tape, words), pictures, others, pictured, tape }
    }

    /// Each pin answers itself; those that say the same are not held against each other.
    fn answers(&self) -> Answers {
        let mut alike: HashMap<u64, Vec<u32>> = HashMap::new();
        let keys: Vec<u64> = self.pins.iter().map(|&pin| self.data.pins[pin].key()).collect();
        (0u32..).zip(&keys).for_each(|(row, key)| alike.entry(*key).or_default().push(row));
        Answers {
            targets: (0..self.pins.len() as u32).map(|row| vec![(row, 1.0)]).collect(),
            positives: keys.iter().map(|key| alike[key].clone()).collect(),
        }
    }

    /// Each pin is answered by its topics, the rarer the more.
    fn topic_answers(&self) -> Answers {
        let targets = self.pins.iter().map(|&pin| {
            let topics = &self.data.pins[pin].topics;
            let all: f32 = topics.iter().map(|&topic| self.rarity[topic as usize]).sum();
            topics.iter().map(|&topic| (topic, self.rarity[topic as usize] / all)).collect()
        });
        Answers {
            targets: targets.collect(),
            positives: self.pins.iter().map(|&pin| self.data.pins[pin].topics.clone()).collect(),
        }
    }
}

fn add_to(sum: &mut [f32], more: &[f32]) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The names of all topics.
struct Topics<'w> {
    tape: Tape<'w, Cpu>,
    vectors: Option<Var>,
}

impl<'w> Topics<'w> {
    fn new(data: &EncoderData, shape: &EncoderConfig, weights: &'w Loaded<'w, Vec<f32>>) -> Topics<'w> {
        let mut tape = Tape::new(&Cpu, weights);
        let mut names = Bags::default();
        data.topics.iter().for_each(|name| names.push(rows(name, shape)));
        let vectors = (!data.topics.is_empty()).then(|| net::texts(&mut tape, names));
        Topics { tape, vectors }
    }

    fn vectors(&self) -> &[f32] {
        self.vectors.map_or(&[], |vectors| self.tape.value(vectors))
    }

    /// The gradients of all matrices, given those of the vectors.
    fn back(&self, vectors: Vec<f32>) -> Vec<Vec<f32>> {
        self.tape.backward(self.vectors.map(|var| (var, vectors)).into_iter().collect()).dense(&Cpu)
    }
}

fn rows<'a>(pieces: &'a [(u64, f32)], shape: &'a EncoderConfig) -> impl Iterator<Item = (u32, f32)> + 'a {
    pieces.iter().map(|(hash, weight)| (shape.row_of(*hash) as u32, *weight))
}

impl Shard<'_> {
    /// The vectors that words belong to, in the order of the pins.
    fn belonging(&self, dim: usize) -> Vec<f32> {
        let of = |var: Option<Var>| var.map_or(&[][..], |var| self.tape.value(var)).chunks_exact(dim);
        let (mut pictures, mut others) = (of(self.pictures), of(self.others));
        let next = |pictured: &bool| if *pictured { pictures.next() } else { others.next() };
        self.pictured.iter().filter_map(next).flatten().copied().collect()
    }

    /// The gradients of all matrices, given those of the vectors.
    fn back(&self, words: &[f32], belonging: &[f32], dim: usize) -> Vec<Vec<f32>> {
        let (mut of_pictures, mut of_others) = (Vec::new(), Vec::new());
        for (pictured, gradient) in self.pictured.iter().zip(belonging.chunks_exact(dim)) {
            if *pictured { &mut of_pictures } else { &mut of_others }.extend_from_slice(gradient);
        }
        let mut seeds = vec![(self.words, words[..self.pictured.len() * dim].to_vec())];
        seeds.extend(self.pictures.map(|var| (var, of_pictures)));
        seeds.extend(self.others.map(|var| (var, of_others)));
        self.tape.backward(seeds).dense(&Cpu)
    }
}
