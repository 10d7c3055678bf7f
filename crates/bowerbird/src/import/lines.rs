//! Files as lines or bytes, plain or gzip, with the place of everything that goes wrong.

use crate::progress::Progress;
use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// Longest line that is read; a longer one is refused.
const LINE_BYTES_MAX: usize = 4 << 20;
const BUFFER_BYTES: usize = 1 << 18;

/// A file's bytes, unpacked when it is gzip, counted into a progress.
pub(crate) type Bytes = BufReader<Box<dyn Read + Send>>;

/// Opens a file; gzip is told by its first bytes, not by its name.
pub(crate) fn open(path: &Path, progress: &Arc<Progress>) -> Result<Bytes> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        anyhow::bail!("{} is a folder, a file is needed", path.display());
    }
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, Counted { file, progress: progress.clone() });
    let start = raw.fill_buf().with_context(|| format!("cannot read {}", path.display()))?;
    let gzip = start.starts_with(&[0x1f, 0x8b]);
    let inner: Box<dyn Read + Send> = if gzip { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
    Ok(BufReader::with_capacity(BUFFER_BYTES, inner))
}

/// The name by which a file is known in refusals and names of facts: without its folders.
pub(crate) fn short_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// What is wrong with a stream that broke at `line`.
pub(crate) fn broken(file: &str, line: u64, error: &io::Error) -> anyhow::Error {
    let cause = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the gzip stream ends in the middle: the file is truncated".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => format!("the gzip stream is damaged ({error})"),
        _ => error.to_string(),
    };
    anyhow::anyhow!("{file}: line {line}: {cause}")
}

/// The same during an import, which keeps what it has.
pub(crate) fn kept(error: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!("{error}; everything before it was imported")
}

struct Counted {
    file: File,
    progress: Arc<Progress>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.add(count as u64);
        Ok(count)
    }
}

/// The lines of a file, one at a time, without their ends.
pub(crate) struct Lines {
    bytes: Bytes,
    file: String,
    number: u64,
    line: Vec<u8>,
}

/// One line and its number, from 1.
pub(crate) struct Line<'a> {
    /// Its number.
    pub number: u64,
    /// Its bytes; empty when `too_long`.
    pub bytes: &'a [u8],
    /// Whether it had more than 4 MiB and was skipped.
    pub too_long: bool,
}

impl Lines {
    /// The lines of the file at `path`.
    pub(crate) fn open(path: &Path, progress: &Arc<Progress>) -> Result<Lines> {
        Ok(Lines { bytes: open(path, progress)?, file: short_name(path), number: 0, line: Vec::new() })
    }

    /// The file's short name.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.line.clear();
        self.number += 1;
        let read = (&mut self.bytes).take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut self.line);
        match read.map_err(|error| kept(&broken(&self.file, self.number, &error)))? {
            0 => return Ok(None),
            count if count > LINE_BYTES_MAX && !self.line.ends_with(b"\n") => {
                self.skip_rest().map_err(|error| kept(&broken(&self.file, self.number, &error)))?;
                return Ok(Some(Line { number: self.number, bytes: &[], too_long: true }));
            }
            _ => {}
        }
        let end = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let bytes = end.strip_suffix(b"\r").unwrap_or(end);
        Ok(Some(Line { number: self.number, bytes, too_long: false }))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.bytes.fill_buf()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(chunk.len(), |at| at + 1);
            self.bytes.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

impl<'a> Line<'a> {
    /// The line as text, or why it cannot be read.
    pub(crate) fn text(&self) -> Result<&'a str, String> {
        if self.too_long {
            return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
        }
        std::str::from_utf8(self.bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))
    }
}
