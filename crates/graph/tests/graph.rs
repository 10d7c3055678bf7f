//! Walks and neighbours against what counting everything says, on small graphs and on real saves.

use domain::{BoardId, PinId, Rng, WalkParams};
use graph::{Budget, Graph, Start, WalkConfig, WalkScratch, neighbours, walk, walk_with};
use std::collections::BTreeSet;
use std::io::{Read, Write};

fn random_edges(pins: u32, boards: u32, count: usize, seed: u64) -> Vec<(PinId, BoardId)> {
    let mut rng = Rng::new(seed);
    let mut skewed = |bound: u32| (rng.uniform() * rng.uniform() * bound as f32) as u32;
    (0..count).map(|_| (PinId(skewed(pins)), BoardId(skewed(boards)))).collect()
}

fn config(seed: u64) -> WalkConfig {
    WalkConfig { stop_pins: 0, ..WalkConfig::new(&WalkParams::default(), seed) }
}

fn pack(graph: &mut Graph) {
    let merged = graph.merge().run();
    assert!(graph.publish(merged).is_some() && graph.edges_since() == 0);
}

fn starts(pins: &[u32]) -> Vec<Start> {
    pins.iter().map(|&pin| Start { pin: PinId(pin), weight: 1.0 }).collect()
}

fn pairs(graph: &Graph) -> [BTreeSet<(u32, u32)>; 2] {
    let boards = (0..graph.pins()).flat_map(|pin| graph.boards_of(PinId(pin)).map(move |board| (pin, board.0)));
    let pins = (0..graph.boards()).flat_map(|board| graph.pins_of(BoardId(board)).map(move |pin| (pin.0, board)));
    [boards.collect(), pins.collect()]
}

#[test]
fn built_at_once_or_bit_by_bit_it_is_the_same_graph() {
    let edges = random_edges(200, 90, 3_000, 1);
    let expected: BTreeSet<(u32, u32)> = edges.iter().map(|(pin, board)| (pin.0, board.0)).collect();
    let whole = Graph::from_edges(10, 90, &edges);
    let mut grown = Graph::from_edges(0, 0, &edges[..500]);
    let mut fresh = expected.clone();
    edges[..500].iter().for_each(|(pin, board)| assert!(fresh.remove(&(pin.0, board.0)) || grown.has(*pin, *board)));
    for (turn, &(pin, board)) in edges[500..].iter().enumerate() {
        assert_eq!(grown.add(pin, board), fresh.remove(&(pin.0, board.0)));
        if turn % 700 == 0 {
            pack(&mut grown);
        }
    }
    for graph in [&whole, &grown] {
        assert_eq!(graph.edges(), expected.len() as u64);
        assert_eq!(pairs(graph), [expected.clone(), expected.clone()]);
    }
    pack(&mut grown);
    for board in (0..90).map(BoardId) {
        let mut placed = BTreeSet::new();
        let came = edges.iter().filter(|(pin, on)| *on == board && placed.insert(*pin)).map(|(pin, _)| *pin);
        let came: Vec<PinId> = came.collect();
        assert!([&whole, &grown].iter().all(|graph| graph.pins_of(board).eq(came.iter().copied())), "{board:?}");
    }
    let (a, b) =
        (walk(&whole, &starts(&[1, 2]), &[], &config(3), 50), walk(&grown, &starts(&[1, 2]), &[], &config(3), 50));
    assert_eq!(a, b);
}

#[test]
fn nothing_to_walk_on_gives_nothing() {
    let graph = Graph::from_edges(5, 5, &[(PinId(0), BoardId(0)), (PinId(1), BoardId(0))]);
    let pins = |starts: &[Start], excluded: &[BoardId]| walk(&graph, starts, excluded, &config(1), 9).pins;
    assert!(pins(&[], &[]).is_empty());
    assert!(pins(&starts(&[3, 4, u32::MAX]), &[]).is_empty(), "on no board, and unknown");
    assert!(pins(&starts(&[0]), &[BoardId(0)]).is_empty(), "the only board may not be stepped onto");
    for weight in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(pins(&[Start { pin: PinId(0), weight }], &[]).is_empty());
    }
    assert_eq!(pins(&starts(&[0]), &[BoardId(99)]).len(), 1);
    assert!(walk(&Graph::new(), &starts(&[0]), &[], &config(1), 9).pins.is_empty());
    assert!(neighbours(&graph, PinId(77), 9, 1).is_empty());
}

#[test]
fn odd_settings_are_bounded() {
    let graph = Graph::from_edges(0, 0, &random_edges(100, 50, 900, 2));
    for (continue_chance, boost) in [(-1.0, 0.0), (1.0, -1.0), (7.0, f32::INFINITY), (f32::NAN, f32::NAN)] {
        for (stop_pins, stop_visits) in [(0, 0), (1, 0), (u32::MAX, u32::MAX)] {
            let odd = WalkConfig { continue_chance, boost, stop_pins, stop_visits, steps_max: 1_000, ..config(4) };
            let walked = walk(&graph, &starts(&[0, 1, 1, 2]), &[], &odd, usize::MAX);
            assert!(walked.steps <= 1_000 && !walked.pins.is_empty());
            assert!(walked.pins.iter().all(|(_, score)| score.is_finite()));
        }
    }
    let few = WalkConfig { steps_max: 3, ..config(4) };
    assert_eq!(walk(&graph, &starts(&[0, 1, 2, 3, 4, 5]), &[], &few, 9).steps, 3);
}

