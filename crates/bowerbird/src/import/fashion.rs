//! Fashion products: a table of titles and attributes, and a zip of pictures named by id.

use super::pictures::PICTURE_BYTES_MAX;
use super::sink::Sink;
use super::table::{Fields, Table, must_exist};
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::Pin;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Columns that become traits.
const TRAITS: [&str; 3] = ["articleType", "baseColour", "gender"];

type Zip = zip::ZipArchive<BufReader<File>>;

/// Imports a folder with `products.csv` and a zip of pictures; pins without a picture are taken without. Bare ones have
/// title and picture alone: attributes stay outside, so that they can grade.
pub(crate) fn import(path: &Path, bare: bool, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let table = products(path)?;
    let mut pictures = pictures(path)?.map(|path| open_zip(&path)).transpose()?;
    Table::open(&table, &["id", "productDisplayName"], progress)?.each_row(sink, |row, sink| match pin(row, bare) {
        Ok(pin) => {
            let picture = pictures.as_mut().map(|zip| picture(zip, &pin.id)).transpose();
            match picture {
                Ok(picture) => sink.pin_with_picture(pin, picture.flatten()),
                Err(reason) => {
                    sink.refuse(&reason)?;
                    sink.pin_with_picture(pin, None)
                }
            }
        }
        Err(reason) => sink.refuse(&reason),
    })
}

/// The files that an import of `path` counts its progress by.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    products(path).into_iter().collect()
}

fn products(path: &Path) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    must_exist(path, &["products.csv", "products.csv.gz", "styles.csv"])
}

/// The zip beside the table; the first in the order of names.
fn pictures(path: &Path) -> Result<Option<PathBuf>> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|end| end == "zip")).min())
}

fn open_zip(path: &Path) -> Result<Zip> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Zip::new(BufReader::new(file)).with_context(|| format!("{} is not a whole zip file", path.display()))
}

fn picture(zip: &mut Zip, id: &str) -> Result<Option<Vec<u8>>, String> {
    let name = format!("{id}.jpg");
    let entry = match zip.by_name(&name) {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(format!("{name}: {error}")),
    };
    if entry.size() > PICTURE_BYTES_MAX {
        return Err(format!("{name}: {} bytes, at most {PICTURE_BYTES_MAX} are taken", entry.size()));
    }
    let mut bytes = Vec::with_capacity(entry.size() as usize);
    entry.take(PICTURE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
    Ok(Some(bytes))
}

fn pin(row: &Fields, bare: bool) -> Result<Pin, String> {
    let id = row.text("id")?.to_owned();
    if bare {
        return Ok(Pin { id, title: row.optional("productDisplayName").unwrap_or("").to_owned(), ..Pin::default() });
    }
    let words = |columns: &[&str]| -> Vec<&str> { columns.iter().filter_map(|column| row.optional(column)).collect() };
    let named = row.optional("productDisplayName").map(str::to_owned);
    let title = named.unwrap_or_else(|| words(&["baseColour", "articleType"]).join(" "));
    let description = words(&["gender", "baseColour", "articleType", "usage", "season", "year"]).join(" ");
    let mut topics: Vec<String> = words(&["masterCategory", "subCategory", "articleType", "gender", "usage"])
        .iter()
        .map(|w| w.to_lowercase())
        .collect();
    topics.sort();
    topics.dedup();
    let year = row.optional("year").and_then(|year| year.parse::<f64>().ok());
    let created_ms = year.and_then(|year| crate::moment::day_ms(year as i64, 1, 1)).unwrap_or(0);
    let named = |column: &&str| Some(format!("{column}={}", row.optional(column)?.to_lowercase()));
    let traits = TRAITS.iter().filter_map(named).collect();
    Ok(Pin { id, title, description, topics, traits, created_ms, ..Pin::default() })
}
