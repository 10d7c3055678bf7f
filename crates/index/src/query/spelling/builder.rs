//! Counting words and pairs of words, in bounded memory.

use super::{Speller, SpellerParams, WORD_CHARS_MAX};
use crate::query::text::{is_code, tokens};
use std::collections::HashMap;

/// Most words of one text that are counted; later ones are left out.
const TEXT_WORDS_MAX: usize = 256;

/// Counts that a [`Speller`] is made from: titles of the catalogue, lines of the query log, each with its weight.
///
/// Numbers and codes are not counted: nothing is ever corrected to one. When twice as many words or pairs are held as
/// the parameters allow, the rarer half is forgotten.
pub struct SpellerBuilder {
    params: SpellerParams,
    ids: HashMap<Box<str>, u32>,
    words: Vec<(Box<str>, f32)>,
    pairs: HashMap<(u32, u32), f32>,
}

/// What is left after counting: words in order with their counts, pairs of them in order with theirs.
pub(super) struct Counts {
    pub(super) words: Vec<(Box<str>, f32)>,
    pub(super) pairs: Vec<((u32, u32), f32)>,
}

impl SpellerBuilder {
    /// Nothing counted yet.
    pub fn new(params: SpellerParams) -> SpellerBuilder {
        SpellerBuilder { params, ids: HashMap::new(), words: Vec::new(), pairs: HashMap::new() }
    }

    /// Counts the words of a text and its pairs of neighbours, each `weight` times. A title of the catalogue may weigh
    /// 1, a query as often as it was asked.
    pub fn add_text(&mut self, text: &str, weight: f32) {
        let mut last = None;
        for token in tokens(text, TEXT_WORDS_MAX) {
            let id = self.count(&token.word, weight);
            if let (Some(left), Some(right)) = (last, id) {
                *self.pairs.entry((left, right)).or_default() += weight;
            }
            last = id;
        }
        self.stay_bounded();
    }

    /// Counts one word `weight` times more.
    pub fn add_word(&mut self, word: &str, weight: f32) {
        self.count(&word.to_lowercase(), weight);
        self.stay_bounded();
    }

    /// Counts a pair of neighbours `weight` times more, but not its words.
    pub fn add_pair(&mut self, left: &str, right: &str, weight: f32) {
        let (left, right) = (self.count(&left.to_lowercase(), 0.0), self.count(&right.to_lowercase(), 0.0));
        if let (Some(left), Some(right), true) = (left, right, weight > 0.0 && weight.is_finite()) {
            *self.pairs.entry((left, right)).or_default() += weight;
        }
        self.stay_bounded();
    }

    /// The speller of what was counted.
    pub fn build(self) -> Speller {
        let (words_max, pairs_max) = (self.params.words_max, self.params.pairs_max);
        let params = self.params.clone();
        Speller::of(params, self.most_frequent(words_max, pairs_max))
    }

    /// The word's number, if it is a word.
    fn count(&mut self, word: &str, weight: f32) -> Option<u32> {
        let length = word.chars().count();
        let fits = (1..=WORD_CHARS_MAX).contains(&length) && word.chars().all(char::is_alphanumeric);
        if !fits || is_code(word) || !(weight >= 0.0 && weight.is_finite()) {
            return None;
        }
        if let Some(&id) = self.ids.get(word) {
            self.words[id as usize].1 += weight;
            return Some(id);
        }
        let id = self.words.len() as u32;
        self.words.push((word.into(), weight));
        self.ids.insert(word.into(), id);
        Some(id)
    }

    fn stay_bounded(&mut self) {
        let (words_max, pairs_max) = (self.params.words_max, self.params.pairs_max);
        if self.words.len() <= words_max.saturating_mul(2) && self.pairs.len() <= pairs_max.saturating_mul(2) {
            return;
        }
        let counted = std::mem::replace(self, SpellerBuilder::new(self.params.clone()));
        let kept = counted.most_frequent(words_max, pairs_max);
        self.ids = kept.words.iter().zip(0..).map(|((word, _), id)| (word.clone(), id)).collect();
        self.words = kept.words;
        self.pairs = kept.pairs.into_iter().collect();
    }

    /// The most frequent words, in order, and pairs of these. Ties go to what comes first in the alphabet, so that no
    /// order of a hash map is seen.
    fn most_frequent(self, words_max: usize, pairs_max: usize) -> Counts {
        let mut kept: Vec<u32> = (0..self.words.len() as u32).collect();
        let word = |id: u32| &self.words[id as usize];
        kept.sort_unstable_by(|&a, &b| word(b).1.total_cmp(&word(a).1).then_with(|| word(a).0.cmp(&word(b).0)));
        kept.truncate(words_max);
        kept.sort_unstable_by(|&a, &b| word(a).0.cmp(&word(b).0));
        let mut renamed = vec![None; self.words.len()];
        kept.iter().zip(0..).for_each(|(&old, new)| renamed[old as usize] = Some(new));
        let known = |(&(left, right), &count): (&(u32, u32), &f32)| {
            Some(((renamed[left as usize]?, renamed[right as usize]?), count))
        };
        let mut pairs: Vec<((u32, u32), f32)> = self.pairs.iter().filter_map(known).collect();
        pairs.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        pairs.truncate(pairs_max);
        pairs.sort_unstable_by_key(|&(pair, _)| pair);
        Counts { words: kept.iter().map(|&id| word(id).clone()).collect(), pairs }
    }
}
