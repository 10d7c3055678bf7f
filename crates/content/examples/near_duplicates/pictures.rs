//! Pictures of a folder, a zip or a tar file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// A picture's name and its bytes.
pub(crate) type Named = (String, Vec<u8>);

/// All pictures at a path, in the order of their names.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Named>> {
    let mut pictures = match path.extension().and_then(|end| end.to_str()) {
        _ if path.is_dir() => of_folder(path)?,
        Some("zip") => of_zip(path)?,
        _ => of_tar(path)?,
    };
    pictures.retain(|(name, _)| [".jpg", ".jpeg", ".png", ".webp"].iter().any(|end| name.ends_with(end)));
    pictures.sort();
    Ok(pictures)
}

fn of_folder(path: &Path) -> io::Result<Vec<Named>> {
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_file() {
            pictures.push((path.display().to_string(), std::fs::read(&path)?));
        }
    }
    Ok(pictures)
}

fn of_zip(path: &Path) -> io::Result<Vec<Named>> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut pictures = Vec::new();
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        pictures.push((name, bytes));
    }
    Ok(pictures)
}

/// The plain files of a tar archive: blocks of 512 bytes, a header with name and size in octal before each file.
fn of_tar(path: &Path) -> io::Result<Vec<Named>> {
    const BLOCK: usize = 512;
    let bytes = std::fs::read(path)?;
    let text = |from: &[u8]| String::from_utf8_lossy(from).trim_matches(['\0', ' ']).to_owned();
    let mut pictures = Vec::new();
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + BLOCK).filter(|header| header[0] != 0) {
        let size = usize::from_str_radix(&text(&header[124..136]), 8).map_err(io::Error::other)?;
        at += BLOCK;
        let file = bytes.get(at..at + size).ok_or(io::ErrorKind::UnexpectedEof)?;
        if matches!(header[156], b'0' | 0) {
            pictures.push((text(&header[..100]), file.to_vec()));
        }
        at += size.div_ceil(BLOCK) * BLOCK;
    }
    Ok(pictures)
}
