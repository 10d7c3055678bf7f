//! `bowerbird bench ingest`: how many events a second become durable.

use crate::import::import_jsonl;
use crate::output::{print_json, thousands};
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result};
use domain::{Action, Event, EventId, Fact, Rng};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Facts of one append, as in `import`.
const BATCH_FACTS: usize = 8_192;

/// Writes events to a JSONL file, imports it into a fresh data directory beside the given one, and appends the same
/// events once more without parsing; everything is on disk before it counts. The directory is removed afterwards.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many events.
    #[arg(long, default_value_t = 500_000)]
    events: u64,
    /// Where the fresh data directory is made [default: in the data directory, so that the same disk is measured].
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
}

/// A directory that is removed with this value.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let parent = args.at.clone().unwrap_or_else(|| setup.data.clone());
    let scratch = Scratch(parent.join(format!("bench-{}", std::process::id())));
    std::fs::create_dir_all(&scratch.0).with_context(|| format!("cannot make {}", scratch.0.display()))?;
    let file = scratch.0.join("events.jsonl");
    write_events(&file, args.events)?;
    let mut fresh = setup.clone();
    fresh.config.data = crate::config::DataConfig::default();

    fresh.data = scratch.0.join("import");
    let started = Instant::now();
    let summary = import_jsonl(&file, &fresh)?;
    let import_s = started.elapsed().as_secs_f64();

    fresh.data = scratch.0.join("append");
    let (append_s, bytes) = append(args.events, &fresh)?;
    let (import, append) = (args.events as f64 / import_s, args.events as f64 / append_s);
    if setup.json {
        print_json(&json!({
            "bench": "ingest",
            "events": args.events,
            "events_per_s": import.round(),
            "seconds": import_s,
            "accepted": summary,
            "append_events_per_s": append.round(),
            "append_seconds": append_s,
            "bytes_per_event": bytes as f64 / args.events.max(1) as f64,
        }));
    } else {
        println!("import of JSONL: {} events per second, durable", thousands(import as u64));
        println!("appends alone: {} events per second, durable", thousands(append as u64));
    }
    Ok(())
}

/// The event number `number` of the bench.
fn event(number: u64, now_ms: u64) -> Event {
    let mut rng = Rng::new(number);
    let actions = [Action::Impression, Action::Impression, Action::Closeup, Action::Click, Action::Save];
    let action = actions[rng.below(5) as usize];
    let ts_ms = now_ms - number % 86_400_000;
    Event {
        event_id: EventId::new(now_ms, u128::from(rng.next_u64()) << 16 | u128::from(number & 0xFFFF)),
        pin: Some(format!("pin-{}", rng.below(100_000))),
        board: (action == Action::Save).then(|| format!("board-{}", rng.below(50_000))),
        position: Some(rng.below(100) as u16),
        value: (action == Action::Closeup).then_some(1_500.0),
        ..Event::new(format!("pinner-{}", rng.below(50_000)), action, ts_ms)
    }
}

fn write_events(path: &Path, events: u64) -> Result<()> {
    let now_ms = now_ms();
    let mut file = BufWriter::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?);
    for number in 0..events {
        let event = event(number, now_ms);
        let mut row = json!({
            "type": "event",
            "event_id": event.event_id.to_string(),
            "ts": event.ts_ms,
            "pinner": event.pinner,
            "action": event.action.as_str(),
            "surface": event.surface.as_str(),
            "pin": event.pin,
            "position": event.position,
        });
        for (name, value) in [("board", event.board.map(Into::into)), ("value", event.value.map(Into::into))] {
            if let Some(value) = value {
                row[name] = value;
            }
        }
        writeln!(file, "{row}")?;
    }
    file.flush().context("cannot write the events")
}

/// Appends events that lie in memory; gives seconds and bytes on disk.
fn append(events: u64, setup: &Setup) -> Result<(f64, u64)> {
    let log = setup.log()?;
    let now_ms = now_ms();
    let mut spent_s = 0.0;
    let mut number = 0;
    while number < events {
        let end = (number + BATCH_FACTS as u64).min(events);
        let fact = |number| {
            let event = event(number, now_ms);
            (event.event_id, Fact::Event(event))
        };
        let batch: Vec<(EventId, Fact)> = (number..end).map(fact).collect();
        let started = Instant::now();
        log.append(&batch).context("cannot append")?;
        spent_s += started.elapsed().as_secs_f64();
        number = end;
    }
    drop(log);
    Ok((spent_s, folder_bytes(&setup.folder("log"))))
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
