//! The words of pins outside of memory: the engine's files, one after the other.

use super::weights::TextWeights;
use super::{IndexError, PINS_MAX, TextIndex};
use bytemuck::cast_slice;
use bytes::Bytes;
use domain::{Snapshot, SnapshotError};
use std::io::{self, Write};
use std::path::Path;
use tantivy::directory::{Directory, OwnedBytes, RamDirectory};
use tantivy::index::{SegmentComponent, SegmentMeta};
use tantivy::{Index, TantivyError};

const KIND: &str = "words";
const VERSION: u32 = 1;

/// The engine's lists: of what is committed, and of its files.
const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";

/// A join that ends takes files away; after so many in a row something else is wrong.
const TRIES_MAX: usize = 16;

/// What was committed when it was taken, to be written without the index.
pub struct TextSnapshot {
    files: Vec<(String, OwnedBytes)>,
}

impl TextIndex {
    /// What is committed now. It shares the index's memory, and costs nothing until it is written.
    pub fn snapshot(&self) -> Result<TextSnapshot, IndexError> {
        for _ in 1..TRIES_MAX {
            if let Ok(files) = self.committed() {
                return Ok(TextSnapshot { files });
            }
        }
        Ok(TextSnapshot { files: self.committed()? })
    }

    fn committed(&self) -> Result<Vec<(String, OwnedBytes)>, TantivyError> {
        let before = self.files.atomic_read(Path::new(META))?;
        let segments = self.writer.index().searchable_segment_metas()?;
        let parts = segments.iter().flat_map(|segment| parts(segment).map(|part| segment.relative_path(part)));
        let mut files = Vec::new();
        for path in parts.chain([META.into(), MANAGED.into()]) {
            // Not every segment has every part.
            if self.files.exists(&path)? {
                files.push((path.to_string_lossy().into_owned(), self.files.open_read(&path)?.read_bytes()?));
            }
        }
        match self.files.atomic_read(Path::new(META))? == before {
            true => Ok(files),
            false => Err(TantivyError::InternalError("joins keep ending".to_owned())),
        }
    }

    /// An index of a snapshot, with the default weights. Everything in it is found at once.
    pub fn open(bytes: &Bytes) -> Result<TextIndex, IndexError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes)?;
        let odd = || SnapshotError::Section { section: "names".to_owned(), reason: "do not fit the files".to_owned() };
        let (names, ends, all) = (snapshot.column("names")?, snapshot.column("ends")?, snapshot.column::<u8>("files")?);
        let names = std::str::from_utf8(&names).map_err(|_| odd())?;
        let (files, mut start) = (RamDirectory::create(), 0);
        for (name, &end) in names.lines().zip::<&[u64]>(&ends) {
            let file = all.get(start..end as usize).ok_or_else(odd)?;
            files.atomic_write(Path::new(name), file).map_err(TantivyError::from)?;
            start = end as usize;
        }
        let mut index = TextIndex::over(Index::open(files.clone())?, files, TextWeights::default())?;
        index.publish()?;
        let published = index.searcher.published();
        for (segment, pins) in published.searcher.segment_readers().iter().zip(&published.pins) {
            for pin in pins.alive(segment) {
                if pin.index() >= PINS_MAX {
                    return Err(IndexError::TooManyPins { pin: pin.0, max: PINS_MAX });
                }
                if index.known.len() <= pin.index() {
                    index.known.resize(pin.index() + 1, false);
                }
                index.known[pin.index()] = true;
            }
        }
        Ok(index)
    }
}

fn parts(segment: &SegmentMeta) -> impl Iterator<Item = SegmentComponent> + use<> {
    use SegmentComponent::{Delete, FastFields, FieldNorms, Positions, Postings, Store, Terms};
    let deletes = segment.has_deletes().then_some(Delete);
    [Postings, Positions, Terms, Store, FastFields, FieldNorms].into_iter().chain(deletes)
}

impl TextSnapshot {
    /// Writes the snapshot. Errors are those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let names = self.files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\n");
        let (mut ends, mut all): (Vec<u64>, Vec<u8>) = (Vec::new(), Vec::new());
        for (_, bytes) in &self.files {
            all.extend_from_slice(bytes);
            ends.push(all.len() as u64);
        }
        let sections: [(&str, &[u8]); 3] = [("names", names.as_bytes()), ("ends", cast_slice(&ends)), ("files", &all)];
        Snapshot::write(out, KIND, VERSION, &sections)
    }
}
