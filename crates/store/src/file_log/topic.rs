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
    /// Opens the topic in `directory`, which may be empty: checks its last segment and cuts off a torn end. The latest
    /// ids are in it and in those before it.
    pub(super) fn open(
        directory: &Path,
        segment_bytes_max: u64,
    ) -> Result<(Topic, Arc<Visible>, LatestIds), StoreError> {
        let bases = bases(directory)?;
        let visible = Arc::new(Visible::default());
        let mut latest = LatestIds { directory: directory.to_owned(), bases: bases.clone(), last: Vec::new() };
        let (file, path, bytes, next, vouched) = match bases.split_last() {
            None => {
                let (file, path) = create(directory, 0, &visible)?;
                (file, path, HEADER_BYTES as u64, 0, true)
            }
            Some((&last, sealed)) => {
                let path = segment_path(directory, last);
                let scanned = scan_segment(&path, last, None, &mut |id| latest.last.push(id))?;
                sealed.iter().for_each(|&base| visible.add(unread(directory, base)));
                let (bytes, next) = (scanned.bytes.max(HEADER_BYTES as u64), last + scanned.records);
                let (file, vouched) = (repair(&path, last, &scanned)?, scanned.vouched);
                visible.add(Segment { base: last, path: path.clone(), bytes, marks: Some(scanned.marks) });
                visible.publish(bytes, next, []);
                (file, path, bytes, next, vouched)
            }
        };
        let (directory, shown) = (directory.to_owned(), visible.clone());
        Ok((Topic { directory, segment_bytes_max, file, path, bytes, next, vouched, visible }, shown, latest))
    }

    /// What a reader sees of the topic in `directory` right now, while somebody else may be writing to it.
    pub(super) fn look(directory: &Path) -> Result<Arc<Visible>, StoreError> {
        let visible = Arc::new(Visible::default());
        let bases = if directory.is_dir() { bases(directory)? } else { Vec::new() };
        if let Some((&last, sealed)) = bases.split_last() {
            sealed.iter().for_each(|&base| visible.add(unread(directory, base)));
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

/// A segment before the last: it is left alone until somebody reads it.
fn unread(directory: &Path, base: u64) -> Segment {
    Segment { base, bytes: 0, marks: None, path: segment_path(directory, base) }
}

/// Where the latest ids of a topic are.
pub(super) struct LatestIds {
    directory: PathBuf,
    /// Where each segment begins.
    bases: Vec<u64>,
    /// Those of the last segment.
    last: Vec<EventId>,
}

impl LatestIds {
    /// Reads as many segments before the last as are needed to know the latest `ids_max`.
    pub(super) fn read(&self, ids_max: usize) -> Result<Window, StoreError> {
        let mut known = self.last.len();
        let mut newest_first = vec![self.last.clone()];
        for pair in self.bases.windows(2).rev() {
            if known >= ids_max {
                break;
            }
            let mut ids = Vec::new();
            let path = segment_path(&self.directory, pair[0]);
            scan_segment(&path, pair[0], Some(pair[1] - pair[0]), &mut |id| ids.push(id))?;
            known += ids.len();
            newest_first.push(ids);
        }
        let mut window = Window::new(ids_max);
        newest_first.into_iter().rev().flatten().for_each(|id| _ = window.insert(id));
        Ok(window)
    }
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
