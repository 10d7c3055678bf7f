//! Words that owners say of pins and pinners ⇄ numbers, each word once, with keys for those who learn from them.

use crate::names::Names;
use domain::hash64;

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordKind {
    /// Who made a pin.
    Creator,
    /// What a pin is about.
    Topic,
    /// What else is known of a pin or a pinner.
    Trait,
}

impl WordKind {
    /// The key that a word of this kind is learned under. It depends on nothing else: it is the same after a restart
    /// and in any data directory. Keys are hashes of 64 bits; two words may share one, if hardly ever.
    pub fn key(self, word: &str) -> u64 {
        self.key_of(hash(word))
    }

    fn key_of(self, hash: u64) -> u64 {
        hash64(hash ^ (self as u64 + 1) << 56)
    }
}

/// Hash of a word: eight bytes at a time, and its length, so that no padding is mistaken for bytes.
fn hash(word: &str) -> u64 {
    word.as_bytes().chunks(8).fold(word.len() as u64, |sum, bytes| {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        hash64(sum ^ u64::from_le_bytes(eight))
    })
}

/// All words of a catalogue. Numbers are given in the order in which words come.
#[derive(Debug, Default)]
pub(crate) struct Words {
    names: Names,
    /// Hash of each word.
    hashes: Vec<u64>,
}

impl Words {
    pub(crate) fn of(names: Names) -> Words {
        let hashes = (0..names.len() as u32).map(|number| hash(names.name(number))).collect();
        Words { names, hashes }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The number of a word; `None` when it is new and there are none to give.
    pub(crate) fn intern(&mut self, word: &str) -> Option<u32> {
        let number = self.names.intern(word)?;
        if number as usize == self.hashes.len() {
            self.hashes.push(hash(word));
        }
        Some(number)
    }

    /// Numbers of words, each once.
    pub(crate) fn intern_all(&mut self, words: &[String]) -> Vec<u32> {
        let mut numbers: Vec<u32> = Vec::with_capacity(words.len());
        for number in words.iter().filter_map(|word| self.intern(word)) {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers
    }

    /// The word of a number; empty when there is none.
    pub(crate) fn word(&self, number: u32) -> &str {
        self.names.name(number)
    }

    /// [`WordKind::key`] of a numbered word; 0 for a number never given.
    pub(crate) fn key(&self, kind: WordKind, number: u32) -> u64 {
        self.hashes.get(number as usize).map_or(0, |&hash| kind.key_of(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_depend_on_kind_and_word_alone() {
        let (mut ours, mut theirs) = (Words::default(), Words::default());
        let numbers = ["lamps", "music=9"].map(|word| ours.intern(word).expect("a number"));
        let others = ["other", "music=9", "lamps"].map(|word| theirs.intern(word).expect("a number"));
        assert_eq!((numbers, others), ([0, 1], [0, 1, 2]));
        assert_eq!(ours.key(WordKind::Trait, 1), theirs.key(WordKind::Trait, 1));
        assert_eq!(ours.key(WordKind::Topic, 0), theirs.key(WordKind::Topic, 2));
        assert_eq!(ours.key(WordKind::Topic, 0), WordKind::Topic.key("lamps"));
        assert_ne!(ours.key(WordKind::Topic, 0), ours.key(WordKind::Trait, 0), "a topic is no trait");
        // Models on disk are keyed by them.
        assert_eq!(WordKind::Trait.key("music=9"), 14_227_335_386_799_149_057);
    }

    #[test]
    fn words_that_differ_in_padding_length_or_kind_have_keys_of_their_own() {
        let words = (0..20_000)
            .map(|i| format!("w{i}"))
            .chain(["", "\0", "a", "a\0", "12345678", "12345678\0"].map(str::to_owned));
        let words: Vec<String> = words.collect();
        let kinds = [WordKind::Creator, WordKind::Topic, WordKind::Trait];
        let keys: HashSet<u64> = kinds.iter().flat_map(|kind| words.iter().map(|word| kind.key(word))).collect();
        assert_eq!(keys.len(), 3 * words.len());
    }
}