#[test]
fn a_seed_replays_and_tables_are_clean_after_use() {
    let graph = Graph::from_edges(0, 0, &random_edges(500, 300, 9_000, 5));
    let mut scratch = WalkScratch::default();
    for seed in 0..20 {
        let (from, own) = (starts(&[seed as u32, 7, 50]), [BoardId(seed as u32), BoardId(3)]);
        let settings = WalkConfig { boost: [1.0, 0.5][seed as usize % 2], ..config(seed) };
        let again = walk_with(&mut scratch, &graph, &from, &own, &settings, 100);
        assert_eq!(again, walk(&graph, &from, &own, &settings, 100));
    }
    let order = |from: &[u32]| walk(&graph, &starts(from), &[], &config(1), 100);
    assert_eq!(order(&[3, 9, 4]), order(&[4, 3, 9]), "the order of the starts does not matter");
}

#[test]
fn excluded_boards_and_starts_never_show() {
    // Pins 10..20 lie on board 0 only, so nothing but an excluded board leads to them.
    let mut edges: Vec<(PinId, BoardId)> = (0..20).map(|pin| (PinId(pin), BoardId(0))).collect();
    edges.extend((0..10).flat_map(|pin| (1..4).map(move |board| (PinId(pin), BoardId(board)))));
    let graph = Graph::from_edges(0, 0, &edges);
    let found = |own: &[BoardId]| -> BTreeSet<u32> {
        walk(&graph, &starts(&[0, 1]), own, &config(6), 99).pins.iter().map(|(pin, _)| pin.0).collect()
    };
    assert_eq!(found(&[]), (2..20).collect());
    assert_eq!(found(&[BoardId(0)]), (2..10).collect());
}

#[test]
fn one_step_walks_visit_in_proportion() {
    let graph = Graph::from_edges(0, 0, &random_edges(300, 200, 4_000, 7));
    let start = 5;
    let settings =
        WalkConfig { continue_chance: 0.0, popularity_discount: 0.0, boost: 1.0, steps_max: 400_000, ..config(8) };
    let walked = walk(&graph, &starts(&[start]), &[], &settings, usize::MAX);
    let mut expected = vec![0.0f64; graph.pins() as usize];
    for board in graph.boards_of(PinId(start)) {
        let share = 1.0 / (f64::from(graph.degree(PinId(start))) * graph.pins_of(board).len() as f64);
        graph.pins_of(board).for_each(|pin| expected[pin.index()] += share);
    }
    for (pin, visits) in &walked.pins {
        let wanted = expected[pin.index()] * f64::from(walked.steps);
        assert!((f64::from(*visits) - wanted).abs() < 0.05 * wanted + 20.0, "{pin:?}: {visits} visits, not {wanted}");
    }
    assert_eq!(walked.pins.len(), expected.iter().filter(|share| **share > 0.0).count() - 1);
}

#[test]
fn pins_that_many_starts_lead_to_are_boosted() {
    // Pin 9 shares a board with each start, pin 8 as many boards with one of them.
    let mut edges = Vec::new();
    for start in 0..4 {
        edges.extend([(PinId(start), BoardId(start)), (PinId(9), BoardId(start))]);
        edges.extend([(PinId(0), BoardId(10 + start)), (PinId(8), BoardId(10 + start))]);
    }
    let graph = Graph::from_edges(0, 0, &edges);
    let best = |boost, budget| {
        let settings = WalkConfig { boost, budget, continue_chance: 0.0, popularity_discount: 0.0, ..config(9) };
        walk(&graph, &starts(&[0, 1, 2, 3]), &[], &settings, 2).pins
    };
    let share = |pins: &[(PinId, f32)]| {
        let of = |id: u32| pins.iter().find(|(pin, _)| pin.0 == id).map_or(0.0, |(_, score)| *score);
        of(9) / of(8)
    };
    for budget in [Budget::SubLinear, Budget::Power(1.0)] {
        assert!(share(&best(0.5, budget)) > 1.5 * share(&best(1.0, budget)));
    }
}

#[test]
fn the_discount_holds_popular_pins_back() {
    let graph = Graph::from_edges(0, 0, &random_edges(2_000, 900, 20_000, 10));
    let mean_degree = |popularity_discount| {
        let settings = WalkConfig { popularity_discount, ..config(11) };
        let pins = walk(&graph, &starts(&[40, 50, 60]), &[], &settings, 50).pins;
        pins.iter().map(|(pin, _)| graph.degree(*pin)).sum::<u32>() / 50
    };
    assert!(mean_degree(0.0) > mean_degree(0.5) && mean_degree(0.5) > mean_degree(1.0));
}

