//! Which runs of words may be terms.

use std::collections::HashSet;

use crate::words::{Word, is_stop_word, phrase, phrase_key, segments};

/// Most words of a term.
pub(super) const TERM_WORDS_MAX: usize = 3;

/// One to three words of a text that may be a term.
pub(super) struct Term {
    /// By which terms are the same: folded words, parted by spaces.
    pub(super) key: String,
    /// As this text has it.
    pub(super) shown: String,
}

/// All runs of one to three words that neither cross punctuation nor begin or end with a stop word or a bare number.
pub(super) fn terms(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for words in segments(text) {
        let ends: Vec<bool> = words.iter().map(|word| !is_stop_word(word) && !is_number(&word.key)).collect();
        for from in (0..words.len()).filter(|&from| ends[from]) {
            let to_max = words.len().min(from + TERM_WORDS_MAX);
            terms.extend((from..to_max).filter(|&to| ends[to]).map(|to| term(&words[from..=to])));
        }
    }
    terms
}

/// By what a name says: the keys of all runs of up to three of its words, written without spaces, so that "T-shirt",
/// "t shirts" and "Tshirts" say the same.
pub(super) fn name_keys(name: &str) -> HashSet<String> {
    terms(name).into_iter().map(|term| joined_key(&term.key)).collect()
}

/// A key without its spaces.
pub(super) fn joined_key(key: &str) -> String {
    key.replace(' ', "")
}

fn term(words: &[Word]) -> Term {
    Term { key: phrase_key(words), shown: phrase(words) }
}

fn is_number(key: &str) -> bool {
    key.chars().all(|letter| letter.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_begin_and_end_with_words_that_mean_something() {
        let keys: Vec<String> = terms("The mother of pearl, 501 jeans").into_iter().map(|term| term.key).collect();
        assert_eq!(keys, ["mother", "mother of pearl", "pearl", "jean"]);
        assert!(name_keys("Casual T-Shirts").contains("tshirt"));
        assert!(name_keys("Casual T-Shirts").contains("casualtshirt"));
    }
}
