//! How sure a term is, from what the collection says of it.
//!
//! Where pins have topics, these are a second opinion: of the pins whose words have a term, how many have topics that
//! use it too? A term that topics use anywhere gets that share, drawn towards what its traits promise while few pins
//! speak (a Beta prior). What traits promise is a logistic function, learned from the terms that can be confirmed.
//! Terms that no topic uses cannot be confirmed by one: they have what their traits promise, and, unless people ask for
//! them or call boards so, only a part of it.

use std::collections::HashMap;

use super::counts::key_hash;
use super::terms::joined_key;
use super::{AnnotationCounts, Annotator, Known, quality};

/// How many pins the promise of a term's traits is worth.
const PROMISE_PINS: f32 = 5.0;
/// How much of it is left for terms that nobody but the pins themselves uses, where others could have used them: they
/// are never more likely than not.
const UNCONFIRMED: f32 = 0.5;
/// Least pull that a topic has on a term, as lift of the topic among the term's pins.
const LIFT_MIN: f32 = 1.5;
/// Topics kept of a term.
pub(super) const TOPICS_OF_TERM_MAX: usize = 4;
/// Pins by which what topics say of a rare term is drawn towards what they say of all.
const BACKGROUND_PINS: f32 = 10.0;

/// Traits of a term: one, quality, how much it says of the topic, how rare it is, whether people ask for it, whether it
/// is a phrase.
type Traits = [f32; 6];
/// What traits promise where no topic says more: the middle between what is learned of titles of products and of
/// artworks; what people ask for was not measured.
const PROMISE: Traits = [-2.0, 1.4, 2.0, -0.4, 1.0, 0.9];

/// The terms worth keeping.
pub(super) fn annotator(counts: &AnnotationCounts) -> Annotator {
    let candidates = candidates(counts);
    let named = |key: &str| counts.named.get(joined_key(key).as_str()).is_some();
    let measured = |c: &Candidate| c.asked > 0 && named(&c.key);
    let examples: Vec<(Traits, f32, f32)> = candidates
        .iter()
        .filter(|c| measured(c))
        .map(|c| (c.traits, c.confirmed as f32 / c.asked as f32, (c.asked as f32).ln_1p()))
        .collect();
    let weights = learn(&examples);
    let others_speak = !examples.is_empty() || counts.asked.iter().next().is_some();
    let rate = |c: &Candidate| {
        let promise = promise(&weights, &c.traits);
        if measured(c) {
            (c.confirmed as f32 + PROMISE_PINS * promise) / (c.asked as f32 + PROMISE_PINS)
        } else if others_speak && c.traits[4] == 0.0 {
            UNCONFIRMED * promise
        } else {
            promise
        }
    };
    let known = |c: Candidate| Known {
        rate: rate(&c),
        measured: measured(&c),
        key: c.key,
        shown: c.shown,
        pins: c.pins,
        topics: c.topics,
    };
    let mut topics = vec![String::new(); counts.topics.len()];
    counts.topics.values().for_each(|topic| topics[topic.number as usize].clone_from(&topic.name));
    Annotator::of(counts.pins, candidates.into_iter().map(known).collect(), topics)
}

struct Candidate {
    key: String,
    shown: String,
    pins: u32,
    asked: u32,
    confirmed: u32,
    traits: Traits,
    topics: Vec<u32>,
}

/// Terms that enough pins have and that are phrases, by key.
fn candidates(counts: &AnnotationCounts) -> Vec<Candidate> {
    let nested = quality::nested(counts);
    let mut pulls = Pulls::of(counts);
    let mut candidates = Vec::new();
    for (key, counted) in counts.terms.iter().filter(|(_, counted)| counted.count >= counts.params.pins_min) {
        let quality = quality::quality(counts, &nested, key, counted.count);
        if quality < counts.params.quality_min {
            continue;
        }
        let (says, topics) = pulls.of_term(key);
        let rarity = (counts.pins as f32 / counted.count as f32).ln() / (counts.pins.max(2) as f32).ln();
        let people_ask = if counts.asked.get(key.as_str()).is_some() { 1.0 } else { 0.0 };
        let phrase = if key.contains(' ') { 1.0 } else { 0.0 };
        candidates.push(Candidate {
            key: key.clone(),
            shown: counted.value.shown.clone(),
            pins: counted.count,
            asked: counted.value.asked,
            confirmed: counted.value.confirmed,
            traits: [1.0, quality, says, rarity, people_ask, phrase],
            topics,
        });
    }
    candidates.sort_by(|a, b| b.pins.cmp(&a.pins).then_with(|| a.key.cmp(&b.key)));
    candidates.truncate(counts.params.terms_max);
    candidates.sort_by(|a, b| a.key.cmp(&b.key));
    candidates
}

