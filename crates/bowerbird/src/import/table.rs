//! CSV files with known columns, separated by commas or tabs, row by row: what every CSV-like format is read with.

use super::known::Known;
use super::lines::{broken, kept, open, short_name};
use super::sink::Sink;
use crate::progress::Progress;
use anyhow::{Context, Result, bail, ensure};
use csv::{ByteRecord, ReaderBuilder};
use domain::Fact;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// A CSV file with a header.
pub(crate) struct Table {
    reader: csv::Reader<super::lines::Bytes>,
    header: Vec<String>,
    file: String,
    line: u64,
}

/// One row of a table.
pub(crate) struct Fields<'a> {
    header: &'a [String],
    /// The cells, as many as the header has.
    pub cells: Vec<&'a str>,
}

impl Table {
    /// Opens a file and checks that its header has the columns that are `needed`.
    pub(crate) fn open(path: &Path, needed: &[&str], progress: &Arc<Progress>) -> Result<Table> {
        let file = short_name(path);
        let mut bytes = open(path, progress)?;
        let separator = separator(bytes.fill_buf().map_err(|error| broken(&file, 1, &error))?);
        let mut reader = ReaderBuilder::new();
        let mut reader = reader.flexible(true).delimiter(separator).buffer_capacity(1 << 18).from_reader(bytes);
        let header = reader.byte_headers().map_err(|error| problem(&file, 1, &error))?;
        let text = |cell: &[u8]| String::from_utf8_lossy(cell).trim().trim_start_matches('\u{feff}').to_owned();
        let header: Vec<String> = header.iter().map(text).collect();
        let table = Table { reader, header, file, line: 1 };
        table.must_have(needed)?;
        Ok(table)
    }

    /// An error when one of these columns is not there.
    pub(crate) fn must_have(&self, columns: &[&str]) -> Result<()> {
        if !columns.is_empty() && self.header.iter().all(String::is_empty) {
            bail!("{} is empty: a header with {} is needed", self.file, columns.join(", "));
        }
        for column in columns {
            if !self.header.iter().any(|known| known == column) {
                bail!("{}: there is no column `{column}` (the columns are {})", self.file, self.header.join(", "));
            }
        }
        Ok(())
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads every row; what `facts` makes of it goes to the sink, what it refuses is told.
    pub(crate) fn each(
        &mut self,
        sink: &mut Sink,
        mut facts: impl FnMut(&Fields, &Known) -> Result<Vec<Fact>, String>,
    ) -> Result<()> {
        self.each_row(sink, |row, sink| match facts(row, sink.known()) {
            Ok(facts) => facts.into_iter().try_for_each(|fact| sink.fact(fact)),
            Err(reason) => sink.refuse(&reason),
        })
    }

    /// Reads every row; `take` brings it to the sink. Rows that are no rows are refused here.
    pub(crate) fn each_row(
        &mut self,
        sink: &mut Sink,
        mut take: impl FnMut(&Fields, &mut Sink) -> Result<()>,
    ) -> Result<()> {
        let mut record = ByteRecord::new();
        while self.next(&mut record).map_err(|error| kept(&error))? {
            sink.row(&self.file, self.line, record.iter())?;
            match cells(&record, self.header.len()) {
                Ok(cells) => take(&Fields { header: &self.header, cells }, sink)?,
                Err(reason) => sink.refuse(&reason)?,
            }
        }
        Ok(())
    }

    /// Reads every row without bringing anything in. A row that is no row is an error: figures would be wrong.
    pub(crate) fn read(&mut self, mut take: impl FnMut(&Fields)) -> Result<()> {
        let mut record = ByteRecord::new();
        while self.next(&mut record)? {
            match cells(&record, self.header.len()) {
                Ok(cells) => take(&Fields { header: &self.header, cells }),
                Err(reason) => bail!("{}: line {}: {reason}", self.file, self.line),
            }
        }
        Ok(())
    }

    /// What `of` makes of every row. A row that it refuses is an error, told with its line; so is a file without rows.
    pub(crate) fn read_all<T>(&mut self, mut of: impl FnMut(&Fields) -> Result<T, String>) -> Result<Vec<T>> {
        let (mut record, mut rows) = (ByteRecord::new(), Vec::new());
        while self.next(&mut record)? {
            match cells(&record, self.header.len()).and_then(|cells| of(&Fields { header: &self.header, cells })) {
                Ok(row) => rows.push(row),
                Err(reason) => bail!("{}: line {}: {reason}", self.file, self.line),
            }
        }
        ensure!(!rows.is_empty(), "{}: there is no row under the header", self.file);
        Ok(rows)
    }

    fn next(&mut self, record: &mut ByteRecord) -> Result<bool> {
        let more = self.reader.read_byte_record(record);
        let place = record.position().map_or(self.line + 1, csv::Position::line);
        let more = more.map_err(|error| problem(&self.file, self.line + 1, &error))?;
        self.line = place;
        Ok(more)
    }
}

/// What separates the cells of a file that begins like this: tabs when its header has one, else commas.
fn separator(start: &[u8]) -> u8 {
    let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if header.contains(&b'\t') { b'\t' } else { b',' }
}

fn problem(file: &str, line: u64, error: &csv::Error) -> anyhow::Error {
    match error.kind() {
        csv::ErrorKind::Io(error) => broken(file, line, error),
        _ => anyhow::anyhow!("{file}: line {line}: {error}"),
    }
}

fn cells(record: &ByteRecord, columns: usize) -> Result<Vec<&str>, String> {
    if record.len() != columns {
        return Err(format!("{} cells, the header has {columns}", record.len()));
    }
    let text = |(column, cell)| std::str::from_utf8(cell).map_err(|_| format!("cell {} is not UTF-8", column + 1));
    record.iter().enumerate().map(text).collect()
}

impl<'a> Fields<'a> {
    /// All columns with their cells.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.header.iter().map(String::as_str).zip(self.cells.iter().copied())
    }

