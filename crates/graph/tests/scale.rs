//! What does not change when the graph is packed, merged, mapped, pruned or walked by a batch.

use bytes::Bytes;
use domain::{BoardId, PinId, Rng, WalkParams};
use graph::{
    Graph, Groups, Keep, Preference, PruneConfig, SampleConfig, Start, WalkConfig, WalkScratch, Walked, board_entropy,
    neighbours, prune, sample_all, sample_neighbours, walk, walk_preferring,
};
use std::collections::BTreeSet;

fn random_edges(pins: u32, boards: u32, count: usize, seed: u64) -> Vec<(PinId, BoardId)> {
    let mut rng = Rng::new(seed);
    let mut skewed = |bound: u32| (rng.uniform() * rng.uniform() * bound as f32) as u32;
    (0..count).map(|_| (PinId(skewed(pins)), BoardId(skewed(boards)))).collect()
}

fn pack(graph: &mut Graph) {
    let merged = graph.merge().run();
    assert!(graph.publish(merged).is_some() && graph.edges_since() == 0);
}

fn walked(graph: &Graph) -> Walked {
    let starts: Vec<Start> = [1, 2, 30].map(|pin| Start { pin: PinId(pin), weight: 1.0 }).into();
    let config = WalkConfig { stop_pins: 0, steps_max: 20_000, ..WalkConfig::new(&WalkParams::default(), 3) };
    walk(graph, &starts, &[BoardId(4)], &config, usize::MAX)
}

fn lists(graph: &Graph) -> [Vec<Vec<u32>>; 2] {
    let boards = (0..graph.pins()).map(|pin| graph.boards_of(PinId(pin)).map(|board| board.0).collect());
    let pins = (0..graph.boards()).map(|board| graph.pins_of(BoardId(board)).map(|pin| pin.0).collect());
    [boards.collect(), pins.collect()]
}

fn written(graph: &Graph) -> Bytes {
    let mut out = Vec::new();
    graph.write(&mut out).expect("memory takes bytes");
    Bytes::from(out)
}

fn assert_same(a: &Graph, b: &Graph) {
    assert_eq!(a.edges(), b.edges());
    assert_eq!(lists(a), lists(b));
    assert_eq!(walked(a), walked(b));
    assert_eq!(neighbours(a, PinId(7), 20, 1), neighbours(b, PinId(7), 20, 1));
    let sampled = |graph: &Graph| sample_neighbours(graph, PinId(7), 20, &SampleConfig::default());
    assert_eq!(sampled(a), sampled(b));
}

#[test]
fn packed_overlaid_and_mapped_it_walks_alike() {
    // Ids of one, two and three bytes, and a mix that the overlay makes wider.
    for (pins, boards) in [(90, 70), (400, 90), (70_000, 300)] {
        let edges = random_edges(pins, boards, 6_000, 1);
        let whole = Graph::from_edges(0, 0, &edges);
        assert!(!walked(&whole).pins.is_empty());
        let mut overlaid = Graph::from_edges(0, 0, &edges[..2_000]);
        edges[2_000..].iter().for_each(|&(pin, board)| _ = overlaid.add(pin, board));
        assert_same(&whole, &overlaid);
        let mapped = Graph::open(&written(&overlaid)).expect("just written");
        assert_same(&whole, &mapped);
        let mut grown = Graph::open(&written(&Graph::from_edges(0, 0, &edges[..2_000]))).expect("just written");
        edges[2_000..].iter().for_each(|&(pin, board)| _ = grown.add(pin, board));
        assert!(grown.edges_since() > 0);
        assert_same(&whole, &grown);
        pack(&mut grown);
        assert!(grown.edges_since() == 0);
        assert_same(&whole, &grown);
        assert!(written(&whole) == written(&grown), "byte for byte");
    }
}

#[test]
fn edges_that_come_during_a_merge_survive_it() {
    let edges = random_edges(400, 300, 8_000, 2);
    let mut graph = Graph::from_edges(0, 0, &edges[..3_000]);
    edges[3_000..6_000].iter().for_each(|&(pin, board)| _ = graph.add(pin, board));
    let merge = graph.merge();
    let merged = std::thread::spawn(move || merge.run());
    edges[6_000..].iter().for_each(|&(pin, board)| _ = graph.add(pin, board));
    let before = graph.edges_since();
    let replaced = graph.publish(merged.join().expect("the merge runs"));
    assert!(replaced.is_some() && graph.edges_since() > 0 && graph.edges_since() < before);
    assert_same(&graph, &Graph::from_edges(0, 0, &edges));

    let outdated = graph.merge();
    pack(&mut graph);
    assert!(graph.publish(outdated.run()).is_none(), "the rows have been replaced since");
    assert_same(&graph, &Graph::from_edges(0, 0, &edges));
}

