//! A filter that knows its columns.

use super::numbers::Numbers;
use super::pin_set::{PinSet, bits};
use super::words::Words;
use domain::PinId;

/// What reading one word of 64 pins from a bitmap costs (the unit), testing a pin of such a word by itself, and coming
/// to a pin by way of a list, where nothing is at hand.
const WORD_COST: f64 = 1.0;
const TEST_COST: f64 = 1.5;
const LISTED_COST: f64 = 30.0;

/// A test of pins.
#[derive(Debug)]
pub(super) enum Test<'a> {
    Everything,
    Nothing,
    Set(&'a PinSet),
    /// Pins that have one of the codes, sorted.
    Codes {
        field: &'a Words,
        codes: Vec<u32>,
    },
    Range {
        field: &'a Numbers,
        min: f64,
        max: f64,
    },
    All(Vec<Branch<'a>>),
    Any(Vec<Branch<'a>>),
    /// Pins of the set that do not pass.
    Not {
        known: &'a PinSet,
        inner: Box<Branch<'a>>,
    },
}

/// A test and how many pins pass it.
#[derive(Debug)]
pub(super) struct Branch<'a> {
    pub(super) test: Test<'a>,
    pub(super) pins: f64,
    /// Whether `pins` is a count, not an estimate.
    pub(super) exact: bool,
}

/// A [`Filter`](super::Filter) with the [`Columns`](super::Columns) that it is about, which stay borrowed.
#[derive(Debug)]
pub struct Bound<'a> {
    pub(super) root: Branch<'a>,
    /// How many pins there are.
    pub(super) all: usize,
    /// Words of 64 pins beyond which no listed pin passes.
    pub(super) words: usize,
}

impl Bound<'_> {
    /// The filter that every pin passes, without columns.
    pub fn everything() -> Bound<'static> {
        Bound { root: Branch { test: Test::Everything, pins: 0.0, exact: true }, all: 0, words: 0 }
    }

    /// Whether `pin` passes.
    #[inline]
    pub fn passes(&self, pin: PinId) -> bool {
        self.root.test.passes(pin)
    }

    /// Which of the pins `64 · at .. 64 · at + 64` pass, the lowest bit first: of those in `asked`, others are 0.
    #[inline]
    pub fn passing(&self, at: usize, asked: u64) -> u64 {
        self.root.test.passing(at, asked)
    }

    /// The part of the known pins that pass, from 0 to 1: exact for a single condition, else estimated from the counts
    /// of the conditions and a sample of at most 1,024 pins, the same each time.
    pub fn share(&self) -> f32 {
        match self.root.test {
            Test::Everything => 1.0,
            _ => (self.root.pins / self.all.max(1) as f64).clamp(0.0, 1.0) as f32,
        }
    }

    /// How many pins pass: exact for a single condition, else estimated as [`share`](Bound::share) is.
    pub fn count(&self) -> usize {
        self.root.pins.round() as usize
    }

    /// Whether every pin passes, so that nothing needs to be asked.
    pub fn is_everything(&self) -> bool {
        matches!(self.root.test, Test::Everything)
    }

    /// The pins that pass, by id, when they are at most `max`; `None` when they are more, or when everything passes.
    ///
    /// Costs about what the strictest condition's pins cost to look at, or reading the bitmaps once where that is less.
    pub fn pins(&self, max: usize) -> Option<Vec<PinId>> {
        let Branch { test, pins, exact } = &self.root;
        if self.is_everything() || (*exact && *pins > max as f64) {
            return None;
        }
        let by_words = self.words as f64 * test.word_cost();
        if test.listed() * LISTED_COST > by_words {
            return self.pins_by_words(max);
        }
        let mut found = Vec::new();
        test.list(&mut |pin| {
            // Several lists may name a pin more than once: room for that, and no more.
            if test.passes(pin) {
                found.push(pin);
            }
        });
        found.sort_unstable();
        found.dedup();
        (found.len() <= max).then_some(found)
    }

    fn pins_by_words(&self, max: usize) -> Option<Vec<PinId>> {
        let mut found = Vec::new();
        for at in 0..self.words {
            let passing = self.root.test.passing(at, u64::MAX);
            if passing != 0 {
                found.extend(bits(at, passing));
                if found.len() > max {
                    return None;
                }
            }
        }
        Some(found)
    }
}

