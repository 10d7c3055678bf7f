//! The loss of what is done to shown pins: per-head log loss, which makes chances right, and a softmax over each
//! request, which makes orders right.

use domain::HEAD_COUNT;

/// Weight of the softmax over requests against the log loss.
const LISTWISE: f32 = 0.1;

/// What happened to a batch of rows, and what counts.
pub(crate) struct Labelled<'a> {
    /// Per row and head, 1 where it happened.
    pub(crate) labels: &'a [[f32; HEAD_COUNT]],
    /// Rows of each request.
    pub(crate) requests: &'a [(usize, usize)],
    /// Weight of each head; 0 is not learned.
    pub(crate) heads: &'a [f32; HEAD_COUNT],
    /// Rows and requests of the whole batch, of which this may be a part.
    pub(crate) of_rows: f32,
    pub(crate) of_requests: f32,
}

/// The part of the mean loss, and its gradient by `logits` (`rows × HEAD_COUNT`).
pub(crate) fn loss(logits: &[f32], labelled: &Labelled) -> (f64, Vec<f32>) {
    let mut gradient = vec![0.0; logits.len()];
    let mut sum = 0.0;
    let rows = logits.chunks_exact(HEAD_COUNT).zip(labelled.labels).zip(gradient.chunks_exact_mut(HEAD_COUNT));
    for ((logits, labels), gradient) in rows {
        for head in 0..HEAD_COUNT {
            let (z, y, weight) = (logits[head], labels[head], labelled.heads[head] / labelled.of_rows);
            sum += f64::from(weight * (z.max(0.0) + (-z.abs()).exp().ln_1p() - y * z));
            gradient[head] = weight * (1.0 / (1.0 + (-z).exp()) - y);
        }
    }
    for &(start, end) in labelled.requests {
        for head in (0..HEAD_COUNT).filter(|&head| labelled.heads[head] > 0.0) {
            sum += listwise(logits, labelled, (start, end), head, &mut gradient);
        }
    }
    (sum, gradient)
}

/// `-Σ share · log_softmax` over a request's rows of one head, where the rows at which it happened share alike.
fn listwise(logits: &[f32], labelled: &Labelled, (start, end): (usize, usize), head: usize, out: &mut [f32]) -> f64 {
    let liked: f32 = labelled.labels[start..end].iter().map(|labels| labels[head]).sum();
    if liked == 0.0 || end - start < 2 {
        return 0.0;
    }
    let of = |row: usize| logits[row * HEAD_COUNT + head];
    let top = (start..end).map(of).fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = (start..end).map(|row| (of(row) - top).exp()).sum();
    let weight = LISTWISE * labelled.heads[head] / labelled.of_requests;
    let mut sum = 0.0;
    for row in start..end {
        let share = labelled.labels[row][head] / liked;
        sum -= f64::from(weight * share * (of(row) - top - total.ln()));
        out[row * HEAD_COUNT + head] += weight * ((of(row) - top).exp() / total - share);
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
        let labels: Vec<[f32; HEAD_COUNT]> =
            (0..6).map(|row| std::array::from_fn(|head| f32::from(u8::from((row + head) % 3 == 0)))).collect();
        let mut heads = [1.0; HEAD_COUNT];
        (heads[1], heads[2]) = (0.0, 2.0);
        let requests = [(0, 4), (4, 5), (5, 6)];
        let labelled = Labelled { labels: &labels, requests: &requests, heads: &heads, of_rows: 6.0, of_requests: 3.0 };
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