#[test]
fn long_lists_keep_the_first_of_each_pair() {
    let mut rng = Rng::new(3);
    let edges: Vec<_> = (0..20_000).map(|_| (PinId(rng.below(500)), BoardId(rng.below(30)))).collect();
    let graph = Graph::from_passes(0, 0, || edges.iter().copied());
    for board in (0..30).map(BoardId) {
        let mut placed = BTreeSet::new();
        let came = edges.iter().filter(|(pin, on)| *on == board && placed.insert(*pin)).map(|(pin, _)| *pin);
        assert!(graph.pins_of(board).eq(came.collect::<Vec<_>>()));
    }
}

#[test]
fn an_edge_takes_the_bytes_that_its_ids_need() {
    let edges: Vec<_> = (0..100_000).map(|edge| (PinId(edge % 60_000), BoardId(edge / 1_000))).collect();
    let graph = Graph::from_edges(0, 0, &edges);
    let least = 8 * u64::from(graph.pins() + graph.boards()) + graph.edges() * (1 + 2);
    let index = graph.bytes() - least;
    assert!(index < 20_000, "boards take a byte and pins two, a node 8; {index} bytes are left");
}

#[test]
fn damage_in_a_snapshot_is_told() {
    let bytes = written(&Graph::from_edges(0, 0, &random_edges(90, 70, 600, 4)));
    for cut in [0, 20, bytes.len() / 2, bytes.len() - 1] {
        assert!(Graph::open(&bytes.slice(..cut)).is_err());
    }
    let mut bad = bytes.to_vec();
    *bad.last_mut().expect("a byte") ^= 1;
    let error = Graph::open(&Bytes::from(bad)).expect_err("a changed byte");
    assert!(error.to_string().contains("board entries"), "{error}");
    let empty = Graph::open(&written(&Graph::new())).expect("empty, but whole");
    assert!(empty.edges() == 0 && empty.pins() == 0);
}

#[test]
fn preferred_neighbours_are_stepped_to() {
    let graph = Graph::from_edges(0, 0, &random_edges(600, 300, 9_000, 5));
    let of_three = |count: u32| (0..count).map(|id| (id % 3) as u16).collect::<Vec<_>>();
    let groups = Groups::new(&graph, &of_three(graph.pins()), &of_three(graph.boards()));
    let starts = [Start { pin: PinId(1), weight: 1.0 }];
    let config = WalkConfig { stop_pins: 0, ..WalkConfig::new(&WalkParams::default(), 6) };
    let part = |chance: f32, pins: Option<u16>| {
        let preference = Preference { groups: &groups, boards: None, pins, chance };
        let found =
            walk_preferring(&mut WalkScratch::default(), &graph, &starts, &[], &config, &preference, usize::MAX);
        let of = |group: Option<u32>| {
            let counted = found.pins.iter().filter(|(pin, _)| group.is_none_or(|group| pin.0 % 3 == group));
            counted.map(|(_, score)| f64::from(*score)).sum::<f64>()
        };
        (of(Some(2)) / of(None), found)
    };
    let (without, plain) = part(0.9, None);
    assert_eq!(plain, walk(&graph, &starts, &[], &config, usize::MAX), "no preference, no difference");
    assert_eq!(plain, part(0.0, Some(2)).1);
    let (half, all) = (part(0.5, Some(2)).0, part(1.0, Some(2)).0);
    assert!(without < 0.45 && half > without + 0.2 && all > 0.98, "{without:.2}, {half:.2}, {all:.2}");
}

#[test]
fn preferences_are_stepped_to_evenly() {
    // One board with pins of two groups: with a preference each pin of the group is as likely.
    let edges: Vec<_> = (0..90).map(|pin| (PinId(pin), BoardId(0))).collect();
    let graph = Graph::from_edges(0, 0, &edges);
    let groups = Groups::new(&graph, &(0..90).map(|pin| u16::from(pin % 9 == 4)).collect::<Vec<_>>(), &[]);
    let config = WalkConfig { popularity_discount: 0.0, stop_pins: 0, ..WalkConfig::new(&WalkParams::default(), 7) };
    let preference = Preference { groups: &groups, boards: Some(0), pins: Some(1), chance: 1.0 };
    let starts = [Start { pin: PinId(0), weight: 1.0 }];
    let found = walk_preferring(&mut WalkScratch::default(), &graph, &starts, &[], &config, &preference, 99);
    assert_eq!(found.pins.len(), 10);
    assert!(found.pins.iter().all(|(_, visits)| (*visits - 10_000.0).abs() < 500.0), "{:?}", found.pins);
}

