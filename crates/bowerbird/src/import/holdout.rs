//! Saves kept out of the log, to see later whether they are found again.

use super::lines::Lines;
use super::pinterest::{Saves, saves};
use super::summary::Summary;
use crate::progress::Progress;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use train::holdout_row;

/// Writes held-out saves to a file of the same format.
pub(crate) struct HoldOut {
    file: BufWriter<File>,
    path: PathBuf,
    share: f64,
    seed: u64,
}

impl HoldOut {
    /// A new file for `share` of each row's pins.
    pub(crate) fn create(path: &Path, share: f64, seed: u64) -> Result<HoldOut> {
        if !(share > 0.0 && share < 1.0) {
            bail!("--holdout: {share} is not between 0 and 1");
        }
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(HoldOut { file: BufWriter::new(file), path: path.to_owned(), share, seed })
    }

    /// Splits the row of line `line`: which of its pins are kept. The others are written down.
    pub(crate) fn split(&mut self, saves: &Saves, line: u64, summary: &mut Summary) -> Result<Vec<bool>> {
        let places: Vec<u32> = (0u32..).take(saves.pins.len()).collect();
        let (_, held) = holdout_row(&places, line, self.share, self.seed);
        let mut kept = vec![true; places.len()];
        if held.is_empty() {
            return Ok(kept);
        }
        let mut text = saves.pinner.to_owned();
        for &place in &held {
            kept[place as usize] = false;
            text.push(' ');
            text.push_str(saves.pins[place as usize]);
        }
        writeln!(self.file, "{text}").with_context(|| format!("cannot write {}", self.path.display()))?;
        summary.held_out += held.len() as u64;
        Ok(kept)
    }

    /// Everything is written.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// A pinner and the ids of pins that were held out of their saves.
pub(crate) type HeldSaves = (String, Vec<String>);

/// Reads a file of held-out saves; rows that cannot be read are an error here, because a figure would be wrong.
pub(crate) fn read(path: &Path) -> Result<Vec<HeldSaves>> {
    let progress = Arc::new(Progress::quiet());
    let mut lines = Lines::open(path, &progress)?;
    let file = lines.file().to_owned();
    let mut rows = Vec::new();
    while let Some(line) = lines.next()? {
        if line.bytes.trim_ascii().is_empty() && !line.too_long {
            continue;
        }
        let number = line.number;
        let saves = line.text().and_then(saves).map_err(|reason| anyhow::anyhow!("{file}: line {number}: {reason}"))?;
        rows.push((saves.pinner.to_owned(), saves.pins.into_iter().map(str::to_owned).collect()));
    }
    if rows.is_empty() {
        bail!("{} holds no saves", path.display());
    }
    Ok(rows)
}
