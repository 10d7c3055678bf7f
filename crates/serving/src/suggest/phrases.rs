//! Phrases of titles and topics, and how many pins have each.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Most phrases that are kept: the most frequent. While counting there are at most twice as many, some 90 bytes each.
const PHRASES_MAX: usize = 250_000;
/// Words of the longest phrase.
const WORDS_MAX: usize = 3;
/// Words of a text that are looked at.
const TEXT_WORDS_MAX: usize = 32;
/// A phrase whose part in front or behind is hardly more frequent takes its place: "shaped dunes" is none where all are
/// "wind shaped dunes".
const WHOLE_SHARE: f32 = 0.9;

/// Words that no phrase begins or ends with.
const SMALL_WORDS: [&str; 86] = [
    "a", "above", "after", "all", "an", "and", "are", "as", "at", "auf", "aus", "avec", "be", "before", "below", "but",
    "by", "con", "das", "de", "dem", "den", "der", "des", "die", "du", "each", "ein", "eine", "el", "en", "et",
    "every", "for", "from", "für", "has", "have", "how", "i", "im", "in", "into", "is", "it", "its", "la", "las", "le",
    "les", "los", "mit", "more", "my", "no", "not", "of", "on", "one", "or", "our", "over", "para", "por", "pour", "s",
    "so", "sur", "t", "than", "that", "the", "this", "to", "un", "una", "und", "under", "une", "up", "von", "was",
    "with", "without", "y", "your",
];

/// How many pins have a phrase of one to three words in their titles or topics.
pub(crate) struct Phrases {
    counts: HashMap<Box<str>, u32>,
    pins: u32,
    kept_max: usize,
}

impl Default for Phrases {
    fn default() -> Self {
        Phrases { counts: HashMap::new(), pins: 0, kept_max: PHRASES_MAX }
    }
}

/// The words of a text, as the indexes cut them, in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

pub(crate) fn is_small(word: &str) -> bool {
    SMALL_WORDS.binary_search(&word).is_ok()
}

/// Phrases of a text of up to `words_max` words, without those that begin or end with a small word.
pub(crate) fn phrases(text: &str, words_max: usize) -> Vec<String> {
    let words: Vec<String> = words(text).take(TEXT_WORDS_MAX).collect();
    let part = |length: usize| words.windows(length).filter(|part| says_something(part)).map(|part| part.join(" "));
    (1..=words_max).flat_map(part).collect()
}

fn says_something(part: &[String]) -> bool {
    [part.first(), part.last()].into_iter().flatten().all(|word| !is_small(word))
}

impl Phrases {
    /// Counts the phrases of one pin, each once.
    pub(crate) fn add<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        self.pins += 1;
        // One piece of memory for all phrases: there are some twenty a pin, and pins are many.
        let (mut joined, mut spans): (String, Vec<Range<usize>>) = Default::default();
        for text in texts {
            let words: Vec<String> = words(text).take(TEXT_WORDS_MAX).collect();
            for length in 1..=WORDS_MAX {
                for part in words.windows(length).filter(|part| says_something(part)) {
                    let start = joined.len();
                    for (at, word) in part.iter().enumerate() {
                        joined.push_str(if at > 0 { " " } else { "" });
                        joined.push_str(word);
                    }
                    spans.push(start..joined.len());
                }
            }
        }
        spans.sort_unstable_by(|a, b| joined[a.clone()].cmp(&joined[b.clone()]));
        spans.dedup_by(|a, b| joined[a.clone()] == joined[b.clone()]);
        for span in spans {
            match self.counts.get_mut(&joined[span.clone()]) {
                Some(count) => *count += 1,
                None => _ = self.counts.insert(joined[span].into(), 1),
            }
        }
        if self.counts.len() > 2 * self.kept_max {
            self.forget();
        }
    }

    /// Forgets the rarest until few enough are left.
    fn forget(&mut self) {
        let mut least = 1;
        while self.counts.len() > self.kept_max {
            self.counts.retain(|_, count| *count > least);
            least *= 2;
        }
    }

    /// Forgets what is beyond the limit.
    pub(crate) fn finished(mut self) -> Phrases {
        self.forget();
        self.counts.shrink_to_fit();
        self
    }

    /// How many of the counted pins have a phrase; 0 of one that was forgotten.
    pub(crate) fn pins_with(&self, phrase: &str) -> u32 {
        self.counts.get(phrase).copied().unwrap_or(0)
    }

    /// How many pins were counted.
    pub(crate) fn pins(&self) -> u32 {
        self.pins
    }

    /// Phrases of two and three words that at least `pins_min` pins have, the most frequent first, at most `wanted`.
    pub(crate) fn frequent(&self, pins_min: u32, wanted: usize) -> Vec<(&str, u32)> {
        let long = self.counts.iter().filter(|&(phrase, &count)| count >= pins_min && phrase.contains(' '));
        let mut found: Vec<(&str, u32)> = long.map(|(phrase, &count)| (&**phrase, count)).collect();
        found.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let parts: HashSet<&str> = found.iter().flat_map(|&(phrase, count)| self.parts(phrase, count)).collect();
        found.retain(|(phrase, _)| !parts.contains(phrase));
        found.truncate(wanted);
        found
    }

    /// The phrase without its first and without its last word, where hardly more pins have that.
    fn parts<'a>(&self, phrase: &'a str, count: u32) -> impl Iterator<Item = &'a str> {
        let parts = [phrase.split_once(' '), phrase.rsplit_once(' ')].map(|parts| parts.unwrap_or_default());
        let hides = move |part: &&str| part.contains(' ') && count as f32 > WHOLE_SHARE * self.pins_with(part) as f32;
        [parts[0].1, parts[1].0].into_iter().filter(hides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_are_in_order() {
        assert!(SMALL_WORDS.is_sorted(), "{:?}", SMALL_WORDS.windows(2).find(|pair| pair[0] > pair[1]));
        assert_eq!(phrases("Lake in the Alps", 2), ["lake", "alps"]);
        assert_eq!(phrases("Blue vase, oak", 3), ["blue", "vase", "oak", "blue vase", "vase oak", "blue vase oak"]);
    }

    #[test]
    fn phrases_are_counted_once_a_pin_and_the_rarest_forgotten() {
        let mut phrases = Phrases { kept_max: 20, ..Phrases::default() };
        for number in 0..50 {
            phrases.add(["Wind-shaped dunes", "dunes", &format!("dunes {number}")].into_iter());
        }
        let phrases = phrases.finished();
        assert_eq!((phrases.pins_with("dunes"), phrases.pins_with("wind shaped dunes"), phrases.pins()), (50, 50, 50));
        assert!(phrases.counts.len() <= 20, "{}", phrases.counts.len());
        assert_eq!(phrases.frequent(3, 9), [("wind shaped dunes", 50)]);
        assert_eq!(phrases.pins_with("unheard of"), 0);
    }
}