#[test]
fn pruning_keeps_what_fits_and_the_order() {
    let graph = Graph::from_edges(0, 0, &random_edges(300, 200, 9_000, 8));
    let keep = |pins, boards| PruneConfig { pins, boards, seed: 9, ..PruneConfig::default() };
    assert_eq!(lists(&prune(&graph, &PruneConfig::default(), &[], None)), lists(&graph));
    let fit = |pin: PinId, board: BoardId| -(f32::abs(pin.0 as f32 - board.0 as f32));
    let power = prune(&graph, &keep(Keep::Power { delta: 0.7 }, Keep::All), &[], Some(&fit));
    let drawn = prune(&graph, &keep(Keep::Power { delta: 0.7 }, Keep::All), &[], None);
    for pin in (0..graph.pins()).map(PinId).filter(|&pin| graph.degree(pin) > 0) {
        let kept = f64::from(graph.degree(pin)).powf(0.7f32.into()).round() as u32;
        assert_eq!([power.degree(pin), drawn.degree(pin)], [kept; 2]);
        let worst = power.boards_of(pin).map(|board| fit(pin, board)).fold(f32::INFINITY, f32::min);
        let dropped = graph.boards_of(pin).filter(|&board| !power.has(pin, board));
        assert!(dropped.into_iter().all(|board| fit(pin, board) <= worst));
    }
    let [pins, boards] = [0, 1].map(|side| {
        let (all, left) = (&lists(&graph)[side], &lists(&power)[side]);
        all.iter().zip(left).all(|(all, left)| {
            let mut rest = all.iter();
            left.iter().all(|one| rest.any(|other| other == one))
        })
    });
    assert!(pins && boards, "what is left keeps its order");
    assert_ne!(lists(&drawn), lists(&power));
    assert_eq!(lists(&drawn), lists(&prune(&graph, &keep(Keep::Power { delta: 0.7 }, Keep::All), &[], None)));
    let both = prune(&graph, &keep(Keep::All, Keep::Bounded { delta: 0.5, min: 3, max: 5 }), &[], None);
    for board in (0..graph.boards()).map(BoardId) {
        let degree = graph.pins_of(board).len();
        let kept = ((degree as f64).sqrt().round() as usize).clamp(3, 5).min(degree);
        assert_eq!(both.pins_of(board).len(), kept);
        assert!(both.pins_of(board).all(|pin| both.boards_of(pin).any(|on| on == board)));
    }
}

#[test]
fn boards_about_everything_are_dropped() {
    // Board 0 holds one topic, board 1 two, board 2 all four; pin 99 has no topic.
    let on = |board: u32, pins: &'static [u32]| pins.iter().map(move |&pin| (PinId(pin), BoardId(board)));
    let edges: Vec<_> =
        on(0, &[0, 4, 99]).chain(on(1, &[0, 1])).chain(on(2, &[0, 1, 2, 3])).chain(on(3, &[99])).collect();
    let graph = Graph::from_edges(0, 0, &edges);
    let topics: Vec<f32> =
        (0..8).flat_map(|pin| (0..4).map(move |topic| f32::from(u8::from(pin % 4 == topic)))).collect();
    let entropy = board_entropy(&graph, &topics, 4);
    let expected = [0.0, 2f32.ln(), 4f32.ln(), 0.0];
    assert!(entropy.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{entropy:?}");
    let config = PruneConfig { board_entropy_max: 1.0, ..PruneConfig::default() };
    let pruned = prune(&graph, &config, &entropy, None);
    assert_eq!((0..4).map(|board| pruned.pins_of(BoardId(board)).len()).collect::<Vec<_>>(), [3, 2, 0, 1]);
    assert!(pruned.pins() == graph.pins() && pruned.boards() == graph.boards(), "ids stay");
}

#[test]
fn sampled_neighbours_do_not_depend_on_the_batch() {
    let graph = Graph::from_edges(0, 0, &random_edges(900, 500, 9_000, 10));
    let pins: Vec<PinId> = (0..700).map(PinId).chain([PinId(3), PinId(u32::MAX)]).collect();
    let config = SampleConfig { seed: 11, ..SampleConfig::default() };
    let all = sample_all(&graph, &pins, 10, &config);
    assert_eq!(all.len(), pins.len());
    for (at, &pin) in pins.iter().enumerate().step_by(13).chain([(700, &PinId(3)), (701, &PinId(u32::MAX))]) {
        assert_eq!(all[at], sample_neighbours(&graph, pin, 10, &config), "{pin:?}");
        let sum: f32 = all[at].iter().map(|(_, weight)| weight).sum();
        assert!(all[at].is_empty() || (sum - 1.0).abs() < 1e-5);
        assert!(all[at].iter().all(|&(other, _)| other != pin) && all[at].is_sorted_by(|a, b| a.1 >= b.1));
    }
    assert_eq!(all[3], all[700]);
    assert!(all[701].is_empty() && all.iter().filter(|found| found.len() == 10).count() > 300);
}
