//! What can go wrong outside a request. A request itself never fails: it degrades and says so.

use domain::TopicKind;

/// Why the views could not be built, followed or asked.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// The log or the state failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A part of a snapshot cannot be read.
    #[error(transparent)]
    Snapshot(#[from] domain::SnapshotError),
    /// An index refused what it was given or failed.
    #[error(transparent)]
    Index(#[from] index::IndexError),
    /// The state says that more was read than the log holds: one of them was replaced.
    #[error(
        "the state has read topic '{}' up to {offset}, but the log ends at {end}: was the log replaced? Remove \
         the state to build it again", topic.as_str()
    )]
    StateAhead {
        /// Which topic.
        topic: TopicKind,
        /// What the state says.
        offset: u64,
        /// Where the log ends.
        end: u64,
    },
    /// Bytes of the state cannot be read.
    #[error("state '{space}': {reason}; remove the state to build it again from the log")]
    BadState {
        /// Which space of the state.
        space: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The numbers of ids in the log contradict each other.
    #[error("record {offset} of topic 'numbers': {reason}")]
    BadNumbers {
        /// Which record.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}
