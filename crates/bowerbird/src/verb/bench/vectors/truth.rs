//! Exact answers, by looking at every vector.

use super::exchange::{Rows, Truth};
use crate::progress::Progress;
use index::PinSet;
use rayon::prelude::*;

/// Fills a row of answers where fewer vectors pass than it is wide.
pub(super) const NOTHING: u32 = u32::MAX;

/// Answers per query.
const WIDTH: usize = 1_000;

/// Numbers added side by side.
const LANES: usize = 16;

/// The exact answers without a filter, then with each.
pub(super) fn all(base: &Rows, queries: &Rows, filters: &[(String, PinSet)], progress: &Progress) -> Vec<Truth> {
    let width = WIDTH.min(base.rows());
    let answers: Vec<Vec<u32>> = (0..queries.rows())
        .into_par_iter()
        .map(|query| {
            let query = queries.row(query);
            let scores: Vec<f32> = (0..base.rows()).map(|row| dot(base.row(row), query)).collect();
            let everything = best((0..base.rows() as u32).collect(), &scores, width);
            let passing = filters.iter().map(|(_, set)| best(set.iter().map(|pin| pin.0).collect(), &scores, width));
            let answers = everything.into_iter().chain(passing.flatten()).collect();
            progress.add(1 + filters.len() as u64);
            answers
        })
        .collect();
    let of = |at: usize| answers.iter().flat_map(|answer| &answer[at * width..][..width]).copied().collect();
    (0..=filters.len()).map(|at| Truth { width, ids: of(at) }).collect()
}

/// The best ids, filled up to `width`.
fn best(mut ids: Vec<u32>, scores: &[f32], width: usize) -> Vec<u32> {
    let order = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
    if ids.len() > width {
        ids.select_nth_unstable_by(width - 1, order);
        ids.truncate(width);
    }
    ids.sort_unstable_by(order);
    ids.resize(width, NOTHING);
    ids
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        (0..LANES).for_each(|lane| lanes[lane] += a[lane] * b[lane]);
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}
