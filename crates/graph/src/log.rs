//! What walks came by, step by step.

use crate::sort::sort_keys;

/// A key per visit: the place of the pin, and below it the share of steps that led there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    keys: Vec<u64>,
    spare: Vec<u64>,
    share_bits: u32,
    bits: u32,
}

impl Log {
    /// Empties the log and makes it fit `steps` visits of `pins` pins from `shares` shares.
    pub(crate) fn open(&mut self, pins: u32, shares: usize, steps: usize) {
        self.share_bits = usize::BITS - shares.saturating_sub(1).leading_zeros();
        self.bits = self.share_bits + u32::BITS - pins.saturating_sub(1).leading_zeros();
        self.keys.clear();
        self.keys.reserve(steps);
    }

    #[inline(always)]
    pub(crate) fn note(&mut self, pin: u32, share: u32) {
        self.keys.push(u64::from(pin) << self.share_bits | u64::from(share));
    }

    /// How many visits there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Sorts the visits by pin and then by share.
    pub(crate) fn sort(&mut self) {
        if !self.keys.is_sorted() {
            sort_keys(&mut self.keys, &mut self.spare, self.bits);
        }
    }

    /// Each pin of the sorted log by place, with its visits.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (u32, &[u64])> {
        let share_bits = self.share_bits;
        let same_pin = move |a: &u64, b: &u64| a >> share_bits == b >> share_bits;
        self.keys.chunk_by(same_pin).map(move |visits| ((visits[0] >> share_bits) as u32, visits))
    }

    /// Whether at least `pins` pins of the sorted log have `visits` visits, not counting the places in `but`.
    pub(crate) fn has(&self, pins: u32, visits: u32, but: impl Iterator<Item = u32>) -> bool {
        let visits = visits.max(1) as usize;
        let pin = |key: u64| (key >> self.share_bits) as u32;
        // The last of a pin's visits is as far as that from the one that is `visits` before.
        let ends = self.keys.windows(visits).enumerate().filter(|(at, window)| {
            let last = pin(window[visits - 1]);
            pin(window[0]) == last && self.keys.get(at + visits).is_none_or(|&next| pin(next) != last)
        });
        let often = |place: u32| {
            let first = self.keys.partition_point(|&key| pin(key) < place);
            self.keys.get(first + visits - 1).is_some_and(|&key| pin(key) == place)
        };
        ends.count() >= pins as usize + but.filter(|&place| often(place)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_counted_by_their_visits() {
        let mut log = Log::default();
        log.open(10, 3, 0);
        let visits = [(7, 2), (4, 0), (7, 0), (9, 1), (7, 1), (4, 0), (1, 2), (9, 1), (9, 0)];
        visits.iter().for_each(|&(pin, share)| log.note(pin, share));
        log.sort();
        let counted: Vec<(u32, usize)> = log.pins().map(|(pin, visits)| (pin, visits.len())).collect();
        assert_eq!(counted, [(1, 1), (4, 2), (7, 3), (9, 3)]);
        for (visits, pins) in [(0, 4), (1, 4), (2, 3), (3, 2), (4, 0), (99, 0)] {
            let but = |but: &[u32]| (0..9).rfind(|&pins| log.has(pins, visits, but.iter().copied()));
            assert_eq!(but(&[]), Some(pins), "{visits} visits");
            assert_eq!(but(&[0, 7, 8]), Some(pins.saturating_sub(u32::from(visits < 4))), "{visits} visits");
        }
    }
}
