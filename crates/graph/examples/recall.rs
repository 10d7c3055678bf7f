//! How many held-out saves walks find: boosted or summed, pruned, stopped early.
//!
//! `cargo run --release -p bowerbird-graph --example recall -- FILE.txt.gz…`: lines of a board and its pins. A seeded
//! fifth of each board's pins is held out; walks start at the others and never step onto the board itself.

use domain::{BoardId, PinId, Rng, WalkParams};
use graph::{Graph, Keep, PruneConfig, Similarity, Start, WalkConfig, WalkScratch, neighbours, prune, walk_with};
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

const DEPTHS: [usize; 3] = [20, 100, 1_000];
/// Boards that are asked for.
const BOARDS_MAX: usize = 2_000;
/// Neighbours of a pin that say how well it fits a board.
const NEIGHBOURS: usize = 100;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        println!("skipped: no file was named");
    }
    for path in paths {
        match std::fs::File::open(&path) {
            Ok(file) => table(&path, &Split::new(file)),
            Err(error) => println!("skipped: {path}: {error}"),
        }
    }
}

/// Pins of boards, apart.
struct Split {
    known: Vec<Vec<u32>>,
    held: Vec<Vec<u32>>,
}

impl Split {
    fn new(file: std::fs::File) -> Split {
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
        let (mut rng, mut split) = (Rng::new(15), Split { known: Vec::new(), held: Vec::new() });
        for line in text.lines() {
            let pins: BTreeSet<u32> = line.split(' ').skip(1).filter_map(|pin| pin.parse().ok()).collect();
            let mut pins: Vec<u32> = pins.into_iter().collect();
            rng.shuffle(&mut pins);
            let mut known = pins.split_off(pins.len() / 5);
            known.sort_unstable();
            split.known.push(known);
            split.held.push(pins);
        }
        split
    }

    fn edges(&self) -> impl Iterator<Item = (PinId, BoardId)> {
        let of_board = |(board, pins): (u32, &'_ Vec<u32>)| {
            pins.iter().map(|&pin| (PinId(pin), BoardId(board))).collect::<Vec<_>>()
        };
        (0u32..).zip(&self.known).flat_map(of_board)
    }
}

fn table(path: &str, split: &Split) {
    let graph = Graph::from_passes(0, 0, || split.edges());
    println!("\n{path}: {} pins, {} boards, {} edges known", graph.pins(), graph.boards(), graph.edges());
    println!("| walk | edges | steps | recall@20 | @100 | @1000 |\n|--|--|--|--|--|--|");
    let all = WalkConfig { stop_pins: 0, ..WalkConfig::new(&WalkParams::default(), 16) };
    row("all steps, boosted", &graph, split, &all);
    row("all steps, summed", &graph, split, &WalkConfig { boost: false, ..all });
    let plain = WalkConfig { popularity_discount: 0.0, ..all };
    row("boosted, no discount", &graph, split, &plain);
    row("summed, no discount", &graph, split, &WalkConfig { boost: false, ..plain });
    for (stop_pins, stop_visits) in [(1_000, 20), (1_000, 6), (2_000, 4)] {
        let name = format!("stopped at {stop_pins} pins with {stop_visits}");
        row(&name, &graph, split, &WalkConfig { stop_pins, stop_visits, ..all });
    }
    row("half the steps", &graph, split, &WalkConfig { steps_max: 50_000, ..all });
    let near: Vec<HashMap<u32, f32>> = (0..graph.pins())
        .map(|pin| {
            neighbours(&graph, PinId(pin), NEIGHBOURS, 1).into_iter().map(|(pin, cosine)| (pin.0, cosine)).collect()
        })
        .collect();
    let fit = |pin: PinId, board: BoardId| {
        let pins = graph.pins_of(board);
        let count = pins.len() as f32;
        pins.filter_map(|other| near[pin.index()].get(&other.0)).sum::<f32>() / count
    };
    for delta in [0.91, 0.86, 0.7, 0.5] {
        let config = PruneConfig { pins: Keep::Power { delta }, seed: 1, ..PruneConfig::default() };
        for (name, similarity) in [("drawn", None), ("by co-saves", Some(&fit as Similarity<'_>))] {
            let pruned = prune(&graph, &config, &[], similarity);
            row(&format!("pruned to degree^{delta}, {name}"), &pruned, split, &all);
        }
    }
}

fn row(name: &str, graph: &Graph, split: &Split, config: &WalkConfig) {
    let (mut scratch, mut recall, mut steps, mut boards) = (WalkScratch::default(), [0.0; 3], 0u64, 0u32);
    let stride = split.known.len().div_ceil(BOARDS_MAX);
    for board in (0..split.known.len()).step_by(stride).filter(|&board| !split.held[board].is_empty()) {
        let starts: Vec<Start> = split.known[board].iter().map(|&pin| Start { pin: PinId(pin), weight: 1.0 }).collect();
        let own = [BoardId(board as u32)];
        let walked = walk_with(&mut scratch, graph, &starts, &own, config, DEPTHS[2]);
        let held = &split.held[board];
        for (sum, depth) in recall.iter_mut().zip(DEPTHS) {
            let hits = walked.pins.iter().take(depth).filter(|(pin, _)| held.contains(&pin.0)).count();
            *sum += hits as f64 / held.len() as f64;
        }
        steps += u64::from(walked.steps);
        boards += 1;
    }
    let [a, b, c] = recall.map(|sum| sum / f64::from(boards));
    println!("| {name} | {} | {} | {a:.4} | {b:.4} | {c:.4} |", graph.edges(), steps / u64::from(boards));
}
