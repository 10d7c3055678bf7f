//! The usual baseline: of the searches that begin with what was typed, those that were asked most.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Searches in the order of their letters with how often each was asked.
pub(super) struct Popular(BTreeMap<String, u32>);

impl Popular {
    pub(super) fn of<'a>(searches: impl Iterator<Item = &'a str>) -> Popular {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        searches.for_each(|text| *counts.entry(text.to_owned()).or_default() += 1);
        Popular(counts)
    }

    /// Of searches with their counts.
    pub(super) fn counted(searches: impl Iterator<Item = (String, u32)>) -> Popular {
        Popular(searches.collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn knows(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    /// The `wanted` most popular searches with this beginning, equal ones by their letters.
    pub(super) fn complete(&self, typed: &str, wanted: usize) -> Vec<String> {
        let from = self.0.range::<str, _>((Bound::Included(typed), Bound::Unbounded));
        let mut best: Vec<(&String, u32)> = Vec::with_capacity(wanted + 1);
        for (text, &count) in from.take_while(|(text, _)| text.starts_with(typed)) {
            let place = best.partition_point(|&(_, other)| other >= count);
            if place < wanted {
                best.insert(place, (text, count));
                best.truncate(wanted);
            }
        }
        best.into_iter().map(|(text, _)| text.clone()).collect()
    }
}
