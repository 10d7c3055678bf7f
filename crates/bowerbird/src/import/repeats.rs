//! Rows of a file that say the same.

use super::known::Mixed;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

/// Different rows of one file that are remembered (about 16 bytes each).
const ROWS_MAX: usize = 64 << 20;

/// Counts how often each row came, so that rows that say the same have names of their own wherever they stand.
pub(crate) struct Repeats {
    rows_max: usize,
    met: HashSet<u64, BuildHasherDefault<Mixed>>,
    again: HashMap<u64, u64, BuildHasherDefault<Mixed>>,
}

impl Default for Repeats {
    fn default() -> Self {
        Repeats { rows_max: ROWS_MAX, met: HashSet::default(), again: HashMap::default() }
    }
}

impl Repeats {
    /// How many rows before this one said the same. Once as many are remembered as may be, a row that is not among
    /// them counts by its line instead.
    pub(crate) fn count(&mut self, row: u64, line: u64) -> u64 {
        if self.met.len() < self.rows_max && self.met.insert(row) {
            return 0;
        }
        if !self.met.contains(&row) {
            return line;
        }
        let count = self.again.entry(row).or_default();
        *count += 1;
        *count
    }

    /// Another file begins.
    pub(crate) fn clear(&mut self) {
        self.met.clear();
        self.again.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_and_their_number_is_bounded() {
        let mut repeats = Repeats { rows_max: 2, ..Repeats::default() };
        let counts: Vec<u64> = (1..).zip([7, 8, 7, 7, 9, 8, 9]).map(|(line, row)| repeats.count(row, line)).collect();
        assert_eq!(counts, [0, 0, 1, 2, 5, 1, 7]);
        repeats.clear();
        assert_eq!(repeats.count(9, 1), 0);
    }
}
