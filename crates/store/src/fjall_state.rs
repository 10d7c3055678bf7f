//! State in an embedded log-structured merge tree.

use crate::state::{Entry, check_key, check_name};
use crate::{Batch, StateStore, StoreError, directory};
use domain::TopicKind;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

/// Most spaces: each costs a memtable and files.
const SPACES_MAX: usize = 64;

/// Memory of one space's newest writes, before they go to a table on disk (bytes).
const MEMTABLE_BYTES_MAX: u64 = 16 << 20;

/// Memory for blocks that were read (bytes).
const CACHE_BYTES_MAX: u64 = 16 << 20;

/// Size of all journals together (bytes).
const JOURNAL_BYTES_MAX: u64 = 128 << 20;

/// Where consumers' offsets are kept. No space can have this name: see `check_name`.
const OFFSETS: &str = "#offsets";

/// The embedded engine of [`StateStore`].
pub(crate) struct FjallState {
    database: Database,
    spaces: RwLock<BTreeMap<String, Keyspace>>,
}

impl FjallState {
    /// Opens or makes the store in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<FjallState, StoreError> {
        directory::make(directory)?;
        let builder = Database::builder(directory)
            .cache_size(CACHE_BYTES_MAX)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .worker_threads(1);
        let database = builder.open().map_err(|error| match error {
            fjall::Error::Locked => StoreError::Locked { path: directory.to_owned(), holder: String::new() },
            fjall::Error::Io(source) => StoreError::Io { path: directory.to_owned(), source },
            other => engine("open the state")(other),
        })?;
        Ok(FjallState { database, spaces: RwLock::default() })
    }

    /// The keyspace of a space; `None` when it was never written to and `make` is false.
    fn keyspace(&self, space: &str, make: bool) -> Result<Option<Keyspace>, StoreError> {
        if let Some(found) = self.spaces.read().unwrap_or_else(PoisonError::into_inner).get(space) {
            return Ok(Some(found.clone()));
        }
        let exists = self.database.keyspace_exists(space);
        if !exists && !make {
            return Ok(None);
        }
        if !exists && self.database.keyspace_count() >= SPACES_MAX {
            return Err(StoreError::Invalid(format!("space '{space}' is one too many: at most {SPACES_MAX}")));
        }
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX);
        let made = self.database.keyspace(space, options).map_err(engine("open a space"))?;
        self.spaces.write().unwrap_or_else(PoisonError::into_inner).insert(space.to_owned(), made.clone());
        Ok(Some(made))
    }

    fn made(&self, space: &str) -> Result<Keyspace, StoreError> {
        let missing = || StoreError::Engine { what: "open a space", reason: format!("'{space}' was not made") };
        self.keyspace(space, true)?.ok_or_else(missing)
    }
}

impl StateStore for FjallState {
    fn get(&self, space: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        check_name("space", space)?;
        check_key(key)?;
        let Some(keyspace) = self.keyspace(space, false)? else { return Ok(None) };
        Ok(keyspace.get(key).map_err(engine("read the state"))?.map(|value| value.to_vec()))
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        let mut writes = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (space, changes) in batch.spaces {
            let keyspace = self.made(&space)?;
            for (key, change) in changes {
                match change {
                    Some(value) => writes.insert(&keyspace, key, value),
                    None => writes.remove(&keyspace, key),
                }
            }
        }
        if !batch.offsets.is_empty() {
            let keyspace = self.made(OFFSETS)?;
            for ((consumer, topic), offset) in batch.offsets {
                writes.insert(&keyspace, offset_key(&consumer, topic), offset.to_be_bytes().to_vec());
            }
        }
        writes.commit().map_err(engine("write the state"))
    }

    fn scan(&self, space: &str, from: &[u8], max: usize) -> Result<Vec<Entry>, StoreError> {
        check_name("space", space)?;
        let Some(keyspace) = self.keyspace(space, false)? else { return Ok(Vec::new()) };
        let rows = keyspace.range(from..).take(max);
        rows.map(|row| row.into_inner().map(|(key, value)| (key.to_vec(), value.to_vec())))
            .collect::<Result<_, _>>()
            .map_err(engine("scan the state"))
    }

    fn offset(&self, consumer: &str, topic: TopicKind) -> Result<u64, StoreError> {
        check_name("consumer", consumer)?;
        let Some(keyspace) = self.keyspace(OFFSETS, false)? else { return Ok(0) };
        let Some(value) = keyspace.get(offset_key(consumer, topic)).map_err(engine("read an offset"))? else {
            return Ok(0);
        };
        let bytes: [u8; 8] = value.as_ref().try_into().map_err(|_| StoreError::Engine {
            what: "read an offset",
            reason: format!("{} bytes for consumer '{consumer}', expected 8", value.len()),
        })?;
        Ok(u64::from_be_bytes(bytes))
    }
}

fn offset_key(consumer: &str, topic: TopicKind) -> Vec<u8> {
    format!("{consumer}/{}", topic.as_str()).into_bytes()
}

fn engine(what: &'static str) -> impl FnOnce(fjall::Error) -> StoreError {
    move |error| StoreError::Engine { what, reason: error.to_string() }
}
