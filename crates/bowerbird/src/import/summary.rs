//! What an import did, and the rows that it refused.

use crate::output::thousands;
use anyhow::{Context, Result};
use domain::Fact;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

/// Counts of one import.
pub(crate) struct Summary {
    format: &'static str,
    started: Instant,
    /// Rows read.
    pub read: u64,
    /// Rows refused.
    pub refused: u64,
    /// Facts that are new in the log.
    pub accepted: u64,
    /// Facts that the log had already.
    pub duplicates: u64,
    /// Pictures that could not be read; their pins were taken without.
    pub pictures_refused: u64,
    /// Saves repeated within one row, dropped.
    pub repeats: u64,
    /// Saves kept out of the log and written to the hold-out file.
    pub held_out: u64,
    /// Sequences that nothing was withheld from.
    pub too_short: u64,
    kinds: [(&'static str, u64); 5],
}

impl Summary {
    pub(crate) fn new(format: &'static str) -> Summary {
        let kinds = ["pins", "boards", "pinners", "events", "understood"].map(|kind| (kind, 0));
        let started = Instant::now();
        Summary {
            format,
            started,
            read: 0,
            refused: 0,
            accepted: 0,
            duplicates: 0,
            pictures_refused: 0,
            repeats: 0,
            held_out: 0,
            too_short: 0,
            kinds,
        }
    }

    /// Counts a fact by its kind.
    pub(crate) fn count(&mut self, fact: &Fact) {
        let kind = match fact {
            Fact::Pin(_) | Fact::PinRemoved(_) => 0,
            Fact::Board(_) => 1,
            Fact::Pinner(_) => 2,
            Fact::Event(_) | Fact::Served(_) | Fact::Numbered(_) => 3,
            Fact::Understood(_) => 4,
            // Came with the pin.
            Fact::Annotated(_) | Fact::Clustered(_) | Fact::Reviewed(_) | Fact::Defined(_) => return,
        };
        self.kinds[kind].1 += 1;
    }

    /// Facts sent to the log.
    fn facts(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.1).sum()
    }

    /// The summary as JSON.
    pub(crate) fn json(&self, error: Option<&str>) -> Value {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut value = json!({
            "format": self.format,
            "read": self.read,
            "facts": self.facts(),
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "refused": self.refused,
            "pictures_refused": self.pictures_refused,
            "repeats": self.repeats,
            "held_out": self.held_out,
            "too_short": self.too_short,
            "seconds": (seconds * 1e3).round() / 1e3,
            "rows_per_s": (self.read as f64 / seconds.max(1e-9)).round(),
            "facts_per_s": (self.facts() as f64 / seconds.max(1e-9)).round(),
        });
        for (kind, count) in self.kinds {
            value[kind] = json!(count);
        }
        if let Some(error) = error {
            value["error"] = json!(error);
        }
        value
    }

    /// The summary in words.
    pub(crate) fn words(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let kinds = self.kinds.iter().filter(|kind| kind.1 > 0);
        let kinds: Vec<String> = kinds.map(|(kind, count)| format!("{} {kind}", thousands(*count))).collect();
        let mut text = format!(
            "read {} rows in {seconds:.1} s ({} rows/s): {}\naccepted {} facts, {} were there already, {} rows refused",
            thousands(self.read),
            thousands((self.read as f64 / seconds.max(1e-9)) as u64),
            if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") },
            thousands(self.accepted),
            thousands(self.duplicates),
            thousands(self.refused),
        );
        let extra = [
            (self.repeats, "saves repeated within a row dropped"),
            (self.held_out, "saves held out"),
            (self.too_short, "sequences too short to withhold pins from"),
            (self.pictures_refused, "pictures could not be read"),
        ];
        for (count, what) in extra.into_iter().filter(|extra| extra.0 > 0) {
            text.push_str(&format!(", {} {what}", thousands(count)));
        }
        text
    }
}

/// Tells refused rows: the first few on stderr, all of them in a file when one is wanted.
pub(crate) struct Refused {
    shown: u64,
    shown_max: u64,
    all: Option<BufWriter<File>>,
}

impl Refused {
    pub(crate) fn new(shown_max: u64, file: Option<&Path>) -> Result<Refused> {
        let create = |path: &Path| File::create(path).with_context(|| format!("cannot write {}", path.display()));
        Ok(Refused { shown: 0, shown_max, all: file.map(create).transpose()?.map(BufWriter::new) })
    }

    /// One row was refused.
    pub(crate) fn tell(&mut self, file: &str, line: u64, reason: &str) -> Result<()> {
        if self.shown < self.shown_max {
            eprintln!("refused {file}:{line}: {reason}");
        } else if self.shown == self.shown_max {
            eprintln!("refused: more rows, not shown (`--refused FILE` writes all of them)");
        }
        self.shown += 1;
        match &mut self.all {
            Some(all) => writeln!(all, "{file}:{line}: {reason}").context("cannot write the file of refused rows"),
            None => Ok(()),
        }
    }

    pub(crate) fn finish(&mut self) -> Result<()> {
        self.all.as_mut().map_or(Ok(()), |all| all.flush().context("cannot write the file of refused rows"))
    }
}
