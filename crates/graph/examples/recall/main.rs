//! How many held-out saves walks find: boosted or summed, stopped early, pruned.
//!
//! `cargo run --release -p bowerbird-graph --example recall -- FILE.txt.gz…`: lines of a board and its pins. A seeded
//! fifth of each board's pins is held out for the test, and a fifth of the rest to choose settings by.

mod split;
mod topics;

use domain::{BoardId, PinId, WalkParams};
use graph::{Budget, Graph, Keep, PruneConfig, Similarity, WalkConfig, board_entropy, neighbours, prune};
use split::{Found, Split};
use std::collections::HashMap;
use std::io::Read;

/// Boards that are asked for to choose settings and to prune, and to test settings.
const BOARDS_MAX: [usize; 2] = [2_000, 4_000];
const BOOSTS: [f32; 2] = [1.0, 0.7];
const DISCOUNTS: [f32; 3] = [0.3, 0.45, 0.6];
const BUDGETS: [Budget; 2] = [Budget::SubLinear, Budget::Power(0.5)];
/// Neighbours of a pin that say how well it fits a board.
const NEIGHBOURS: usize = 100;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        println!("skipped: no file was named");
    }
    for path in paths {
        match std::fs::File::open(&path) {
            Ok(file) => tables(&path, file),
            Err(error) => println!("skipped: {path}: {error}"),
        }
    }
}

fn tables(path: &str, file: std::fs::File) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
    let test = Split::new(&Split::boards(&text), 15);
    let choice = Split::new(&test.known, 16);
    let name = path.rsplit('/').nth(1).unwrap_or(path);
    let graph = test.graph();
    println!("## {name}\n");
    println!("{} pins, {} boards, {} saves known to the test.\n", graph.pins(), graph.boards(), graph.edges());
    let chosen = choose(&choice);
    compare(&test, &graph, chosen);
    ablate(&test, &graph);
}

fn defaults() -> WalkConfig {
    WalkConfig { stop_pins: 0, ..WalkConfig::new(&WalkParams::default(), 16) }
}

/// Tries all settings on what is held out to choose by: the best that sum, and the best that boost, by the product of
/// the recalls.
fn choose(split: &Split) -> [WalkConfig; 2] {
    println!("Settings, chosen on saves that are held out of the known ones:\n");
    println!("| boost | budget | discount | recall@20 | @100 | @1000 |\n|--|--|--|--|--|--|");
    let graph = split.graph();
    let mut best = [(0.0, defaults()); 2];
    for boost in BOOSTS {
        for budget in BUDGETS {
            for popularity_discount in DISCOUNTS {
                let config = WalkConfig { boost, budget, popularity_discount, ..defaults() };
                let recall = split.ask(&graph, &config, BOARDS_MAX[0]).recall();
                println!("| {boost} | {budget:?} | {popularity_discount} | {} |", cells(recall));
                let best = &mut best[usize::from(boost < 1.0)];
                if recall.iter().product::<f64>() > best.0 {
                    *best = (recall.iter().product(), config);
                }
            }
        }
    }
    best.map(|(_, config)| config)
}

/// The chosen settings and others on the test.
fn compare(split: &Split, graph: &Graph, [summed, boosted]: [WalkConfig; 2]) {
    println!("\nTest:\n\n| walk | steps | recall@20 | @100 | @1000 |\n|--|--|--|--|--|");
    let row = |name: &str, config: &WalkConfig| {
        let found = split.ask(graph, config, BOARDS_MAX[1]);
        println!("| {name} | {:.0} | {} |", found.steps_mean, cells(found.recall()));
        found
    };
    let named = |config: &WalkConfig| {
        format!("boost {}, {:?}, discount {}", config.boost, config.budget, config.popularity_discount)
    };
    let sums = row(&format!("best summed ({})", named(&summed)), &summed);
    let boosts = row(&format!("best boosted ({})", named(&boosted)), &boosted);
    let usual = row(&format!("default ({})", named(&defaults())), &defaults());
    let usual_sums = row("default, summed", &WalkConfig { boost: 1.0, ..defaults() });
    let squares = row("default, (Σ √visits)²", &WalkConfig { boost: 0.5, ..defaults() });
    let stops = WalkConfig::new(&WalkParams::default(), 16);
    row("default, stopped early", &stops);
    println!("\n| more than (± standard error over the boards) | @20 | @100 | @1000 |\n|--|--|--|--|");
    let more = |name: &str, a: &Found, b: &Found| {
        let [x, y, z] = a.more_than(b).map(|(mean, error)| format!("{mean:+.4} ± {error:.4}"));
        println!("| {name} | {x} | {y} | {z} |");
    };
    more("best boosted, than best summed", &boosts, &sums);
    more("default, than best summed", &usual, &sums);
    more("default, than default summed", &usual, &usual_sums);
    more("(Σ √visits)², than default summed", &squares, &usual_sums);
}

/// What pruning costs or brings, by default settings.
fn ablate(split: &Split, graph: &Graph) {
    println!("\nPruning, default walks of all steps, on the test:\n");
    println!("| boards dropped by entropy | pins keep | edges | recall@20 | @100 | @1000 |\n|--|--|--|--|--|--|");
    let near: Vec<HashMap<u32, f32>> = (0..graph.pins())
        .map(|pin| {
            neighbours(graph, PinId(pin), NEIGHBOURS, 1).into_iter().map(|(pin, cosine)| (pin.0, cosine)).collect()
        })
        .collect();
    let fit = |pin: PinId, board: BoardId| {
        let pins = graph.pins_of(board);
        let count = pins.len() as f32;
        pins.filter_map(|other| near[pin.index()].get(&other.0)).sum::<f32>() / count
    };
    let entropy = board_entropy(graph, &topics::topics(graph), topics::TOPICS);
    let mut sorted = entropy.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let row = |dropped: f32, delta: f32, similarity: Option<Similarity<'_>>| {
        let last = ((sorted.len() - 1) as f32 * (1.0 - dropped)) as usize;
        let pins = if delta < 1.0 { Keep::Power { delta } } else { Keep::All };
        let config = PruneConfig { board_entropy_max: sorted[last], pins, seed: 1, ..PruneConfig::default() };
        let pruned = prune(graph, &config, &entropy, similarity);
        let recall = split.ask(&pruned, &defaults(), BOARDS_MAX[0]).recall();
        let how = if similarity.is_some() { "that fit best" } else { "drawn" };
        let keep = if delta < 1.0 { format!("degree^{delta}, {how}") } else { "all".to_owned() };
        println!("| {:.0} % | {keep} | {} | {} |", 100.0 * dropped, pruned.edges(), cells(recall));
    };
    row(0.0, 1.0, None);
    for delta in [0.95, 0.91, 0.86] {
        row(0.0, delta, Some(&fit));
    }
    row(0.0, 0.91, None);
    for dropped in [0.05, 0.1, 0.2] {
        row(dropped, 1.0, None);
    }
    for (dropped, delta) in [(0.05, 0.95), (0.1, 0.91), (0.2, 0.86)] {
        row(dropped, delta, Some(&fit));
    }
    println!();
}

fn cells(recall: [f64; 3]) -> String {
    recall.map(|part| format!("{part:.4}")).join(" | ")
}
