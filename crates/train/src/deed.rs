//! The loss of what is done to shown pins: per-head log loss, which makes chances right, and a softmax over rows that
//! belong together, which makes orders right.

use domain::HEAD_COUNT;

/// Weight of the softmax against the log loss.
const LISTWISE: f32 = 0.1;

/// What happened to a batch of rows.
pub(crate) struct Labelled<'a> {
    /// Per row and head, 1 where it happened; not a number where nobody knows.
    pub(crate) labels: &'a [[f32; HEAD_COUNT]],
    /// Per row for how many it stands.
    pub(crate) weights: &'a [f32],
    /// Rows that belong together: of one request, or of one pinner.
    pub(crate) groups: &'a [(usize, usize)],
    /// Sum of the weights of the whole batch, of which this may be a part.
    pub(crate) of_rows: f32,
    /// Numbers in a row of logits; the heads come first.
    pub(crate) width: usize,
}

/// The part of the mean loss, and its gradient by `logits` (`rows × width`).
pub(crate) fn loss(logits: &[f32], labelled: &Labelled) -> (f64, Vec<f32>) {
    let width = labelled.width;
    let (mut gradient, mut sum) = (vec![0.0; logits.len()], 0.0);
    let told = labelled.labels.iter().zip(labelled.weights);
    let rows = logits.chunks_exact(width).zip(told).zip(gradient.chunks_exact_mut(width));
    for ((logits, (labels, weight)), gradient) in rows {
        let weight = weight / labelled.of_rows;
        for head in (0..HEAD_COUNT).filter(|&head| !labels[head].is_nan()) {
            let (z, y) = (logits[head], labels[head]);
            sum += f64::from(weight * (z.max(0.0) + (-z.abs()).exp().ln_1p() - y * z));
            gradient[head] = weight * (1.0 / (1.0 + (-z).exp()) - y);
        }
    }
    for &(start, end) in labelled.groups {
        for head in 0..HEAD_COUNT {
            sum += listwise(logits, labelled, (start, end), head, &mut gradient);
        }
    }
    (sum, gradient)
}

/// `-Σ share · log_softmax` over a group's rows of one head, where the rows at which it happened share alike. It counts
/// as much as its rows do.
fn listwise(logits: &[f32], labelled: &Labelled, (start, end): (usize, usize), head: usize, out: &mut [f32]) -> f64 {
    let liked: f32 = labelled.labels[start..end].iter().map(|labels| labels[head]).sum();
    let rows = (end - start) as f32;
    // A sum with an unknown one is unknown; where it happened to all, there is no order.
    if !(liked > 0.0 && liked < rows) {
        return 0.0;
    }
    let of = |row: usize| logits[row * labelled.width + head];
    let top = (start..end).map(of).fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = (start..end).map(|row| (of(row) - top).exp()).sum();
    let weight = LISTWISE * rows / labelled.of_rows;
    let mut sum = 0.0;
    for row in start..end {
        let share = labelled.labels[row][head] / liked;
        sum -= f64::from(weight * share * (of(row) - top - total.ln()));
        out[row * labelled.width + head] += weight * ((of(row) - top).exp() / total - share);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn gradients_equal_differences() {
        let mut rng = Rng::new(8);
        let mut logits: Vec<f32> = (0..6 * HEAD_COUNT).map(|_| rng.normal()).collect();
        let mut labels: Vec<[f32; HEAD_COUNT]> =
            (0..6).map(|row| std::array::from_fn(|head| f32::from(u8::from((row + head) % 3 == 0)))).collect();
        labels.iter_mut().for_each(|labels| labels[1] = f32::NAN);
        let groups = [(0, 4), (4, 5), (5, 6)];
        let weights = [1.0, 1.0, 2.0, 1.0, 0.5, 0.5];
        let labelled =
            Labelled { labels: &labels, weights: &weights, groups: &groups, of_rows: 6.0, width: HEAD_COUNT };
        let found = loss(&logits, &labelled).1;
        for at in 0..logits.len() {
            let mut moved = |by: f32| {
                logits[at] += by;
                let value = loss(&logits, &labelled).0;
                logits[at] -= by;
                value
            };
            let difference = ((moved(1e-2) - moved(-1e-2)) / 2e-2) as f32;
            assert!((found[at] - difference).abs() < 1e-3, "{at}: {} {difference}", found[at]);
        }
    }
}