impl Test<'_> {
    #[inline]
    pub(super) fn passes(&self, pin: PinId) -> bool {
        match self {
            Test::Everything => true,
            Test::Nothing => false,
            Test::Set(pins) => pins.contains(pin),
            Test::Codes { field, codes } => one_of(field.of(pin), codes),
            Test::Range { field, min, max } => (*min..=*max).contains(&field.of(pin)),
            Test::All(branches) => branches.iter().all(|branch| branch.test.passes(pin)),
            Test::Any(branches) => branches.iter().any(|branch| branch.test.passes(pin)),
            Test::Not { known, inner } => known.contains(pin) && !inner.test.passes(pin),
        }
    }

    fn passing(&self, at: usize, asked: u64) -> u64 {
        match self {
            Test::Everything => asked,
            Test::Nothing => 0,
            Test::Set(pins) => pins.word(at) & asked,
            Test::Codes { .. } | Test::Range { .. } => {
                bits(at, asked).filter(|&pin| self.passes(pin)).fold(0, |word, pin| word | 1 << (pin.0 % 64))
            }
            Test::All(branches) => branches.iter().fold(asked, |left, branch| match left {
                0 => 0,
                _ => branch.test.passing(at, left),
            }),
            Test::Any(branches) => branches.iter().fold(0, |found, branch| match asked & !found {
                0 => found,
                left => found | branch.test.passing(at, left),
            }),
            Test::Not { known, inner } => match known.word(at) & asked {
                0 => 0,
                left => left & !inner.test.passing(at, left),
            },
        }
    }

    /// How many pins [`list`](Test::list) names.
    fn listed(&self) -> f64 {
        match self {
            Test::Everything | Test::Not { .. } => f64::INFINITY,
            Test::Nothing => 0.0,
            Test::Set(pins) => pins.len() as f64,
            Test::Codes { field, codes } => codes.iter().map(|&code| field.posting(code).len() as f64).sum(),
            Test::Range { field, min, max } => field.count(*min, *max) as f64,
            Test::All(branches) => branches.iter().map(|branch| branch.test.listed()).fold(f64::INFINITY, f64::min),
            Test::Any(branches) => branches.iter().map(|branch| branch.test.listed()).sum(),
        }
    }

    /// Names every pin that passes, and others, some more than once. Only where [`listed`](Test::listed) is finite.
    fn list(&self, visit: &mut dyn FnMut(PinId)) {
        match self {
            Test::Everything | Test::Nothing | Test::Not { .. } => {}
            Test::Set(pins) => pins.iter().for_each(visit),
            Test::Codes { field, codes } => codes.iter().for_each(|&code| field.posting(code).for_each(visit)),
            Test::Range { field, min, max } => field.for_each(*min, *max, visit),
            Test::All(branches) => {
                let shortest = branches.iter().min_by(|a, b| a.test.listed().total_cmp(&b.test.listed()));
                shortest.into_iter().for_each(|branch| branch.test.list(visit));
            }
            Test::Any(branches) => branches.iter().for_each(|branch| branch.test.list(visit)),
        }
    }

    /// What [`passing`](Test::passing) costs for a word of which all pins are asked.
    pub(super) fn word_cost(&self) -> f64 {
        match self {
            Test::Everything | Test::Nothing => 0.0,
            Test::Set(_) => WORD_COST,
            Test::Codes { .. } | Test::Range { .. } => 64.0 * TEST_COST,
            // What comes after the first is asked about few pins.
            Test::All(branches) => {
                let (first, rest) = branches.split_first().map_or((0.0, &[][..]), |(a, b)| (a.test.word_cost(), b));
                first + rest.iter().map(|branch| branch.test.word_cost() / 4.0).sum::<f64>()
            }
            Test::Any(branches) => branches.iter().map(|branch| branch.test.word_cost()).sum(),
            Test::Not { inner, .. } => WORD_COST + inner.test.word_cost(),
        }
    }

    /// What [`passes`](Test::passes) costs.
    pub(super) fn pin_cost(&self) -> f64 {
        match self {
            Test::Everything | Test::Nothing => 0.0,
            Test::Set(_) => 1.0,
            Test::Range { .. } => 1.5,
            Test::Codes { codes, .. } => 2.0 + 0.1 * codes.len() as f64,
            Test::All(branches) | Test::Any(branches) => branches.iter().map(|branch| branch.test.pin_cost()).sum(),
            Test::Not { inner, .. } => 1.0 + inner.test.pin_cost(),
        }
    }
}

/// Whether two sorted lists share something. The first is a pin's own and short.
#[inline]
fn one_of(of_pin: &[u32], codes: &[u32]) -> bool {
    match codes {
        [code] => of_pin.contains(code),
        _ => of_pin.iter().any(|code| codes.binary_search(code).is_ok()),
    }
}
