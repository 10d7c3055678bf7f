//! The writer's side of a topic: finding its end, appending groups, starting new segments.

use super::frame::{self, HEADER_BYTES, MARKER_BYTES};
use super::scan::{self, Scanned, scan_segment};
use super::visible::{Segment, Visible};
use super::window::Window;
use crate::{StoreError, directory};
use domain::EventId;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Frames that wait to be written, with room for the marker in front.
pub(super) struct Pending {
    frames: Vec<u8>,
    pub(super) records: u64,
    /// Sparse index: (records before, bytes before).
    marks: Vec<(u64, u64)>,
}

impl Default for Pending {
    fn default() -> Pending {
        Pending { frames: vec![0; MARKER_BYTES], records: 0, marks: Vec::new() }
    }
}

impl Pending {
    /// Adds the frame of a record.
    pub(super) fn push(&mut self, frame: &[u8]) {
        scan::mark(&mut self.marks, self.records, self.frames.len() as u64);
        self.frames.extend_from_slice(frame);
        self.records += 1;
    }
}

/// A topic's last segment, open for writing. One thread at a time.
pub(super) struct Topic {
    directory: PathBuf,
    segment_bytes_max: u64,
    file: File,
    path: PathBuf,
    bytes: u64,
    next: u64,
    /// Whether everything written is before a marker.
    vouched: bool,
    visible: Arc<Visible>,
}

impl Topic {
    /// Opens the topic in `directory`, which may be empty: checks its last segment, cuts off a torn end, and fills
    /// `window` with the latest ids.
    pub(super) fn open(
        directory: &Path,
        segment_bytes_max: u64,
        window: &mut Window,
        window_ids: usize,
    ) -> Result<(Topic, Arc<Visible>), StoreError> {
        let bases = bases(directory)?;
        let visible = Arc::new(Visible::default());
        let (file, path, bytes, next, vouched) = match bases.split_last() {
            None => {
                let (file, path) = create(directory, 0, &visible)?;
                (file, path, HEADER_BYTES as u64, 0, true)
            }
            Some((&last, sealed)) => {
                let path = segment_path(directory, last);
                let mut ids = Vec::new();
                let scanned = scan_segment(&path, last, None, &mut |id| ids.push(id))?;
                let sealed = earlier(directory, sealed, last, ids, window, window_ids)?;
                sealed.into_iter().for_each(|segment| visible.add(segment));
                let (bytes, next) = (scanned.bytes.max(HEADER_BYTES as u64), last + scanned.records);
                let (file, vouched) = (repair(&path, last, &scanned)?, scanned.vouched);
                visible.add(Segment { base: last, path: path.clone(), bytes, marks: Some(scanned.marks) });
                visible.publish(bytes, next, []);
                (file, path, bytes, next, vouched)
            }
        };
        let (directory, shown) = (directory.to_owned(), visible.clone());
        Ok((Topic { directory, segment_bytes_max, file, path, bytes, next, vouched, visible }, shown))
    }

    /// What a reader sees of the topic in `directory` right now, while somebody else may be writing to it.
    pub(super) fn look(directory: &Path) -> Result<Arc<Visible>, StoreError> {
        let visible = Arc::new(Visible::default());
        let bases = if directory.is_dir() { bases(directory)? } else { Vec::new() };
        if let Some((&last, sealed)) = bases.split_last() {
            let segment = |base| Segment { base, bytes: 0, marks: None, path: segment_path(directory, base) };
            sealed.iter().for_each(|&base| visible.add(segment(base)));
            let path = segment_path(directory, last);
            let scanned = scan_segment(&path, last, None, &mut |_| {})?;
            visible.add(Segment { base: last, path, bytes: scanned.bytes, marks: Some(scanned.marks) });
            visible.publish(scanned.bytes, last + scanned.records, []);
        }
        Ok(visible)
    }

