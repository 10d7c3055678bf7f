//! Decayed counts by key: one kind of row, found by a dense number or by a hash.

use crate::Horizon;
use crate::tally::{SLOTS, Tally, slots};
use bytemuck::{Pod, Zeroable};
use domain::Act;
use std::collections::BTreeMap;

const NONE: u32 = u32::MAX;

/// The horizons of counts by dense number.
const DENSE: &[Horizon] = &Horizon::ALL;

/// The horizon of counts by hash.
const HASHED: &[Horizon] = &[Horizon::Ever];

/// Counts of a row by dense number.
type Values = [[f32; SLOTS]; DENSE.len()];

/// Counts one act in a row that stands as of `last_s`. All counts of a row decay together. A late act is decayed by its
/// age, so that the order of arrival does not matter.
fn count(horizons: &[Horizon], last_s: &mut u32, values: &mut [[f32; SLOTS]], act: &Act) {
    let at_s = seconds(act.ts_ms);
    let (age_old, age_new) = (at_s.saturating_sub(*last_s), last_s.saturating_sub(at_s));
    *last_s = at_s.max(*last_s);
    for (values, horizon) in values.iter_mut().zip(horizons) {
        if age_old > 0 {
            let decay = horizon.decay(age_old);
            values.iter_mut().for_each(|value| *value *= decay);
        }
        let amount = horizon.decay(age_new);
        slots(act).for_each(|(slot, value)| values[slot] += value * amount);
    }
}

/// A row as of `now_ms`: one power a horizon.
fn read(horizons: &[Horizon], last_s: u32, values: &[[f32; SLOTS]], now_ms: u64) -> Tally {
    let age_s = seconds(now_ms).saturating_sub(last_s);
    let mut tally = Tally::default();
    for (values, &horizon) in values.iter().zip(horizons) {
        let decay = horizon.decay(age_s);
        tally.values[horizon as usize] = values.map(|value| value * decay);
    }
    tally
}

fn sound(values: &[[f32; SLOTS]]) -> bool {
    values.as_flattened().iter().all(|value| value.is_finite() && *value >= 0.0)
}

/// Whole seconds; fits until the year 2106.
pub(crate) fn seconds(ts_ms: u64) -> u32 {
    u32::try_from(ts_ms / 1_000).unwrap_or(u32::MAX)
}

/// Counts of keys with dense numbers. A key that nothing happened to costs 4 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dense {
    /// The row of each key.
    pub(crate) places: Vec<u32>,
    /// The newest act counted, per row (seconds, UTC).
    pub(crate) last_s: Vec<u32>,
    /// Counts as of `last_s`, per row.
    pub(crate) values: Vec<Values>,
}

impl Dense {
    pub(crate) fn add(&mut self, key: u32, act: &Act) {
        let key = key as usize;
        if self.places.len() <= key {
            self.places.resize(key + 1, NONE);
        }
        if self.places[key] == NONE {
            self.places[key] = self.last_s.len() as u32;
            self.last_s.push(0);
            self.values.push(Values::default());
        }
        let row = self.places[key] as usize;
        count(DENSE, &mut self.last_s[row], &mut self.values[row], act);
    }

    pub(crate) fn read(&self, key: u32, now_ms: u64) -> Tally {
        match self.places.get(key as usize) {
            Some(&row) if row != NONE => read(DENSE, self.last_s[row as usize], &self.values[row as usize], now_ms),
            _ => Tally::default(),
        }
    }

    /// Counts as they were kept; `None` when they do not fit together or hold what is never counted.
    pub(crate) fn restore(places: Vec<u32>, last_s: Vec<u32>, values: Vec<Values>) -> Option<Dense> {
        let rows = last_s.len();
        let fits = values.len() == rows && places.iter().all(|&row| row == NONE || (row as usize) < rows);
        (fits && sound(values.as_flattened())).then_some(Dense { places, last_s, values })
    }
}

/// A row by hash. 72 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Entry {
    key: [u32; 2],
    last_s: u32,
    values: [[f32; SLOTS]; 1],
}

