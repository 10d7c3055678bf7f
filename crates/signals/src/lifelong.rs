//! What a pinner liked before their last positive acts: pins and moments only, for a lifetime.

use crate::bytes::{BadState, Reader, put_int};
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
        Liked { pin: act.pin, at_s: (act.ts_ms / 1_000).min(u64::from(u32::MAX)) as u32 }
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
