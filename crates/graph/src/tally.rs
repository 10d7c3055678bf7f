//! Counting visits while walks go on.

use crate::prefetch::prefetch;
use domain::hash64;

/// Visits of a pin that is not looked for: no rule for stopping ever meets it.
const IGNORED: u32 = 1 << 31;

/// A count per visited pin in an open table, as large as the walk is long.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Pin (high half) and visits (low half); 0 where nothing is.
    slots: Vec<u64>,
    /// How many visits are enough.
    enough: u32,
    /// How many pins have enough.
    pub(crate) reached: u32,
}

impl Tally {
    /// Empties the table and makes it fit `pins` different pins.
    pub(crate) fn open(&mut self, pins: usize, enough: u32) {
        self.slots.clear();
        self.slots.resize((2 * pins).next_power_of_two(), 0);
        (self.enough, self.reached) = (enough.max(1), 0);
    }

    #[inline(always)]
    pub(crate) fn prefetch(&self, pin: u32) {
        prefetch(&self.slots, self.place(pin));
    }

    #[inline(always)]
    pub(crate) fn count(&mut self, pin: u32) {
        let slot = self.slot(pin);
        *slot += 1;
        self.reached += u32::from(*slot as u32 == self.enough);
    }

    /// Never counts the pin as one with enough visits.
    pub(crate) fn ignore(&mut self, pin: u32) {
        *self.slot(pin) += u64::from(IGNORED);
    }

    #[inline(always)]
    fn slot(&mut self, pin: u32) -> &mut u64 {
        let mask = self.slots.len() - 1;
        let mut at = self.place(pin);
        while self.slots[at] != 0 && (self.slots[at] >> 32) as u32 != pin {
            at = (at + 1) & mask;
        }
        let slot = &mut self.slots[at];
        *slot |= u64::from(pin) << 32;
        slot
    }

    #[inline(always)]
    fn place(&self, pin: u32) -> usize {
        hash64(u64::from(pin)) as usize & (self.slots.len() - 1)
    }
}
