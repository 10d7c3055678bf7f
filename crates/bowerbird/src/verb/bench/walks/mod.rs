//! `bowerbird bench walks`: random walks on a graph of 100 M edges, on one thread.

mod limit;
mod measure;
mod workload;

use super::clock::{Clock, peak_bytes};
use crate::output::{print_json, print_table, thousands};
use crate::setup::Setup;
use anyhow::{Result, ensure};
use bytes::Bytes;
use domain::WalkParams;
use graph::{Graph, WalkConfig};
use measure::{READS_A_STEP, STEPS, Walks};
use serde_json::{Value, json};
use workload::Workload;

/// Pinners whose walks are timed.
const PINNERS: u64 = 1_000;

/// Chances to go on after a step: the default, and longer walks.
const CHANCES: [f64; 3] = [0.2, 0.5, 0.9];

/// New edges that are added and merged.
const NEW_EDGES: u32 = 200_000;

/// Builds the graph, keeps and opens its snapshot, and walks: steps a second against what bare random reads of the same
/// bytes reach, latency of walks of 100,000 steps from many pins, what stopping early keeps, sampling, merging.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The part of the 100 M edges (and of pins and boards).
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    ensure!(args.scale > 0.0 && args.scale <= 10.0, "--scale is beyond 0 to 10");
    let workload = Workload::large()?.scaled(args.scale);
    eprintln!("building a graph of {} edges", thousands(workload.edges));
    let (built, how) = measure::build(workload);
    let entries = (2 * how.edges) as f64;
    let mut figures = json!({
        "bench": "walks",
        "edges": how.edges,
        "pins": workload.pins,
        "boards": workload.boards,
        "build_cpu_s": how.cpu_s,
        "build_edges_made_up_cpu_s": how.edges_cpu_s,
        "bytes_per_edge_direction": how.bytes as f64 / entries,
        "build_peak_bytes": how.peak_bytes,
    });
    setup.stop.check()?;
    let (mut graph, bytes, opened) = snapshot(built)?;
    figures["snapshot"] = opened;
    eprintln!("walking");
    figures["speed"] = CHANCES.iter().map(|&chance| speed(&graph, &bytes, workload, chance)).collect();
    setup.stop.check()?;
    figures["multi_query"] = CHANCES[..2].iter().map(|&chance| multi_query(&graph, workload, chance)).collect();
    figures["samples_per_cpu_s"] = measure::samples_per_s(&graph, 2_000).round().into();
    let (add_ns, merge_cpu_s, publish_ms) = measure::merge(&mut graph, NEW_EDGES);
    figures["overlay"] =
        json!({ "edges": NEW_EDGES, "add_ns": add_ns, "merge_cpu_s": merge_cpu_s, "publish_ms": publish_ms });
    figures["peak_bytes"] = json!(peak_bytes());
    if setup.json {
        print_json(&figures)
    } else {
        print(&figures)
    }
    Ok(())
}

/// The graph from its snapshot, as a start opens it.
fn snapshot(built: Graph) -> Result<(Graph, Bytes, Value)> {
    let mut written = Vec::with_capacity(built.bytes() as usize + 4_096);
    built.write(&mut written)?;
    drop(built);
    let bytes = Bytes::from(written);
    let clock = Clock::start();
    let graph = Graph::open(&bytes)?;
    let opened = json!({ "bytes": bytes.len(), "open_s": clock.wall_s() });
    Ok((graph, bytes, opened))
}

fn speed(graph: &Graph, bytes: &Bytes, workload: Workload, chance: f64) -> Value {
    let speed = measure::speed(graph, bytes, workload, chance as f32);
    json!({
        "continue_chance": chance,
        "steps_per_s": speed.steps_per_s.round(),
        "random_reads_per_s": speed.reads_per_s.round(),
        "reads_per_step": READS_A_STEP,
        "share_of_random_reads": speed.share(),
    })
}

/// Walks of all steps, and the same ones with early stopping by the default rule.
fn multi_query(graph: &Graph, workload: Workload, chance: f64) -> Value {
    let WalkParams { stop_pins, stop_visits, .. } = WalkParams::default();
    let walks = |stop_pins| {
        let config = WalkConfig { stop_pins, stop_visits, continue_chance: chance as f32, ..measure::config(0) };
        measure::walks(graph, workload, PINNERS, &config)
    };
    let (all, early) = (walks(0), walks(stop_pins));
    let figures = |walks: &Walks| {
        json!({
            "steps": walks.steps_mean.round(),
            "part_of_steps": walks.steps_mean / f64::from(STEPS),
            "cpu_ms_p50": walks.cpu_ms_p50,
            "cpu_ms_p99": walks.cpu_ms_p99,
            "wall_ms_p50": walks.wall_ms_p50,
            "wall_ms_p99": walks.wall_ms_p99,
        })
    };
    json!({
        "continue_chance": chance,
        "pinners": PINNERS,
        "all_steps": figures(&all),
        "early_stopping": figures(&early),
        "early_stopping_rule": { "stop_pins": stop_pins, "stop_visits": stop_visits },
        "part_of_top_1000_kept_by_early_stopping": early.keeps(&all),
    })
}

fn print(figures: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    println!(
        "{} edges: {:.2} bytes an edge and direction, built in {:.0} CPU seconds, opened in {:.2} s",
        thousands(number(&figures["edges"]) as u64),
        number(&figures["bytes_per_edge_direction"]),
        number(&figures["build_cpu_s"]),
        number(&figures["snapshot"]["open_s"]),
    );
    for speed in figures["speed"].as_array().into_iter().flatten() {
        println!(
            "chance to go on {}: {} steps a second, {:.2} of what bare random reads allow",
            speed["continue_chance"],
            thousands(number(&speed["steps_per_s"]) as u64),
            number(&speed["share_of_random_reads"]),
        );
    }
    let headings = ["chance", "steps", "kept of top 1,000", "CPU ms p50", "p99", "wall ms p50", "p99"];
    let rows = figures["multi_query"].as_array().into_iter().flatten().flat_map(|walks| {
        ["all_steps", "early_stopping"].map(|which| {
            let kept =
                if which == "all_steps" { &json!(1.0) } else { &walks["part_of_top_1000_kept_by_early_stopping"] };
            let times = ["cpu_ms_p50", "cpu_ms_p99", "wall_ms_p50", "wall_ms_p99"];
            let [a, b, c, d] = times.map(|key| format!("{:.1}", number(&walks[which][key])));
            let steps = thousands(number(&walks[which]["steps"]) as u64);
            vec![walks["continue_chance"].to_string(), steps, format!("{:.3}", number(kept)), a, b, c, d]
        })
    });
    print_table(&headings.map(str::to_owned), &rows.collect::<Vec<_>>());
}
