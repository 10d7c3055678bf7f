//! What an import of sequences kept out of the log: the last two pins of each.
//!
//! A file of JSON lines in the data directory. The first line says its version and which sequences it is of, every
//! other one is a pinner:
//!
//! ```text
//! {"version":1,"sequences":"Beauty.txt.gz"}
//! {"pinner":"1","validation":{"pin":"4","ts_ms":1735689780000},"test":{"pin":"5","ts_ms":1735689840000}}
//! ```
//!
//! An import removes the file before it begins and makes it anew when it is done, whole or not at all.

use super::lines::Lines;
use crate::progress::Progress;
use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Its name in the data directory.
pub(crate) const WITHHELD: &str = "leave-one-out.jsonl";

const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u64,
    sequences: String,
}

/// What was withheld of one pinner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withheld {
    /// Their own id.
    pub pinner: String,
    /// The second last pin of their sequence.
    pub validation: Target,
    /// The last pin.
    pub test: Target,
}

/// A pin that should be found, and the moment when it was saved (ms, UTC).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub pin: String,
    pub ts_ms: u64,
}

/// All that was withheld, and of which sequences.
#[derive(Debug, PartialEq)]
pub(crate) struct Sequences {
    /// The name of the imported file.
    pub name: String,
    /// A row a pinner.
    pub rows: Vec<Withheld>,
}

/// Writes the file aside.
pub(crate) struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    aside: PathBuf,
}

impl Writer {
    /// Removes what an earlier import left and begins anew.
    pub(crate) fn create(path: &Path, sequences: &str) -> Result<Writer> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
        let aside = path.with_extension("new");
        let file = File::create(&aside).with_context(|| format!("cannot write {}", aside.display()))?;
        let mut writer = Writer { out: BufWriter::new(file), path: path.to_owned(), aside };
        writer.line(&Header { version: VERSION, sequences: sequences.to_owned() })?;
        Ok(writer)
    }

    /// Adds a pinner.
    pub(crate) fn add(&mut self, withheld: &Withheld) -> Result<()> {
        self.line(withheld)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(value).context("cannot write what is withheld as JSON")?;
        writeln!(self.out, "{line}").with_context(|| format!("cannot write {}", self.aside.display()))
    }

    /// Puts the whole file in its place.
    pub(crate) fn finish(mut self) -> Result<()> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.with_context(|| format!("cannot write {}", self.aside.display()))?;
        std::fs::rename(&self.aside, &self.path).with_context(|| format!("cannot make {}", self.path.display()))
    }
}

/// Reads the file; a line that cannot be read is an error here, because a figure would be wrong.
pub(crate) fn read(path: &Path) -> Result<Sequences> {
    if !path.exists() {
        bail!("there is no {} (`bowerbird import sequences FILE` makes it)", path.display());
    }
    let mut lines = Lines::open(path, &Arc::new(Progress::quiet()))?;
    let header: Header = next(&mut lines)?.ok_or_else(|| anyhow!("{} is empty", path.display()))?;
    if header.version != VERSION {
        bail!("{}: version {}, this build reads {VERSION}: import the sequences anew", path.display(), header.version);
    }
    let mut rows = Vec::new();
    while let Some(row) = next(&mut lines)? {
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("nothing is withheld of {}: its sequences are too short", header.sequences);
    }
    Ok(Sequences { name: header.sequences, rows })
}

fn next<T: DeserializeOwned>(lines: &mut Lines) -> Result<Option<T>> {
    let file = lines.file().to_owned();
    let Some(line) = lines.next()? else { return Ok(None) };
    let read = line.text().and_then(|text| serde_json::from_str(text).map_err(|error| error.to_string()));
    read.map(Some).map_err(|reason| anyhow!("{file}: line {}: {reason}", line.number))
}
