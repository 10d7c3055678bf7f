//! Which rows have something in common.

/// Rows by the keys that they have: creators, topics, sources.
pub(super) struct Members {
    /// The keys of all rows, one row after the other; row `i` has `starts[i]..starts[i + 1]`.
    keys: Vec<u32>,
    starts: Vec<usize>,
    /// Pairs of a key and a row that has it, sorted.
    by_key: Vec<(u32, u32)>,
}

impl Members {
    /// Of rows that each have some keys.
    pub(super) fn of<K: IntoIterator<Item = u32>>(rows: impl Iterator<Item = K>) -> Members {
        let mut members = Members { keys: Vec::new(), starts: vec![0], by_key: Vec::new() };
        for (row, keys) in (0u32..).zip(rows) {
            let first = members.keys.len();
            members.keys.extend(keys);
            members.by_key.extend(members.keys[first..].iter().map(|&key| (key, row)));
            members.starts.push(members.keys.len());
        }
        members.by_key.sort_unstable();
        members
    }

    /// Tells the rows that share a key with `row`, some more than once, `row` among them.
    pub(super) fn sharing(&self, row: usize, mut tell: impl FnMut(usize)) {
        for &key in &self.keys[self.starts[row]..self.starts[row + 1]] {
            let first = self.by_key.partition_point(|&(other, _)| other < key);
            let same = self.by_key[first..].iter().take_while(|(other, _)| *other == key);
            same.for_each(|&(_, row)| tell(row as usize));
        }
    }
}
