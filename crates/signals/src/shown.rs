//! What a pinner was shown lately, or liked long ago: pins with their moments.

use crate::bytes::{BadState, Reader, put_int};
use crate::counters::seconds;
use domain::PinId;

/// Most impressions kept per pinner.
pub const SHOWN_MAX: usize = 256;

/// A pin that was shown, or liked. 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// When (seconds, UTC).
    pub at_s: u32,
    /// Which pin.
    pub pin: PinId,
}

impl Shown {
    pub(crate) fn new(pin: PinId, ts_ms: u64) -> Shown {
        Shown { at_s: seconds(ts_ms), pin }
    }
}

/// Puts an entry in its place in time, ties by pin; the oldest makes room where there are `max`.
pub(crate) fn insert(list: &mut Vec<Shown>, entry: Shown, max: usize) {
    let mut place = list.partition_point(|known| *known <= entry);
    if list.len() >= max {
        if place == 0 {
            return;
        }
        list.remove(0);
        place -= 1;
    }
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4 + 4).min(max - list.len()));
    }
    list.insert(place, entry);
}

/// Times are stored as what passed since the entry before.
pub(crate) fn encode(list: &[Shown], to: &mut Vec<u8>) {
    put_int(to, list.len() as u64);
    let mut before_s = 0;
    for entry in list {
        put_int(to, u64::from(entry.at_s - before_s));
        put_int(to, u64::from(entry.pin.0));
        before_s = entry.at_s;
    }
}

pub(crate) fn decode(from: &mut Reader<'_>, max: usize) -> Result<Vec<Shown>, BadState> {
    let length = from.length(max)?;
    let mut list = Vec::with_capacity(length);
    let mut before_s = 0u32;
    for _ in 0..length {
        let at_s = before_s.checked_add(from.int32()?).ok_or(BadState::Value("time"))?;
        list.push(Shown { at_s, pin: PinId(from.int32()?) });
        before_s = at_s;
    }
    if list.is_sorted() { Ok(list) } else { Err(BadState::Value("order")) }
}
