//! The best of many scored pins.

use domain::PinId;

/// Keeps the `k` highest scores, best first; ties by id, NaN last.
pub(crate) fn keep_best(scored: &mut Vec<(PinId, f32)>, k: usize) {
    let order = |a: &(PinId, f32), b: &(PinId, f32)| {
        let key = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score };
        key(b.1).total_cmp(&key(a.1)).then(a.0.cmp(&b.0))
    };
    if k < scored.len() {
        scored.select_nth_unstable_by(k, order);
        scored.truncate(k);
    }
    scored.sort_unstable_by(order);
}