#[test]
fn walks_stop_early_once_enough_is_known() {
    let graph = Graph::from_edges(0, 0, &random_edges(2_000, 900, 20_000, 12));
    let run = |stop_pins, stop_visits| {
        let settings = WalkConfig { stop_pins, stop_visits, boost: 1.0, popularity_discount: 0.0, ..config(13) };
        walk(&graph, &starts(&[40, 50, 60]), &[], &settings, 20)
    };
    let all = run(0, 0);
    let visits = |pin: usize, part: f32| (all.pins[pin].1 * part) as u32;
    assert!(!all.stopped_early && all.pins.len() == 20);
    let (early, late) = (run(20, visits(19, 0.4)), run(20, visits(19, 0.7)));
    assert!(early.stopped_early && early.steps.abs_diff(all.steps / 2) <= 3, "{} steps", early.steps);
    assert!(late.stopped_early && late.steps > early.steps && late.steps < all.steps, "{} steps", late.steps);
    assert_eq!(run(20, visits(0, 1.0)), all, "a rule that is never met changes nothing");
    let pins: BTreeSet<PinId> = all.pins.iter().map(|(pin, _)| *pin).collect();
    let same = early.pins.iter().filter(|(pin, _)| pins.contains(pin)).count();
    assert!(same >= 10, "{same} of 20 are the same");
}

#[test]
fn neighbours_are_the_exact_cosine() {
    let graph = Graph::from_edges(0, 0, &random_edges(300, 200, 4_000, 14));
    let boards = |pin: u32| graph.boards_of(PinId(pin)).collect::<BTreeSet<BoardId>>();
    for pin in [0, 5, 100, 250] {
        let mine = boards(pin);
        let mut expected: Vec<(PinId, f32)> = (0..graph.pins())
            .filter(|&other| other != pin && !mine.is_disjoint(&boards(other)))
            .map(|other| {
                let norm = ((mine.len() * boards(other).len()) as f64).sqrt();
                (PinId(other), (mine.intersection(&boards(other)).count() as f64 / norm) as f32)
            })
            .collect();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        expected.truncate(10);
        assert_eq!(neighbours(&graph, PinId(pin), 10, 1), expected);
    }
}

#[test]
fn neighbours_of_a_very_popular_pin_are_drawn() {
    // Pin 0 lies on 3,000 boards of 101 pins; pin 1 on all of them too, pin 2 on every other.
    let mut edges = Vec::new();
    for board in 0..3_000 {
        edges.extend([(PinId(0), BoardId(board)), (PinId(1), BoardId(board))]);
        edges.extend((board % 2 == 0).then_some((PinId(2), BoardId(board))));
        edges.extend((0..99).map(|pin| (PinId(3 + (board * 99 + pin) % 20_000), BoardId(board))));
    }
    let graph = Graph::from_edges(0, 0, &edges);
    let found = neighbours(&graph, PinId(0), 2, 1);
    assert_eq!([found[0].0, found[1].0], [PinId(1), PinId(2)]);
    assert!((found[0].1 - 1.0).abs() < 0.1 && (found[1].1 - 0.5f32.sqrt()).abs() < 0.1, "{found:?}");
    assert_eq!(found, neighbours(&graph, PinId(0), 2, 1));
}

#[test]
fn held_out_saves_are_found() {
    let Some(boards) = real_boards() else { return };
    let mut rng = Rng::new(15);
    let (mut known, mut held) = (Vec::new(), Vec::new());
    for mut pins in boards {
        rng.shuffle(&mut pins);
        let mut rest = pins.split_off(pins.len() / 5);
        rest.sort_unstable();
        known.push(rest);
        held.push(pins);
    }
    let edges =
        (0u32..).zip(&known).flat_map(|(board, pins)| pins.iter().map(move |&pin| (PinId(pin), BoardId(board))));
    let graph = Graph::from_edges(0, 0, &edges.collect::<Vec<_>>());
    let (mut scratch, mut recall, mut pinners) = (WalkScratch::default(), 0.0, 0);
    for pinner in (0..known.len()).step_by(120).filter(|&pinner| !held[pinner].is_empty()) {
        let (from, own) = (starts(&known[pinner]), [BoardId(pinner as u32)]);
        let walked = walk_with(&mut scratch, &graph, &from, &own, &config(16), 20);
        let hits = walked.pins.iter().filter(|(pin, _)| held[pinner].contains(&pin.0)).count();
        recall += hits as f64 / held[pinner].len() as f64;
        pinners += 1;
    }
    recall /= f64::from(pinners);
    assert!(recall > 0.12, "recall@20 {recall:.4} over {pinners} pinners");
}

/// The pins of each pinner's one board.
fn real_boards() -> Option<Vec<Vec<u32>>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| root.to_owned());
    let path = format!("{root}/pinterest_saves/train.txt.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        // Straight to stderr: what a passing test prints is not shown.
        _ = writeln!(std::io::stderr(), "skipped: {path} is not there");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
    let pins = |line: &str| line.split(' ').skip(1).filter_map(|pin| pin.parse().ok()).collect::<BTreeSet<u32>>();
    Some(text.lines().map(|line| pins(line).into_iter().collect()).collect())
}
