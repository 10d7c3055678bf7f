//! Experiments of others, read with the statistics that read ours; and simulations that hold these to their promises.

mod headlines;
mod players;
mod simulated;
mod snapshots;

pub(crate) use headlines::Headlines;
pub(crate) use players::Players;
pub(crate) use simulated::Simulated;
pub(crate) use snapshots::Snapshots;

use crate::import::Table;
use crate::progress::Progress;
use anyhow::Result;
use std::path::Path;
use std::sync::Arc;

/// Error rate of everything that is read here.
const ALPHA: f64 = 0.05;

/// Opens a table that must have these columns.
fn table(path: &Path, columns: &[&str]) -> Result<Table> {
    Table::open(path, columns, &Arc::new(Progress::quiet()))
}

/// A part of a whole in percent, as a sentence has it.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { "none".to_owned() } else { format!("{:.2} %", 100.0 * part as f64 / whole as f64) }
}
