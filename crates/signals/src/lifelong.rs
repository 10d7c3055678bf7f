//! What a pinner liked before their last positive acts: pins and moments only, for a lifetime.

use crate::bytes::{BadState, Reader, put_int};
use crate::counters::seconds;
use domain::{Act, PinId};

/// Most pins kept per pinner beside the last positive acts.
pub const LIFELONG_MAX: usize = 16_000 - crate::SEQUENCE_MAX;

/// A pin that a pinner liked long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liked {
    /// Which pin.
    pub pin: PinId,
    /// When it was last liked (s, UTC).
    pub at_s: u32,
}

impl Liked {
    pub(crate) fn of(act: &Act) -> Liked {
        Liked { pin: act.pin, at_s: seconds(act.ts_ms) }
    }
}

/// Puts a pin in its place in time; each stays once, at its newest moment.
pub(crate) fn insert(all: &mut Vec<Liked>, liked: Liked) {
    if let Some(twin) = all.iter().position(|old| old.pin == liked.pin) {
        if all[twin].at_s >= liked.at_s {
            return;
        }
        all.remove(twin);
    }
    let mut place = all.partition_point(|old| old.at_s <= liked.at_s);
    if all.len() >= LIFELONG_MAX {
        if place == 0 {
            return;
        }
        all.remove(0);
        place -= 1;
    }
    if all.len() == all.capacity() {
        all.reserve_exact((all.len() / 4 + 4).min(LIFELONG_MAX - all.len()));
    }
    all.insert(place, liked);
}

pub(crate) fn encode(all: &[Liked], to: &mut Vec<u8>) {
    put_int(to, all.len() as u64);
    let mut before_s = 0;
    for liked in all {
        put_int(to, u64::from(liked.pin.0));
        put_int(to, u64::from(liked.at_s - before_s));
        before_s = liked.at_s;
    }
}

pub(crate) fn decode(from: &mut Reader<'_>) -> Result<Vec<Liked>, BadState> {
    let length = from.length(LIFELONG_MAX)?;
    let mut all = Vec::with_capacity(length);
    let mut before_s = 0u32;
    for _ in 0..length {
        let pin = PinId(from.int32()?);
        let at_s = before_s.checked_add(from.int32()?).ok_or(BadState::Value("time"))?;
        all.push(Liked { pin, at_s });
        before_s = at_s;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn liked(pin: u32, at_s: u32) -> Liked {
        Liked { pin: PinId(pin), at_s }
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
