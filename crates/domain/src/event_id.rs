//! ULIDs: 48 bits of milliseconds and 80 bits that make them unique, written in Crockford's base 32.

use std::fmt;
use std::str::FromStr;

/// A ULID: the idempotency key of a fact, and the name of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

/// Text that is not a ULID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a ULID (26 characters of 0-9 A-Z without I L O U)")]
pub struct BadEventId(String);

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

impl EventId {
    /// An id of a moment (ms, UTC) and 80 bits of entropy; higher bits of `entropy` are dropped.
    pub fn new(ts_ms: u64, entropy: u128) -> EventId {
        EventId((u128::from(ts_ms) << 80) | (entropy & ((1 << 80) - 1)))
    }

    /// The moment that the id carries (ms, UTC).
    pub fn ts_ms(self) -> u64 {
        (self.0 >> 80) as u64
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; LENGTH];
        for (place, slot) in text.iter_mut().enumerate() {
            let shift = 5 * (LENGTH - 1 - place);
            *slot = ALPHABET[((self.0 >> shift) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for EventId {
    type Err = BadEventId;
    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let bad = || BadEventId(text.chars().take(64).collect());
        // 26 characters carry 130 bits: the first may be 7 at most.
        if text.len() != LENGTH || !matches!(text.as_bytes()[0], b'0'..=b'7') {
            return Err(bad());
        }
        text.bytes()
            .try_fold(0u128, |value, byte| {
                let digit = ALPHABET.iter().position(|&known| known == byte.to_ascii_uppercase()).ok_or_else(bad)?;
                Ok(value << 5 | digit as u128)
            })
            .map(EventId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_time_come_back() {
        let id = EventId::new(1_700_000_000_123, 0xDEAD_BEEF_0123_4567_89AB);
        let text = id.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_lowercase().parse(), Ok(id));
        assert_eq!(id.ts_ms(), 1_700_000_000_123);
        assert!(EventId::new(2, 0) > EventId::new(1, u128::MAX), "sorts by time first");
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "abc", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000000U", "ééééééééééééé"]
        {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }
}
