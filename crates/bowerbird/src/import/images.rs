//! A folder tree of pictures: the folders that a picture lies in are its topics, and the innermost its label.

use super::pictures;
use super::sink::Sink;
use crate::progress::Progress;
use anyhow::{Context, Result, ensure};
use domain::Pin;
use std::collections::HashSet;
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
    let mut known = HashSet::new();
    for file in files {
        let (id, picture) = (id(path, &file), pictures::read(&file));
        sink.row(&id, 1, [id.as_bytes(), picture.as_deref().unwrap_or_default()])?;
        match picture {
            Ok(_) if file.to_str().is_none() => sink.refuse("its name is not UTF-8")?,
            Ok(_) if !known.insert(id.clone()) => sink.refuse("another file has this name with another ending")?,
            Ok(picture) => sink.pin_with_picture(pin(&id), Some(picture))?,
            Err(reason) => sink.refuse(&reason)?,
        }
        progress.add(1);
    }
    Ok(())
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        found.push((entry.path(), entry.file_type().with_context(|| format!("cannot read {}", folder.display()))?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    // Links are not followed: they may lead anywhere, also in circles.
    for (path, kind) in found {
        if kind.is_dir() {
            ensure!(depth > 0, "{} lies more than {DEPTH_MAX} folders deep", path.display());
            collect(&path, depth - 1, files)?;
        } else if kind.is_file()
            && path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)))
        {
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
