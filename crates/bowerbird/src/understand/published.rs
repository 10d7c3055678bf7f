//! An encoder that somebody published: a directory as model hubs hold it, taken over into the blobs.

use super::Encoders;
use anyhow::{Context, Result, ensure};
use content::{Embedder, PUBLISHED_FILES, PublishedFile};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Its files by name.
pub(crate) type PublishedFiles = BTreeMap<&'static str, Vec<u8>>;

/// Makes a published encoder live, unless it is; gives its space. What cannot be used is refused before anything is
/// kept.
pub(crate) fn adopt(encoders: &Encoders, directory: &Path) -> Result<u32> {
    let files = read(directory)?;
    Embedder::published(&files, 0).with_context(|| format!("{}", directory.display()))?;
    let space = encoders.keep_published(files)?;
    encoders.go_live(space)?;
    Ok(space)
}

/// Of which bytes an encoder is made.
pub(super) fn fingerprint(files: &PublishedFiles) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(directory: &Path) -> Result<PublishedFiles> {
    ensure!(directory.is_dir(), "{} is not a directory", directory.display());
    let read = |file: PublishedFile| Ok(bytes(&directory.join(file.name), file)?.map(|bytes| (file.name, bytes)));
    PUBLISHED_FILES.into_iter().filter_map(|file| read(file).transpose()).collect()
}

/// Nothing where there need not be such a file.
fn bytes(path: &Path, file: PublishedFile) -> Result<Option<Vec<u8>>> {
    let opened = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && !file.needed => return Ok(None),
        opened => opened,
    };
    let read = || {
        let mut bytes = Vec::new();
        opened?.take(file.bytes_max + 1).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    let bytes = read().with_context(|| format!("cannot read {}", path.display()))?;
    let bytes_max = file.bytes_max;
    ensure!(bytes.len() as u64 <= bytes_max, "{} is larger than {bytes_max} bytes", path.display());
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_within_bounds_and_told_by_their_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = |path: &Path| format!("{:#}", read(path).expect_err("not whole"));
        assert!(error(&folder.path().join("none")).contains("none is not a directory"));
        assert!(error(folder.path()).contains("config.json"));
        for file in PUBLISHED_FILES.iter().filter(|file| file.needed) {
            std::fs::write(folder.path().join(file.name), "{}").expect("written");
        }
        let files = read(folder.path()).expect("whole");
        assert_eq!(files.keys().copied().collect::<Vec<_>>(), ["config.json", "model.safetensors", "tokenizer.json"]);
        std::fs::write(folder.path().join("modules.json"), "[]").expect("written");
        assert_ne!(fingerprint(&read(folder.path()).expect("whole")), fingerprint(&files));
        std::fs::write(folder.path().join("config.json"), vec![b' '; (1 << 20) + 1]).expect("written");
        assert!(error(folder.path()).contains("is larger than 1048576 bytes"));
    }
}
