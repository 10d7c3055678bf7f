//! The shape that an index takes outside of memory: named, aligned, checksummed columns of plain numbers, which can be
//! read where they lie (a mapped file) without being copied.
//!
//! ```text
//! "BOWERSN1" · kind (16) · version (u32) · sections (u32)
//! section × n: name (16) · start (u64) · length (u64) · CRC-32 (u32) · 0 (u32)
//! CRC-32 of all that (u32) · padding · the sections, each at a multiple of 64 bytes
//! ```
//! Numbers are little-endian.

use bytemuck::{Pod, cast_slice, cast_slice_mut, try_cast_slice};
use bytes::Bytes;
use std::io::{self, Write};
use std::ops::Deref;

#[cfg(target_endian = "big")]
compile_error!("columns are read where they lie, as little-endian numbers");

const MAGIC: &[u8; 8] = b"BOWERSN1";
const NAME: usize = 16;
const HEAD: usize = 8 + NAME + 8;
const ENTRY: usize = NAME + 24;
/// Sections begin at multiples of it: a cache line, the widest vector.
const ALIGN: usize = 64;
/// Most sections of one snapshot.
const SECTIONS_MAX: usize = 256;

/// Plain numbers: in memory of their own, or in bytes that somebody else holds, such as a mapped file.
#[derive(Clone, Debug)]
pub enum Column<T> {
    /// In memory of their own.
    Owned(Vec<T>),
    /// In a snapshot. Aligned and of whole numbers, see [`Snapshot::column`].
    Shared(Bytes),
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Column::Owned(Vec::new())
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(numbers: Vec<T>) -> Self {
        Column::Owned(numbers)
    }
}

impl<T: Pod> Column<T> {
    /// The numbers, to be changed; those of a snapshot are copied first.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Column::Shared(_) = self {
            *self = Column::Owned(self.to_vec());
        }
        match self {
            Column::Owned(numbers) => numbers,
            Column::Shared(_) => unreachable!("invariant: it was just copied"),
        }
    }
}

impl<T: Pod> Deref for Column<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Column::Owned(numbers) => numbers,
            Column::Shared(bytes) => cast_slice(bytes),
        }
    }
}

/// Why bytes are not the snapshot that was asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SnapshotError {
    /// Other bytes, or a part of them.
    #[error("not a snapshot, or only a part of one: {reason}")]
    NotASnapshot {
        /// What is odd.
        reason: String,
    },
    /// A snapshot of something else, or by another version of this program.
    #[error("a snapshot of '{found}', version {version}; expected '{expected}', version {known}")]
    Kind {
        /// What it is of.
        found: String,
        /// Its version.
        version: u32,
        /// What was asked for.
        expected: &'static str,
        /// The version that is understood.
        known: u32,
    },
    /// A section is missing, cut or damaged.
    #[error("section '{section}' {reason}")]
    Section {
        /// Which.
        section: String,
        /// What is odd.
        reason: String,
    },
}

/// A snapshot that was opened: its sections are intact.
#[derive(Clone, Debug)]
pub struct Snapshot {
    sections: Vec<(String, Bytes)>,
}

impl Snapshot {
    /// Writes a snapshot of `kind` (at most 16 bytes of ASCII) with the columns of `sections`, in order; names are at
    /// most 16 bytes. Errors are those of `out`.
    pub fn write(out: &mut impl Write, kind: &str, version: u32, sections: &[(&str, &[u8])]) -> io::Result<()> {
        let mut head = Vec::with_capacity(HEAD + sections.len() * ENTRY + 4);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&name(kind)?);
        head.extend_from_slice(&version.to_le_bytes());
        head.extend_from_slice(&(sections.len() as u32).to_le_bytes());
        let mut start = (HEAD + sections.len() * ENTRY + 4).next_multiple_of(ALIGN);
        for (section, bytes) in sections {
            head.extend_from_slice(&name(section)?);
            head.extend_from_slice(&(start as u64).to_le_bytes());
            head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            head.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
            head.extend_from_slice(&[0; 4]);
            start = (start + bytes.len()).next_multiple_of(ALIGN);
        }
        head.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
        out.write_all(&head)?;
        let mut written = head.len();
        for (_, bytes) in sections {
            out.write_all(&[0; ALIGN][..written.next_multiple_of(ALIGN) - written])?;
            out.write_all(bytes)?;
            written = written.next_multiple_of(ALIGN) + bytes.len();
        }
        Ok(())
    }

    /// Opens a snapshot of `kind` and `version`; every byte of it is checked.
    pub fn open(kind: &'static str, version: u32, bytes: &Bytes) -> Result<Snapshot, SnapshotError> {
        let odd = |reason: &str| SnapshotError::NotASnapshot { reason: reason.to_owned() };
        if !bytes.starts_with(MAGIC) {
            return Err(odd("it begins otherwise"));
        }
        let count = bytes.get(HEAD - 4..HEAD).map(word).ok_or_else(|| odd("too short"))? as usize;
        let head = HEAD + count.min(SECTIONS_MAX) * ENTRY;
        let crc = bytes.get(head..head + 4).map(word).ok_or_else(|| odd("too short"))?;
        if count > SECTIONS_MAX || crc != crc32fast::hash(&bytes[..head]) {
            return Err(odd("its table is damaged"));
        }
        let (found, found_version) = (text(&bytes[8..8 + NAME]), word(&bytes[8 + NAME..HEAD - 4]));
        if (found.as_str(), found_version) != (kind, version) {
            return Err(SnapshotError::Kind { found, version: found_version, expected: kind, known: version });
        }
        let entries = bytes[HEAD..head].chunks_exact(ENTRY);
        Ok(Snapshot { sections: entries.map(|entry| section(bytes, entry)).collect::<Result<_, _>>()? })
    }

    /// The column `name`, read where it lies; copied when the bytes do not lie on the boundaries of `T`.
    pub fn column<T: Pod>(&self, name: &str) -> Result<Column<T>, SnapshotError> {
        let odd = |reason: &str| SnapshotError::Section { section: name.to_owned(), reason: reason.to_owned() };
        let (_, bytes) = self.sections.iter().find(|(known, _)| known == name).ok_or_else(|| odd("is missing"))?;
        if !bytes.len().is_multiple_of(size_of::<T>().max(1)) {
            return Err(odd("is not of whole numbers"));
        }
        Ok(match try_cast_slice::<u8, T>(bytes) {
            Ok(_) => Column::Shared(bytes.clone()),
            Err(_) => {
                let mut numbers = vec![T::zeroed(); bytes.len() / size_of::<T>().max(1)];
                cast_slice_mut(&mut numbers).copy_from_slice(bytes);
                Column::Owned(numbers)
            }
        })
    }
}

