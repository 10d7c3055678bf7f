//! Walking over the frames of a segment file.

use super::frame::{self, Frame, HEADER_BYTES, MARKER, MARKER_BYTES, Parsed};
use crate::StoreError;
use domain::EventId;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at once (bytes).
const CHUNK_BYTES: usize = 256 << 10;

/// How far apart the places of the sparse index lie at least (bytes).
pub(super) const MARK_BYTES: u64 = 16 << 10;

/// What comes next in a segment.
pub(super) enum Step<'a> {
    /// A frame that begins at byte `at` of the file.
    Frame { at: u64, frame: Frame<'a> },
    /// The end, behind a whole frame.
    End,
    /// Bytes from `at` on that are no frame.
    Broken { at: u64, reason: &'static str },
}

/// Reads the frames of a part of a file, one after the other, a chunk at a time.
pub(super) struct Scanner {
    path: PathBuf,
    file: File,
    /// Where in the file the unread part of `buffer` begins.
    at: u64,
    /// Where to stop.
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Scanner {
    /// Reads from byte `from` (where a frame begins) up to byte `end`.
    pub(super) fn open(path: &Path, from: u64, end: u64) -> Result<Scanner, StoreError> {
        let mut file = File::open(path).map_err(StoreError::io(path))?;
        file.seek(SeekFrom::Start(from)).map_err(StoreError::io(path))?;
        Ok(Scanner { path: path.to_owned(), file, at: from, end, buffer: Vec::new(), used: 0 })
    }

    /// The next frame.
    pub(super) fn step(&mut self) -> Result<Step<'_>, StoreError> {
        let at = self.at;
        if at >= self.end {
            return Ok(Step::End);
        }
        // Twice at most: the first look may find out how long the frame is.
        let mut bytes_min = frame::FRAME_HEAD_BYTES;
        loop {
            if at + bytes_min as u64 > self.end || !self.fill(bytes_min)? {
                return Ok(Step::Broken { at, reason: "the file ends within a record" });
            }
            match frame::parse(&self.buffer[self.used..]) {
                Parsed::Short(more) => bytes_min = more,
                Parsed::Bad(reason) => return Ok(Step::Broken { at, reason }),
                Parsed::Frame(_) => break,
            }
        }
        let frame = frame::trusted(&self.buffer[self.used..]);
        let length = frame::FRAME_HEAD_BYTES + frame.payload.len();
        self.used += length;
        self.at += length as u64;
        Ok(Step::Frame { at, frame })
    }

    /// Makes sure that `bytes` unread bytes are in the buffer; false when the file ends before.
    fn fill(&mut self, bytes: usize) -> Result<bool, StoreError> {
        if self.buffer.len() - self.used >= bytes {
            return Ok(true);
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        let have = self.buffer.len();
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).saturating_sub(have);
        let want = left.min(CHUNK_BYTES.max(bytes - have)) as u64;
        let read = Read::by_ref(&mut self.file).take(want).read_to_end(&mut self.buffer);
        read.map_err(StoreError::io(&self.path))?;
        Ok(self.buffer.len() >= bytes)
    }
}

/// What was found in a segment file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Scanned {
    /// Facts.
    pub(super) records: u64,
    /// Bytes up to the end of the last whole frame.
    pub(super) bytes: u64,
    /// Bytes behind that, of a write that was never acknowledged.
    pub(super) torn_bytes: u64,
    /// Whether nothing follows the last marker.
    pub(super) vouched: bool,
    /// Sparse index: (offset, place in the file) of some records.
    pub(super) marks: Vec<(u64, u64)>,
}

