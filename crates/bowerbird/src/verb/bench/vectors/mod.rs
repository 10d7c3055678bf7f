//! `bowerbird bench vectors`: how quick and how exact the vector index is, alone on one thread.

mod curve;
mod exchange;
mod learned;
mod truth;
mod workload;

use super::clock;
use crate::output::{print_json, print_table, thousands};
use crate::progress::Progress;
use crate::setup::Setup;
use anyhow::{Context, Result, ensure};
use curve::Point;
use domain::PinId;
use exchange::Exchange;
pub(super) use exchange::Rows;
use index::VectorIndex;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use workload::Workload;

/// Builds the index on a workload and walks its curve: recall against queries per CPU second on one thread, queries one
/// by one, without and with filters; memory, build and start-up.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workload: mixture-1m-64, or fashion or pinterest (the pins of a trained data directory), or a TOML file.
    #[arg(long, default_value = "mixture-1m-64")]
    workload: String,
    /// Write the workload with its exact answers to this folder and measure nothing: what other indexes are run on.
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    export: Option<PathBuf>,
    /// Read the workload from such a folder.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Leave the filters out.
    #[arg(long)]
    unfiltered: bool,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let exchange = match &args.from {
        Some(folder) => Exchange::read(folder)?,
        None => make(&args.workload, setup)?,
    };
    if let Some(folder) = &args.export {
        exchange.write(folder)?;
        eprintln!("{}: {} vectors in {}", exchange.workload, thousands(exchange.vectors() as u64), folder.display());
        return Ok(());
    }
    let (built, index) = build(&exchange)?;
    let started = start_up(&index, &setup.data)?;
    let points = curve::walk(&exchange, &index, !args.unfiltered)?;
    if setup.json {
        let mut object = json!({ "bench": "vectors", "workload": exchange.workload, "vectors": exchange.vectors() });
        for part in [built, started] {
            part.as_object().into_iter().flatten().for_each(|(key, value)| object[key] = value.clone());
        }
        object["points"] = points.iter().map(Point::json).collect();
        print_json(&object);
    } else {
        print(&built, &started, &points);
    }
    Ok(())
}

/// The workload with its exact answers.
fn make(name: &str, setup: &Setup) -> Result<Exchange> {
    let workload = Workload::load(name)?;
    let (base, queries) = workload.vectors(setup)?;
    let filters = workload.filters(&base)?;
    let progress = Progress::new("exact answers", queries.rows() as u64 * (filters.len() as u64 + 1));
    let truths = truth::all(&base, &queries, &filters, &progress);
    progress.finish("found");
    Ok(Exchange { workload: workload.name, seed: workload.seed, base, queries, filters, truths })
}

/// So many vectors of the mixture, and queries.
pub(super) fn mixture(vectors: usize) -> Result<(Rows, Rows)> {
    Workload::load("mixture-1m-64")?.of_size(vectors).drawn()
}

fn build(exchange: &Exchange) -> Result<(Value, VectorIndex)> {
    let pins: Vec<PinId> = (0..exchange.vectors() as u32).map(PinId).collect();
    let (since, cpu_s) = (Instant::now(), clock::thread_cpu_s());
    let index = VectorIndex::build(exchange.base.dim, 1, &pins, &exchange.base.values, exchange.seed)?;
    let (wall_s, cpu_s) = (since.elapsed().as_secs_f64(), clock::thread_cpu_s() - cpu_s);
    let bytes = index.bytes();
    let built = json!({
        "build_cpu_s": cpu_s,
        "build_wall_s": wall_s,
        "bytes_resident": bytes,
        "bytes_per_vector": bytes as f64 / exchange.vectors().max(1) as f64,
    });
    Ok((built, index))
}

/// Writes a snapshot, maps it and opens it, as a start does.
fn start_up(index: &VectorIndex, data: &Path) -> Result<Value> {
    let folder = if data.is_dir() { data.to_owned() } else { std::env::temp_dir() };
    let path = folder.join(format!("bench-{}.vectors", std::process::id()));
    let written = write_snapshot(index, &path);
    let since = Instant::now();
    let opened = written.and_then(|()| {
        let bytes = store::map(&path)?;
        Ok((bytes.len(), VectorIndex::open(&bytes)?))
    });
    let open_s = since.elapsed().as_secs_f64();
    let removed = std::fs::remove_file(&path);
    let (bytes_saved, opened) = opened?;
    removed.with_context(|| format!("cannot remove {}", path.display()))?;
    ensure!(opened.len() == index.len(), "the snapshot holds {} of {} vectors", opened.len(), index.len());
    Ok(json!({ "bytes_saved": bytes_saved, "open_s": open_s }))
}

fn write_snapshot(index: &VectorIndex, path: &Path) -> Result<()> {
    let file = std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = std::io::BufWriter::new(file);
    index.compacted(1).write(&mut out)?;
    std::io::Write::flush(&mut out)?;
    Ok(())
}

fn print(built: &Value, started: &Value, points: &[Point]) {
    println!(
        "built in {:.1} CPU seconds, {:.1} bytes a vector; opened in {:.2} s",
        built["build_cpu_s"].as_f64().unwrap_or_default(),
        built["bytes_per_vector"].as_f64().unwrap_or_default(),
        started["open_s"].as_f64().unwrap_or_default(),
    );
    let headings = ["k", "filter", "plan", "asked recall", "recall", "queries/CPU s", "p50 µs", "p99 µs", "rows"];
    let rows: Vec<Vec<String>> = points.iter().map(Point::cells).collect();
    print_table(&headings.map(str::to_owned), &rows);
}
