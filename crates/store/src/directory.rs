//! Directories whose names outlive a power cut.

use crate::StoreError;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// Makes `directory` if it is missing, and syncs its name. Those above it may be as new, made by us or a moment before
/// by whoever calls, so their names are synced too.
pub(crate) fn make(directory: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(directory).map_err(StoreError::io(directory))?;
    let whole = directory.canonicalize().map_err(StoreError::io(directory))?;
    for above in whole.ancestors().skip(1) {
        match sync(above) {
            // What may not be read is not ours: we made nothing in it, nor above it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => break,
            synced => synced.map_err(StoreError::io(above))?,
        }
    }
    Ok(())
}

/// Syncs the names in `directory`.
pub(crate) fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_made_however_they_are_named_and_trouble_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a/b/c");
        for _ in 0..2 {
            make(&deep).expect("made");
            assert!(deep.is_dir());
        }
        make(&deep.join("../d")).expect("made");
        assert!(folder.path().join("a/b/d").is_dir());
        std::fs::write(folder.path().join("file"), "").expect("a file");
        let error = make(&folder.path().join("file/x")).expect_err("a file is no directory").to_string();
        assert!(error.contains("file/x"), "{error}");
    }
}
