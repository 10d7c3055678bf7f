//! A column file, packed or not, as rows of text.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// A file's rows, and its columns by name.
pub(crate) struct Table {
    columns: BTreeMap<String, usize>,
    /// All rows behind the first line.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a file; `.gz` goes through `zcat`. Nothing where it is not there.
    pub(crate) fn read(path: &Path) -> Option<Table> {
        let bytes = if path.extension().is_some_and(|end| end == "gz") {
            Command::new("zcat").arg(path).output().ok().filter(|output| output.status.success())?.stdout
        } else {
            std::fs::read(path).ok()?
        };
        let mut rows = rows(&String::from_utf8_lossy(&bytes)).into_iter();
        let columns = rows.next()?.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
        Some(Table { columns, rows: rows.collect() })
    }

    /// Names of the columns.
    #[allow(dead_code)] // not every example asks
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.keys().cloned().collect()
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> usize {
        *self.columns.get(name).unwrap_or_else(|| panic!("no column `{name}`"))
    }
}

/// Cells between commas; quoted ones may hold commas, line ends, and quotes written twice.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(letter),
        }
    }
    if !row.is_empty() || !cell.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}
