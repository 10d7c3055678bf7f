//! `bowerbird bench live`: searches while pins come, change and go.

use super::clock::quantile;
use super::vectors::{Rows, mixture};
use crate::output::{print_json, thousands};
use crate::progress::Progress;
use crate::setup::Setup;
use anyhow::{Result, ensure};
use domain::{PinId, Rng};
use index::{VectorIndex, Want};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Vectors that are written under one hold of the lock.
const BATCH: usize = 256;

/// Pins asked for, and how many of the true ones should be found.
const K: usize = 100;
const RECALL: f32 = 0.95;

/// Queries that recall is measured with, before and after.
const RECALL_QUERIES: usize = 200;

/// Upserts vectors at a steady rate on one thread (a part of the pins is taken away and given again with the same
/// vector), packs parts on a second, and searches on a third, one query after the other.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many pins there are.
    #[arg(long, default_value_t = 1_000_000)]
    pins: usize,
    /// Upserts a second.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// The part of the pins that is taken away and given again.
    #[arg(long, default_value_t = 0.3)]
    share: f64,
}

/// What the threads share.
struct Shared {
    index: RwLock<VectorIndex>,
    over: AtomicBool,
    compactions: AtomicU64,
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, VectorIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, VectorIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    ensure!(args.pins > K && args.rate > 0 && (0.0..=1.0).contains(&args.share), "there is nothing to measure");
    let (base, queries) = mixture(args.pins)?;
    let pins: Vec<PinId> = (0..args.pins as u32).map(PinId).collect();
    let index = VectorIndex::build(base.dim, 1, &pins, &base.values, 1)?;
    let before = recall(&index, &queries)?;
    let alone = search(&index, &queries, Instant::now() + Duration::from_secs(2))?;
    let shared = Shared { index: RwLock::new(index), over: AtomicBool::new(false), compactions: AtomicU64::new(0) };
    let (written, searched) = std::thread::scope(|threads| {
        threads.spawn(|| pack(&shared));
        let searching = threads.spawn(|| search_on(&shared, &queries));
        let written = write(args, &shared, &base, setup);
        shared.over.store(true, Ordering::Release);
        (written, searching.join().expect("invariant: searches do not panic"))
    });
    let ((upserts, seconds, found_ms), searched) = (written?, searched?);
    let index = shared.read();
    let after = recall(&index, &queries)?;
    ensure!(index.len() == args.pins, "{} of {} pins are left", index.len(), args.pins);
    let compactions = shared.compactions.load(Ordering::Acquire);
    let figures = json!({
        "bench": "live",
        "pins": args.pins,
        "upserts_per_s": (upserts as f64 / seconds).round(),
        "upserts": upserts,
        "found_after_ms_max": found_ms,
        "compactions": compactions,
        "recall_before": before,
        "recall_after": after,
        "alone": alone.json(),
        "while_writing": searched.json(),
        "bytes_per_vector": index.bytes() as f64 / args.pins as f64,
    });
    if setup.json {
        print_json(&figures);
    } else {
        println!("{} upserts a second, {compactions} compactions", thousands((upserts as f64 / seconds) as u64));
        println!("a new pin is found after at most {found_ms:.1} ms; recall@{K} {before:.4} before, {after:.4} after");
        println!("searches alone: {}", alone.words());
        println!("searches while pins are written: {}", searched.words());
    }
    Ok(())
}

