//! Files by key: pictures, thumbnails, models.

use crate::{StoreError, directory};
use futures::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{ObjectStore, ObjectStoreExt};
use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Longest key in bytes.
const KEY_BYTES_MAX: usize = 1_000;

/// Longest part of a key between two `/` in bytes: what file systems take, less what a half-written file's name adds.
const PART_BYTES_MAX: usize = 200;

/// Most keys that one listing gives.
const LIST_MAX: usize = 2_000_000;

/// Threads that wait for the file system on behalf of this room.
const THREADS_MAX: usize = 8;

/// Where blobs lie while they are written; keys cannot begin with a dot.
const STAGING: &str = ".staging";

/// Half-written blobs older than this are what a killed process left behind.
const STAGING_AGE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Blobs by key: `/`-separated parts of printable ASCII, such as `models/v3/card.json`. Cheap to clone; several threads
/// may use it at once (and should, to put many small blobs: their syncs then share the disk's work).
#[derive(Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

struct Inner {
    files: LocalFileSystem,
    /// Where `files` hands its blocking work to. Its own, so that neither a caller's full pool nor the lack of one
    /// matters.
    runtime: Option<Runtime>,
    staged: AtomicU64,
}

impl Blobs {
    /// Opens or makes the store in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Blobs, StoreError> {
        let staging = directory.join(STAGING);
        directory::make(&staging)?;
        sweep(&staging).map_err(StoreError::io(&staging))?;
        let files = LocalFileSystem::new_with_prefix(directory).map_err(engine("open the blobs"))?;
        let runtime = Builder::new_current_thread().max_blocking_threads(THREADS_MAX).build();
        let runtime = Some(runtime.map_err(StoreError::io(directory))?);
        Ok(Blobs { inner: Arc::new(Inner { files, runtime, staged: AtomicU64::new(0) }) })
    }

    /// Keeps `bytes` under `key`, in place of what was there. Readers see the old blob or the new one, never a part;
    /// the new one is on disk when this returns.
    pub fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let to = location(key)?;
        let number = self.inner.staged.fetch_add(1, Ordering::Relaxed);
        let from = Location::from(format!("{STAGING}/{}-{number}", std::process::id()));
        self.wait(self.inner.files.put(&from, bytes.into())).map_err(engine("write a blob"))?;
        self.sync(&from)?;
        self.wait(self.inner.files.rename(&from, &to)).map_err(engine("write a blob"))?;
        self.sync_parents(&to)
    }

    /// The blob of `key`, if there is one.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let location = location(key)?;
        let found = self.wait(async { self.inner.files.get(&location).await?.bytes().await });
        found_or_none(found.map(Vec::from), "read a blob")
    }

    /// Whether there is a blob of `key`.
    pub fn exists(&self, key: &str) -> Result<bool, StoreError> {
        let location = location(key)?;
        Ok(found_or_none(self.wait(self.inner.files.head(&location)), "look for a blob")?.is_some())
    }

    /// Takes the blob of `key` away; there need not be one.
    pub fn delete(&self, key: &str) -> Result<(), StoreError> {
        let location = location(key)?;
        found_or_none(self.wait(self.inner.files.delete(&location)), "delete a blob").map(|_| ())
    }

    /// The keys that begin with `prefix`, in order; an empty prefix gives all.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        // The engine lists whole directories, so a prefix that ends within a name is narrowed down here.
        let directory = match prefix.rsplit_once('/') {
            Some((directory, _)) => Some(location(directory)?),
            None => None,
        };
        let listing = async {
            let mut keys = Vec::new();
            let mut entries = self.inner.files.list(directory.as_ref());
            while let Some(entry) = entries.next().await {
                let key = String::from(entry?.location);
                if key.starts_with(prefix) && !key.starts_with('.') {
                    keys.push(key);
                }
                if keys.len() > LIST_MAX {
                    break;
                }
            }
            Ok(keys)
        };
        let mut keys: Vec<String> = self.wait(listing).map_err(engine("list blobs"))?;
        if keys.len() > LIST_MAX {
            return Err(StoreError::Invalid(format!("more than {LIST_MAX} blobs begin with '{prefix}'")));
        }
        keys.sort();
        Ok(keys)
    }

    /// Blocks this thread until `future` is done, with this room's own runtime at hand. Unlike a runtime's `block_on`
    /// this may be called anywhere, on another runtime's threads too.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let _entered = self.inner.runtime.as_ref().map(Runtime::enter);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn sync(&self, location: &Location) -> Result<(), StoreError> {
        let path = self.inner.files.path_to_filesystem(location).map_err(engine("write a blob"))?;
        File::open(&path).and_then(|file| file.sync_data()).map_err(StoreError::io(&path))
    }

    /// Syncs the directories of a new blob, so that its name survives too.
    fn sync_parents(&self, location: &Location) -> Result<(), StoreError> {
        let path = self.inner.files.path_to_filesystem(location).map_err(engine("write a blob"))?;
        for above in path.ancestors().skip(1).take(location.parts().count()) {
            directory::sync(above).map_err(StoreError::io(above))?;
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A runtime that is dropped on another runtime's thread panics unless told not to wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Takes away what killed processes left half-written.
fn sweep(staging: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(staging)? {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > STAGING_AGE_MAX {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A key as the engine's location. The engine keeps such keys as they are, byte for byte.
fn location(key: &str) -> Result<Location, StoreError> {
    let refuse = |reason: &str| {
        let shown: String = key.chars().take(100).collect();
        Err(StoreError::Invalid(format!("'{shown}' cannot name a blob: {reason}")))
    };
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return refuse(&format!("it must have 1 to {KEY_BYTES_MAX} bytes"));
    }
    for part in key.split('/') {
        if part.is_empty() {
            return refuse("a part between slashes is empty, or it begins or ends with a slash");
        }
        if part.starts_with('.') {
            return refuse("a part begins with a dot");
        }
        if part.len() > PART_BYTES_MAX {
            return refuse(&format!("a part is longer than {PART_BYTES_MAX} bytes"));
        }
        if let Some(odd) = part.chars().find(|&c| !(' '..='~').contains(&c) || "\\{}^%`[]\"<>~#|*?".contains(c)) {
            return refuse(&format!("it holds {odd:?}"));
        }
    }
    Location::parse(key).or_else(|error| refuse(&error.to_string()))
}

fn found_or_none<T>(found: object_store::Result<T>, what: &'static str) -> Result<Option<T>, StoreError> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(engine(what)(other)),
    }
}

fn engine(what: &'static str) -> impl FnOnce(object_store::Error) -> StoreError {
    move |error| StoreError::Engine { what, reason: error.to_string() }
}
