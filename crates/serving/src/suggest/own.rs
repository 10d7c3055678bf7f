//! What each pinner searched for last: offered to nobody but them.

use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Snapshot, SnapshotError, hash64};
use std::collections::BTreeMap;

/// Searches of a pinner that are kept.
const SEARCHES_MAX: usize = 8;
/// Most pinners; those who searched longest ago make room, an eighth of them.
const PINNERS_MAX: usize = 50_000;

/// The last searches of pinners, the newest first, by the hash of the pinner.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Own(BTreeMap<u64, Last>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Last {
    ts_ms: u64,
    searches: Vec<Box<str>>,
}

/// A pinner as a number: the same everywhere.
pub(crate) fn pinner_hash(pinner: &str) -> u64 {
    pinner.bytes().fold(1, |hash, byte| hash64(hash ^ u64::from(byte)))
}

impl Own {
    /// A pinner searched for something.
    pub(crate) fn add(&mut self, pinner: u64, search: &str, ts_ms: u64) {
        let last = self.0.entry(pinner).or_default();
        last.ts_ms = last.ts_ms.max(ts_ms);
        match last.searches.iter().position(|known| **known == *search) {
            Some(at) => last.searches[..=at].rotate_right(1),
            None => last.searches.insert(0, search.into()),
        }
        last.searches.truncate(SEARCHES_MAX);
        if self.0.len() > PINNERS_MAX {
            let mut moments: Vec<u64> = self.0.values().map(|last| last.ts_ms).collect();
            let (_, oldest, _) = moments.select_nth_unstable(PINNERS_MAX / 8);
            let oldest = *oldest;
            self.0.retain(|_, last| last.ts_ms > oldest);
        }
    }

    /// What a pinner searched for, the newest first.
    pub(crate) fn of(&self, pinner: &str) -> &[Box<str>] {
        self.0.get(&pinner_hash(pinner)).map_or(&[], |last| &last.searches)
    }

    /// As bytes: a part of a snapshot.
    pub(crate) fn write(&self) -> Vec<u8> {
        let rows: Vec<[u64; 3]> =
            self.0.iter().map(|(&pinner, last)| [pinner, last.ts_ms, last.searches.len() as u64]).collect();
        let searches = self.0.values().flat_map(|last| &last.searches).map(AsRef::as_ref);
        let text = searches.collect::<Vec<&str>>().join("\n");
        let mut out = Vec::new();
        let sections: [(&str, &[u8]); 2] = [("pinners", cast_slice(&rows)), ("text", text.as_bytes())];
        Snapshot::write(&mut out, "own-searches", 1, &sections).expect("invariant: memory takes bytes");
        out
    }

    /// The searches as they were written.
    pub(crate) fn open(bytes: &Bytes) -> Result<Own, SnapshotError> {
        let snapshot = Snapshot::open("own-searches", 1, bytes)?;
        let (rows, text) = (snapshot.column::<[u64; 3]>("pinners")?, snapshot.column::<u8>("text")?);
        let text = String::from_utf8_lossy(&text);
        let mut lines = text.split('\n').map(Box::from);
        let last = |&[pinner, ts_ms, count]: &[u64; 3]| {
            (pinner, Last { ts_ms, searches: lines.by_ref().take(count as usize).collect() })
        };
        Ok(Own(rows.iter().map(last).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_searches_of_the_newest_pinners_are_kept() {
        let mut own = Own::default();
        let ann = pinner_hash("ann");
        (0..10).for_each(|number| own.add(ann, &format!("s{number}"), 100_000_000));
        own.add(ann, "s5", 5);
        let expected = ["s5", "s9", "s8", "s7", "s6", "s4", "s3", "s2"].map(Box::from);
        assert_eq!(own.of("ann"), expected);
        (0..PINNERS_MAX as u64).for_each(|number| own.add(number, "x", number));
        assert!(own.0.len() <= PINNERS_MAX && own.of("ann").len() == 8 && !own.0.contains_key(&0));
        assert_eq!(own.of("ben"), [] as [Box<str>; 0]);
        assert_eq!(Own::open(&own.write().into()).expect("whole"), own);
        assert_eq!(Own::open(&Own::default().write().into()).expect("empty"), Own::default());
    }
}
