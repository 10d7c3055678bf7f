//! Counting more things than memory should hold: lossy counting (Manku and Motwani, 2002) with a hard bound.

use std::collections::HashMap;
use std::hash::Hash;

/// What is counted of a key.
#[derive(Clone, Debug)]
pub(crate) struct Counted<V> {
    /// How often it was seen since it is held.
    pub(crate) count: u32,
    /// How often at most it was seen before that.
    missed_max: u32,
    /// What else is kept of it.
    pub(crate) value: V,
}

/// Counts of at most `keys_max` keys. When they are full, the rarest quarter at least is forgotten; what comes back
/// later remembers how often it may have been missed, so that frequent keys stay and errors are bounded by
/// [`Lossy::floor`].
#[derive(Clone, Debug)]
pub(crate) struct Lossy<K, V> {
    keys: HashMap<K, Counted<V>>,
    keys_max: usize,
    floor: u32,
}

impl<K: Hash + Eq, V> Lossy<K, V> {
    pub(crate) fn new(keys_max: usize) -> Self {
        Lossy { keys: HashMap::new(), keys_max: keys_max.max(1), floor: 0 }
    }

    /// Counts `key` so many times more and gives what else is kept of it.
    pub(crate) fn add(&mut self, key: K, count: u32, first: impl FnOnce() -> V) -> &mut V {
        if self.keys.len() >= self.keys_max && !self.keys.contains_key(&key) {
            self.forget();
        }
        let missed_max = self.floor;
        let counted = self.keys.entry(key).or_insert_with(|| Counted { count: 0, missed_max, value: first() });
        counted.count = counted.count.saturating_add(count);
        &mut counted.value
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&Counted<V>>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.keys.get(key)
    }

    /// Keys and counts in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &Counted<V>)> {
        self.keys.iter()
    }

    /// How often at most a key was seen that is not held.
    pub(crate) fn floor(&self) -> u32 {
        self.floor
    }

    /// Raises the floor to where a quarter of the keys lie, and forgets what does not reach above it.
    fn forget(&mut self) {
        let mut most: Vec<u32> = self.keys.values().map(|c| c.count.saturating_add(c.missed_max)).collect();
        let at = most.len() / 4;
        let (_, &mut floor, _) = most.select_nth_unstable(at);
        self.floor = self.floor.max(floor);
        self.keys.retain(|_, c| c.count.saturating_add(c.missed_max) > floor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn frequent_keys_survive_a_flood_of_rare_ones() {
        let mut counts: Lossy<u64, ()> = Lossy::new(1_000);
        let mut rng = Rng::new(1);
        for i in 0..200_000u64 {
            // Ten keys make up a tenth of all; nearly all others come once.
            let key = if i % 10 == 0 { i / 10 % 10 } else { 10 + rng.next_u64() };
            counts.add(key, 1, || ());
            assert!(counts.keys.len() <= 1_000);
        }
        for key in 0..10u64 {
            let counted = counts.get(&key).expect("frequent keys stay");
            assert!(counted.count <= 2_000 && counted.count + counted.missed_max >= 2_000, "{counted:?}");
        }
        assert!(counts.floor() < 400, "{}", counts.floor());
    }

    #[test]
    fn exact_while_there_is_room() {
        let mut counts: Lossy<&str, u32> = Lossy::new(10);
        for _ in 0..7 {
            *counts.add("a", 2, || 0) += 1;
        }
        assert_eq!(counts.get("a").map(|c| (c.count, c.value)), Some((14, 7)));
        assert_eq!((counts.floor(), counts.iter().count()), (0, 1));
    }
}
