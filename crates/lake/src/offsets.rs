//! How far the lake has come, and who may move it on.

use crate::LakeError;
use domain::TopicKind;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

const VERSION: u64 = 2;

/// Offsets up to which (not including) the lake holds each topic, in the order of [`TopicKind::FOLLOWED`].
pub(crate) type Offsets = [u64; TopicKind::FOLLOWED.len()];

fn path(root: &Path) -> PathBuf {
    root.join("offsets.json")
}

/// The committed offsets; zeros when nothing was rolled yet.
pub(crate) fn read(root: &Path) -> Result<Offsets, LakeError> {
    let path = path(root);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Offsets::default()),
        Err(source) => return Err(LakeError::Io { path, source }),
    };
    parse(&text).map_err(|reason| LakeError::Damaged { path, reason })
}

fn parse(text: &str) -> Result<Offsets, String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match json["version"].as_u64() {
        Some(VERSION) => {}
        other => return Err(format!("version {other:?}, this build reads {VERSION}")),
    }
    let mut offsets = Offsets::default();
    for (topic, offset) in TopicKind::FOLLOWED.into_iter().zip(&mut offsets) {
        *offset = json[topic.as_str()].as_u64().ok_or_else(|| format!("no offset of '{}'", topic.as_str()))?;
    }
    Ok(offsets)
}

/// Replaces the committed offsets: old or new is there after a crash, never a part.
pub(crate) fn write(root: &Path, offsets: &Offsets) -> Result<(), LakeError> {
    let (path, aside) = (path(root), root.join("offsets.json.new"));
    let mut json = serde_json::json!({ "version": VERSION });
    for (topic, offset) in TopicKind::FOLLOWED.into_iter().zip(offsets) {
        json[topic.as_str()] = (*offset).into();
    }
    let mut file = File::create(&aside).map_err(LakeError::io(&aside))?;
    file.write_all(format!("{json}\n").as_bytes()).map_err(LakeError::io(&aside))?;
    file.sync_all().map_err(LakeError::io(&aside))?;
    std::fs::rename(&aside, &path).map_err(LakeError::io(&path))?;
    File::open(root).and_then(|root| root.sync_all()).map_err(LakeError::io(root))
}

/// Takes the right to change the lake, until the file is dropped; `None` when somebody else has it.
pub(crate) fn lock(root: &Path) -> Result<Option<File>, LakeError> {
    try_lock(root.join("lock"))
}

/// Announces that files are being read, until the file is dropped. Waits while files are being exchanged, which is
/// short.
pub(crate) fn reading(root: &Path) -> Result<File, LakeError> {
    let path = root.join("readers");
    let file = lock_file(&path)?;
    file.lock_shared().map_err(LakeError::io(&path))?;
    Ok(file)
}

/// Takes the right to exchange files, until the file is dropped; `None` when somebody reads.
pub(crate) fn nobody_reads(root: &Path) -> Result<Option<File>, LakeError> {
    try_lock(root.join("readers"))
}

fn try_lock(path: PathBuf) -> Result<Option<File>, LakeError> {
    let file = lock_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(LakeError::Io { path, source }),
    }
}

fn lock_file(path: &Path) -> Result<File, LakeError> {
    File::options().create(true).truncate(false).write(true).open(path).map_err(LakeError::io(path))
}
