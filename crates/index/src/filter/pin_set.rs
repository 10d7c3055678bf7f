//! A set of pins.

use domain::PinId;
use std::iter::successors;

/// Words of a page: 4,096 pins, 512 bytes.
const PAGE_WORDS: usize = 64;
/// Which bits of a pin's id tell its page.
const PAGE_SHIFT: u32 = 12;

type Page = [u64; PAGE_WORDS];

/// A set of pins: a bitmap in pages of 4,096 pins, of which only those are kept that have held a pin. All of 16 M pins
/// take 2 MB, a thousand pins anywhere among them at most half a megabyte; asking for one pin reads two words.
#[derive(Clone, Debug, Default)]
pub struct PinSet {
    /// Where each page is in `pages`; 0 is the page without a pin.
    places: Vec<u32>,
    pages: Vec<Page>,
    len: usize,
}

impl PinSet {
    /// The empty set.
    pub fn new() -> PinSet {
        PinSet::default()
    }

    /// Whether `pin` is in it.
    #[inline]
    pub fn contains(&self, pin: PinId) -> bool {
        self.places.get((pin.0 >> PAGE_SHIFT) as usize).is_some_and(|&place| {
            let word = self.pages[place as usize][(pin.0 >> 6) as usize % PAGE_WORDS];
            word >> (pin.0 % 64) & 1 == 1
        })
    }

    /// The pins `64 · at .. 64 · at + 64` as bits, the lowest first.
    #[inline]
    pub fn word(&self, at: usize) -> u64 {
        self.places.get(at / PAGE_WORDS).map_or(0, |&place| self.pages[place as usize][at % PAGE_WORDS])
    }

    /// How many [`word`](PinSet::word)s may hold a pin.
    pub fn words(&self) -> usize {
        self.places.len() * PAGE_WORDS
    }

    /// Puts `pin` in; whether it was not there.
    pub fn insert(&mut self, pin: PinId) -> bool {
        let page = (pin.0 >> PAGE_SHIFT) as usize;
        if page >= self.places.len() {
            self.places.resize(page + 1, 0);
        }
        if self.pages.is_empty() {
            self.pages.push([0; PAGE_WORDS]);
        }
        if self.places[page] == 0 {
            self.places[page] = self.pages.len() as u32;
            self.pages.push([0; PAGE_WORDS]);
        }
        let word = &mut self.pages[self.places[page] as usize][(pin.0 >> 6) as usize % PAGE_WORDS];
        let fresh = *word >> (pin.0 % 64) & 1 == 0;
        *word |= 1 << (pin.0 % 64);
        self.len += usize::from(fresh);
        fresh
    }

    /// Takes `pin` out; whether it was there.
    pub fn remove(&mut self, pin: PinId) -> bool {
        let there = self.contains(pin);
        if there {
            let place = self.places[(pin.0 >> PAGE_SHIFT) as usize];
            self.pages[place as usize][(pin.0 >> 6) as usize % PAGE_WORDS] &= !(1 << (pin.0 % 64));
            self.len -= 1;
        }
        there
    }

    /// How many pins are in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no pin is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pins, by id.
    pub fn iter(&self) -> impl Iterator<Item = PinId> + '_ {
        let held = self.places.iter().enumerate().filter(|&(_, &place)| place != 0);
        let words = held.flat_map(|(page, &place)| {
            self.pages[place as usize].iter().enumerate().map(move |(at, &word)| (page * PAGE_WORDS + at, word))
        });
        words.flat_map(|(at, word)| bits(at, word))
    }

    /// Pins in both.
    pub fn and(&self, other: &PinSet) -> PinSet {
        self.combine(other, |a, b| a & b)
    }

    /// Pins in one of them at least.
    pub fn or(&self, other: &PinSet) -> PinSet {
        self.combine(other, |a, b| a | b)
    }

    /// Pins in this one and not in `other`.
    pub fn and_not(&self, other: &PinSet) -> PinSet {
        self.combine(other, |a, b| a & !b)
    }

    /// `op` of two empty words must be empty.
    fn combine(&self, other: &PinSet, op: impl Fn(u64, u64) -> u64) -> PinSet {
        let mut both = PinSet { places: Vec::new(), pages: vec![[0; PAGE_WORDS]], len: 0 };
        for page in 0..self.places.len().max(other.places.len()) {
            let [a, b] = [self, other].map(|set| set.places.get(page).map_or(0, |&place| place as usize));
            if a == 0 && b == 0 {
                continue;
            }
            let [a, b] = [(self, a), (other, b)].map(|(set, place)| set.pages.get(place).unwrap_or(&[0; PAGE_WORDS]));
            let words: Page = std::array::from_fn(|at| op(a[at], b[at]));
            let pins: usize = words.iter().map(|word| word.count_ones() as usize).sum();
            if pins > 0 {
                both.places.resize(page, 0);
                both.places.push(both.pages.len() as u32);
                both.pages.push(words);
                both.len += pins;
            }
        }
        both
    }
}

