//! Words that are near a misspelt one, found without looking at the others.

use super::channel::edits_max;
use super::vocabulary::Vocabulary;
use domain::hash64;

/// Only so many first letters of a word are varied: the rest is compared. More letters cost memory, fewer cost time.
const PREFIX: usize = 7;
/// Most words that are compared with one typed word; the most frequent are compared first.
const COMPARED_MAX: usize = 4_096;

/// Symmetric deletion (Garbe, 2012): two words within two edits have a text in common that each becomes by leaving out
/// at most two letters. All such texts of all known words, hashed into buckets of word numbers; what shares a bucket by
/// chance is sorted out by comparing.
pub(super) struct Deletes {
    /// Where each bucket begins, and the end.
    starts: Vec<u32>,
    ids: Vec<u32>,
}

/// Hashes of the beginning of a word with up to `deletions` letters left out, each once.
fn variants(word: &[char], deletions: usize, hashes: &mut Vec<u64>) {
    let prefix = &word[..word.len().min(PREFIX)];
    let hash = |without: [usize; 2]| {
        let kept = prefix.iter().enumerate().filter(|(at, _)| !without.contains(at));
        kept.fold(0, |hash, (_, &letter)| hash64(hash ^ u64::from(letter)))
    };
    const NONE: usize = usize::MAX;
    hashes.clear();
    hashes.push(hash([NONE; 2]));
    for first in 0..if deletions > 0 { prefix.len() } else { 0 } {
        hashes.push(hash([first, NONE]));
        let others = if deletions > 1 { first + 1..prefix.len() } else { 0..0 };
        hashes.extend(others.map(|second| hash([first, second])));
    }
    hashes.sort_unstable();
    hashes.dedup();
}

impl Deletes {
    pub(super) fn of(words: &Vocabulary) -> Deletes {
        let mut frequent: Vec<u32> = (0..words.len() as u32).collect();
        frequent.sort_by(|&a, &b| words.share(b).total_cmp(&words.share(a)));
        let mut hashes = Vec::new();
        let mut entries = 0;
        for &id in &frequent {
            variants(words.letters(id), edits_max(words.letters(id).len()), &mut hashes);
            entries += hashes.len();
        }
        let buckets = entries.next_power_of_two();
        let bucket = |hash: u64| (hash as usize) & (buckets - 1);
        let mut deletes = Deletes { starts: vec![0; buckets + 1], ids: vec![0; entries] };
        // Counted, summed up, and filled from the back: then each start is where it belongs.
        for &id in &frequent {
            variants(words.letters(id), edits_max(words.letters(id).len()), &mut hashes);
            hashes.iter().for_each(|&hash| deletes.starts[bucket(hash)] += 1);
        }
        (1..=buckets).for_each(|at| deletes.starts[at] += deletes.starts[at - 1]);
        for &id in frequent.iter().rev() {
            variants(words.letters(id), edits_max(words.letters(id).len()), &mut hashes);
            for &hash in &hashes {
                let start = &mut deletes.starts[bucket(hash)];
                *start -= 1;
                deletes.ids[*start as usize] = id;
            }
        }
        deletes
    }

    /// Numbers of words that may be within `edits` of `word`, each once; not all of them are.
    pub(super) fn near(&self, word: &[char], edits: usize) -> Vec<u32> {
        let (mut hashes, mut near) = (Vec::new(), Vec::new());
        variants(word, edits, &mut hashes);
        let buckets = self.starts.len() - 1;
        for hash in hashes {
            let bucket = (hash as usize) & (buckets - 1);
            let ids = &self.ids[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
            near.extend_from_slice(&ids[..ids.len().min(COMPARED_MAX - near.len())]);
        }
        near.sort_unstable();
        near.dedup();
        near
    }
}