/// Reads and checks a whole segment and calls `each` with the id of every record. `records` is how many there must be
/// in a segment that others follow; the last one (`None`) may end torn.
pub(super) fn scan_segment(
    path: &Path,
    base: u64,
    records: Option<u64>,
    each: &mut dyn FnMut(EventId),
) -> Result<Scanned, StoreError> {
    let length = std::fs::metadata(path).map_err(StoreError::io(path))?.len();
    if let Err(reason) = check_header(path, base)? {
        // A header is synced before the first record is written: without records there is nothing to lose.
        return match records {
            None if length <= HEADER_BYTES as u64 => Ok(Scanned { torn_bytes: length, ..Scanned::default() }),
            _ => Err(StoreError::corrupt(path, 0, reason)),
        };
    }
    let mut scanned = Scanned { bytes: HEADER_BYTES as u64, vouched: true, ..Scanned::default() };
    let broken = walk(path, base, length, &mut scanned, each)?;
    match (broken, records) {
        (None, Some(expected)) if expected != scanned.records => {
            let reason = format!("{} records, but {expected} until the next segment", scanned.records);
            Err(StoreError::corrupt(path, scanned.bytes, reason))
        }
        (None, _) => Ok(scanned),
        (Some(_), None) if !vouched(path, scanned.bytes, length)? => {
            scanned.torn_bytes = length - scanned.bytes;
            Ok(scanned)
        }
        (Some(reason), _) => Err(StoreError::corrupt(path, scanned.bytes, reason)),
    }
}

fn check_header(path: &Path, base: u64) -> Result<Result<(), String>, StoreError> {
    let mut header = [0; HEADER_BYTES];
    let mut file = File::open(path).map_err(StoreError::io(path))?;
    match file.read_exact(&mut header) {
        Ok(()) => Ok(frame::check_header(&header, base)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(Err("no whole header".to_owned())),
        Err(source) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

/// Goes over the frames behind the header. Returns why it stopped before the end, if it did.
fn walk(
    path: &Path,
    base: u64,
    length: u64,
    scanned: &mut Scanned,
    each: &mut dyn FnMut(EventId),
) -> Result<Option<&'static str>, StoreError> {
    let mut scanner = Scanner::open(path, scanned.bytes, length)?;
    loop {
        let (at, frame) = match scanner.step()? {
            Step::End => return Ok(None),
            Step::Broken { reason, .. } => return Ok(Some(reason)),
            Step::Frame { at, frame } => (at, frame),
        };
        let offset = base + scanned.records;
        match frame.kind {
            MARKER if frame::read_marker(frame.payload) != Some((at, offset)) => {
                return Ok(Some("a marker names another place: records are missing or doubled"));
            }
            MARKER => scanned.vouched = true,
            frame::FACT => {
                mark(&mut scanned.marks, offset, at);
                scanned.records += 1;
                scanned.vouched = false;
                each(frame.id);
            }
            _ => return Ok(Some("a record of an unknown kind")),
        }
        scanned.bytes = at + (frame::FRAME_HEAD_BYTES + frame.payload.len()) as u64;
    }
}

/// Adds a place to a sparse index if it is far enough from the last.
pub(super) fn mark(marks: &mut Vec<(u64, u64)>, offset: u64, at: u64) {
    if marks.last().is_none_or(|&(_, last)| at >= last + MARK_BYTES) {
        marks.push((offset, at));
    }
}

/// Whether a marker lies somewhere behind byte `from`: then what is before it was once safely on disk.
fn vouched(path: &Path, from: u64, length: u64) -> Result<bool, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io(path))?;
    file.seek(SeekFrom::Start(from)).map_err(StoreError::io(path))?;
    let mut bytes = Vec::new();
    file.take(length - from).read_to_end(&mut bytes).map_err(StoreError::io(path))?;
    let payload_bytes = ((MARKER_BYTES - frame::FRAME_HEAD_BYTES) as u32).to_le_bytes();
    // The damaged frame itself, if it is a marker, vouches for nothing behind it: begin after its first byte.
    Ok(bytes.windows(MARKER_BYTES).enumerate().skip(1).any(|(place, window)| {
        window[..4] == payload_bytes
            && matches!(frame::parse(window), Parsed::Frame(frame) if frame.kind == MARKER
                && frame::read_marker(frame.payload).is_some_and(|(at, _)| at == from + place as u64))
    }))
}
