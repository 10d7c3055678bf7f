//! What outlives a process?
//!
//! Three things behind addresses that name their engines, and one that is always files:
//!
//! * the **event log** ([`EventLog`], [`open_log`]): every fact, append-only, in three topics. `append` returns when
//!   the facts would survive a power cut; a fact is told apart by its [`domain::EventId`], so sending it again is
//!   harmless.
//! * the **state** ([`StateStore`], [`open_state`]): what consumers have made of the log, by space and key. A [`Batch`]
//!   holds values and the offsets up to which they were made, and lands whole or not at all; that is what makes a
//!   consumer's work happen once.
//! * the **blobs** ([`Blobs`], [`open_blobs`]): pictures, thumbnails, models, by key.
//! * **snapshots** ([`Snapshots`]): files of what was made of the log, whole or not there, mapped at the next start.
//!
//! The embedded engines live in directories (`file://…` or a bare path). An address of an engine that was left out of
//! the build answers by name. Everything here blocks; callers on an async runtime use their blocking pool.
//!
//! **What durable means.** A directory of the log has one writer (its `lock`). A topic is a row of segment files of
//! checksummed frames; offsets count records, densely from 0. Appenders that come together share one `fdatasync`. Each
//! group of records begins with a marker that says where it lies, and since it is written only after everything before
//! it was synced, it vouches for what precedes it: when a segment is opened, damage *before* a marker is corruption and
//! refuses to open with file and byte, damage *after* the last one is the torn end of a write that nobody was told of,
//! and is cut off. Readers see synced records only and never hold up a writer.
//!
//! **Architecture invariant:** disk formats live here, carry a version, and a file of another version is refused by
//! name (`tests/fixtures`). No room above knows what a fact looks like in bytes.

mod address;
mod blobs;
mod codec;
mod directory;
mod error;
mod file_log;
mod fjall_state;
mod log;
mod map;
mod snapshots;
mod state;

pub use address::{open_blobs, open_log, open_log_to_read, open_state};
pub use blobs::Blobs;
pub use codec::{BadFact, decode, encode};
pub use error::StoreError;
pub use file_log::{TopicReport, verify_log};
pub use log::{Appended, EventLog, FACT_BYTES_MAX, READ_BYTES_MAX, Record};
pub use map::map;
pub use snapshots::{Part, Snapshots};
pub use state::{Batch, Entry, StateStore};
