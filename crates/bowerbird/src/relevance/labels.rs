//! Files of labels: a JSON object a line, written as labels come, so that whoever is stopped goes on behind the last.

use anyhow::{Context, Result, bail, ensure};
use models::{LEVELS, Levels};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Longest line that is read (bytes).
const LINE_BYTES_MAX: usize = 1 << 16;

/// How well a pin answers a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    /// What was typed.
    pub query: String,
    /// The pin's own id.
    pub pin: String,
    /// The level, from 0 to 4; the likeliest where chances are told.
    pub level: usize,
    /// The chance of each level, where the one who labelled was unsure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chances: Option<Levels>,
    /// Who labelled.
    pub by: String,
}

impl Label {
    /// The chance of each level.
    pub(crate) fn levels(&self) -> Levels {
        self.chances.unwrap_or_else(|| one_level(self.level))
    }
}

/// Nothing but this level.
pub(crate) fn one_level(level: usize) -> Levels {
    std::array::from_fn(|at| f32::from(u8::from(at == level.min(LEVELS - 1))))
}

/// A file of labels that is added to.
pub(crate) struct LabelFile {
    path: PathBuf,
    file: File,
    known: HashSet<(String, String)>,
}

impl LabelFile {
    /// Opens a file behind the labels that it has; makes it where it is not there. A last line that was cut off is
    /// written anew.
    pub(crate) fn append(path: &Path) -> Result<LabelFile> {
        let mut known = HashSet::new();
        let mut whole = 0;
        if path.exists() {
            whole = each_line(path, |label| {
                known.insert((label.query, label.pin));
            })?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        file.set_len(whole).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(LabelFile { path: path.to_owned(), file, known })
    }

    /// Whether a pair has its label.
    pub(crate) fn has(&self, query: &str, pin: &str) -> bool {
        self.known.contains(&(query.to_owned(), pin.to_owned()))
    }

    /// How many labels there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Writes labels down.
    pub(crate) fn add(&mut self, labels: &[Label]) -> Result<()> {
        let mut text = String::new();
        for label in labels {
            text += &serde_json::to_string(label).context("a label")?;
            text.push('\n');
            self.known.insert((label.query.clone(), label.pin.clone()));
        }
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.flush());
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Reads all labels of a file.
    pub(crate) fn read(path: &Path) -> Result<Vec<Label>> {
        let mut labels = Vec::new();
        each_line(path, |label| labels.push(label))?;
        ensure!(!labels.is_empty(), "{} holds no label", path.display());
        Ok(labels)
    }
}

/// Visits every whole line; how many bytes those are.
fn each_line(path: &Path, mut take: impl FnMut(Label)) -> Result<u64> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut reader, mut line, mut number, mut whole) = (BufReader::new(file), Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
        number += 1;
        if read == 0 || !line.ends_with(b"\n") {
            return Ok(whole);
        }
        if read > LINE_BYTES_MAX {
            bail!("{}: line {number} is longer than {LINE_BYTES_MAX} bytes", path.display());
        }
        let label: Label =
            serde_json::from_slice(&line).with_context(|| format!("{}: line {number} is no label", path.display()))?;
        ensure!(label.level < LEVELS, "{}: line {number}: there is no level {}", path.display(), label.level);
        whole += read as u64;
        take(label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_gone_on_with_behind_the_last_whole_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labels.jsonl");
        let label = |pin: &str| Label {
            query: "blue lamp".into(),
            pin: pin.into(),
            level: 3,
            chances: None,
            by: "people".into(),
        };
        let mut file = LabelFile::append(&path).expect("made");
        file.add(&[label("a"), label("b")]).expect("written");
        drop(file);
        let mut raw = OpenOptions::new().append(true).open(&path).expect("there");
        raw.write_all(b"{\"query\":\"blue la").expect("cut off");
        let mut file = LabelFile::append(&path).expect("opened");
        assert!(file.has("blue lamp", "a") && !file.has("blue lamp", "c") && file.len() == 2);
        file.add(&[Label { chances: Some([0.0, 0.0, 0.2, 0.5, 0.3]), ..label("c") }]).expect("written");
        let read = LabelFile::read(&path).expect("whole");
        assert_eq!(read.len(), 3);
        assert_eq!((read[0].levels()[3], read[2].levels()[4]), (1.0, 0.3));
        std::fs::write(&path, "{\"query\":\"q\",\"pin\":\"p\",\"level\":7,\"by\":\"x\"}\n").expect("written");
        let error = format!("{:#}", LabelFile::read(&path).expect_err("no such level"));
        assert!(error.contains("line 1") && error.contains("no level 7"), "{error}");
    }
}
