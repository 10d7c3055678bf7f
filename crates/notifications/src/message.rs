//! What is sent: its name, its kind, its channel and its words.

use crate::Zone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Kinds of notification are places in `eligibility.kinds`; there are at most so many.
pub const KINDS_MAX: usize = 16;

/// A kind of notification: its place in `eligibility.kinds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u8);

/// By which way a notification reaches a pinner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A signed request to an address of the operator, who pushes it to a device.
    Webhook,
    /// A mail.
    Email,
    /// A line in the app's own list.
    InApp,
}

impl ChannelKind {
    /// Every channel, in the order of its code.
    pub const ALL: [ChannelKind; 3] = [ChannelKind::Webhook, ChannelKind::Email, ChannelKind::InApp];

    /// The word used in configuration and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            ChannelKind::Webhook => "webhook",
            ChannelKind::Email => "email",
            ChannelKind::InApp => "in_app",
        }
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The idempotency key of a notification: the same pinner, kind and moment have the same key, whoever makes it and
/// however often.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(pub u128);

impl Key {
    /// The first 128 bits of SHA-256 over pinner, kind and moment, each with its length.
    pub fn new(pinner: &str, kind: &str, moment_ms: u64) -> Key {
        let mut hash = Sha256::new();
        for part in [pinner.as_bytes(), kind.as_bytes(), &moment_ms.to_be_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let bytes: [u8; 32] = hash.finalize().into();
        Key(bytes[..16].iter().fold(0, |key, &byte| key << 8 | u128::from(byte)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Key {
    type Error = String;
    fn try_from(text: String) -> Result<Key, String> {
        let hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = if hex { u128::from_str_radix(&text, 16).ok() } else { None };
        key.map(Key).ok_or_else(|| "a key is 32 hexadecimal digits".to_owned())
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.to_string()
    }
}

/// A notification on its way: all that a channel needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its idempotency key.
    pub key: Key,
    /// For whom: the pinner's id.
    pub pinner: String,
    /// The name of its kind.
    pub kind: String,
    /// By which channel.
    pub channel: ChannelKind,
    /// Where a mail goes; empty for other channels.
    pub address: String,
    /// The pin that it is about: the owner's id.
    pub pin: String,
    /// One line.
    pub title: String,
    /// The text below.
    pub body: String,
    /// Where a tap leads.
    pub link: String,
    /// Where one request ends notifications of this kind: an address with a token.
    pub unsubscribe: String,
    /// The pinner's time zone.
    pub zone: Zone,
    /// When it is to go out (ms, UTC).
    pub at_ms: u64,
    /// From when on it is of no use any more (ms, UTC).
    pub expires_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stable_and_its_parts_do_not_run_together() {
        let key = Key::new("ann", "ideas", 7);
        // SHA-256 of length, text, length, text, length, moment; made once with another implementation.
        assert_eq!(key.to_string(), "ae38135e0216f85c35dfbae14fd17cce");
        assert_ne!(key, Key::new("anni", "deas", 7));
        assert_ne!(key, Key::new("ann", "ideas", 8));
        assert_eq!(Key::try_from(key.to_string()), Ok(key));
        assert!(Key::try_from("xyz".to_owned()).is_err());
    }
}
