//! The seam of the event log.

use crate::StoreError;
use domain::{EventId, Fact, TopicKind};
use std::time::Duration;

/// A fact with its place in its topic and its idempotency key.
pub type Record = (u64, EventId, Fact);

/// Largest encoded fact that is taken (bytes).
pub const FACT_BYTES_MAX: usize = 16 << 20;

/// Encoded bytes after which one `read` stops, however many records were asked for.
pub const READ_BYTES_MAX: usize = 32 << 20;

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Facts that are new in the log.
    pub appended: u64,
    /// Facts that were skipped because their id was there already (in the log's window or in the batch itself).
    pub duplicates: u64,
    /// Per topic, in the order of [`TopicKind::ALL`]: an offset behind the batch's last record, where whoever has read
    /// up to it has seen the batch.
    pub ends: [u64; TopicKind::ALL.len()],
}

/// An append-only log of facts in a few topics.
///
/// Every engine keeps these promises:
/// * **Durable:** when `append` returns, its facts survive the end of the process and of the machine.
/// * **Once:** a fact whose id is among the last 2²⁰ ids of its topic is skipped and counted. A batch that failed may
///   have landed in part; sending it again completes it.
/// * **In order:** facts of one topic in one batch are read in the order given; offsets are dense from 0.
/// * **Only what is safe is seen:** `read` and `end` know acknowledged (or about to be acknowledged) records only, and
///   readers never hold up writers.
pub trait EventLog: Send + Sync {
    /// Appends facts, each to its topic. An empty batch is fine: it makes the log ready for the next one, for which the
    /// ids that came lately have to be known. Not atomic: after an error, send the batch again.
    fn append(&self, facts: &[(EventId, Fact)]) -> Result<Appended, StoreError>;

    /// Records of a topic from offset `from` on, at most `max`, and no more than about [`READ_BYTES_MAX`] of them:
    /// fewer than `max` does *not* mean that the end is reached, none (for `max` > 0) does.
    fn read(&self, topic: TopicKind, from: u64, max: usize) -> Result<Vec<Record>, StoreError>;

    /// The offset behind the topic's last record.
    fn end(&self, topic: TopicKind) -> u64;

    /// Blocks until a record lies at `from` (true), or `timeout` is over (false).
    fn wait(&self, topic: TopicKind, from: u64, timeout: Duration) -> bool;
}
