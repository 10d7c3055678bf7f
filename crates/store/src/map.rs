//! Files as memory.

use crate::StoreError;
use bytes::Bytes;
use memmap2::Mmap;
use std::fs::File;
use std::path::Path;

/// The bytes of a file, read where they lie when they are looked at. The file must be one that is replaced as a whole
/// and never written to, as all files of this house are once they have their name.
pub fn map(path: &Path) -> Result<Bytes, StoreError> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    // SAFETY: the mapping is of a file that nobody writes to or cuts while it is open: files get their names when they
    // are complete and are replaced by renaming another over them, which leaves the mapped one as it was.
    let mapped = unsafe { Mmap::map(&file) }.map_err(StoreError::io(path))?;
    Ok(Bytes::from_owner(mapped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_stays_as_it_was_mapped() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, next) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&path, b"before").expect("written");
        let mapped = map(&path).expect("mapped");
        std::fs::write(&next, b"after").expect("written");
        std::fs::rename(&next, &path).expect("renamed");
        assert_eq!((&mapped[..], &map(&path).expect("mapped")[..]), (&b"before"[..], &b"after"[..]));
        assert!(map(&folder.path().join("none")).expect_err("not there").to_string().contains("none"));
    }
}
