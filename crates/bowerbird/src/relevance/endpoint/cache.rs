//! Answers on disk, by a hash of the model and the prompt.

use anyhow::{Context, Result};
use models::LEVELS;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A folder of answers: a file each, in 256 folders.
pub(super) struct Cache(PathBuf);

impl Cache {
    pub(super) fn open(folder: &Path) -> Result<Cache> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Cache(folder.to_owned()))
    }

    fn path(&self, model: &str, prompt: &str) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update((model.len() as u64).to_le_bytes());
        hash.update(model.as_bytes());
        hash.update(prompt.as_bytes());
        let name = hash.finalize().iter().fold(String::new(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        });
        self.0.join(&name[..2]).join(&name[2..])
    }

    /// The level that a model answered; a file that says none counts as none.
    pub(super) fn get(&self, model: &str, prompt: &str) -> Result<Option<usize>> {
        let path = self.path(model, prompt);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok().filter(|level| *level < LEVELS)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Keeps an answer: beside its place first, so that a kill leaves no half.
    pub(super) fn put(&self, model: &str, prompt: &str, level: usize) -> Result<()> {
        let path = self.path(model, prompt);
        let beside = path.with_extension("part");
        let folder = path.parent().unwrap_or(&self.0);
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&beside, level.to_string()))
            .and_then(|()| std::fs::rename(&beside, &path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}
