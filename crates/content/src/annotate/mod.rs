//! What a pin is about, in terms of one to three words that the collection itself uses.
//!
//! [`AnnotationCounts`] reads the collection pin by pin: which terms occur in how many pins, with which topics, and
//! which of them people use who describe pins otherwise: in topics, queries and titles of boards. [`Annotator`] keeps
//! the terms that are phrases (`quality`) with a **confidence**: an estimate of the probability that somebody else who
//! describes the pin uses the term too (`evidence`).

mod counts;
mod evidence;
mod file;
mod quality;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use counts::{AnnotationCounts, AnnotationParams};

use terms::{joined_key, name_keys, terms};

/// Most annotations of a pin.
pub const ANNOTATIONS_MAX: usize = 10;

/// How much a term counts within a pin by where it stands: title, description, topics.
const FIELD_WEIGHTS: [f32; 3] = [3.0, 1.0, 2.0];
/// Terms of a pin that are looked at; those of titles come first.
const FOUND_MAX: usize = 120;
/// Less sure ones are not told.
const CONFIDENCE_MIN: f32 = 0.02;
/// What is said in title and description both is more sure, and what stands in the description alone is less so, by
/// these log odds.
const TWICE_ODDS: f32 = 0.5;
const ASIDE_ODDS: f32 = -0.7;
/// Terms that go with the pin's topics in the collection are more sure by these log odds.
const TOPIC_ODDS: f32 = 0.7;
/// Where only traits speak for a term, one that stands out less in the pin (tf · idf) is less sure.
const SALIENCE_ODDS: f32 = 1.0;
/// What the pin's own topics say was said by somebody else.
const NAMED_CONFIDENCE: f32 = 0.95;
/// A word is told by a longer term of the pin when at least this share of the pins with the word have that term.
const PART_SHARE: f32 = 0.5;

/// A term that says what a pin is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// One to three words, normalised, in the form that most pins use.
    pub term: String,
    /// Estimated probability that somebody else who describes the pin uses the term too, 0..1.
    pub confidence: f32,
}

/// What is known of a term.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    key: String,
    shown: String,
    /// Pins that have it.
    pins: u32,
    /// Confidence before anything else is known of the pin.
    rate: f32,
    /// Whether that was measured on topics that use the term, not only promised by its traits.
    measured: bool,
    /// Topics that it goes with, strongest first, as numbers of `Annotator::topics`.
    topics: Vec<u32>,
}

/// Finds the terms of a collection in the words of a pin.
#[derive(Clone, Debug, Default)]
pub struct Annotator {
    /// How many pins were read.
    pins: u32,
    /// Sorted by key.
    terms: Vec<Known>,
    topics: Vec<String>,
    by_key: HashMap<String, u32>,
    by_topic: HashMap<String, u32>,
}

/// How a pin has a term.
#[derive(Clone, Copy, Default)]
struct Found {
    weight: f32,
    title: bool,
    description: bool,
}

impl AnnotationCounts {
    /// What was learned so far. More may be read afterwards.
    pub fn finish(&self) -> Annotator {
        evidence::annotator(self)
    }
}

impl Annotator {
    fn of(pins: u32, terms: Vec<Known>, topics: Vec<String>) -> Annotator {
        let by_key = terms.iter().zip(0..).map(|(term, at)| (term.key.clone(), at)).collect();
        let by_topic = topics.iter().zip(0..).map(|(topic, at)| (counts::topic_key(topic), at)).collect();
        Annotator { pins, terms, topics, by_key, by_topic }
    }

    /// How many terms are known.
    pub fn terms(&self) -> usize {
        self.terms.len()
    }

