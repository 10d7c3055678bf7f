//! What happened, as tables.
//!
//! The lake is a directory of Parquet files that any engine can read, made from the event log ([`Lake::roll`]) and
//! asked in SQL ([`Lake::sql`]) and read in
//! order of time for training ([`Lake::events_in_time`]). It is a view like all others: delete it and roll again.
//!
//! | table | a row is | made from |
//! |--|--|--|
//! | `events` | an action of a pinner | events |
//! | `requests` | a slate that was served | requests |
//! | `served` | a ranked pin of a request, with all that was known of it | requests |
//! | `stages` | a stage of the funnel in a request | requests |
//! | `exposures` | an arm of an experiment that a request was answered in | requests |
//! | `pin_versions` `board_versions` `pinner_versions` `understood` | a fact of the catalogue | catalogue |
//! | `pins` `boards` `pinners` | the newest fact of each (views) | |
//!
//! **Layout.** `<table>/month=YYYY-MM/<from>-<until>.parquet` (catalogue tables have no months): zstd, sorted by
//! pinner and time within a file, named by the log offsets that it covers. `dt`, the day (UTC), is a column like any
//! other; the directories are months because days would leave 26 rows a file for a history that spans many years.
//!
//! **Once.** A unit of up to 2¹⁸ rows is written aside, synced, moved into place, and then `offsets.json` is
//! replaced. A crash before that leaves files that begin at or behind the committed offset; the next to open or roll
//! removes them. So no row is lost and none is there twice. Small files that follow each other are merged into one,
//! under a lock that readers share, so that nobody counts rows twice meanwhile.
//!
//! **Safe to ask.** Questions only: nothing can be written or read from elsewhere. Time, memory, rows, bytes and the
//! length of a question are bounded.
//!
//! **Architecture invariant:** no other room knows of Parquet, Arrow or DataFusion; tables leave as JSON values or
//! events, imported rows as text. Everything here blocks; callers on an async runtime use their blocking pool.

mod columns;
mod error;
mod events;
mod file;
mod import;
mod merge;
mod offsets;
mod roll;
mod sql;
mod tables;
mod value;

pub use error::LakeError;
pub use events::Placed;
pub use import::{ParquetRows, read_parquet};
pub use roll::{Lake, PinName, RollProgress, Rolled};
pub use sql::{ROWS_MAX, SQL_BYTES_MAX, Table};
pub use tables::TABLES;

#[cfg(test)]
mod tests;
