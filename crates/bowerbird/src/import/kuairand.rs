//! KuaiRand: a log of shown videos with what people did; videos become pins, histories the time before the log.

use super::pinterest::{event, save};
use super::sink::Sink;
use super::table::{Fields, Table, first_existing};
use crate::moment::{DAY_MS, Unit, parse};
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::{Action, Board, Event, Fact, Pin, Pinner, Surface};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Histories carry an order but only their last moment: one event a minute is assumed.
const HISTORY_STEP_MS: u64 = 60_000;
/// The columns of the log that say what was done, the cell that says it, and what we call it. A log of likes and hates
/// alone says both in one column.
const DEEDS: [(&str, &str, Action); 10] = [
    ("is_click", "1", Action::Closeup),
    ("is_profile_enter", "1", Action::Click),
    ("long_view", "1", Action::LongClick),
    ("is_like", "1", Action::Save),
    ("label", "1", Action::Save),
    ("is_forward", "1", Action::Share),
    ("is_follow", "1", Action::Follow),
    ("is_comment", "1", Action::Comment),
    ("is_hate", "1", Action::Hide),
    ("label", "0", Action::Hide),
];
/// Columns of videos that become traits as they are.
const VIDEO_TRAITS: [&str; 5] = ["video_type", "upload_type", "visible_status", "music_type", "music_id"];
/// What stands in cells of which nothing is known.
const UNKNOWN: [&str; 3] = ["", "-124", "unknown"];

/// Imports a folder of KuaiRand, or one log file and what lies beside it.
pub(crate) fn import(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let Parts { videos, pinners, histories, logs } = parts(path)?;
    for path in &videos {
        pins(path, sink, progress)?;
    }
    for path in &pinners {
        people(path, sink, progress)?;
    }
    for path in &histories {
        history(path, sink, progress)?;
    }
    logs.iter().try_for_each(|path| log(path, sink, progress))
}

/// The files that an import of `path` reads.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    parts(path).map_or_else(|_| Vec::new(), |p| [p.videos, p.pinners, p.histories, p.logs].concat())
}

struct Parts {
    videos: Vec<PathBuf>,
    pinners: Vec<PathBuf>,
    histories: Vec<PathBuf>,
    logs: Vec<PathBuf>,
}

fn parts(path: &Path) -> Result<Parts> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    let starting = |start: &str, end: &str| -> Vec<PathBuf> {
        let fits = |path: &&PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(start) && name.trim_end_matches(".gz").ends_with(end)
        };
        files.iter().filter(fits).cloned().collect()
    };
    let one = |name: &str| first_existing(folder, &[&format!("{name}.csv"), &format!("{name}.csv.gz")]);
    let logs = if path.is_dir() { starting("log_", ".csv") } else { vec![path.to_owned()] };
    anyhow::ensure!(!logs.is_empty(), "{} holds no log_….csv", folder.display());
    Ok(Parts {
        videos: one("video_features_basic").into_iter().collect(),
        pinners: one("user_features").into_iter().collect(),
        histories: starting("user_histories", ".jsonl"),
        logs,
    })
}

fn pins(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    Table::open(path, &["video_id", "author_id", "tag", "upload_dt"], progress)?.each(sink, |row, _| {
        let id = row.text("video_id")?.to_owned();
        let topics = tags(row).collect();
        let traits = VIDEO_TRAITS.iter().filter_map(|column| trait_of(column, row.optional(column)?));
        let traits = traits.filter(|word| word != "music_id=0").chain(duration(row)).collect();
        let creator = row.optional("author_id").map(|author| format!("author {author}"));
        let created_ms = row.optional("upload_dt").and_then(|day| parse(day, Unit::Milli).ok()).unwrap_or(0);
        let title = format!("Video {id}");
        Ok(vec![Fact::Pin(Pin { id, title, creator, topics, traits, created_ms, ..Pin::default() })])
    })
}

/// A cell as a trait; nothing when nothing is known. Whole numbers are written as such, so that 1 and 1.0 are one.
fn trait_of(column: &str, cell: &str) -> Option<String> {
    let cell = cell.trim().to_lowercase();
    let cell = cell.strip_suffix(".0").unwrap_or(&cell);
    (!UNKNOWN.contains(&cell)).then(|| format!("{column}={cell}"))
}

/// How long a video is, as the whole part of the binary logarithm of its milliseconds.
fn duration(row: &Fields) -> Option<String> {
    let ms: f64 = row.optional("video_duration")?.parse().ok()?;
    (ms >= 1.0).then(|| format!("video_duration_log2={}", ms.log2().floor()))
}

/// What is known of a person: every column, but for counts that come as ranges too.
fn traits_of_person(row: &Fields) -> Vec<String> {
    let ranged = |column: &str| row.named().any(|(other, _)| other.strip_suffix("_range") == Some(column));
    let known = row.named().filter(|(column, _)| *column != "user_id" && !ranged(column));
    known.filter_map(|(column, cell)| trait_of(column, cell)).collect()
}

