//! What can go wrong with the lake.

use std::io;
use std::path::{Path, PathBuf};
use store::StoreError;

/// Why the lake could not be rolled, asked or read.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process (or another part of this one) is rolling.
    #[error("'{}' is held: the lake is being rolled already", .0.display())]
    Locked(PathBuf),
    /// The lake's own note of where it stands is unreadable or belongs to another log.
    #[error("{}: {reason}; delete the lake's directory to make it anew from the log", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A Parquet file could not be read.
    #[error("{}{}: {reason}", path.display(), row_group.map(|n| format!(": row group {n}")).unwrap_or_default())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Which row group, from 0, if the trouble lies in one.
        row_group: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// The question cannot be answered as it is.
    #[error("{0}")]
    Question(String),
    /// The question took too long.
    #[error("the question took longer than {0} ms")]
    Timeout(u128),
    /// Something that should not happen.
    #[error("{what}: {reason}")]
    Internal {
        /// What was being done.
        what: &'static str,
        /// What went wrong.
        reason: String,
    },
}

impl LakeError {
    /// Turns an error of the operating system about `path` into ours.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> LakeError + '_ {
        move |source| LakeError::Io { path: path.to_owned(), source }
    }

    /// Turns an error of a library into ours.
    pub(crate) fn internal<E: ToString>(what: &'static str) -> impl FnOnce(E) -> LakeError {
        move |error| LakeError::Internal { what, reason: error.to_string() }
    }
}
