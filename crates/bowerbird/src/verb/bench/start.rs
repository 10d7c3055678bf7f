//! `bowerbird bench start`: how long a start takes, from a snapshot and without one.

use super::clock::{median, peak_bytes};
use super::planted::{Planted, Scratch};
use crate::engine::Engine;
use crate::output::{print_json, thousands};
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result, bail, ensure};
use domain::{PinId, Request, Surface, TopicKind};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Makes a data directory (pins with titles and vectors of 64 dimensions, saves to boards, an untrained model), brings
/// the views up to it from the log alone, keeps them as a snapshot, and starts from that in fresh processes as a server
/// does: until the first feed is served. The files are in the cache of the system by then.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many pins.
    #[arg(long, default_value_t = 1_000_000)]
    pins: u32,
    /// How many saves of each pin, on average.
    #[arg(long, default_value_t = 4)]
    saves: u32,
    /// How many starts are measured.
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Where the directory is made, and removed again [default: in the data directory].
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
    /// Start from what lies in the data directory, serve a feed, tell, end: what each measured process does.
    #[arg(long, hide = true)]
    once: bool,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    if args.once {
        print_json(&start(setup)?);
        return Ok(());
    }
    ensure!(args.pins >= 1_000 && args.starts > 0 && args.saves <= 100, "there is nothing to measure");
    let scratch = Scratch::new(args.at.as_deref(), setup)?;
    let fresh = scratch.setup(setup);
    Planted { pins: args.pins, saves: args.saves }.write(&fresh)?;
    let rebuilt = rebuild(&fresh)?;
    let starts = (0..args.starts).map(|_| in_a_process(&fresh)).collect::<Result<Vec<Value>>>()?;
    tell(args, setup, &rebuilt, &starts);
    Ok(())
}

/// Opens the data without a snapshot, serves a feed, and keeps the views as a snapshot.
fn rebuild(setup: &Setup) -> Result<Value> {
    // Kept by hand below, so that the two are told apart.
    let mut setup = setup.clone();
    setup.config.server.snapshot_facts_min = 1 << 40;
    let since = Instant::now();
    let engine = Engine::open(&setup)?;
    ensure!(engine.opening.snapshot.is_none(), "there is a snapshot already");
    let opened_s = since.elapsed().as_secs_f64();
    engine.install_live()?;
    let installed_s = since.elapsed().as_secs_f64() - opened_s;
    feed(&engine, &setup)?;
    let total_s = since.elapsed().as_secs_f64();
    let (stop, since) = (std::sync::atomic::AtomicBool::new(false), Instant::now());
    let longest_ms = std::thread::scope(|threads| -> Result<f64> {
        let asking = threads.spawn(|| longest_feed_ms(&engine, &setup, &stop));
        engine.keep();
        stop.store(true, std::sync::atomic::Ordering::Release);
        asking.join().expect("invariant: feeds do not panic")
    })?;
    ensure!(engine.consumer.since_kept() == 0, "the views were not kept");
    Ok(json!({
        "views_s": opened_s,
        "pin_vectors_s": installed_s,
        "seconds": total_s,
        "snapshot_write_s": since.elapsed().as_secs_f64(),
        "feed_ms_max_meanwhile": longest_ms,
        "snapshot_bytes": bytes(&setup),
        "edges": engine.views.graph().edges(),
        "facts": engine.log.end(TopicKind::Catalogue) + engine.log.end(TopicKind::Events),
        "peak_bytes": peak_bytes(),
    }))
}