    /// The terms of a pin that the collection knows, surest first, at most [`ANNOTATIONS_MAX`].
    pub fn annotate(&self, title: &str, description: &str, topics: &[String]) -> Vec<Annotation> {
        let found = self.find(title, description, topics);
        let names: HashSet<String> = topics.iter().flat_map(|topic| name_keys(topic)).collect();
        let of_pin: HashSet<u32> =
            topics.iter().filter_map(|topic| self.by_topic.get(&counts::topic_key(topic)).copied()).collect();
        let salience = |at: u32, how: Found| how.weight * self.idf(at);
        let most = found.iter().map(|(&at, &how)| salience(at, how)).fold(1e-6, f32::max);
        let split = |&at: &u32| (at, self.terms[at as usize].key.split(' ').collect::<Vec<&str>>());
        let phrases: Vec<(u32, Vec<&str>)> = found.keys().map(split).filter(|(_, words)| words.len() > 1).collect();
        let mut rated: Vec<(f32, f32, u32)> = found
            .iter()
            .filter(|&(&at, _)| !self.is_outdone(at, &phrases))
            .map(|(&at, &how)| {
                let salience = salience(at, how);
                (self.confidence(at, how, salience / most, &names, &of_pin), salience, at)
            })
            .filter(|&(confidence, ..)| confidence >= CONFIDENCE_MIN)
            .collect();
        rated.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        rated.truncate(ANNOTATIONS_MAX);
        let annotation = |(confidence, _, at): (f32, f32, u32)| Annotation {
            term: self.terms[at as usize].shown.clone(),
            confidence,
        };
        rated.into_iter().map(annotation).collect()
    }

    /// The known terms of a pin; how often a term is said counts less each time.
    fn find(&self, title: &str, description: &str, topics: &[String]) -> BTreeMap<u32, Found> {
        let mut found: BTreeMap<u32, Found> = BTreeMap::new();
        let fields = [(0, title), (1, description)].into_iter().chain(topics.iter().map(|topic| (2, topic.as_str())));
        for (field, text) in fields {
            for term in terms(text) {
                let known = self.by_key.get(&term.key).copied();
                let room = found.len() < FOUND_MAX;
                let Some(at) = known.filter(|at| room || found.contains_key(at)) else { continue };
                let how = found.entry(at).or_default();
                how.weight += FIELD_WEIGHTS[field] / (1.0 + how.weight);
                how.title |= field == 0;
                how.description |= field == 1;
            }
        }
        found
    }

    /// Whether a phrase of the same pin makes a term needless: it contains it and mostly stands for it elsewhere too, or
    /// both are phrases that share words at their ends and it is the better known one.
    fn is_outdone(&self, at: u32, phrases: &[(u32, Vec<&str>)]) -> bool {
        let known = &self.terms[at as usize];
        let words: Vec<&str> = known.key.split(' ').collect();
        let rank = |known: &Known, at: u32| (known.rate, known.pins, u32::MAX - at);
        phrases.iter().any(|(other, others)| {
            let other_known = &self.terms[*other as usize];
            if others.len() > words.len() && others.windows(words.len()).any(|part| part == words) {
                return other_known.pins as f32 >= PART_SHARE * known.pins as f32;
            }
            let meet = |n: usize| others.ends_with(&words[..n]) || others.starts_with(&words[words.len() - n..]);
            *other != at && (1..words.len()).any(meet) && rank(other_known, *other) > rank(known, at)
        })
    }

    fn confidence(&self, at: u32, how: Found, stands_out: f32, names: &HashSet<String>, of_pin: &HashSet<u32>) -> f32 {
        let term = &self.terms[at as usize];
        if names.contains(&joined_key(&term.key)) {
            return term.rate.max(NAMED_CONFIDENCE);
        }
        let rate = term.rate.clamp(1e-4, 1.0 - 1e-4);
        let mut odds = (rate / (1.0 - rate)).ln();
        odds += match (how.title, how.description) {
            (true, true) => TWICE_ODDS,
            (false, true) => ASIDE_ODDS,
            _ => 0.0,
        };
        if !term.measured {
            odds += SALIENCE_ODDS * (stands_out - 1.0);
        }
        if term.topics.iter().any(|topic| of_pin.contains(topic)) {
            odds += TOPIC_ODDS;
        }
        1.0 / (1.0 + (-odds).exp())
    }

    fn idf(&self, at: u32) -> f32 {
        (self.pins as f32 / self.terms[at as usize].pins.max(1) as f32).ln().max(0.0)
    }
}
