//! What was made of the log, kept as files that a start maps instead of making it again.
//!
//! ```text
//! snapshots/00000000000000000007/   one file a part, and `manifest`: which parts there are, and how long they are
//! snapshots/.new/                   one that is being written; it gets its number when all of it is on disk
//! ```

use crate::map::map;
use crate::{StoreError, directory};
use bytes::Bytes;
use domain::Snapshot;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How many snapshots are kept: the newest, and the one before it in case the newest turns out damaged.
const KEPT: usize = 2;

/// Most parts of a snapshot.
const PARTS_MAX: usize = 64;

const NEW: &str = ".new";
const MANIFEST: &str = "manifest";
const VERSION: u32 = 1;

/// A part of a snapshot: its name (letters, digits, `-`) and how it is written.
pub type Part<'a> = (&'a str, &'a (dyn Fn(&mut dyn Write) -> io::Result<()> + Sync));

/// Snapshots in a directory, by number. One process writes them: the one that holds the log.
#[derive(Clone, Debug)]
pub struct Snapshots {
    directory: PathBuf,
}

impl Snapshots {
    /// Those in `directory`, which need not be there.
    pub fn new(directory: impl Into<PathBuf>) -> Snapshots {
        Snapshots { directory: directory.into() }
    }

    /// The numbers of those that there are, newest first.
    pub fn numbers(&self) -> Result<Vec<u64>, StoreError> {
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(StoreError::io(&self.directory))?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(StoreError::io(&self.directory))?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers)
    }

    /// Writes a snapshot, and takes away all but the newest two. It is whole and on disk when this returns; whoever is
    /// interrupted leaves the others as they were.
    pub fn write(&self, parts: &[Part]) -> Result<u64, StoreError> {
        directory::make(&self.directory)?;
        let new = self.directory.join(NEW);
        remove(&new)?;
        std::fs::create_dir(&new).map_err(StoreError::io(&new))?;
        let mut sizes = Vec::with_capacity(parts.len());
        for (name, write) in parts {
            sizes.push(write_file(&new.join(name), write)?);
        }
        let names = parts.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("\n");
        let sizes: Vec<u8> = sizes.into_iter().flat_map(u64::to_le_bytes).collect();
        write_file(&new.join(MANIFEST), &|out: &mut dyn Write| {
            Snapshot::write(&mut { out }, MANIFEST, VERSION, &[("names", names.as_bytes()), ("sizes", &sizes)])
        })?;
        directory::sync(&new).map_err(StoreError::io(&new))?;
        let numbers = self.numbers()?;
        let number = numbers.first().map_or(0, |newest| newest + 1);
        let named = self.folder(number);
        std::fs::rename(&new, &named).map_err(StoreError::io(&named))?;
        directory::sync(&self.directory).map_err(StoreError::io(&self.directory))?;
        numbers.iter().skip(KEPT - 1).try_for_each(|&old| remove(&self.folder(old)))?;
        Ok(number)
    }

    /// The parts of a snapshot, mapped. All of them are there and as long as they were; what is in them is for whoever
    /// wrote it to check.
    pub fn read(&self, number: u64) -> Result<BTreeMap<String, Bytes>, StoreError> {
        let folder = self.folder(number);
        let manifest = folder.join(MANIFEST);
        let odd = |reason: String| StoreError::corrupt(&manifest, 0, reason);
        let opened = Snapshot::open(MANIFEST, VERSION, &map(&manifest)?).map_err(|error| odd(error.to_string()))?;
        let column = |name| opened.column::<u8>(name).map_err(|error| odd(error.to_string()));
        let (names, sizes) = (column("names")?, column("sizes")?);
        let names = std::str::from_utf8(&names).map_err(|_| odd("names are no text".to_owned()))?;
        let names: Vec<&str> = names.lines().collect();
        let (sizes, _) = sizes.as_chunks::<8>();
        let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if names.len() != sizes.len() || names.len() > PARTS_MAX || !names.iter().all(|name| plain(name)) {
            return Err(odd("names and sizes do not fit each other".to_owned()));
        }
        let mut parts = BTreeMap::new();
        for (name, size) in names.into_iter().zip(sizes) {
            let path = folder.join(name);
            let bytes = map(&path)?;
            if bytes.len() as u64 != u64::from_le_bytes(*size) {
                return Err(StoreError::corrupt(&path, bytes.len() as u64, "the file ends too early or too late"));
            }
            parts.insert(name.to_owned(), bytes);
        }
        Ok(parts)
    }

    fn folder(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:020}"))
    }
}

/// Writes a file and syncs it; its length.
fn write_file(path: &Path, write: &dyn Fn(&mut dyn Write) -> io::Result<()>) -> Result<u64, StoreError> {
    let written = || -> io::Result<u64> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    };
    written().map_err(StoreError::io(path))
}

/// Takes a folder away, if it is there.
fn remove(folder: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io(folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(snapshots: &Snapshots, text: &str) -> u64 {
        let part = |out: &mut dyn Write| out.write_all(text.as_bytes());
        snapshots.write(&[("one", &part), ("two", &|_| Ok(()))]).expect("written")
    }

    #[test]
    fn the_newest_two_are_kept_and_mapped_ones_outlive_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let snapshots = Snapshots::new(folder.path().join("snapshots"));
        assert_eq!(snapshots.numbers().expect("none"), []);
        let first = write(&snapshots, "first");
        let mapped = snapshots.read(first).expect("whole");
        for text in ["second", "third"] {
            write(&snapshots, text);
        }
        assert_eq!(snapshots.numbers().expect("two"), [2, 1]);
        assert_eq!((&mapped["one"][..], &mapped["two"][..]), (&b"first"[..], &b""[..]));
        assert_eq!(snapshots.read(2).expect("whole")["one"], "third");
    }

    #[test]
    fn what_is_not_whole_is_told_and_does_not_keep_the_next_from_being_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join("00000000000000000000").join(name);
        let snapshots = Snapshots::new(folder.path());
        std::fs::create_dir(folder.path().join(NEW)).expect("left by one who was killed");
        std::fs::write(folder.path().join(NEW).join("one"), "half").expect("left");
        let number = write(&snapshots, "text");
        let fails = || snapshots.read(number).expect_err("not whole").to_string();
        std::fs::write(at("one"), "tex").expect("cut");
        assert!(fails().contains("too early"), "{}", fails());
        std::fs::remove_file(at("one")).expect("removed");
        assert!(fails().contains("one"), "{}", fails());
        std::fs::write(at(MANIFEST), "nonsense").expect("damaged");
        assert!(fails().contains("not a snapshot"), "{}", fails());
        assert_eq!(write(&snapshots, "next"), 1);
        let failing = |_: &mut dyn Write| Err(io::Error::other("the disk is full"));
        assert!(snapshots.write(&[("one", &failing)]).is_err());
        assert_eq!(snapshots.numbers().expect("as before"), [1, 0]);
    }
}
