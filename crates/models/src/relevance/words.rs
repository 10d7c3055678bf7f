//! Words as the relevance models know them: hashed, in lower case, without a plural's ending.

use domain::hash64;

/// Most words of a query, and of a title, that are read; later ones are left out.
pub const QUERY_WORDS_MAX: usize = 12;
/// See [`QUERY_WORDS_MAX`].
pub const TITLE_WORDS_MAX: usize = 24;

/// Hashes of the words of a text: runs of letters and digits in lower case, an English plural's ending aside. At most
/// `max`; `into` is cleared first.
pub fn relevance_words(text: &str, max: usize, into: &mut Vec<u64>) {
    into.clear();
    each_word(text, |word| {
        into.push(hash(word));
        into.len() < max
    });
}

/// Calls `take` with each word in lower case until it says stop.
pub(super) fn each_word(text: &str, mut take: impl FnMut(&[char]) -> bool) {
    let mut word: Vec<char> = Vec::with_capacity(24);
    for letter in text.chars().chain([' ']) {
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        } else if !word.is_empty() {
            if !take(&word) {
                return;
            }
            word.clear();
        }
    }
}

/// The number of a word, an `s` at the end of more than three letters aside.
pub(super) fn hash(word: &[char]) -> u64 {
    let plural = word.len() > 3 && word.ends_with(&['s']) && !word.ends_with(&['s', 's']);
    let stem = if plural { &word[..word.len() - 1] } else { word };
    stem.iter().fold(stem.len() as u64, |sum, &letter| hash64(sum ^ u64::from(letter)))
}

/// How a title goes with a query, both as hashed words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WordRun {
    /// Longest run of the query's words that the title has side by side and in order, over the query's words.
    pub phrase: f32,
    /// Whether the title begins with the query's first word.
    pub starts: bool,
    /// Share of the title's words that the query has.
    pub asked: f32,
}

/// How a title goes with a query.
pub fn word_run(query: &[u64], title: &[u64]) -> WordRun {
    let mut longest = 0;
    for from in 0..title.len() {
        for start in 0..query.len() {
            let run = query[start..].iter().zip(&title[from..]).take_while(|(a, b)| a == b).count();
            longest = longest.max(run);
        }
    }
    let asked = title.iter().filter(|word| query.contains(word)).count();
    WordRun {
        phrase: longest as f32 / query.len().max(1) as f32,
        starts: !query.is_empty() && title.first() == query.first(),
        asked: asked as f32 / title.len().max(1) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<u64> {
        let mut found = Vec::new();
        relevance_words(text, TITLE_WORDS_MAX, &mut found);
        found
    }

    #[test]
    fn case_and_plurals_are_one_word_and_lengths_are_bounded() {
        assert_eq!(words("Blue LAMPS, glass!"), words("blue lamp glass"));
        assert_ne!(words("glas"), words("glass"));
        assert_eq!(words(&"word ".repeat(100)).len(), TITLE_WORDS_MAX);
        assert!(words(" -- ").is_empty());
    }

    #[test]
    fn runs_are_found_in_their_order() {
        let of = |query: &str, title: &str| word_run(&words(query), &words(title));
        assert_eq!(of("blue lamp", "Blue lamps"), WordRun { phrase: 1.0, starts: true, asked: 1.0 });
        assert_eq!(of("blue lamp", "Lamp in blue"), WordRun { phrase: 0.5, starts: false, asked: 2.0 / 3.0 });
        assert_eq!(of("", "a"), WordRun::default());
        assert_eq!(of("a", ""), WordRun::default());
    }
}
