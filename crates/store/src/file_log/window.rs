//! Which ids came lately: the memory that makes appending twice harmless.

use domain::{EventId, hash64};
use std::hash::{BuildHasher, RandomState};

/// How many of the latest ids of a topic are remembered. 24 bytes each.
pub(super) const IDS_MAX: usize = 1 << 20;

/// The latest ids of a topic: a ring of ids and an open-addressed table of places in the ring.
pub(super) struct Window {
    ids_max: usize,
    ring: Vec<EventId>,
    /// Where the oldest id lies, once the ring is full.
    oldest: usize,
    /// Place in the ring plus one; zero is free. A power of two, at most half full.
    table: Vec<u32>,
    /// Drawn per process, so that nobody can choose ids that all fall on one place.
    seed: u64,
}

impl Window {
    pub(super) fn new(ids_max: usize) -> Window {
        let seed = RandomState::new().hash_one(0u64);
        Window { ids_max: ids_max.max(1), ring: Vec::new(), oldest: 0, table: vec![0; 64], seed }
    }

    /// Remembers an id and forgets the oldest for it if need be; false when it is known already.
    pub(super) fn insert(&mut self, id: EventId) -> bool {
        if self.table[self.find(id)] != 0 {
            return false;
        }
        let place = if self.ring.len() < self.ids_max {
            self.ring.push(id);
            self.ring.len() - 1
        } else {
            self.forget(self.ring[self.oldest]);
            self.ring[self.oldest] = id;
            let place = self.oldest;
            self.oldest = (self.oldest + 1) % self.ids_max;
            place
        };
        if self.ring.len() * 2 > self.table.len() {
            self.grow();
        } else {
            let slot = self.find(id);
            self.table[slot] = place as u32 + 1;
        }
        true
    }

    /// The slot of an id: where it is, or the free one where it would be put.
    fn find(&self, id: EventId) -> usize {
        let mut slot = self.home(id);
        while self.table[slot] != 0 && self.ring[self.table[slot] as usize - 1] != id {
            slot = (slot + 1) & (self.table.len() - 1);
        }
        slot
    }

    fn home(&self, id: EventId) -> usize {
        let mixed = hash64(id.0 as u64 ^ hash64((id.0 >> 64) as u64 ^ self.seed));
        mixed as usize & (self.table.len() - 1)
    }

    /// Frees an id's slot and moves back those behind it that would not be found any more.
    fn forget(&mut self, id: EventId) {
        let mask = self.table.len() - 1;
        let mut free = self.find(id);
        let mut slot = free;
        loop {
            slot = (slot + 1) & mask;
            if self.table[slot] == 0 {
                break;
            }
            let home = self.home(self.ring[self.table[slot] as usize - 1]);
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(free) & mask) {
                self.table[free] = self.table[slot];
                free = slot;
            }
        }
        self.table[free] = 0;
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len() * 2];
        for place in 0..self.ring.len() {
            let slot = self.find(self.ring[place]);
            self.table[slot] = place as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;
    use std::collections::{HashSet, VecDeque};

    #[test]
    fn it_agrees_with_a_plain_set_and_queue() {
        let mut rng = Rng::new(3);
        let mut window = Window::new(100);
        let (mut set, mut queue) = (HashSet::new(), VecDeque::new());
        let mut known = 0;
        for _ in 0..50_000 {
            let id = EventId(u128::from(rng.below(180)));
            let new = set.insert(id);
            known += u32::from(!new);
            if new {
                queue.push_back(id);
                if queue.len() > 100 {
                    set.remove(&queue.pop_front().expect("not empty"));
                }
            }
            assert_eq!(window.insert(id), new);
        }
        assert!(known > 10_000, "{known}");
        assert_eq!((window.ring.len(), window.table.len()), (100, 256), "bounded");
    }
}
