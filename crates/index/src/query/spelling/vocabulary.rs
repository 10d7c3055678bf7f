//! Known words and how likely they and their neighbours are.

use super::builder::Counts;
use std::cmp::Ordering;

/// In place of a word's number: a word that is not known.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Words in order of their letters, with the logarithms of their shares; and for each what followed it.
///
/// The probability of a word after another is Witten and Bell's (1991): what was counted and the word's share are mixed
/// by how many different words have followed so far.
pub(super) struct Vocabulary {
    letters: Vec<char>,
    /// Where each word's letters begin, and the end.
    starts: Vec<u32>,
    shares: Vec<f32>,
    /// Where each word's followers begin, and the end.
    rows: Vec<u32>,
    followers: Vec<u32>,
    counts: Vec<f32>,
    row_sums: Vec<f32>,
}

impl Vocabulary {
    pub(super) fn of(counts: &Counts) -> Vocabulary {
        let total: f64 = counts.words.iter().map(|(_, count)| f64::from(*count) + 0.5).sum();
        let share = |count: f32| ((f64::from(count) + 0.5) / total) as f32;
        let (mut letters, mut starts) = (Vec::new(), vec![0]);
        for (word, _) in &counts.words {
            letters.extend(word.chars());
            starts.push(letters.len() as u32);
        }
        let mut rows = vec![0; counts.words.len() + 1];
        let mut row_sums = vec![0.0; counts.words.len()];
        for ((left, _), count) in &counts.pairs {
            rows[*left as usize + 1] += 1;
            row_sums[*left as usize] += count;
        }
        (1..rows.len()).for_each(|at| rows[at] += rows[at - 1]);
        Vocabulary {
            letters,
            starts,
            shares: counts.words.iter().map(|(_, count)| share(*count)).collect(),
            rows,
            followers: counts.pairs.iter().map(|((_, right), _)| *right).collect(),
            counts: counts.pairs.iter().map(|(_, count)| *count).collect(),
            row_sums,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shares.len()
    }

    pub(super) fn letters(&self, id: u32) -> &[char] {
        &self.letters[self.starts[id as usize] as usize..self.starts[id as usize + 1] as usize]
    }

    pub(super) fn word(&self, id: u32) -> String {
        self.letters(id).iter().collect()
    }

    /// The number of a word, or [`UNKNOWN`].
    pub(super) fn find(&self, word: &[char]) -> u32 {
        let (mut low, mut high) = (0, self.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.letters(middle).cmp(word) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return middle,
                Ordering::Greater => high = middle,
            }
        }
        UNKNOWN
    }

    /// The word's share of all words.
    pub(super) fn share(&self, id: u32) -> f32 {
        self.shares[id as usize]
    }

    /// How often two words stood beside each other.
    pub(super) fn together(&self, left: u32, right: u32) -> f32 {
        let row = self.rows[left as usize] as usize..self.rows[left as usize + 1] as usize;
        self.followers[row.clone()].binary_search(&right).map_or(0.0, |at| self.counts[row.start + at])
    }

    /// Logarithm of the probability of a known word after another, which may be unknown.
    pub(super) fn ln_after(&self, left: u32, right: u32) -> f32 {
        let share = self.share(right);
        if left == UNKNOWN {
            return share.ln();
        }
        let different = (self.rows[left as usize + 1] - self.rows[left as usize]) as f32;
        if different == 0.0 {
            return share.ln();
        }
        let seen = self.together(left, right);
        ((seen + different * share) / (self.row_sums[left as usize] + different)).ln()
    }
}
