//! Reading a collection: what is counted, within bounds.

use std::collections::{HashMap, HashSet};

use domain::hash64;
use serde::{Deserialize, Serialize};

use super::terms::{joined_key, name_keys, terms};
use crate::lossy::Lossy;
use crate::words::{all_words, phrase_key};

/// Bounds of what is counted and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnnotationParams {
    /// Most terms that are counted at once (about 200 bytes each); rare ones are forgotten beyond.
    pub counted_max: usize,
    /// Most pairs of term and topic that are counted at once (about 50 bytes each).
    pub pairs_max: usize,
    /// Most topics that are told apart; later ones are read as words only.
    pub topics_max: usize,
    /// Fewest pins that have a term that is kept.
    pub pins_min: u32,
    /// Least quality of a phrase that is kept, 0..1.
    pub quality_min: f32,
    /// Most terms that are kept; those of most pins stay.
    pub terms_max: usize,
}

impl Default for AnnotationParams {
    fn default() -> Self {
        AnnotationParams {
            counted_max: 2_000_000,
            pairs_max: 2_000_000,
            topics_max: 20_000,
            pins_min: 3,
            quality_min: 0.5,
            terms_max: 200_000,
        }
    }
}

/// What a collection says: may be read on and finished any number of times.
#[derive(Clone, Debug)]
pub struct AnnotationCounts {
    pub(super) params: AnnotationParams,
    pub(super) pins: u32,
    /// Terms of titles and descriptions by key.
    pub(super) terms: Lossy<String, TermCount>,
    /// Names in topics, by key without spaces.
    pub(super) named: Lossy<String, ()>,
    /// Terms of queries and titles of boards, by key.
    pub(super) asked: Lossy<String, ()>,
    /// Topics by key: number and pins.
    pub(super) topics: HashMap<String, TopicCount>,
    /// Pins that have a term (a hash of its key) and a topic (its number).
    pub(super) pairs: Lossy<(u64, u32), ()>,
}

/// What is kept of a term beside how many pins have it.
#[derive(Clone, Debug)]
pub(super) struct TermCount {
    /// The form that most pins use (Boyer and Moore's majority vote), and by how many votes it leads.
    pub(super) shown: String,
    votes: u32,
    /// Pins with topics that have the term, and those of them whose topics use it too.
    pub(super) asked: u32,
    pub(super) confirmed: u32,
}

/// A topic that pins have.
#[derive(Clone, Debug)]
pub(super) struct TopicCount {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) pins: u32,
}

impl Default for AnnotationCounts {
    fn default() -> Self {
        AnnotationCounts::new(AnnotationParams::default())
    }
}

impl AnnotationCounts {
    /// Nothing read yet.
    pub fn new(params: AnnotationParams) -> AnnotationCounts {
        AnnotationCounts {
            pins: 0,
            terms: Lossy::new(params.counted_max),
            named: Lossy::new(params.counted_max / 4),
            asked: Lossy::new(params.counted_max / 4),
            topics: HashMap::new(),
            pairs: Lossy::new(params.pairs_max),
            params,
        }
    }

    /// Reads a pin.
    pub fn observe(&mut self, title: &str, description: &str, topics: &[String]) {
        self.pins = self.pins.saturating_add(1);
        let mut said: HashSet<String> = HashSet::new();
        let names: HashSet<String> = topics.iter().flat_map(|topic| name_keys(topic)).collect();
        let numbers = self.number(topics);
        for term in [title, description].into_iter().flat_map(terms) {
            if said.contains(&term.key) {
                continue;
            }
            let confirmed = names.contains(&joined_key(&term.key));
            for &number in &numbers {
                self.pairs.add((key_hash(&term.key), number), 1, || ());
            }
            let first = || TermCount { shown: String::new(), votes: 0, asked: 0, confirmed: 0 };
            let count = self.terms.add(term.key.clone(), 1, first);
            count.vote(term.shown);
            count.asked += u32::from(!topics.is_empty());
            count.confirmed += u32::from(confirmed);
            said.insert(term.key);
        }
        for name in names {
            self.named.add(name, 1, || ());
        }
    }

    /// Reads what people asked for, and how often.
    pub fn observe_query(&mut self, query: &str, times: u32) {
        self.ask(query, times);
    }

    /// Reads what somebody called a board.
    pub fn observe_board(&mut self, title: &str) {
        self.ask(title, 1);
    }

    /// The numbers of a pin's topics, each once.
    fn number(&mut self, topics: &[String]) -> Vec<u32> {
        let mut numbers = Vec::new();
        for topic in topics {
            let (key, next) = (topic_key(topic), self.topics.len());
            if key.is_empty() || (next >= self.params.topics_max && !self.topics.contains_key(&key)) {
                continue;
            }
            let fresh = || TopicCount { number: next as u32, name: topic.clone(), pins: 0 };
            let count = self.topics.entry(key).or_insert_with(fresh);
            if !numbers.contains(&count.number) {
                count.pins += 1;
                numbers.push(count.number);
            }
        }
        numbers
    }

    fn ask(&mut self, text: &str, times: u32) {
        for term in terms(text) {
            self.asked.add(term.key, times, || ());
        }
    }
}

impl TermCount {
    fn vote(&mut self, shown: String) {
        if self.votes == 0 {
            self.shown = shown;
            self.votes = 1;
        } else if self.shown == shown {
            self.votes = self.votes.saturating_add(1);
        } else {
            self.votes -= 1;
        }
    }
}

/// By which topics are the same.
pub(super) fn topic_key(topic: &str) -> String {
    phrase_key(&all_words(topic))
}

/// A hash of a key that is the same everywhere.
pub(super) fn key_hash(key: &str) -> u64 {
    key.bytes().fold(key.len() as u64, |hash, byte| hash64(hash ^ u64::from(byte)))
}