/// The pins of word `at`.
pub(super) fn bits(at: usize, word: u64) -> impl Iterator<Item = PinId> {
    let rest = successors(Some(word), |word| Some(word & word.wrapping_sub(1))).take_while(|&word| word != 0);
    rest.map(move |word| PinId(at as u32 * 64 + word.trailing_zeros()))
}

impl PartialEq for PinSet {
    fn eq(&self, other: &PinSet) -> bool {
        self.len == other.len && (0..self.words()).all(|at| self.word(at) == other.word(at))
    }
}

impl Eq for PinSet {}

impl Extend<PinId> for PinSet {
    fn extend<I: IntoIterator<Item = PinId>>(&mut self, pins: I) {
        pins.into_iter().for_each(|pin| {
            self.insert(pin);
        });
    }
}

impl FromIterator<PinId> for PinSet {
    fn from_iter<I: IntoIterator<Item = PinId>>(pins: I) -> PinSet {
        let mut set = PinSet::new();
        set.extend(pins);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_does_what_a_tree_of_ids_does() {
        let mut rng = Rng::new(5);
        let mut sets = [(); 2].map(|()| (PinSet::new(), BTreeSet::new()));
        for _ in 0..20_000 {
            let pin = PinId(rng.below(9) * 40_000 + rng.below(300));
            let (set, naive) = &mut sets[rng.below(2) as usize];
            if rng.below(3) == 0 {
                assert_eq!(set.remove(pin), naive.remove(&pin));
            } else {
                assert_eq!(set.insert(pin), naive.insert(pin));
            }
        }
        let [(a, naive_a), (b, naive_b)] = &sets;
        for (set, naive) in &sets {
            assert_eq!((set.len(), set.is_empty()), (naive.len(), false));
            assert!(set.iter().eq(naive.iter().copied()));
            assert!((0..400_000).step_by(7).map(PinId).all(|pin| set.contains(pin) == naive.contains(&pin)));
            assert_eq!(*set, naive.iter().rev().copied().collect());
        }
        assert!(a.and(b).iter().eq(naive_a.intersection(naive_b).copied()));
        assert!(a.or(b).iter().eq(naive_a.union(naive_b).copied()));
        assert!(a.and_not(b).iter().eq(naive_a.difference(naive_b).copied()));
        assert_eq!(a.and_not(a), PinSet::new());
        assert_eq!((a.or(b).len(), PinSet::new().and(a).len()), (naive_a.union(naive_b).count(), 0));
    }

    #[test]
    fn any_id_has_a_place() {
        let mut set = PinSet::new();
        assert!(!set.contains(PinId(u32::MAX)) && !set.remove(PinId(u32::MAX)));
        assert!(set.insert(PinId(u32::MAX)) && !set.insert(PinId(u32::MAX)));
        assert!(set.contains(PinId(u32::MAX)) && !set.contains(PinId(0)));
        assert!(set.iter().eq([PinId(u32::MAX)]));
        assert_eq!((set.word(0), set.word(usize::MAX), set.word((1 << 26) - 1)), (0, 0, 1 << 63));
    }
}
