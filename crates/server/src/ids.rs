//! Names for what this server makes itself: requests, catalogue facts, events that came without a name.

use crate::clock::wall_ms;
use domain::{EventId, Rng, hash64};
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

/// Makes ULIDs: a moment and a generator seeded by the operating system at start.
pub(crate) struct Ids(Mutex<Rng>);

impl Ids {
    pub(crate) fn new() -> Ids {
        // `RandomState` is seeded with the operating system's random bytes.
        Ids(Mutex::new(Rng::new(hash64(RandomState::new().hash_one(wall_ms())))))
    }

    /// A new id of a moment.
    pub(crate) fn next(&self, ts_ms: u64) -> EventId {
        EventId::new(ts_ms, self.bits())
    }

    /// Ids for a whole batch, of one moment, in the order in which they are given out.
    pub(crate) fn series(&self, ts_ms: u64) -> impl FnMut() -> EventId {
        let mut entropy = self.bits() >> 1;
        move || {
            entropy = entropy.wrapping_add(1);
            EventId::new(ts_ms, entropy)
        }
    }

    fn bits(&self) -> u128 {
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())) & ((1 << 80) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_ordered_and_nothing_repeats() {
        let ids = Ids::new();
        let mut series = ids.series(1_700_000_000_000);
        let many: Vec<EventId> = (0..1_000).map(|_| series()).collect();
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(many.iter().all(|id| id.ts_ms() == 1_700_000_000_000));
        assert_ne!(ids.next(7), ids.next(7));
    }
}
