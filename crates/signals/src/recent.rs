//! A bounded set of ids that forgets the oldest first.

use crate::bytes::{BadState, Reader, put_ascending};

/// Two generations of sorted ids. When the newer one is full, the older one is forgotten: at least the last
/// `GENERATION_MAX` different ids are known, at most twice as many. Four bytes an id, exact, one binary search each.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentIds<const GENERATION_MAX: usize> {
    newer: Vec<u32>,
    older: Vec<u32>,
}

impl<const GENERATION_MAX: usize> RecentIds<GENERATION_MAX> {
    pub(crate) fn has(&self, id: u32) -> bool {
        self.newer.binary_search(&id).is_ok() || self.older.binary_search(&id).is_ok()
    }

    /// How many ids are known, those known twice twice.
    pub(crate) fn len(&self) -> usize {
        self.newer.len() + self.older.len()
    }

    /// Adds an id; one that only the older generation knew becomes new again.
    pub(crate) fn add(&mut self, id: u32) {
        if let Err(mut place) = self.newer.binary_search(&id) {
            if self.newer.len() >= GENERATION_MAX {
                self.older = std::mem::take(&mut self.newer);
                place = 0;
            }
            if self.newer.len() == self.newer.capacity() {
                self.newer.reserve_exact(self.newer.len() / 4 + 4);
            }
            self.newer.insert(place, id);
        }
    }

    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        put_ascending(to, &self.newer);
        put_ascending(to, &self.older);
    }

    pub(crate) fn decode(from: &mut Reader<'_>) -> Result<Self, BadState> {
        Ok(RecentIds { newer: from.ascending(GENERATION_MAX)?, older: from.ascending(GENERATION_MAX)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_the_newest_are_not() {
        let mut ids = RecentIds::<100>::default();
        for id in (0..1_000u32).rev() {
            ids.add(id * 7);
        }
        assert!((0..100).all(|id| ids.has(id * 7)), "the last hundred are known");
        assert!((200..1_000).all(|id| !ids.has(id * 7)), "what is older than two generations is forgotten");
        assert!(!ids.has(1));
    }

    #[test]
    fn what_is_added_again_is_new_again() {
        let mut ids = RecentIds::<4>::default();
        for id in [1, 2, 3, 4, 5, 1, 6, 7, 8] {
            ids.add(id);
        }
        assert!(ids.has(1) && !ids.has(2));
    }
}
