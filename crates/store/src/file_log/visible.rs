//! What readers see of a topic: its segments up to the last synced byte.

use super::frame::{FACT, HEADER_BYTES};
use super::scan::{Scanner, Step, scan_segment};
use crate::log::{READ_BYTES_MAX, Record};
use crate::{StoreError, codec};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One segment file.
pub(super) struct Segment {
    /// Offset of its first record.
    pub(super) base: u64,
    pub(super) path: PathBuf,
    /// Synced bytes; for a segment that others follow, and that was not read yet, its length.
    pub(super) bytes: u64,
    /// Sparse index, (offset, place), when it is known.
    pub(super) marks: Option<Vec<(u64, u64)>>,
}

/// The readers' side of a topic. Writers hold its lock for the moment of publishing, readers for a look at the index.
#[derive(Default)]
pub(super) struct Visible {
    inner: Mutex<Inner>,
    grown: Condvar,
}

#[derive(Default)]
struct Inner {
    segments: Vec<Segment>,
    /// Offset behind the last synced record.
    end: u64,
}

/// A stretch of one segment that holds the records from `offset` to `until`.
struct Stretch {
    number: usize,
    base: u64,
    path: PathBuf,
    /// Place and offset where reading begins.
    at: u64,
    offset: u64,
    bytes: u64,
    until: u64,
    indexed: bool,
}

impl Visible {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows another segment.
    pub(super) fn add(&self, segment: Segment) {
        self.lock().segments.push(segment);
    }

    /// Shows that the last segment has grown to `bytes` and the topic to `end`.
    pub(super) fn publish(&self, bytes: u64, end: u64, marks: impl IntoIterator<Item = (u64, u64)>) {
        let mut inner = self.lock();
        inner.end = end;
        if let Some(segment) = inner.segments.last_mut() {
            segment.bytes = bytes;
            let known = segment.marks.get_or_insert_default();
            marks.into_iter().for_each(|(offset, at)| super::scan::mark(known, offset, at));
        }
        drop(inner);
        self.grown.notify_all();
    }

    pub(super) fn end(&self) -> u64 {
        self.lock().end
    }

    /// Blocks until the end is behind `from`.
    pub(super) fn wait(&self, from: u64, timeout: Duration) -> bool {
        let until = Instant::now().checked_add(timeout);
        let mut inner = self.lock();
        while inner.end <= from {
            let left = until.map_or(timeout, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            inner = self.grown.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// At most `max` records from `from` on.
    pub(super) fn read(&self, from: u64, max: usize) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        let mut bytes = 0;
        while records.len() < max && bytes < READ_BYTES_MAX {
            let next = from + records.len() as u64;
            let Some(mut stretch) = self.stretch(next) else { break };
            if !stretch.indexed {
                self.index(&stretch)?;
                let Some(again) = self.stretch(next) else { break };
                stretch = again;
            }
            read_stretch(&stretch, next, max, &mut bytes, &mut records)?;
        }
        Ok(records)
    }

    /// Where to read the record `offset`, if it is there.
    fn stretch(&self, offset: u64) -> Option<Stretch> {
        let inner = self.lock();
        if offset >= inner.end {
            return None;
        }
        let number = inner.segments.partition_point(|segment| segment.base <= offset).checked_sub(1)?;
        let segment = &inner.segments[number];
        let marks = segment.marks.as_deref().unwrap_or_default();
        let nearest = marks.partition_point(|&(marked, _)| marked <= offset).checked_sub(1).map(|i| marks[i]);
        let (start, at) = nearest.unwrap_or((segment.base, HEADER_BYTES as u64));
        Some(Stretch {
            number,
            base: segment.base,
            path: segment.path.clone(),
            at,
            offset: start,
            bytes: segment.bytes,
            until: inner.segments.get(number + 1).map_or(inner.end, |next| next.base),
            indexed: segment.marks.is_some(),
        })
    }

    /// Checks a whole segment of an earlier run and makes its sparse index. The segment is complete: others follow it.
    fn index(&self, stretch: &Stretch) -> Result<(), StoreError> {
        let records = stretch.until - stretch.base;
        let scanned = scan_segment(&stretch.path, stretch.base, Some(records), &mut |_| {})?;
        if let Some(segment) = self.lock().segments.get_mut(stretch.number) {
            segment.marks = Some(scanned.marks);
            segment.bytes = scanned.bytes;
        }
        Ok(())
    }
}

fn read_stretch(
    stretch: &Stretch,
    from: u64,
    max: usize,
    bytes: &mut usize,
    records: &mut Vec<Record>,
) -> Result<(), StoreError> {
    let mut scanner = Scanner::open(&stretch.path, stretch.at, stretch.bytes)?;
    let mut offset = stretch.offset;
    while offset < stretch.until && records.len() < max && *bytes < READ_BYTES_MAX {
        let (at, frame) = match scanner.step()? {
            Step::Frame { at, frame } => (at, frame),
            Step::Broken { at, reason } => return Err(StoreError::corrupt(&stretch.path, at, reason)),
            Step::End => {
                let reason = format!("the segment ends before record {offset}, {} should be its end", stretch.until);
                return Err(StoreError::corrupt(&stretch.path, stretch.bytes, reason));
            }
        };
        if frame.kind != FACT {
            continue;
        }
        if offset >= from {
            let fact = codec::decode(frame.id, frame.payload);
            let fact = fact.map_err(|bad| StoreError::corrupt(&stretch.path, at, bad.to_string()))?;
            *bytes += frame.payload.len();
            records.push((offset, frame.id, fact));
        }
        offset += 1;
    }
    Ok(())
}
