//! The seam of the state store.

use crate::StoreError;
use domain::TopicKind;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Longest name of a space or a consumer in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Longest key in bytes.
const KEY_BYTES_MAX: usize = 32 << 10;

/// Key → value, or nothing where the key is deleted.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Changes that land together: values, deletions and the offsets up to which they were made. A later change of the same
/// key replaces the earlier one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub(crate) spaces: BTreeMap<Cow<'static, str>, Changes>,
    pub(crate) offsets: BTreeMap<(String, TopicKind), u64>,
}

impl Batch {
    /// No changes.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Sets `key` of `space` to `value`.
    pub fn put(
        &mut self,
        space: impl Into<Cow<'static, str>>,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> &mut Batch {
        self.spaces.entry(space.into()).or_default().insert(key.into(), Some(value.into()));
        self
    }

    /// Takes `key` out of `space`; there need not be one.
    pub fn delete(&mut self, space: impl Into<Cow<'static, str>>, key: impl Into<Vec<u8>>) -> &mut Batch {
        self.spaces.entry(space.into()).or_default().insert(key.into(), None);
        self
    }

    /// Notes that `consumer` has worked off `topic` up to (not including) `offset`.
    pub fn offset(&mut self, consumer: impl Into<String>, topic: TopicKind, offset: u64) -> &mut Batch {
        self.offsets.insert((consumer.into(), topic), offset);
        self
    }

    /// Number of changed keys and offsets.
    pub fn len(&self) -> usize {
        self.spaces.values().map(BTreeMap::len).sum::<usize>() + self.offsets.len()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses names and keys that an engine could not keep.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for (space, changes) in &self.spaces {
            check_name("space", space)?;
            changes.keys().try_for_each(|key| check_key(key))?;
        }
        self.offsets.keys().try_for_each(|(consumer, _)| check_name("consumer", consumer))
    }
}

/// Values by space and key, keys in the order of their bytes, and the offsets of consumers.
pub trait StateStore: Send + Sync {
    /// The value of a key, if there is one. A space that was never written to is empty.
    fn get(&self, space: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Applies a batch whole or not at all; it is on disk when this returns.
    fn write(&self, batch: Batch) -> Result<(), StoreError>;

    /// Keys and values of a space in the order of the keys, from `from` (included) on, at most `max`. To go on, ask
    /// from the last key with a zero byte behind it.
    fn scan(&self, space: &str, from: &[u8], max: usize) -> Result<Vec<Entry>, StoreError>;

    /// The offset that `consumer` has reached in `topic`; 0 when it never said so.
    fn offset(&self, consumer: &str, topic: TopicKind) -> Result<u64, StoreError>;
}

/// Spaces and consumers are named by small letters, digits, `_` and `-`, beginning with a letter.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if starts && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain) {
        return Ok(());
    }
    let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
    Err(StoreError::Invalid(format!(
        "'{shown}' cannot name a {what}: a letter, then a-z 0-9 _ -, at most {NAME_BYTES_MAX} bytes"
    )))
}

/// Keys are neither empty nor huge.
pub(crate) fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(StoreError::Invalid(format!("a key of {} bytes: 1 to {KEY_BYTES_MAX} are taken", key.len())));
    }
    Ok(())
}
