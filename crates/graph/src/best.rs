//! The best of many scored pins.

use domain::PinId;
use std::cmp::Ordering;

/// Keeps the `k` highest scores, best first; ties by id, NaN last.
pub(crate) fn keep_best(scored: &mut Vec<(PinId, f32)>, k: usize) {
    let order = |a: &(PinId, f32), b: &(PinId, f32)| falling(a.1, b.1).then(a.0.cmp(&b.0));
    if k < scored.len() {
        scored.select_nth_unstable_by(k, order);
        scored.truncate(k);
    }
    scored.sort_unstable_by(order);
}

/// Keeps what may be among the `k` highest scores, in whatever order: those, and all that tie with the last of them.
pub(crate) fn keep_ties<T>(scored: &mut Vec<(T, f32)>, k: usize) {
    if k == 0 {
        scored.clear();
    } else if k < scored.len() {
        let mut scores: Vec<f32> = scored.iter().map(|&(_, score)| score).collect();
        let last = *scores.select_nth_unstable_by(k - 1, |a, b| falling(*a, *b)).1;
        scored.retain(|&(_, score)| falling(score, last).is_le());
    }
}

fn falling(a: f32, b: f32) -> Ordering {
    let key = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score };
    key(b).total_cmp(&key(a))
}