/// Which topics go with which terms.
struct Pulls {
    by_term: HashMap<u64, Vec<(u32, u32)>>,
    /// Share of each topic among all topics of all pins.
    shares: Vec<f32>,
}

impl Pulls {
    fn of(counts: &AnnotationCounts) -> Pulls {
        let mut by_term: HashMap<u64, Vec<(u32, u32)>> = HashMap::new();
        for (&(term, topic), counted) in counts.pairs.iter() {
            by_term.entry(term).or_default().push((topic, counted.count));
        }
        let all = counts.topics.values().map(|topic| u64::from(topic.pins)).sum::<u64>() as f32;
        let mut shares = vec![0.0; counts.topics.len()];
        counts.topics.values().for_each(|topic| shares[topic.number as usize] = topic.pins as f32 / all.max(1.0));
        Pulls { by_term, shares }
    }

    /// How much a term says of the topic (0 nothing, towards 1 all: one minus the exponential of minus its relative
    /// entropy), and the topics that it goes with.
    fn of_term(&mut self, key: &str) -> (f32, Vec<u32>) {
        let mut pairs = self.by_term.remove(&key_hash(key)).unwrap_or_default();
        pairs.sort_unstable();
        let all: f32 = pairs.iter().map(|&(_, pins)| pins as f32).sum();
        let mut entropy = 0.0;
        let mut lifts = Vec::new();
        let (mut covered, mut rest) = (0.0, 1.0);
        for (topic, pins) in pairs {
            let share = self.shares[topic as usize];
            let here = (pins as f32 + BACKGROUND_PINS * share) / (all + BACKGROUND_PINS);
            entropy += here * (here / share).ln();
            covered += here;
            rest -= share;
            if here / share >= LIFT_MIN {
                lifts.push((pins as f32 * (here / share).ln(), topic));
            }
        }
        // The topics that no pin of the term has.
        let missing = 1.0 - covered;
        if missing > 1e-6 && rest > 1e-6 {
            entropy += missing * (missing / rest).ln();
        }
        lifts.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        lifts.truncate(TOPICS_OF_TERM_MAX);
        (1.0 - (-entropy.max(0.0)).exp(), lifts.into_iter().map(|(_, topic)| topic).collect())
    }
}

fn promise(weights: &Traits, traits: &Traits) -> f32 {
    let odds: f32 = weights.iter().zip(traits).map(|(weight, value)| weight * value).sum();
    1.0 / (1.0 + (-odds).exp())
}

/// Weights by logistic regression on (traits, share confirmed, weight), by gradient, drawn towards [`PROMISE`].
fn learn(examples: &[(Traits, f32, f32)]) -> Traits {
    const ROUNDS: usize = 300;
    const STEP: f32 = 1.0;
    const PULL: f32 = 5.0;
    let all: f32 = examples.iter().map(|(.., weight)| weight).sum();
    let mut weights = PROMISE;
    for _ in 0..ROUNDS {
        let mut gradient = [0.0f32; 6];
        for (traits, share, weight) in examples {
            let miss = weight * (promise(&weights, traits) - share);
            gradient.iter_mut().zip(traits).for_each(|(sum, value)| *sum += miss * value);
        }
        for ((weight, sum), known) in weights.iter_mut().zip(gradient).zip(PROMISE) {
            *weight -= STEP * (sum + PULL * (*weight - known)) / (all + PULL);
        }
    }
    weights
}
