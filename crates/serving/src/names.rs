//! Strings that people own ⇄ dense ids, each string once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Numbers strings in the order in which they come. All bytes lie in one buffer; the table holds only numbers.
#[derive(Debug)]
pub(crate) struct Names {
    bytes: String,
    /// Where each string ends in `bytes`.
    ends: Vec<usize>,
    /// Open addressing with linear probing: number + 1, 0 is free. The length is a power of two.
    slots: Vec<u32>,
    hasher: RandomState,
    /// Whether new strings get no number.
    sealed: bool,
}

/// Most strings of one kind; the last number stays free to mean "none".
pub(crate) const NAMES_MAX: usize = u32::MAX as usize - 2;

impl Default for Names {
    fn default() -> Self {
        Names { bytes: String::new(), ends: Vec::new(), slots: vec![0; 16], hasher: RandomState::new(), sealed: false }
    }
}

impl Names {
    /// The bytes of all strings, and where each ends.
    pub(crate) fn kept(&self) -> (&str, &[usize]) {
        (&self.bytes, &self.ends)
    }

    /// The strings as they were kept; `None` when they do not fit each other.
    pub(crate) fn restore(bytes: String, ends: Vec<usize>) -> Option<Names> {
        let rising = ends.is_sorted() && ends.last().copied().unwrap_or(0) == bytes.len();
        if !rising || ends.len() > NAMES_MAX || !ends.iter().all(|&end| bytes.is_char_boundary(end)) {
            return None;
        }
        let slots = vec![0; (ends.len() * 4 / 3 + 1).next_power_of_two().max(16)];
        let mut names = Names { bytes, ends, slots, ..Names::default() };
        names.place_all();
        Some(names)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// From now on new strings get no number.
    pub(crate) fn seal(&mut self) {
        self.sealed = true;
    }

    /// The string of a number; empty when there is none.
    pub(crate) fn name(&self, number: u32) -> &str {
        let at = number as usize;
        let Some(&end) = self.ends.get(at) else { return "" };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..end]
    }

    /// The number of a string, if it has one.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.probe(name).1
    }

    /// The number of a string, a new one when it is new. `None` when it is new and there are none to give.
    pub(crate) fn intern(&mut self, name: &str) -> Option<u32> {
        let (slot, found) = self.probe(name);
        if found.is_some() {
            return found;
        }
        if self.sealed || self.ends.len() >= NAMES_MAX {
            return None;
        }
        let number = self.ends.len() as u32;
        self.bytes.push_str(name);
        self.ends.push(self.bytes.len());
        self.slots[slot] = number + 1;
        if self.ends.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Some(number)
    }

    /// The slot of a string, or the free one where it belongs, and its number.
    fn probe(&self, name: &str) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(name) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return (slot, None),
                taken if self.name(taken - 1) == name => return (slot, Some(taken - 1)),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        self.place_all();
    }

    /// Puts all numbers into slots, which are free.
    fn place_all(&mut self) {
        let mask = self.slots.len() - 1;
        for number in 0..self.ends.len() as u32 {
            let mut slot = self.hasher.hash_one(self.name(number)) as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = number + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_stable_and_found_again() {
        let mut names = Names::default();
        for i in 0..10_000u32 {
            assert_eq!(names.intern(&format!("pin-{i}")), Some(i));
        }
        assert_eq!(names.intern("pin-77"), Some(77));
        assert_eq!(names.len(), 10_000);
        assert_eq!(names.name(9_999), "pin-9999");
        assert_eq!(names.find("pin-4321"), Some(4_321));
        assert_eq!(names.find("nobody"), None);
        assert_eq!(names.name(10_000), "");
    }

    #[test]
    fn strings_that_share_bytes_stay_apart() {
        let mut names = Names::default();
        let numbers = ["ab", "c", "a", "bc", "", "é"].map(|name| names.intern(name));
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5].map(Some));
        assert_eq!(["ab", "c", "a", "bc", "", "é"].map(|name| names.find(name)), numbers);
    }
}
