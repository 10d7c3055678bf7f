use super::*;
use crate::filter::{Columns, Filter, PinSet};
use bytes::Bytes;

fn random(rng: &mut Rng, dim: usize) -> Vec<f32> {
    (0..dim).map(|_| rng.normal()).collect()
}

/// Vectors around a few places, as learned ones are.
fn clustered(count: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    let places: Vec<Vec<f32>> = (0..40).map(|_| random(&mut rng, dim)).collect();
    let vector = |rng: &mut Rng| {
        let place = &places[rng.below(40) as usize];
        let vector: Vec<f32> = place.iter().map(|x| x + 0.5 * rng.normal()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.into_iter().map(|x| x / length).collect::<Vec<f32>>()
    };
    (0..count).flat_map(|_| vector(&mut rng)).collect()
}

fn pins(count: usize) -> Vec<PinId> {
    (0..count as u32).map(PinId).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The best `k` of the pins that pass, by the vectors as they were given.
fn truth(rows: &[f32], query: &[f32], k: usize, passes: impl Fn(PinId) -> bool) -> Vec<PinId> {
    let mut all: Vec<(f32, PinId)> = (0u32..)
        .map(PinId)
        .zip(rows.chunks_exact(query.len()))
        .filter(|(pin, _)| passes(*pin))
        .map(|(pin, row)| (dot(row, query), pin))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.into_iter().take(k).map(|(_, pin)| pin).collect()
}

fn hits(found: &[(PinId, f32)], truth: &[PinId]) -> f32 {
    let known = found.iter().filter(|(pin, _)| truth.contains(pin)).count();
    known as f32 / truth.len().max(1) as f32
}

#[test]
fn few_vectors_are_scanned_and_all_of_the_best_are_found() {
    let dim = 20;
    let rows = clustered(1_500, dim, 1);
    let mut index = VectorIndex::build(dim, 4, &pins(1_500), &rows, 1).expect("good vectors");
    (0..1_500).step_by(7).for_each(|pin| index.remove(PinId(pin)));
    let query = random(&mut Rng::new(2), dim);
    for k in [1, 10, 300, 5_000] {
        let found = index.search(4, &query, &Want::best(k)).expect("a good query");
        let expected = truth(&rows, &query, k, |pin| pin.0 % 7 != 0);
        assert_eq!((found.pins.len(), found.plan), (k.min(index.len()), Plan::Scan));
        assert!(hits(&found.pins, &expected) > 0.99, "{k}");
        for (pin, score) in found.pins {
            let exact = dot(&rows[pin.index() * dim..][..dim], &query);
            assert!((score - exact).abs() < 2e-3, "{score} {exact}");
        }
    }
    assert_eq!(index.len(), 1_500 - 215);
}

#[test]
fn many_vectors_are_found_by_lists_as_well_as_was_asked() {
    let dim = 32;
    let rows = clustered(20_000, dim, 3);
    let index = VectorIndex::build(dim, 1, &pins(20_000), &rows, 1).expect("good vectors");
    let queries = clustered(60, dim, 3);
    for (recall, k) in [(0.9, 10), (0.95, 100), (0.99, 100), (0.95, 1_000)] {
        let want = Want { recall, ..Want::best(k) };
        let mut sum = 0.0;
        for query in queries.chunks_exact(dim) {
            let found = index.search(1, query, &want).expect("a good query");
            assert_eq!(found.plan, Plan::Lists);
            let share = hits(&found.pins, &truth(&rows, query, k, |_| true));
            let told = index.recall(1, query, &want, &found.pins).expect("a good query");
            // Codes may put a pair at the border the other way round.
            let border = 2.01 / k as f32;
            assert!((told - share).abs() < border, "the monitor says {told}, it is {share}");
            sum += share / 60.0;
        }
        assert!(sum >= recall, "asked for {recall} at {k}, found {sum}");
    }
}

#[test]
fn a_filter_is_kept_by_every_plan() {
    let (dim, count) = (32, 60_000);
    let rows = clustered(count, dim, 5);
    let index = VectorIndex::build(dim, 1, &pins(count), &rows, 1).expect("good vectors");
    let query = &rows[..dim];
    let columns = Columns::new();
    for (every, plan) in [(2, Plan::Traversal), (10, Plan::Traversal), (37, Plan::FilterFirst), (60, Plan::LookUp)] {
        let set: PinSet = (0..count as u32).filter(|pin| pin % every == 0).map(PinId).collect();
        let filter = Filter::Pins(Arc::new(set));
        let bound = filter.bind(&columns).expect("a good filter");
        let expected = truth(&rows, query, 50, |pin| pin.0 % every == 0);
        let want = Want { filter: Some(&bound), recall: 0.99, ..Want::best(50) };
        let found = index.search(1, query, &want).expect("a good query");
        assert_eq!(found.plan, plan, "one in {every}");
        assert!(found.pins.iter().all(|(pin, _)| pin.0 % every == 0));
        assert!(hits(&found.pins, &expected) >= 0.95, "one in {every}");
        let marked = index.mark(&bound);
        let again = index.search(1, query, &Want { marked: Some(&marked), ..want }).expect("a good query");
        assert_eq!(again.plan, Plan::FilterFirst);
        assert!(again.pins.iter().all(|(pin, _)| pin.0 % every == 0));
        assert!(hits(&again.pins, &expected) >= 0.95, "one in {every}, marked");
    }
    let none = Filter::Pins(Arc::new(PinSet::new()));
    let bound = none.bind(&columns).expect("a good filter");
    let found = index.search(1, query, &Want { filter: Some(&bound), ..Want::best(9) }).expect("a good query");
    assert!(found.pins.is_empty());
}

#[test]
fn what_passes_is_found_where_the_query_is_not() {
    let (dim, count) = (32, 60_000);
    let rows = clustered(count, dim, 5);
    let index = VectorIndex::build(dim, 1, &pins(count), &rows, 1).expect("good vectors");
    let query = &rows[..dim];
    // What passes lies around the pin that is farthest from the query.
    let farthest = truth(&rows, query, count, |_| true)[count - 1].index();
    let far = truth(&rows, &rows[farthest * dim..][..dim], count, |_| true);
    let columns = Columns::new();
    for share in [0.5, 0.1, 0.03] {
        let set: PinSet = far[..(count as f64 * share) as usize].iter().copied().collect();
        let filter = Filter::Pins(Arc::new(set.clone()));
        let bound = filter.bind(&columns).expect("a good filter");
        let expected = truth(&rows, query, 50, |pin| set.contains(pin));
        let marked = index.mark(&bound);
        for marked in [None, Some(&marked)] {
            let want = Want { filter: Some(&bound), marked, ..Want::best(50) };
            let found = index.search(1, query, &want).expect("a good query");
            let part = hits(&found.pins, &expected);
            assert!(part >= 0.9, "{share} of all, far away: {part} found by {:?}", found.plan);
        }
    }
}

#[test]
fn what_is_pulled_in_batches_comes_in_order_and_once() {
    let dim = 16;
    let rows = clustered(12_000, dim, 6);
    let index = VectorIndex::build(dim, 1, &pins(12_000), &rows, 1).expect("good vectors");
    let query = &rows[16..32];
    let mut pull = index.pull(1, query, Want::best(10)).expect("a good query");
    let mut pulled = Vec::new();
    for count in [1, 10, 7, 100, 1_000, 20_000] {
        let batch = pull.next_batch(count).expect("a good query");
        assert!(batch.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        pulled.extend(batch);
    }
    let mut once: Vec<PinId> = pulled.iter().map(|(pin, _)| *pin).collect();
    once.sort_unstable();
    once.dedup();
    assert_eq!((once.len(), pulled.len()), (12_000, 12_000));
    assert!(hits(&pulled[..100], &truth(&rows, query, 100, |_| true)) > 0.9);
    assert!(pull.next_batch(5).expect("a good query").is_empty());
}

#[test]
fn a_compaction_changes_nothing_and_what_comes_meanwhile_survives() {
    let dim = 24;
    let rows = clustered(12_000, dim, 7);
    let mut index = VectorIndex::new(dim, 1);
    index.upsert_all(1, &pins(9_000), &rows[..9_000 * dim]).expect("good vectors");
    assert!(index.wants_compaction());
    (0..3_000).for_each(|pin| index.remove(PinId(pin)));
    let compaction = index.begin_compaction(1).expect("none is under way");
    assert!(index.begin_compaction(1).is_none() && !index.wants_compaction());
    // Meanwhile: new pins, a pin that gets another vector, one that goes, one that comes back.
    let late: Vec<PinId> = (9_000..12_000).map(PinId).collect();
    index.upsert_all(1, &late, &rows[9_000 * dim..]).expect("good vectors");
    index.upsert(1, PinId(8_000), &rows[..dim]).expect("a good vector");
    index.remove(PinId(8_001));
    index.upsert(1, PinId(5), &rows[dim..2 * dim]).expect("a good vector");
    let before = index.search(1, &rows[..dim], &Want { recall: 1.0, ..Want::best(2_000) }).expect("a good query");
    drop(index.publish(compaction.run()));
    assert_eq!(index.len(), 9_000 - 3_000 + 3_000 - 1 + 1);
    let after = index.search(1, &rows[..dim], &Want { recall: 1.0, ..Want::best(2_000) }).expect("a good query");
    let ids = |found: &Found| found.pins.iter().map(|(pin, _)| *pin).collect::<Vec<_>>();
    assert!(hits(&after.pins, &ids(&before)) > 0.99);
    assert_eq!((index.vector(PinId(8_001)), index.vector(PinId(1))), (None, None));
    let moved = index.vector(PinId(8_000)).expect("it has one");
    assert!(dot(&moved, &rows[..dim]) > 0.999, "the last vector counts");
    assert!(index.vector(PinId(5)).is_some() && index.vector(PinId(11_999)).is_some());
    // One that is given up loses nothing, and those after it go on.
    assert!(index.begin_compaction(2).is_some());
    index.upsert(1, PinId(12_345), &rows[..dim]).expect("a good vector");
    index.abandon_compaction();
    index.remove(PinId(12_345));
    // And once more, now with lists that were learned.
    let compaction = index.begin_compaction(2).expect("none is under way");
    drop(index.publish(compaction.run()));
    assert_eq!(index.len(), 9_000);
}

#[test]
fn a_snapshot_is_the_same_index() {
    let dim = 40;
    let rows = clustered(10_000, dim, 8);
    let mut index = VectorIndex::build(dim, 3, &pins(10_000), &rows, 1).expect("good vectors");
    index.remove(PinId(77));
    index.upsert(3, PinId(20_000), &rows[..dim]).expect("a good vector");
    let mut out = Vec::new();
    index.compacted(1).write(&mut out).expect("memory takes bytes");
    let mut opened = VectorIndex::open(&Bytes::from(out.clone())).expect("intact");
    assert_eq!((opened.len(), opened.space(), opened.dim()), (index.len(), 3, dim));
    assert_eq!((opened.vector(PinId(77)), opened.vector(PinId(78))), (None, index.vector(PinId(78))));
    let want = Want { recall: 1.0, ..Want::best(100) };
    let ids = |index: &VectorIndex| index.search(3, &rows[dim..2 * dim], &want).expect("a good query").pins;
    assert_eq!(ids(&opened), ids(&index));
    opened.upsert(3, PinId(1), &rows[..dim]).expect("a snapshot can be written to");
    assert_eq!(opened.len(), index.len());
    for at in (0..out.len()).step_by(997) {
        let mut bad = out.clone();
        bad[at] ^= 0x40;
        if let Ok(opened) = VectorIndex::open(&Bytes::from(bad)) {
            assert_eq!(ids(&opened), ids(&index), "only padding may change");
        }
    }
}

#[test]
fn equal_scores_are_ordered_by_id() {
    let mut index = VectorIndex::new(3, 0);
    (0..2_000).for_each(|pin| index.upsert(0, PinId(pin), &[1.0, 0.0, 0.0]).expect("a good vector"));
    let found = index.search(0, &[2.0, 1.0, 1.0], &Want::best(300)).expect("a good query").pins;
    assert!(found.windows(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].0 < pair[1].0));
    assert!((found[0].1 - 2.0).abs() < 1e-3);
}

#[test]
fn a_vector_can_be_replaced_removed_and_given_again() {
    let mut index = VectorIndex::new(2, 0);
    let best = |index: &VectorIndex, k| index.search(0, &[1.0, 1.0], &Want::best(k)).expect("a good query").pins;
    index.upsert(0, PinId(5), &[1.0, 2.0]).expect("good");
    index.upsert(0, PinId(5), &[3.0, 4.0]).expect("good");
    let vector = index.vector(PinId(5)).expect("it has one");
    assert!((vector[0] - 3.0).abs() < 0.01 && (vector[1] - 4.0).abs() < 0.01, "{vector:?}");
    index.remove(PinId(5));
    index.remove(PinId(5));
    index.remove(PinId(u32::MAX));
    assert_eq!((index.len(), index.is_empty(), index.vector(PinId(5))), (0, true, None));
    assert_eq!(best(&index, 9), []);
    index.upsert(0, PinId(5), &[1.0, 0.0]).expect("good");
    assert_eq!(best(&index, usize::MAX)[0].0, PinId(5));
    assert_eq!(best(&index, 0), []);
    assert_eq!(index.vector(PinId(4)), None, "a hole is not a pin");
    index.upsert(0, PinId(6), &[0.0, 0.0]).expect("zeros are a vector");
    assert_eq!(best(&index, 2).len(), 2);
}

#[test]
fn other_spaces_dimensions_and_numbers_are_refused() {
    let mut index = VectorIndex::new(2, 4);
    (0..3).for_each(|pin| index.upsert(4, PinId(pin), &[1.0, 0.0]).expect("good"));
    let said = |result: Result<(), IndexError>| result.expect_err("refused").to_string();
    assert_eq!(said(index.upsert(5, PinId(0), &[0.0; 2])), "vector of embedding space 5, but the index holds space 4");
    assert_eq!(said(index.upsert(4, PinId(0), &[0.0; 3])), "vector of 3 dimensions, but the index holds 2");
    let nan = said(index.upsert(4, PinId(0), &[0.0, f32::NAN]));
    assert_eq!(nan, "dimension 1 of the vector is not a finite number");
    let search = |space, query: &[f32]| index.search(space, query, &Want::best(1));
    assert!(matches!(search(4, &[f32::INFINITY, 0.0]), Err(IndexError::NotFinite { at: 0 })));
    assert!(matches!(search(3, &[0.0, 0.0]), Err(IndexError::Space { .. })));
    assert!(matches!(search(4, &[]), Err(IndexError::Dimension { .. })));
    let beyond = index.upsert(4, PinId(PINS_MAX as u32), &[0.0; 2]);
    assert!(matches!(beyond, Err(IndexError::TooManyPins { .. })));
    assert_eq!(index.len(), 3);
}

#[test]
fn numbers_that_overflow_do_not_disturb_the_order() {
    let mut index = VectorIndex::new(2, 0);
    index.upsert(0, PinId(0), &[f32::MAX, -f32::MAX]).expect("finite");
    index.upsert(0, PinId(1), &[1.0, 1.0]).expect("finite");
    let found = index.search(0, &[f32::MAX, f32::MAX], &Want::best(2)).expect("finite").pins;
    assert!(found.len() <= 2);
}
