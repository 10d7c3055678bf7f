//! How a candidate fits what was asked for, learned first and to its end: for the features that say so, the plain sum
//! of piecewise linear functions, with a bias by surface. Beside a pin of vases seas are out of place: that is a bend
//! of one function, which few rows show, since what is shown mostly fits. Learned with everything else it is lost,
//! because the rest knows its rows by heart after few passes.

use std::ops::Range;

use domain::{HEAD_COUNT, Rng, hash64};
use models::{FEATURE_COUNT, KNOTS, Matrix, PHI, RankPart, Ranker, feature};
use rayon::prelude::*;

use super::Task;
use super::groups::Group;
use crate::adamw::{AdamW, Stride};
use crate::learner::add;
use crate::schedule;

const EPOCHS: usize = 12;
const BATCH_ROWS: usize = 4_096;
const RATE: f32 = 0.05;
const WARMUP: f32 = 0.05;
/// Pull towards no function at all, relative to the rate.
const DECAY: f32 = 0.01;
/// What says how a candidate fits what was asked for.
const OF_SUBJECT: [usize; 10] = [
    feature("subject_topic"),
    feature("subject_creator"),
    feature("content"),
    feature("text"),
    feature("walk"),
    feature("walk_share"),
    feature("walk_rank"),
    feature("retrieval_rank"),
    feature("query_impressions"),
    feature("query_acts"),
];
/// In how many parts a step is computed at once.
const SHARDS: usize = 4;

/// What each knot adds to each head, and the biases of the surfaces: `[knots, HEAD_COUNT]`, `[surfaces, HEAD_COUNT]`.
type Plain = [Matrix; 2];

/// Learns these functions of `ranker` from groups of rows.
pub(super) fn learn(task: &Task, ranker: &mut Ranker, groups: &[Group]) {
    let mut rows: Vec<(usize, Range<usize>)> = groups.iter().map(|group| (group.request, group.rows.clone())).collect();
    let mut plain = taken(ranker);
    let mut adamw = AdamW::new(&plain);
    let count: usize = rows.iter().map(|(_, range)| range.len()).sum();
    let steps = (count.div_ceil(BATCH_ROWS) * EPOCHS) as u64;
    let mut rng = Rng::new(hash64(task.config.seed) ^ 0xADD);
    for _ in 0..EPOCHS {
        rng.shuffle(&mut rows);
        let all: Vec<(usize, usize)> =
            rows.iter().flat_map(|(request, range)| range.clone().map(|row| (*request, row))).collect();
        for batch in all.chunks(BATCH_ROWS) {
            let per_shard = batch.len().div_ceil(SHARDS);
            let part = |part: &[(usize, usize)]| gradient(task, ranker, &plain, part, batch.len());
            let found: Vec<Vec<Vec<f32>>> = batch.par_chunks(per_shard).map(part).collect();
            let mut sums = vec![Vec::new(); 2];
            found.iter().for_each(|part| add(&mut sums, part));
            let rate = RATE * schedule::rate(adamw.steps, steps, WARMUP);
            adamw.step(&mut plain, &sums, Stride { rate, decay: DECAY, clip_norm: f32::INFINITY });
        }
    }
    put(ranker, &plain);
}

fn taken(ranker: &Ranker) -> Plain {
    let part = |matrix: &Matrix, from: usize| {
        let values = matrix.values.chunks_exact(matrix.cols).flat_map(|row| &row[from..from + HEAD_COUNT]);
        Matrix { rows: matrix.rows, cols: HEAD_COUNT, values: values.copied().collect() }
    };
    [part(ranker.part(RankPart::Table), PHI), part(ranker.part(RankPart::Bias), 0)]
}

/// Expected looks, behind the heads, are left as they are.
fn put(ranker: &mut Ranker, [knots, bias]: &Plain) {
    for (part, from, learned) in [(RankPart::Table, PHI, knots), (RankPart::Bias, 0, bias)] {
        let matrix = ranker.part_mut(part);
        let cols = matrix.cols;
        for (row, learned) in matrix.values.chunks_exact_mut(cols).zip(learned.values.chunks_exact(HEAD_COUNT)) {
            row[from..from + HEAD_COUNT].copy_from_slice(learned);
        }
    }
}

/// The gradient of the mean log loss over `of` rows, of which these are a part.
fn gradient(task: &Task, ranker: &Ranker, [knots, bias]: &Plain, part: &[(usize, usize)], of: usize) -> Vec<Vec<f32>> {
    let mut found = vec![vec![0.0; knots.values.len()], vec![0.0; bias.values.len()]];
    let mut around: Vec<(u32, f32)> = Vec::with_capacity(2 * OF_SUBJECT.len());
    debug_assert_eq!(knots.rows, FEATURE_COUNT * KNOTS);
    for &(request, row) in part {
        let (about, rows) = (&task.rows.requests[request], task.rows);
        let features = &rows.features[row * FEATURE_COUNT..][..FEATURE_COUNT];
        around.clear();
        around.extend(OF_SUBJECT.iter().flat_map(|&feature| ranker.knots(feature, features[feature])));
        around.retain(|(_, weight)| *weight > 0.0);
        let surface = usize::from(about.surface.code());
        let mut outs: [f32; HEAD_COUNT] = std::array::from_fn(|head| bias.row(surface)[head]);
        for &(knot, weight) in &around {
            outs.iter_mut().zip(knots.row(knot as usize)).for_each(|(out, value)| *out += weight * value);
        }
        let weight = rows.weights[row] / of as f32;
        for (head, out) in outs.iter_mut().enumerate() {
            let learned = task.heads[head] && rows.known(head, about);
            let chance = 1.0 / (1.0 + (-*out).exp());
            *out = if learned { weight * (chance - f32::from(u8::from(rows.labels[row][head]))) } else { 0.0 };
        }
        let mut add_to = |at: usize, row: usize, weight: f32| {
            let to = &mut found[at][row * HEAD_COUNT..][..HEAD_COUNT];
            to.iter_mut().zip(&outs).for_each(|(to, out)| *to += weight * out);
        };
        around.iter().for_each(|&(knot, weight)| add_to(0, knot as usize, weight));
        add_to(1, surface, 1.0);
    }
    found
}
