//! What a pinner liked before their last positive acts: pins and moments only, for a lifetime.

use crate::Shown;
use crate::shown;

/// Most pins kept per pinner beside the last positive acts.
pub const LIFELONG_MAX: usize = 16_000 - crate::SEQUENCE_MAX;

/// Puts a pin in its place in time; each stays once, at its newest moment.
pub(crate) fn insert(all: &mut Vec<Shown>, liked: Shown) {
    if let Some(twin) = all.iter().position(|old| old.pin == liked.pin) {
        if all[twin].at_s >= liked.at_s {
            return;
        }
        all.remove(twin);
    }
    shown::insert(all, liked, LIFELONG_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PinId;

    fn liked(pin: u32, at_s: u32) -> Shown {
        Shown { pin: PinId(pin), at_s }
    }

    #[test]
    fn each_pin_stays_once_at_its_newest_moment_and_the_oldest_go() {
        let mut all = Vec::new();
        for (pin, at_s) in [(1, 50), (2, 20), (1, 10), (3, 30), (2, 60)] {
            insert(&mut all, liked(pin, at_s));
        }
        assert_eq!(all, [liked(3, 30), liked(1, 50), liked(2, 60)]);
        let most = LIFELONG_MAX as u32;
        (0..most).for_each(|pin| insert(&mut all, liked(pin + 10, 100 + pin)));
        assert_eq!((all.len(), all[0], all.last()), (LIFELONG_MAX, liked(10, 100), Some(&liked(most + 9, most + 99))));
        insert(&mut all, liked(1, 99));
        assert_eq!(all[0], liked(10, 100), "older than all that there is room for");
    }
}