/// Counts of keys that are hashes, in two generations of at most `generation_max`: when the newer one is full, the
/// older one is forgotten. What is counted again is new again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashed {
    newer: BTreeMap<u64, Entry>,
    older: BTreeMap<u64, Entry>,
}

impl Hashed {
    pub(crate) fn add(&mut self, key: u64, act: &Act, generation_max: usize) {
        if !self.newer.contains_key(&key) {
            if self.newer.len() >= generation_max {
                self.older = std::mem::take(&mut self.newer);
            }
            let fresh = Entry { key: [key as u32, (key >> 32) as u32], last_s: 0, values: [[0.0; SLOTS]] };
            self.newer.insert(key, self.older.remove(&key).unwrap_or(fresh));
        }
        if let Some(Entry { last_s, values, .. }) = self.newer.get_mut(&key) {
            count(HASHED, last_s, values, act);
        }
    }

    pub(crate) fn read(&self, key: u64, now_ms: u64) -> Tally {
        let entry = self.newer.get(&key).or_else(|| self.older.get(&key));
        entry.map_or_else(Tally::default, |entry| read(HASHED, entry.last_s, &entry.values, now_ms))
    }

    /// The rows of the newer and the older generation, in the order of their keys.
    pub(crate) fn generations(&self) -> [Vec<Entry>; 2] {
        [&self.newer, &self.older].map(|generation| generation.values().copied().collect())
    }

    /// Counts as they were kept; `None` when they hold what is never counted.
    pub(crate) fn restore(generations: [&[Entry]; 2]) -> Option<Hashed> {
        let key = |entry: &Entry| u64::from(entry.key[0]) | u64::from(entry.key[1]) << 32;
        let [newer, older] = generations.map(|rows| rows.iter().map(|entry| (key(entry), *entry)).collect());
        generations.iter().all(|rows| rows.iter().all(|entry| sound(&entry.values))).then_some(Hashed { newer, older })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Action, PinId, Surface};

    fn act(ts_ms: u64) -> Act {
        Act { pin: PinId(0), board: None, action: Action::Click, surface: Surface::Search, ts_ms, value: f32::NAN }
    }

    fn clicks(hashed: &Hashed, key: u64) -> f32 {
        hashed.read(key, 0).count(Action::Click, Horizon::Ever)
    }

    #[test]
    fn pairs_are_bounded_and_those_counted_again_stay() {
        let mut hashed = Hashed::default();
        for key in 0..1_000 {
            hashed.add(key, &act(key), 100);
            hashed.add(7, &act(key), 100);
        }
        assert_eq!(clicks(&hashed, 7), 1_001.0);
        assert!((900..1_000).all(|key| clicks(&hashed, key) == 1.0), "the last hundred are known");
        assert_eq!((0..800).filter(|&key| key != 7 && clicks(&hashed, key) > 0.0).count(), 0);
        let [newer, older] = hashed.generations();
        assert!(newer.len() <= 100 && older.len() <= 100);
        let again = Hashed::restore([&newer, &older]).expect("sound");
        assert!((0..1_000).all(|key| clicks(&again, key) == clicks(&hashed, key)));
    }

    #[test]
    fn what_is_never_counted_is_refused() {
        let mut dense = Dense::default();
        dense.add(3, &act(5_000));
        let Dense { places, last_s, values } = dense.clone();
        assert!(Dense::restore(places.clone(), last_s.clone(), values.clone()).is_some());
        assert!(Dense::restore(vec![1], last_s.clone(), values.clone()).is_none(), "a row that is not there");
        assert!(Dense::restore(places.clone(), Vec::new(), values.clone()).is_none(), "a row without a moment");
        for bad in [f32::NAN, -1.0, f32::INFINITY] {
            let mut values = values.clone();
            values[0][1][0] = bad;
            assert!(Dense::restore(places.clone(), last_s.clone(), values).is_none(), "{bad}");
        }
    }
}
