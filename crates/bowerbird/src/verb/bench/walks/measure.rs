//! What is measured: each function measures one thing and returns it.

use super::super::clock::{Clock, median, peak_bytes, quantile};
use super::limit::random_reads;
use super::workload::Workload;
use bytes::Bytes;
use domain::{PinId, WalkParams};
use graph::{Graph, SampleConfig, WalkConfig, WalkScratch, sample_all, walk_with};
use std::collections::BTreeSet;

/// Random reads of memory that a step makes, one after the other: an entry of its pin and an entry of its board. Where
/// the lists lie is known from the degrees, which fit the cache.
pub(super) const READS_A_STEP: f64 = 2.0;
/// Steps of a walk.
pub(super) const STEPS: u32 = 100_000;
/// How deep answers are compared.
pub(super) const TOP: usize = 1_000;
const BARE_READS: u64 = 20_000_000;
const WALKS_A_ROUND: u64 = 40;
const ROUNDS: u64 = 3;

/// How the graph was made.
pub(super) struct Built {
    pub(super) edges: u64,
    pub(super) cpu_s: f64,
    /// The part of `cpu_s` that making the edges up took.
    pub(super) edges_cpu_s: f64,
    pub(super) bytes: u64,
    pub(super) peak_bytes: Option<u64>,
}

/// Makes the workload's graph.
pub(super) fn build(workload: Workload) -> (Graph, Built) {
    let clock = Clock::start();
    let drawn = workload.edges().fold(0u64, |sum, (pin, board)| sum ^ u64::from(pin.0 ^ board.0));
    std::hint::black_box(drawn);
    let edges_cpu_s = 2.0 * clock.cpu_s();
    let clock = Clock::start();
    let graph = Graph::from_passes(workload.pins, workload.boards, || workload.edges());
    let (cpu_s, bytes, peak_bytes) = (clock.cpu_s(), graph.bytes(), peak_bytes());
    let built = Built { edges: graph.edges(), cpu_s, edges_cpu_s, bytes, peak_bytes };
    (graph, built)
}

/// Walks against bare reads of the same bytes.
pub(super) struct Speed {
    pub(super) steps_per_s: f64,
    pub(super) reads_per_s: f64,
}

impl Speed {
    /// Steps a second as a part of what the bare reads would allow.
    pub(super) fn share(&self) -> f64 {
        READS_A_STEP * self.steps_per_s / self.reads_per_s
    }
}

/// Multi-query walks of all steps, counted, scored and cut to the best, in turn with bare reads; medians.
pub(super) fn speed(graph: &Graph, bytes: &Bytes, workload: Workload, continue_chance: f32) -> Speed {
    let (mut scratch, mut reads, mut steps) = (WalkScratch::default(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let clock = Clock::start();
        random_reads(bytes, BARE_READS, round);
        reads.push(BARE_READS as f64 / clock.cpu_s());
        let pinner = |pinner| workload.pinner(graph, 1_000 * (round + 1) + pinner);
        let pinners: Vec<_> = (0..WALKS_A_ROUND).map(pinner).collect();
        let (clock, mut taken) = (Clock::start(), 0.0);
        for (seed, (starts, own)) in (0..).zip(&pinners) {
            let settings = WalkConfig { continue_chance, ..config(seed) };
            taken += f64::from(walk_with(&mut scratch, graph, starts, own, &settings, TOP).steps);
        }
        steps.push(taken / clock.cpu_s());
    }
    Speed { steps_per_s: median(steps), reads_per_s: median(reads) }
}

/// Walks that may stop early, or not.
pub(super) struct Walks {
    pub(super) steps_mean: f64,
    pub(super) cpu_ms_p50: f64,
    pub(super) cpu_ms_p99: f64,
    pub(super) wall_ms_p50: f64,
    pub(super) wall_ms_p99: f64,
    tops: Vec<BTreeSet<PinId>>,
}

/// Multi-query walks of `pinners` pinners, each with a seed of their own.
pub(super) fn walks(graph: &Graph, workload: Workload, pinners: u64, config: &WalkConfig) -> Walks {
    let (mut scratch, mut tops, mut steps) = (WalkScratch::default(), Vec::new(), 0.0);
    let (mut took_ms, mut cpu_ms) = (Vec::new(), Vec::new());
    for pinner in 0..pinners {
        let (starts, own) = workload.pinner(graph, pinner);
        let settings = WalkConfig { seed: pinner, ..*config };
        let clock = Clock::start();
        let walked = walk_with(&mut scratch, graph, &starts, &own, &settings, TOP);
        took_ms.push(1e3 * clock.wall_s());
        cpu_ms.push(1e3 * clock.cpu_s());
        steps += f64::from(walked.steps);
        tops.push(walked.pins.into_iter().map(|(pin, _)| pin).collect());
    }
    took_ms.sort_by(f64::total_cmp);
    cpu_ms.sort_by(f64::total_cmp);
    Walks {
        steps_mean: steps / pinners as f64,
        cpu_ms_p50: quantile(&cpu_ms, 0.5),
        cpu_ms_p99: quantile(&cpu_ms, 0.99),
        wall_ms_p50: quantile(&took_ms, 0.5),
        wall_ms_p99: quantile(&took_ms, 0.99),
        tops,
    }
}

impl Walks {
    /// The mean part of the other walks' best pins that these have found, too.
    pub(super) fn keeps(&self, of: &Walks) -> f64 {
        let kept = |(all, found): (&BTreeSet<PinId>, &BTreeSet<PinId>)| {
            all.intersection(found).count() as f64 / all.len().max(1) as f64
        };
        of.tops.iter().zip(&self.tops).map(kept).sum::<f64>() / self.tops.len() as f64
    }
}

/// Pins a second whose neighbourhoods of 50 are sampled by 1,000 steps each.
pub(super) fn samples_per_s(graph: &Graph, pins: u32) -> f64 {
    let pins: Vec<PinId> =
        (0..pins).map(|at| PinId((u64::from(at) * 7_919 % u64::from(graph.pins())) as u32)).collect();
    let clock = Clock::start();
    std::hint::black_box(sample_all(graph, &pins, 50, &SampleConfig::default()));
    pins.len() as f64 / clock.cpu_s()
}

/// How long new edges take: (to add one, ns; to merge them, CPU seconds; to publish the merge, ms).
pub(super) fn merge(graph: &mut Graph, edges: u32) -> (f64, f64, f64) {
    let (pins, boards) = (graph.pins(), graph.boards());
    let clock = Clock::start();
    for edge in 0..edges {
        let spread = |count: u32, factor: u64| (u64::from(edge) * factor % u64::from(count)) as u32;
        graph.add(PinId(spread(pins, 2_654_435_761)), domain::BoardId(spread(boards, 40_503)));
    }
    let add_ns = 1e9 * clock.cpu_s() / f64::from(edges);
    let clock = Clock::start();
    let merged = graph.merge().run();
    let merge_s = clock.cpu_s();
    let clock = Clock::start();
    let replaced = graph.publish(merged);
    let publish_ms = 1e3 * clock.wall_s();
    drop(replaced);
    (add_ns, merge_s, publish_ms)
}

/// Walks of all [`STEPS`].
pub(super) fn config(seed: u64) -> WalkConfig {
    let params = WalkParams { steps_max: STEPS, stop_pins: 0, ..WalkParams::default() };
    WalkConfig::new(&params, seed)
}