/// The longest time (ms) that a feed took, of those asked for one after the other until it is over.
fn longest_feed_ms(engine: &Engine, setup: &Setup, over: &std::sync::atomic::AtomicBool) -> Result<f64> {
    let mut longest_ms = 0.0f64;
    while !over.load(std::sync::atomic::Ordering::Acquire) {
        let since = Instant::now();
        feed(engine, setup)?;
        longest_ms = longest_ms.max(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(longest_ms)
}

fn bytes(setup: &Setup) -> u64 {
    let folders = std::fs::read_dir(setup.folder("snapshots")).into_iter().flatten().flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

/// Starts as a server does, until a feed is served.
fn start(setup: &Setup) -> Result<Value> {
    let since = Instant::now();
    let engine = Engine::open(setup)?;
    let opened_s = since.elapsed().as_secs_f64();
    engine.install_live()?.context("there is no model")?;
    let installed_s = since.elapsed().as_secs_f64() - opened_s;
    let shown = feed(&engine, setup)?;
    let seconds = since.elapsed().as_secs_f64();
    let mut parts: Vec<(&str, f64)> = engine.opening.parts.clone();
    parts.extend([("model", installed_s), ("first feed", seconds - opened_s - installed_s)]);
    let by_part: Value =
        parts.iter().map(|(part, s)| ((*part).to_owned(), json!(s))).collect::<serde_json::Map<_, _>>().into();
    Ok(json!({
        "snapshot": engine.opening.snapshot,
        "seconds": seconds,
        "parts_s": by_part,
        "followed": engine.opening.followed,
        "shown": shown,
        "pins": engine.views.catalogue().pins(),
        "edges": engine.views.graph().edges(),
        "content": engine.views.content().len(),
        "words": engine.views.text().len(),
        "pin_vectors": engine.views.installed().map_or(0, |installed| installed.pins()),
        "peak_bytes": peak_bytes(),
    }))
}

/// Serves a home feed; how many pins it shows.
fn feed(engine: &Engine, setup: &Setup) -> Result<usize> {
    let pinner = engine.views.catalogue().pinner("pinner-7");
    let request =
        Request { pinner_key: "pinner-7".into(), pinner, limit: 25, ..Request::new(Surface::Home, now_ms(), 1) };
    let slate = engine.pipeline().rank_now(request, &setup.config.params);
    ensure!(!slate.items.is_empty(), "the feed is empty");
    let known = engine.views.catalogue().pins() as u32;
    ensure!(slate.items.iter().all(|item| item.pin < PinId(known)), "the feed shows what is not there");
    Ok(slate.items.len())
}

/// One start in a process of its own: what it says, and how long it took from outside.
fn in_a_process(setup: &Setup) -> Result<Value> {
    let program = std::env::current_exe().context("cannot find this program's file")?;
    let mut command = Command::new(program);
    command.arg("--data").arg(&setup.data).args(["bench", "start", "--once", "--json"]).stdin(Stdio::null());
    let since = Instant::now();
    let output = command.stderr(Stdio::inherit()).output().context("cannot start the process")?;
    let outside_s = since.elapsed().as_secs_f64();
    if !output.status.success() {
        bail!("the process ended: {}", output.status);
    }
    let mut told: Value = serde_json::from_slice(&output.stdout).context("the process says no JSON")?;
    told["with_process_s"] = json!(outside_s);
    ensure!(told["snapshot"].is_u64(), "the start was not from a snapshot");
    Ok(told)
}

fn tell(args: &Args, setup: &Setup, rebuilt: &Value, starts: &[Value]) {
    let seconds = |of: &str| median(starts.iter().filter_map(|start| start[of].as_f64()).collect());
    let figures = json!({
        "bench": "start",
        "pins": args.pins,
        "start_s": seconds("seconds"),
        "start_with_process_s": seconds("with_process_s"),
        "rebuild_s": rebuilt["seconds"],
        "rebuilt": rebuilt,
        "starts": starts,
    });
    if setup.json {
        return print_json(&figures);
    }
    println!("{} pins, {} edges", thousands(args.pins.into()), thousands(rebuilt["edges"].as_u64().unwrap_or(0)));
    println!("from the log alone: {:.1} s until a feed", rebuilt["seconds"].as_f64().unwrap_or(0.0));
    println!("from a snapshot: {:.2} s until a feed (median of {})", seconds("seconds"), starts.len());
    for (part, s) in starts[0]["parts_s"].as_object().into_iter().flatten() {
        println!("  {part:<12} {:.3} s", s.as_f64().unwrap_or(0.0));
    }
}
