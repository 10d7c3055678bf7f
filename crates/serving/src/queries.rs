//! What was searched for before a pin was liked: words that its owner may not have thought of.

use bytemuck::cast_slice;
use domain::{Event, PinId, Snapshot, SnapshotError, limits};
use std::collections::BTreeMap;

/// Most queries of a pin; when there are more, one that came once makes room.
const QUERIES_MAX: usize = 16;

/// Queries of pins with how often each led to the pin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queries(BTreeMap<PinId, Vec<(String, u32)>>);

impl Queries {
    /// Counts a query that led to a pin; whether that is news for the words of the pin.
    pub(crate) fn add(&mut self, pin: PinId, query: &str) -> bool {
        let query = query.trim().to_lowercase();
        if query.is_empty() || query.len() > limits::QUERY_BYTES_MAX {
            return false;
        }
        let known = self.0.entry(pin).or_default();
        if let Some((_, times)) = known.iter_mut().find(|(known, _)| *known == query) {
            *times = times.saturating_add(1);
            // As the text index counts them.
            return times.is_power_of_two();
        }
        if known.len() == QUERIES_MAX {
            let Some(once) = known.iter().position(|&(_, times)| times == 1) else { return false };
            known.remove(once);
        }
        known.push((query, 1));
        true
    }

    /// The queries of a pin.
    pub(crate) fn of(&self, pin: PinId) -> &[(String, u32)] {
        self.0.get(&pin).map_or(&[], Vec::as_slice)
    }

    /// Queries with the pins that they led to and how often; when there are more than `wanted`, evenly spread ones.
    pub(crate) fn engagements(&self, wanted: usize) -> Vec<(PinId, String, u32)> {
        let count: usize = self.0.values().map(Vec::len).sum();
        let all = self.0.iter().flat_map(|(&pin, queries)| queries.iter().map(move |query| (pin, query)));
        let spread = all.step_by(count.div_ceil(wanted.max(1)).max(1));
        spread.map(|(pin, (query, times))| (pin, query.clone(), *times)).collect()
    }

    /// As bytes: a part of a snapshot.
    pub(crate) fn write(&self) -> Vec<u8> {
        let all = || self.0.iter().flat_map(|(pin, queries)| queries.iter().map(|query| (pin.0, query)));
        let numbers: Vec<[u32; 2]> = all().map(|(pin, (_, times))| [pin, *times]).collect();
        let text = all().map(|(_, (query, _))| query.replace('\n', " ")).collect::<Vec<_>>().join("\n");
        let mut out = Vec::new();
        let sections: [(&str, &[u8]); 2] = [("numbers", cast_slice(&numbers)), ("text", text.as_bytes())];
        Snapshot::write(&mut out, "queries", 1, &sections).expect("invariant: memory takes bytes");
        out
    }

    /// The queries as they were written.
    pub(crate) fn open(bytes: &bytes::Bytes) -> Result<Queries, SnapshotError> {
        let snapshot = Snapshot::open("queries", 1, bytes)?;
        let (numbers, text) = (snapshot.column::<[u32; 2]>("numbers")?, snapshot.column::<u8>("text")?);
        let mut queries = Queries::default();
        for (&[pin, times], query) in numbers.iter().zip(String::from_utf8_lossy(&text).split('\n')) {
            queries.0.entry(PinId(pin)).or_default().push((query.to_owned(), times));
        }
        Ok(queries)
    }
}

/// The query that led to what was done, if it says that the pin is liked.
pub(crate) fn engaged(event: &Event) -> Option<&str> {
    event.query.as_deref().filter(|_| event.action.is_positive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_counted_bounded_and_kept() {
        let (mut queries, pin) = (Queries::default(), PinId(3));
        let news: Vec<bool> = (0..5).map(|_| queries.add(pin, " Blue Vase")).collect();
        assert_eq!(news, [true, true, false, true, false]);
        (0..50).for_each(|other| _ = queries.add(pin, &format!("other {other}")));
        assert!(!queries.add(pin, "  ") && !queries.add(pin, &"x".repeat(501)));
        assert_eq!((queries.of(pin).len(), &queries.of(pin)[0]), (QUERIES_MAX, &("blue vase".to_owned(), 5)));
        assert!(queries.of(PinId(4)).is_empty());
        queries.add(PinId(1), "two\nlines");
        let again = Queries::open(&queries.write().into()).expect("intact");
        assert_eq!(again.of(pin), queries.of(pin));
        assert_eq!(again.of(PinId(1)), [("two lines".to_owned(), 1)]);
    }
}
