//! A field with a number per pin.

use domain::PinId;
use std::cmp::Ordering;

/// Most pins of a bucket; it is split in the middle when there are more.
const BUCKET_MAX: usize = 1_024;

/// What orders pins: the number, then the id, so that equal numbers can be split too.
type Key = (f64, u32);

fn order(a: Key, b: Key) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Pins between two keys, in no order.
#[derive(Clone, Debug)]
struct Bucket {
    /// No pin here is below it, and every pin of the buckets before is.
    from: Key,
    pins: Vec<PinId>,
}

/// A number per pin, `NaN` where there is none; and the pins in buckets by number, so that those of a range are counted
/// exactly and visited without looking at others: two buckets at the ends of a range are looked through, those between
/// are taken whole. About 13 bytes a pin.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    column: Vec<f64>,
    buckets: Vec<Bucket>,
    len: usize,
}

impl Default for Numbers {
    fn default() -> Numbers {
        let from = (f64::NEG_INFINITY, 0);
        Numbers { column: Vec::new(), buckets: vec![Bucket { from, pins: Vec::new() }], len: 0 }
    }
}

impl Numbers {
    /// The number of `pin`, `NaN` when it has none.
    #[inline]
    pub(super) fn of(&self, pin: PinId) -> f64 {
        self.column.get(pin.index()).copied().unwrap_or(f64::NAN)
    }

    /// The number of each pin.
    pub(super) fn column(&self) -> &[f64] {
        &self.column
    }

    /// From the number of each pin.
    pub(super) fn restore(column: Vec<f64>) -> Numbers {
        let mut keys: Vec<Key> = (0u32..).zip(&column).filter(|(_, x)| !x.is_nan()).map(|(pin, &x)| (x, pin)).collect();
        keys.sort_unstable_by(|&a, &b| order(a, b));
        let bucket = |keys: &[Key]| Bucket { from: keys[0], pins: keys.iter().map(|key| PinId(key.1)).collect() };
        let mut numbers = Numbers { len: keys.len(), column, ..Numbers::default() };
        let least = numbers.buckets[0].from;
        if !keys.is_empty() {
            numbers.buckets = keys.chunks(BUCKET_MAX / 2).map(bucket).collect();
            numbers.buckets[0].from = least;
        }
        numbers
    }

    /// Sets the number of `pin`; none when it is `NaN`.
    pub(super) fn set(&mut self, pin: PinId, number: f64) {
        // One zero: -0 would sort before 0, but passes where 0 does.
        let number = number + 0.0;
        let old = self.of(pin);
        if old.total_cmp(&number).is_eq() || (old.is_nan() && number.is_nan()) {
            return;
        }
        if !old.is_nan() {
            self.take(pin, old);
        }
        if pin.index() >= self.column.len() {
            self.column.resize(pin.index() + 1, f64::NAN);
        }
        self.column[pin.index()] = number;
        if !number.is_nan() {
            self.put(pin, number);
        }
    }

    fn bucket_of(&self, key: Key) -> usize {
        self.buckets.partition_point(|bucket| order(bucket.from, key).is_le()).saturating_sub(1)
    }

    fn take(&mut self, pin: PinId, number: f64) {
        let at = self.bucket_of((number, pin.0));
        let pins = &mut self.buckets[at].pins;
        let place = pins.iter().position(|&other| other == pin).expect("invariant: a pin is in its bucket");
        pins.swap_remove(place);
        self.len -= 1;
        // Two buckets that are nearly empty become one.
        if at > 0 && self.buckets[at].pins.len() + self.buckets[at - 1].pins.len() < BUCKET_MAX / 2 {
            let pins = self.buckets.remove(at).pins;
            self.buckets[at - 1].pins.extend(pins);
        }
    }

    fn put(&mut self, pin: PinId, number: f64) {
        let at = self.bucket_of((number, pin.0));
        self.buckets[at].pins.push(pin);
        self.len += 1;
        if self.buckets[at].pins.len() > BUCKET_MAX {
            let key = |pin: PinId| (self.column[pin.index()], pin.0);
            let pins = &mut self.buckets[at].pins;
            pins.select_nth_unstable_by(BUCKET_MAX / 2, |&a, &b| order(key(a), key(b)));
            let pins = pins.split_off(BUCKET_MAX / 2);
            self.buckets.insert(at + 1, Bucket { from: key(pins[0]), pins });
        }
    }

    /// How many pins have a number.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many pins have a number in `min..=max`.
    pub(super) fn count(&self, min: f64, max: f64) -> usize {
        let mut count = 0;
        self.runs(min, max, |pins, whole| {
            let within = || pins.iter().filter(|&&pin| (min..=max).contains(&self.of(pin))).count();
            count += if whole { pins.len() } else { within() };
        });
        count
    }

    /// Visits the pins with a number in `min..=max`.
    pub(super) fn for_each(&self, min: f64, max: f64, visit: &mut dyn FnMut(PinId)) {
        self.runs(min, max, |pins, whole| {
            pins.iter().filter(|&&pin| whole || (min..=max).contains(&self.of(pin))).for_each(|&pin| visit(pin));
        });
    }

    /// The buckets that may hold pins of `min..=max`, and whether all of their pins are within.
    fn runs(&self, min: f64, max: f64, mut run: impl FnMut(&[PinId], bool)) {
        if min > max {
            return;
        }
        let (first, last) = (self.bucket_of((min, 0)), self.bucket_of((max, u32::MAX)));
        for (at, bucket) in self.buckets.iter().enumerate().take(last + 1).skip(first) {
            run(&bucket.pins, first < at && at < last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn ranges_are_counted_exactly_while_numbers_change() {
        let mut rng = Rng::new(11);
        let mut numbers = Numbers::default();
        let mut naive = vec![f64::NAN; 9_000];
        for round in 0..60_000 {
            let pin = rng.below(9_000);
            // Few different ones, so that many pins share one and buckets are split among equals.
            let number = match rng.below(8) {
                0 => f64::NAN,
                1 => -0.0,
                2..5 => f64::from(rng.below(3)),
                _ => f64::from(rng.normal()) * 100.0,
            };
            numbers.set(PinId(pin), number);
            naive[pin as usize] = number;
            if round % 3_000 == 0 {
                let (a, b) = (f64::from(rng.normal()) * 50.0, f64::from(rng.below(3)));
                for (min, max) in [(a, b), (b, b), (0.0, 0.0), (f64::NEG_INFINITY, f64::INFINITY), (1.0, f64::MAX)] {
                    let within: Vec<u32> =
                        (0..9_000).filter(|&pin| (min..=max).contains(&naive[pin as usize])).collect();
                    let mut visited = Vec::new();
                    numbers.for_each(min, max, &mut |pin| visited.push(pin.0));
                    visited.sort_unstable();
                    assert_eq!((numbers.count(min, max), visited), (within.len(), within), "{min} {max}");
                }
            }
        }
        assert_eq!(numbers.len(), naive.iter().filter(|number| !number.is_nan()).count());
        (0..9_000).for_each(|pin| numbers.set(PinId(pin), f64::NAN));
        assert_eq!((numbers.len(), numbers.count(f64::MIN, f64::MAX)), (0, 0));
        assert!(numbers.buckets.len() < 4, "{} buckets of nothing", numbers.buckets.len());
    }
}
