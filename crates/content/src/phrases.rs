//! Phrases that are looked for in texts, the longest first.

use std::collections::HashMap;
use std::ops::Range;

use crate::words::{Word, all_words, phrase_key};

/// Most words of a phrase that is looked for.
const WORDS_MAX: usize = 8;

/// Phrases, each with the numbers that it stands for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phrases {
    by_key: HashMap<String, Vec<u32>>,
    words_max: usize,
}

impl Phrases {
    /// Adds a phrase for a number. A phrase without words, or of too many, is not taken.
    pub(crate) fn add(&mut self, phrase: &str, number: u32) -> bool {
        let words = all_words(phrase);
        if words.is_empty() || words.len() > WORDS_MAX {
            return false;
        }
        let numbers = self.by_key.entry(phrase_key(&words)).or_default();
        if !numbers.contains(&number) {
            numbers.push(number);
        }
        self.words_max = self.words_max.max(words.len());
        true
    }

    /// Where phrases stand in a run of words, and their numbers. Longer ones are taken first, and no word is taken
    /// twice: in "running shoes" there is nothing of "shoes" left.
    pub(crate) fn find(&self, words: &[Word]) -> Vec<(Range<usize>, &[u32])> {
        let mut taken = vec![false; words.len()];
        let mut found = Vec::new();
        for length in (1..=self.words_max.min(words.len())).rev() {
            for from in 0..=words.len() - length {
                let range = from..from + length;
                if taken[range.clone()].contains(&true) {
                    continue;
                }
                if let Some(numbers) = self.by_key.get(&phrase_key(&words[range.clone()])) {
                    taken[range.clone()].fill(true);
                    found.push((range, numbers.as_slice()));
                }
            }
        }
        found.sort_by_key(|(range, _)| range.start);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_takes_its_words() {
        let mut phrases = Phrases::default();
        for (number, phrase) in ["shoe", "running shoes", "T-shirt", "running"].into_iter().enumerate() {
            assert!(phrases.add(phrase, number as u32));
        }
        assert!(!phrases.add("…", 9) && !phrases.add("a b c d e f g h i", 9));
        let words = all_words("Running shoe and t-shirts for running in shoes");
        let found: Vec<(usize, u32)> = phrases.find(&words).into_iter().map(|(at, of)| (at.start, of[0])).collect();
        assert_eq!(found, [(0, 1), (3, 2), (5, 3), (7, 0)]);
        assert!(phrases.find(&[]).is_empty() && Phrases::default().find(&words).is_empty());
    }
}
