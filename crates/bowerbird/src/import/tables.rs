//! CSV and Parquet with a mapping of columns: each row becomes what the API would take.

use super::mapping::{Bound, Mapping};
use super::pictures;
use super::sink::Sink;
use super::table::Table;
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::{EventId, Fact};
use serde_json::Value;
use server::read_row;
use std::path::Path;
use std::sync::Arc;

/// Imports a CSV file.
pub(crate) fn csv(
    path: &Path,
    mapping: &Mapping,
    fixed: &[(&str, Value)],
    sink: &mut Sink,
    progress: &Arc<Progress>,
) -> Result<()> {
    let mut table = Table::open(path, &[], progress)?;
    let bound = mapping.bind(&super::lines::short_name(path), table.header(), fixed)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    table.each_row(sink, |row, sink| take(&bound, |column| row.cells[column], folder, sink))
}

/// Imports a Parquet file.
pub(crate) fn parquet(
    path: &Path,
    mapping: &Mapping,
    fixed: &[(&str, Value)],
    sink: &mut Sink,
    progress: &Arc<Progress>,
) -> Result<()> {
    let file = super::lines::short_name(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    let rows = lake::read_parquet(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bound = mapping.bind(&file, rows.columns(), fixed)?;
    progress.total(rows.rows());
    for (number, row) in (1..).zip(rows) {
        progress.set(number);
        let row = match row {
            Ok(row) => row,
            // A part of the file that cannot be read; what follows may still be.
            Err(error) => {
                sink.row(&file, number, [])?;
                sink.refuse(&error.to_string())?;
                continue;
            }
        };
        let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
        sink.row(&file, number, cells.iter().map(|cell| cell.as_bytes()))?;
        take(&bound, |column| cells[column], folder, sink)?;
    }
    Ok(())
}

fn take<'a>(bound: &Bound, cell: impl Fn(usize) -> &'a str, folder: &Path, sink: &mut Sink) -> Result<()> {
    let mapped = match bound.map(cell, folder) {
        Ok(mapped) => mapped,
        Err(reason) => return sink.refuse(&reason),
    };
    let taken = match read_row(bound.kind, &mapped.row, sink.now_ms(), || EventId(0)) {
        Ok(taken) => taken,
        Err(refusal) => return sink.refuse(&refusal.to_string()),
    };
    let picture = match mapped.picture.map(|path| pictures::read(&path)).transpose() {
        Ok(picture) => picture.or(taken.picture),
        Err(reason) => return sink.refuse(&reason),
    };
    match (taken.fact, taken.event_id) {
        (Fact::Pin(pin), _) => sink.pin_with_picture(pin, picture),
        (Fact::Event(event), id) => {
            // A table of events often comes without a catalogue: its pins exist all the same.
            if let Some(pin) = &event.pin {
                sink.bare_pin(pin, event.ts_ms)?;
            }
            match id {
                Some(id) => sink.fact_named(id, Fact::Event(event)),
                None => sink.fact(Fact::Event(event)),
            }
        }
        (fact, _) => sink.fact(fact),
    }
}