fn section(bytes: &Bytes, entry: &[u8]) -> Result<(String, Bytes), SnapshotError> {
    let name = text(&entry[..NAME]);
    let [start, len] =
        [NAME, NAME + 8].map(|at| u64::from_le_bytes(entry[at..at + 8].try_into().expect("invariant: 8 bytes")));
    let odd = |reason: String| SnapshotError::Section { section: name.clone(), reason };
    let end = start.checked_add(len).filter(|&end| end <= bytes.len() as u64);
    let end = end.ok_or_else(|| {
        odd(format!("begins at byte {start} and has {len} bytes, but only {} are there", bytes.len()))
    })?;
    let body = bytes.slice(start as usize..end as usize);
    if crc32fast::hash(&body) != word(&entry[NAME + 16..NAME + 20]) {
        return Err(odd(format!("is damaged (bytes {start} to {end})")));
    }
    Ok((name, body))
}

fn name(text: &str) -> io::Result<[u8; NAME]> {
    let mut name = [0; NAME];
    let long = || io::Error::new(io::ErrorKind::InvalidInput, format!("the name '{text}' is too long"));
    name.get_mut(..text.len()).ok_or_else(long)?.copy_from_slice(text.as_bytes());
    Ok(name)
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).trim_end_matches('\0').to_owned()
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("invariant: 4 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let mut out = Vec::new();
        let (ids, weights) = ([3u32, 1, 4, 1, 5], [0.5f32, -2.0]);
        Snapshot::write(&mut out, "sample", 2, &[("ids", cast_slice(&ids)), ("weights", cast_slice(&weights))])
            .expect("memory takes bytes");
        out
    }

    #[test]
    fn columns_come_back_and_lie_where_they_were() {
        let bytes = Bytes::from(written());
        let snapshot = Snapshot::open("sample", 2, &bytes).expect("intact");
        assert_eq!(*snapshot.column::<u32>("ids").expect("there"), [3, 1, 4, 1, 5]);
        assert_eq!(*snapshot.column::<f32>("weights").expect("there"), [0.5, -2.0]);
        let within = |column: &[u8]| bytes.as_ptr_range().contains(&column.as_ptr());
        assert!(within(&snapshot.column::<u8>("ids").expect("bytes need no boundary")));
        let moved = Bytes::from([vec![0], written()].concat()).slice(1..);
        let snapshot = Snapshot::open("sample", 2, &moved).expect("intact");
        assert_eq!(*snapshot.column::<f32>("weights").expect("copied or not"), [0.5, -2.0]);
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        let good = written();
        let said = |bytes: Vec<u8>| Snapshot::open("sample", 2, &bytes.into()).expect_err("refused").to_string();
        assert_eq!(said(b"nonsense".to_vec()), "not a snapshot, or only a part of one: it begins otherwise");
        for cut in [9, 40, good.len() - 1] {
            assert!(!said(good[..cut].to_vec()).is_empty());
        }
        for at in 8..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let padding = Snapshot::open("sample", 2, &bad.into()).is_ok();
            assert!(!padding || good[at] == 0, "a changed byte at {at} was not noticed");
        }
        let other = Snapshot::open("sample", 3, &good.clone().into()).expect_err("another version").to_string();
        assert_eq!(other, "a snapshot of 'sample', version 2; expected 'sample', version 3");
        let snapshot = Snapshot::open("sample", 2, &good.into()).expect("intact");
        assert_eq!(snapshot.column::<u32>("names").expect_err("none").to_string(), "section 'names' is missing");
        assert_eq!(
            snapshot.column::<u64>("ids").expect_err("20 bytes").to_string(),
            "section 'ids' is not of whole numbers"
        );
    }
}
