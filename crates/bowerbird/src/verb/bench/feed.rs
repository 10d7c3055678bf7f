//! `bowerbird bench feed`: the home feed through HTTP.

use super::load::{Measured, closed_loop, open_loop};
use super::planted::{Planted, Scratch};
use super::stages::Stages;
use crate::child::ServerProcess;
use crate::client::{Ask, Client, encoded};
use crate::config::FILE_NAME;
use crate::output::{print_json, thousands};
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result, bail};
use domain::{Fact, Params, Rng, TopicKind};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const READ_FACTS: usize = 8_192;
/// Feeds asked before anything is measured.
const WARM_UP_S: f64 = 2.0;
/// Requests per second [of a server's own data, of a planted catalogue].
const RATES: [f64; 2] = [100.0, 50.0];

/// Starts a server on the data directory and asks it for the feeds of its pinners.
///
/// First at a fixed rate, each request sent at its moment whether or not the server keeps up (latency counts from that
/// moment); then by clients that ask without a pause. Each feed leaves a request record in the event log; from those at
/// the fixed rate comes what each stage took. With --pins all this happens to a catalogue of that many pins, planted in
/// a directory of its own, to a server that starts from a snapshot, with an untrained model: its ranking head computes
/// what a trained one does. Quotas are such that L1 gets about 2,200 candidates, of which L2 gets l1_keep_max.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Requests per second [default: 100, with --pins 50].
    #[arg(long)]
    rate: Option<f64>,
    /// For how many seconds.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Pins per feed.
    #[arg(long, default_value_t = 25)]
    limit: usize,
    /// How many pinners are asked for, drawn from all.
    #[arg(long, default_value_t = 1_000)]
    pinners: usize,
    /// Clients of the second part.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Seed of the draw.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Secret of a key, when the configuration asks for keys.
    #[arg(long, env = "BOWERBIRD_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Configuration of the server [default: as `serve` finds it].
    #[arg(long, value_name = "FILE", conflicts_with = "pins")]
    server_config: Option<PathBuf>,
    /// Plant a catalogue of so many pins.
    #[arg(long)]
    pins: Option<u32>,
    /// How many saves of each planted pin, on average.
    #[arg(long, default_value_t = 4, requires = "pins")]
    saves: u32,
    /// Where the planted catalogue is made, and removed again [default: in the data directory].
    #[arg(long, value_name = "DIR", requires = "pins")]
    at: Option<PathBuf>,
}

impl Args {
    fn rate(&self) -> f64 {
        self.rate.unwrap_or(RATES[usize::from(self.pins.is_some())])
    }
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    if !(args.rate() > 0.0 && args.rate() <= 1e5 && args.seconds > 0.0 && args.seconds <= 3_600.0) {
        bail!("--rate and --seconds must be positive (at most 100000 and 3600)");
    }
    let Some(pins) = args.pins else {
        setup.must_exist()?;
        return load(args, setup);
    };
    if pins < 1_000 || args.saves > 100 {
        bail!("there is nothing to measure");
    }
    let scratch = Scratch::new(args.at.as_deref(), setup)?;
    let fresh = scratch.setup(setup);
    Planted { pins, saves: args.saves }.write(&fresh)?;
    write_config(&fresh.folder(FILE_NAME), &many_candidates(&setup.config.params))?;
    eprintln!("a first server reads the log and keeps a snapshot");
    drop(ServerProcess::start(&fresh, None)?);
    load(args, &fresh)
}

/// Quotas with which L1 gets about 2,200 candidates of a catalogue of a million pins.
fn many_candidates(usual: &Params) -> Params {
    let mut params = usual.clone();
    let generators = &mut params.generators;
    (generators.retrieval.quota_max, generators.walks.quota_max) = (800, 500);
    generators.content.quota_max = 400;
    params
}

/// A configuration of nothing but parameters.
fn write_config(path: &Path, params: &Params) -> Result<()> {
    let params = toml::Value::try_from(params).context("cannot write parameters down")?;
    let config = toml::Table::from_iter([("params".to_owned(), params)]);
    std::fs::write(path, toml::to_string(&config)?).with_context(|| format!("cannot write {}", path.display()))
}