    /// Offset behind the last written record.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Writes and syncs a group of records. After an error the file's end is unknown, and the topic must not be
    /// written to again.
    pub(super) fn write(&mut self, mut group: Pending) -> Result<(), StoreError> {
        if self.bytes >= self.segment_bytes_max {
            let (file, path) = create(&self.directory, self.next, &self.visible)?;
            (self.file, self.path, self.bytes) = (file, path, HEADER_BYTES as u64);
        }
        group.frames[..MARKER_BYTES].copy_from_slice(&frame::marker(self.bytes, self.next));
        self.vouched = false;
        self.file.write_all(&group.frames).map_err(StoreError::io(&self.path))?;
        self.file.sync_data().map_err(StoreError::io(&self.path))?;
        let (start, first) = (self.bytes, self.next);
        self.bytes += group.frames.len() as u64;
        self.next += group.records;
        let marks = group.marks.into_iter().map(|(records, bytes)| (first + records, start + bytes));
        self.visible.publish(self.bytes, self.next, marks);
        Ok(())
    }

    /// Leaves a last marker, so that the next to open knows that everything was safely written. Only after a good
    /// write.
    pub(super) fn close(&mut self) {
        if !self.vouched && self.file.write_all(&frame::marker(self.bytes, self.next)).is_ok() {
            self.vouched = true;
        }
    }
}

/// The offsets at which a topic's segments begin, in order and without a gap at the front.
pub(super) fn bases(directory: &Path) -> Result<Vec<u64>, StoreError> {
    let mut bases = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(StoreError::io(directory))? {
        let name = entry.map_err(StoreError::io(directory))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log"));
        bases.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    bases.sort_unstable();
    match bases.first() {
        Some(&first) if first != 0 => {
            Err(StoreError::corrupt(&segment_path(directory, 0), 0, "the topic's first segment is missing"))
        }
        _ => Ok(bases),
    }
}

pub(super) fn segment_path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("{base:020}.log"))
}

/// The segments before the last. Those that hold the latest ids are read, into `window` and before the last one's
/// `ids`; the others are left until somebody reads them.
fn earlier(
    directory: &Path,
    sealed: &[u64],
    last: u64,
    ids: Vec<EventId>,
    window: &mut Window,
    window_ids: usize,
) -> Result<Vec<Segment>, StoreError> {
    let mut known = ids.len();
    let mut newest_first = vec![ids];
    let mut segments = Vec::new();
    let mut until = last;
    for &base in sealed.iter().rev() {
        let path = segment_path(directory, base);
        let mut segment = Segment { base, bytes: 0, marks: None, path };
        if known < window_ids {
            let mut ids = Vec::new();
            let scanned = scan_segment(&segment.path, base, Some(until - base), &mut |id| ids.push(id))?;
            segment.bytes = scanned.bytes;
            segment.marks = Some(scanned.marks);
            known += ids.len();
            newest_first.push(ids);
        }
        segments.push(segment);
        until = base;
    }
    segments.reverse();
    newest_first.into_iter().rev().flatten().for_each(|id| {
        window.insert(id);
    });
    Ok(segments)
}

/// Starts a segment: its header and its name are on disk before anything is written to it.
fn create(directory: &Path, base: u64, visible: &Visible) -> Result<(File, PathBuf), StoreError> {
    let path = segment_path(directory, base);
    let new = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = new.map_err(StoreError::io(&path))?;
    file.write_all(&frame::header(base)).map_err(StoreError::io(&path))?;
    file.sync_all().map_err(StoreError::io(&path))?;
    directory::sync(directory).map_err(StoreError::io(directory))?;
    visible.add(Segment { base, path: path.clone(), bytes: HEADER_BYTES as u64, marks: Some(Vec::new()) });
    Ok((file, path))
}

/// Opens the last segment for writing at its end, without what was torn. What is left is synced: the process that
/// wrote it may have been killed before it could do that, and from now on readers see it.
fn repair(path: &Path, base: u64, scanned: &Scanned) -> Result<File, StoreError> {
    let mut file = OpenOptions::new().write(true).open(path).map_err(StoreError::io(path))?;
    file.set_len(scanned.bytes).map_err(StoreError::io(path))?;
    if scanned.bytes == 0 {
        file.write_all(&frame::header(base)).map_err(StoreError::io(path))?;
    }
    file.sync_all().map_err(StoreError::io(path))?;
    file.seek(SeekFrom::End(0)).map_err(StoreError::io(path))?;
    Ok(file)
}
