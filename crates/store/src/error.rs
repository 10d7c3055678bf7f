//! What can go wrong with what is kept.

use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be kept or found again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address names an engine that this build does not have.
    #[error("this build has no engine for '{uri}' (feature `{feature}`)")]
    NoEngine {
        /// The address, cut to 256 characters.
        uri: String,
        /// The feature that would bring the engine.
        feature: &'static str,
    },
    /// The address is of no known kind.
    #[error("'{uri}' is no address of {what}: known are file://DIRECTORY, a bare path, and {others}")]
    BadAddress {
        /// The address, cut to 256 characters.
        uri: String,
        /// What was to be opened.
        what: &'static str,
        /// The schemes of engines that exist besides `file`.
        others: String,
    },
    /// Another process (or another part of this one) holds the directory.
    #[error("'{}' is held by another process{holder}: stop that one, or use another data directory", path.display())]
    Locked {
        /// The lock, or the directory that was found locked.
        path: PathBuf,
        /// Who holds it, as ` (id NUMBER)`; empty when that is not known.
        holder: String,
    },
    /// Bytes on disk are not what was written.
    #[error("{}: byte {at}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in the file (bytes).
        at: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The log cannot be written to any more; what was acknowledged is safe and can be read.
    #[error("the event log takes nothing more since a write failed ({reason}): repair the cause, then restart")]
    Stopped {
        /// The failure that stopped it.
        reason: String,
    },
    /// The caller gave something that cannot be kept.
    #[error("{0}")]
    Invalid(String),
    /// The state or blob engine failed.
    #[error("{what}: {reason}")]
    Engine {
        /// What was being done.
        what: &'static str,
        /// What the engine said.
        reason: String,
    },
}

impl StoreError {
    /// Turns an error of the operating system about `path` into ours.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
        move |source| StoreError::Io { path: path.to_owned(), source }
    }

    /// Damage at byte `at` of `path`.
    pub(crate) fn corrupt(path: &Path, at: u64, reason: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: path.to_owned(), at, reason: reason.into() }
    }
}
