//! A folder tree of pictures: the folders that a picture lies in are its topics, and the innermost its label.

use super::pictures;
use super::sink::Sink;
use crate::progress::Progress;
use anyhow::{Context, Result, ensure};
use domain::Pin;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Endings of the files that are taken.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];
/// Folders inside folders that are looked into.
const DEPTH_MAX: usize = 16;

/// Imports every picture below a folder, in the order of their paths.
pub(crate) fn import(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    ensure!(path.is_dir(), "{} is not a folder", path.display());
    let mut files = Vec::new();
    collect(path, DEPTH_MAX, &mut files)?;
    ensure!(!files.is_empty(), "there is no JPEG, PNG or WebP below {}", path.display());
    progress.total(files.len() as u64);
    for file in files {
        let id = id(path, &file);
        sink.row(&id, 1, [id.as_bytes()])?;
        match pictures::read(&file) {
            Ok(picture) => sink.pin_with_picture(pin(&id), Some(picture))?,
            Err(reason) => sink.refuse(&reason)?,
        }
        progress.add(1);
    }
    Ok(())
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known))) {
            files.push(path);
        }
    }
    Ok(())
}

/// The path below the folder, without its ending.
fn id(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn pin(id: &str) -> Pin {
    let spoken = |name: &str| name.replace(['_', '-'], " ").trim().to_lowercase();
    let mut folders: Vec<String> = id.split('/').map(spoken).filter(|name| !name.is_empty()).collect();
    folders.pop();
    let traits = folders.last().map(|label| format!("label={label}")).into_iter().collect();
    // A file's own name is mostly a number; what it lies in says what it shows.
    let title = folders.iter().rev().map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut topics = folders;
    topics.sort();
    topics.dedup();
    Pin { id: id.to_owned(), title, topics, traits, ..Pin::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_what_a_picture_shows() {
        let pin = pin("Animals/big_cats/0001");
        assert_eq!(
            (pin.title.as_str(), &pin.topics[..]),
            ("big cats animals", &["animals".into(), "big cats".into()][..])
        );
        assert_eq!(pin.traits, ["label=big cats"]);
        assert_eq!(id(Path::new("/a"), Path::new("/a/b c/d.JPG")), "b c/d");
        assert!(super::pin("0001").traits.is_empty());
    }
}
