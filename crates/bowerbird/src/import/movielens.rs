//! MovieLens: films become pins, genres topics, tags words; a rating of 4 or more is a save, less a close-up.

use super::pinterest::{event, save};
use super::sink::Sink;
use super::table::{Table, first_existing};
use crate::moment::day_ms;
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::{Action, Board, Fact, Pin, Pinner, limits};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The rating (of 5) from which a film counts as saved.
const SAVED_FROM: f32 = 4.0;

/// Imports a folder of MovieLens, or the folder in which the given `ratings.csv` lies.
pub(crate) fn import(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let ratings = if path.is_dir() { find(folder, "ratings").context("no ratings.csv")? } else { path.to_owned() };
    let tags = find(folder, "tags").map_or(Ok(BTreeMap::new()), |path| tags(&path, sink, progress))?;
    if let Some(movies) = find(folder, "movies") {
        films(&movies, &tags, sink, progress)?;
    }
    acts(&ratings, sink, progress)
}

/// The files that an import of `path` reads, for the progress.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    ["tags", "movies", "ratings"].iter().filter_map(|name| find(folder, name)).collect()
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    first_existing(folder, &[&format!("{name}.csv"), &format!("{name}.csv.gz")])
}

/// The words that people gave to each film, each once, in the order of the alphabet.
fn tags(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut table = Table::open(path, &["movieId", "tag"], progress)?;
    table.each(sink, |row, _| {
        tags.entry(row.text("movieId")?.to_owned()).or_default().insert(row.text("tag")?.to_lowercase());
        Ok(Vec::new())
    })?;
    Ok(tags)
}

fn films(
    path: &Path,
    tags: &BTreeMap<String, BTreeSet<String>>,
    sink: &mut Sink,
    progress: &Arc<Progress>,
) -> Result<()> {
    let mut table = Table::open(path, &["movieId", "title", "genres"], progress)?;
    table.each(sink, |row, _| {
        let id = row.text("movieId")?.to_owned();
        let title = row.text("title")?.trim().to_owned();
        let genres = row.text("genres")?.split('|').filter(|genre| !genre.is_empty() && !genre.starts_with('('));
        let words: Vec<&str> = tags.get(&id).into_iter().flatten().map(String::as_str).collect();
        let mut description = words.join(", ");
        description.truncate(description.floor_char_boundary(limits::TEXT_BYTES_MAX));
        let topics = genres.map(|genre| genre.to_lowercase()).collect();
        let created_ms = year(&title).and_then(|year| day_ms(year, 1, 1)).unwrap_or(0);
        Ok(vec![Fact::Pin(Pin { id, title, description, topics, created_ms, ..Pin::default() })])
    })
}

/// The year in brackets at the end of a title.
fn year(title: &str) -> Option<i64> {
    title.trim_end().strip_suffix(')')?.rsplit_once('(')?.1.parse().ok()
}

fn acts(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let mut met = HashSet::new();
    let mut table = Table::open(path, &["userId", "movieId", "rating", "timestamp"], progress)?;
    table.each(sink, |row, known| {
        let (pinner, film) = (row.text("userId")?, row.text("movieId")?);
        let rating: f32 = row.number("rating")?;
        let ts_ms = row.number::<u64>("timestamp")?.saturating_mul(1_000);
        let mut facts = Vec::with_capacity(2);
        let board = format!("board-{pinner}");
        if met.insert(pinner.to_owned()) {
            let title = format!("Films that {pinner} likes");
            let owner = Some(pinner.to_owned());
            let name = format!("Pinner {pinner}");
            facts.push(Fact::Pinner(Pinner { id: pinner.to_owned(), name, ..Pinner::default() }));
            facts.push(Fact::Board(Board { id: board.clone(), title, pinner: owner, created_ms: 0 }));
        }
        if !known.has_pin(film) {
            facts.push(Fact::Pin(Pin { id: film.to_owned(), ..Pin::default() }));
        }
        let saved = rating >= SAVED_FROM;
        let act = if saved { save(pinner, film, &board, ts_ms) } else { event(pinner, Action::Closeup, film, ts_ms) };
        facts.push(Fact::Event(act));
        Ok(facts)
    })
}