/// Starts the server and asks.
fn load(args: &Args, setup: &Setup) -> Result<()> {
    let paths = Arc::new(feeds(args, setup)?);
    eprintln!("the server opens the data");
    let mut server = ServerProcess::start(setup, args.server_config.as_deref())?;
    let client = Client::new(&server.base, args.key.clone());
    // One thread, so that the load takes as little as possible from the server beside it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(args, setup, &paths, &mut server, &client))
}

async fn measure(
    args: &Args,
    setup: &Setup,
    paths: &Arc<Vec<Ask>>,
    server: &mut ServerProcess,
    client: &Client,
) -> Result<()> {
    let ready_s = server.ready(client).await?;
    eprintln!("server ready after {ready_s:.1} s; warming up");
    open_loop(client, paths, args.rate(), WARM_UP_S).await?;
    setup.stop.check()?;
    eprintln!("{} requests per second for {} s", args.rate(), args.seconds);
    let since_ms = now_ms();
    let steady = open_loop(client, paths, args.rate(), args.seconds).await?;
    let times = since_ms..now_ms();
    let (resident, _) = server.memory();
    setup.stop.check()?;
    eprintln!("{} clients without a pause for {:.0} s", args.clients, args.seconds / 2.0);
    let full = closed_loop(client, paths, args.clients.clamp(1, 512), args.seconds / 2.0).await?;
    let (_, peak) = server.memory();
    let stages = Stages::read(setup, times)?;
    tell(args, setup, (&steady, &full), &stages, (resident, peak), ready_s);
    if steady.failed() > 0 {
        bail!("{} of the requests at the fixed rate failed", steady.failed());
    }
    Ok(())
}

fn tell(
    args: &Args,
    setup: &Setup,
    (steady, full): (&Measured, &Measured),
    stages: &Stages,
    (resident, peak): (Option<u64>, Option<u64>),
    ready_s: f64,
) {
    let mib = |bytes: Option<u64>| bytes.map(|bytes| (bytes as f64 / (1 << 20) as f64 * 10.0).round() / 10.0);
    if setup.json {
        return print_json(&json!({
            "bench": "feed",
            "pins": args.pins,
            "rate": args.rate(),
            "limit": args.limit,
            "latency_ms_p50": steady.ms(0.5),
            "latency_ms_p99": steady.ms(0.99),
            "latency_ms_max": steady.ms(1.0),
            "requests_per_s": full.per_s(),
            "rss_mib": mib(resident),
            "rss_mib_max": mib(peak),
            "ready_s": ready_s,
            "at_rate": steady.json(),
            "saturated": full.json(),
            "funnel": stages.json(),
        }));
    }
    println!(
        "at {} requests per second: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms, {} failed",
        args.rate(),
        steady.ms(0.5),
        steady.ms(0.99),
        steady.ms(1.0),
        steady.failed()
    );
    stages.print();
    println!("at full load: {} requests per second, p99 {:.1} ms", thousands(full.per_s() as u64), full.ms(0.99));
    if let (Some(resident), Some(peak)) = (mib(resident), mib(peak)) {
        println!("memory of the server: {resident} MiB, at most {peak} MiB");
    }
}

/// The addresses of the feeds of pinners drawn from all who were imported.
fn feeds(args: &Args, setup: &Setup) -> Result<Vec<Ask>> {
    let log = setup.log()?;
    let mut pinners: Vec<String> = Vec::new();
    let mut from = 0;
    loop {
        let facts = log.read(TopicKind::Catalogue, from, READ_FACTS)?;
        let Some(last) = facts.last() else { break };
        from = last.0 + 1;
        pinners.extend(facts.into_iter().filter_map(|(_, _, fact)| match fact {
            Fact::Pinner(pinner) => Some(pinner.id),
            _ => None,
        }));
    }
    if pinners.is_empty() {
        bail!("{} knows no pinners: import something first", setup.data.display());
    }
    pinners.sort();
    pinners.dedup();
    Rng::new(args.seed).shuffle(&mut pinners);
    pinners.truncate(args.pinners.max(1));
    let path = |pinner: &String| Ask::get(format!("/v1/feed/{}?limit={}", encoded(pinner), args.limit));
    Ok(pinners.iter().map(path).collect())
}