fn tags<'a>(row: &Fields<'a>) -> impl Iterator<Item = String> + use<'a> {
    let cell = row.optional("tag").unwrap_or_default();
    cell.split(',').map(str::trim).filter(|tag| !tag.is_empty() && *tag != "unknown").map(|tag| format!("tag {tag}"))
}

fn people(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    // Days are counted back from the first day of the log.
    let counted_from_ms = 19_107 * DAY_MS;
    Table::open(path, &["user_id"], progress)?.each(sink, |row, _| {
        let id = row.text("user_id")?.to_owned();
        let days: u64 = row.optional("register_days").and_then(|days| days.parse().ok()).unwrap_or(0);
        let created_ms = counted_from_ms.saturating_sub(days.saturating_mul(DAY_MS));
        let (name, traits) = (format!("Pinner {id}"), traits_of_person(row));
        Ok(vec![Fact::Pinner(Pinner { id, name, language: None, traits, created_ms })])
    })
}

#[derive(Deserialize)]
struct History {
    user_id: u64,
    last_time_ms: u64,
    #[serde(default)]
    watch: Vec<u64>,
    #[serde(default)]
    like: Vec<u64>,
    #[serde(default)]
    long: Vec<u64>,
}

fn history(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    sink.each_line(path, progress, |text, _, sink| match serde_json::from_str::<History>(text) {
        Ok(history) => earlier(&history, sink),
        Err(error) => sink.refuse(&error.to_string()),
    })
}

/// Brings a history to the sink: what was watched as impressions, then what was liked and watched for long at the
/// moment of its impression, or before all of them when that is no longer known.
fn earlier(history: &History, sink: &mut Sink) -> Result<()> {
    let pinner = history.user_id.to_string();
    let start_ms = history.last_time_ms.saturating_sub(history.watch.len() as u64 * HISTORY_STEP_MS);
    let mut moments = HashMap::new();
    for (place, video) in (1..).zip(&history.watch) {
        let ts_ms = start_ms + place * HISTORY_STEP_MS;
        moments.insert(*video, ts_ms);
        shown(&pinner, *video, Action::Impression, ts_ms, sink)?;
    }
    for (videos, action) in [(&history.long, Action::LongClick), (&history.like, Action::Save)] {
        for (place, video) in (0..).zip(videos.iter().rev()) {
            let before_ms = start_ms.saturating_sub(place * HISTORY_STEP_MS);
            shown(&pinner, *video, action, moments.get(video).copied().unwrap_or(before_ms), sink)?;
        }
    }
    Ok(())
}

fn shown(pinner: &str, video: u64, action: Action, ts_ms: u64, sink: &mut Sink) -> Result<()> {
    let video = video.to_string();
    sink.bare_pin(&video, 0)?;
    sink.fact(Fact::Event(deed(pinner, action, &video, ts_ms)))
}

fn deed(pinner: &str, action: Action, video: &str, ts_ms: u64) -> Event {
    match action {
        Action::Save => save(pinner, video, &format!("board-{pinner}"), ts_ms),
        _ => event(pinner, action, video, ts_ms),
    }
}

fn log(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let mut boards = HashSet::new();
    let mut table = Table::open(path, &["user_id", "video_id", "time_ms", "is_click", "long_view"], progress)?;
    if !table.header().iter().any(|column| column == "label") {
        table.must_have(&["is_like", "is_hate"])?;
    }
    table.each(sink, |row, known| {
        let (pinner, video) = (row.text("user_id")?, row.text("video_id")?);
        let ts_ms = row.number("time_ms")?;
        let surface = surface(row);
        let watched_ms: Option<f32> = row.optional("play_time_ms").map(|_| row.number("play_time_ms")).transpose()?;
        let mut facts = Vec::with_capacity(4);
        if !known.has_pin(video) {
            facts.push(Fact::Pin(Pin { id: video.to_owned(), ..Pin::default() }));
        }
        facts.push(Fact::Event(Event {
            surface,
            value: watched_ms,
            ..event(pinner, Action::Impression, video, ts_ms)
        }));
        for (column, cell, action) in DEEDS {
            if row.optional(column) != Some(cell) {
                continue;
            }
            if action == Action::Save && boards.insert(pinner.to_owned()) {
                let owner = Some(pinner.to_owned());
                let title = format!("Videos that {pinner} likes");
                facts.push(Fact::Board(Board { id: format!("board-{pinner}"), title, pinner: owner, created_ms: 0 }));
            }
            let value = watched_ms.filter(|_| matches!(action, Action::Closeup | Action::LongClick));
            facts.push(Fact::Event(Event { surface, value, ..deed(pinner, action, video, ts_ms) }));
        }
        Ok(facts)
    })
}

/// The surface that stands for a tab of the app: tabs have numbers and no names, so the four that were used most get a
/// surface each and the others share one. Home where the log does not tell.
fn surface(row: &Fields) -> Surface {
    match row.optional("tab") {
        None | Some("1") => Surface::Home,
        Some("0") => Surface::Related,
        Some("4") => Surface::Search,
        Some("6") => Surface::Board,
        Some(_) => Surface::Notification,
    }
}