    /// The cell of a column; refused when it is empty.
    pub(crate) fn text(&self, column: &str) -> Result<&'a str, String> {
        match self.optional(column) {
            Some(cell) => Ok(cell),
            None => Err(format!("{column}: empty")),
        }
    }

    /// The cell of a column, unless it is empty or there is no such column.
    pub(crate) fn optional(&self, column: &str) -> Option<&'a str> {
        let place = self.header.iter().position(|known| known == column)?;
        Some(self.cells[place]).filter(|cell| !cell.is_empty())
    }

    /// The number in a column.
    pub(crate) fn number<T: FromStr>(&self, column: &str) -> Result<T, String> {
        let cell = self.text(column)?;
        cell.trim().parse().map_err(|_| format!("{column}: '{}' is not such a number", cut(cell)))
    }

    /// The finite number in a column.
    pub(crate) fn finite(&self, column: &str) -> Result<f64, String> {
        let value: f64 = self.number(column)?;
        if value.is_finite() { Ok(value) } else { Err(format!("{column}: {value} is not finite")) }
    }

    /// The count in a column; `12.0` is 12.
    pub(crate) fn count(&self, column: &str) -> Result<u64, String> {
        let value = self.finite(column)?;
        let is_count = value >= 0.0 && value.fract() == 0.0 && value < 9e15;
        if is_count { Ok(value as u64) } else { Err(format!("{column}: {value} is no count")) }
    }

    /// Yes or no: `TRUE`, `false`, `1`, `0`.
    pub(crate) fn yes(&self, column: &str) -> Result<bool, String> {
        match self.text(column)?.trim() {
            "1" => Ok(true),
            "0" => Ok(false),
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            word => Err(format!("{column}: '{}' is neither true nor false", cut(word))),
        }
    }
}

/// At most 40 characters.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The first of `names` that exists in `folder`.
pub(crate) fn first_existing(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The first of `names` that exists in `folder`, or an error that names them.
pub(crate) fn must_exist(folder: &Path, names: &[&str]) -> Result<PathBuf> {
    first_existing(folder, names).with_context(|| format!("{} holds no {}", folder.display(), names.join(" and no ")))
}
