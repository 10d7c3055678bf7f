//! The pins that have one value.

use super::pin_set::PinSet;
use domain::PinId;

/// A sorted list while the pins are few, a bitmap when the list would be larger than that: never more than 4 bytes a
/// pin.
#[derive(Clone, Debug)]
pub(super) enum Posting {
    Few(Vec<PinId>),
    Many(PinSet),
}

/// Bits of a listed pin: with one pin in so many, list and bitmap are of one size.
const LISTED_BITS: usize = 32;
/// Lists shorter than this stay lists.
const FEW_MIN: usize = 64;

impl Default for Posting {
    fn default() -> Posting {
        Posting::Few(Vec::new())
    }
}

impl Posting {
    pub(super) fn len(&self) -> usize {
        match self {
            Posting::Few(pins) => pins.len(),
            Posting::Many(pins) => pins.len(),
        }
    }

    /// Puts `pin` in, one of about `all` pins that there are.
    pub(super) fn insert(&mut self, pin: PinId, all: usize) {
        match self {
            Posting::Few(pins) => {
                // Pins mostly come in the order of their ids.
                if pins.last().is_none_or(|&last| last < pin) {
                    pins.push(pin);
                } else if let Err(at) = pins.binary_search(&pin) {
                    pins.insert(at, pin);
                }
                if pins.len() > FEW_MIN.max(all / LISTED_BITS) {
                    *self = Posting::Many(pins.iter().copied().collect());
                }
            }
            Posting::Many(pins) => {
                pins.insert(pin);
            }
        }
    }

    /// Takes `pin` out. A bitmap becomes a list only when it is far too large, so that it does not go back and forth.
    pub(super) fn remove(&mut self, pin: PinId, all: usize) {
        match self {
            Posting::Few(pins) => {
                if let Ok(at) = pins.binary_search(&pin) {
                    pins.remove(at);
                }
            }
            Posting::Many(pins) => {
                pins.remove(pin);
                if pins.len() < FEW_MIN.max(all / LISTED_BITS) / 4 {
                    *self = Posting::Few(pins.iter().collect());
                }
            }
        }
    }

    pub(super) fn for_each(&self, visit: &mut dyn FnMut(PinId)) {
        match self {
            Posting::Few(pins) => pins.iter().copied().for_each(visit),
            Posting::Many(pins) => pins.iter().for_each(visit),
        }
    }
}