/// Takes pins away and gives them again, in a seeded order, at the rate. How many were given, in how many seconds, and
/// the longest time (ms) that a given pin was not found by its own vector.
fn write(args: &Args, shared: &Shared, base: &Rows, setup: &Setup) -> Result<(u64, f64, f64)> {
    let mut order: Vec<u32> = (0..args.pins as u32).collect();
    Rng::new(7).shuffle(&mut order);
    order.truncate((args.pins as f64 * args.share) as usize);
    let progress = Progress::new("writing", order.len() as u64);
    let (started, mut given, mut found_ms) = (Instant::now(), 0u64, 0.0f64);
    for batch in order.chunks(BATCH) {
        setup.stop.check()?;
        let pins: Vec<PinId> = batch.iter().copied().map(PinId).collect();
        let rows: Vec<f32> = batch.iter().flat_map(|&pin| base.row(pin as usize)).copied().collect();
        {
            let mut index = shared.write();
            pins.iter().for_each(|&pin| index.remove(pin));
        }
        let since = Instant::now();
        shared.write().upsert_all(1, &pins, &rows)?;
        let found = shared.read().search(1, base.row(batch[0] as usize), &Want { recall: RECALL, ..Want::best(K) })?;
        ensure!(found.pins.iter().any(|(pin, _)| pin.0 == batch[0]), "pin {} was given and is not found", batch[0]);
        found_ms = found_ms.max(since.elapsed().as_secs_f64() * 1e3);
        given += batch.len() as u64;
        progress.add(batch.len() as u64);
        let due = Duration::from_secs_f64(given as f64 / args.rate as f64);
        std::thread::sleep(due.saturating_sub(started.elapsed()));
    }
    progress.finish("written");
    Ok((given, started.elapsed().as_secs_f64(), found_ms))
}

/// Packs parts whenever it is worth while.
fn pack(shared: &Shared) {
    while !shared.over.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(50));
        if !shared.read().wants_compaction() {
            continue;
        }
        let Some(compaction) = shared.write().begin_compaction(1) else { continue };
        let compacted = compaction.run();
        let replaced = shared.write().publish(compacted);
        // Freed when nobody waits for the lock any more.
        drop(replaced);
        shared.compactions.fetch_add(1, Ordering::AcqRel);
    }
}

/// Times of searches (µs).
struct Searched {
    micros: Vec<f64>,
    seconds: f64,
}

impl Searched {
    fn quantile(&self, part: f64) -> f64 {
        quantile(&self.micros, part)
    }

    fn per_s(&self) -> f64 {
        self.micros.len() as f64 / self.seconds.max(1e-9)
    }

    fn json(&self) -> Value {
        json!({ "queries_per_s": self.per_s().round(), "p50_us": self.quantile(0.5), "p99_us": self.quantile(0.99) })
    }

    fn words(&self) -> String {
        let per_s = thousands(self.per_s() as u64);
        format!("{per_s} a second, p50 {:.0} µs, p99 {:.0} µs", self.quantile(0.5), self.quantile(0.99))
    }
}

fn search(index: &VectorIndex, queries: &Rows, until: Instant) -> Result<Searched> {
    timed(queries, || Instant::now() < until, |query| Ok(index.search(1, query, &want()).map(drop)?))
}

fn search_on(shared: &Shared, queries: &Rows) -> Result<Searched> {
    let going = || !shared.over.load(Ordering::Acquire);
    timed(queries, going, |query| Ok(shared.read().search(1, query, &want()).map(drop)?))
}

fn timed(queries: &Rows, going: impl Fn() -> bool, mut ask: impl FnMut(&[f32]) -> Result<()>) -> Result<Searched> {
    let (started, mut micros) = (Instant::now(), Vec::new());
    for query in (0..queries.rows()).cycle() {
        if !going() {
            break;
        }
        let since = Instant::now();
        ask(queries.row(query))?;
        micros.push(since.elapsed().as_secs_f64() * 1e6);
    }
    let seconds = started.elapsed().as_secs_f64();
    micros.sort_unstable_by(f64::total_cmp);
    Ok(Searched { micros, seconds })
}

fn want() -> Want<'static> {
    Want { recall: RECALL, ..Want::best(K) }
}

/// Mean recall of the first queries against a scan of all rows.
fn recall(index: &VectorIndex, queries: &Rows) -> Result<f64> {
    let count = RECALL_QUERIES.min(queries.rows());
    let mut sum = 0.0;
    for query in (0..count).map(|query| queries.row(query)) {
        let found = index.search(1, query, &want())?;
        sum += f64::from(index.recall(1, query, &want(), &found.pins)?);
    }
    Ok(sum / count as f64)
}
