//! The ranking head as a burn graph: per-head log loss, which makes chances right, and a softmax over each request,
//! which makes orders right.

use burn::tensor::{Device, Tensor, activation};
use domain::HEAD_COUNT;
use models::{FEATURE_COUNT, Matrix};

use crate::forward::{floats, tensor};

/// Added to logits that must not count.
const MASKED: f32 = -1e9;
/// Weight of the softmax over requests against the log loss.
const LISTWISE: f32 = 0.1;

/// Requests of one part of a batch, padded to the longest.
pub(crate) struct Padded {
    pub(crate) requests: usize,
    pub(crate) length: usize,
    /// `requests · length × FEATURE_COUNT`, standardised.
    pub(crate) features: Vec<f32>,
    /// `requests · length × HEAD_COUNT`, 1 where it happened.
    pub(crate) labels: Vec<f32>,
    /// `requests · length`, 1 for rows that are real.
    pub(crate) real: Vec<f32>,
}

/// Matrices of the head in the order that they are trained in.
pub(crate) const WIDE: usize = 0;
pub(crate) const BIAS: usize = 1;
pub(crate) const UP: usize = 2;
pub(crate) const UP_BIAS: usize = 3;
pub(crate) const DOWN: usize = 4;

/// Sum of the loss over the part, and its gradients, in the order of `weights`. `rows` and `requests` are those of the
/// whole batch, `heads` is 1 for heads that are learned.
pub(crate) fn gradients(
    weights: &[Matrix],
    part: &Padded,
    heads: &[f32; HEAD_COUNT],
    rows: f32,
    requests: f32,
) -> (f64, Vec<Vec<f32>>) {
    let device = Device::flex().autodiff();
    let count = part.requests * part.length;
    let leaves: Vec<Tensor<2>> = weights
        .iter()
        .map(|matrix| tensor(matrix.values.clone(), [matrix.rows, matrix.cols], &device).require_grad())
        .collect();
    let x = tensor(part.features.clone(), [count, FEATURE_COUNT], &device);
    let y = tensor(part.labels.clone(), [count, HEAD_COUNT], &device);
    let real = tensor(part.real.clone(), [count, 1], &device);
    let active = tensor(heads.to_vec(), [1, HEAD_COUNT], &device);
    let hidden = activation::silu(x.clone().matmul(leaves[UP].clone()) + leaves[UP_BIAS].clone());
    let logits = x.matmul(leaves[WIDE].clone()) + leaves[BIAS].clone() + hidden.matmul(leaves[DOWN].clone());
    let pointwise = activation::softplus(logits.clone(), 1.0) - logits.clone() * y.clone();
    let pointwise = (pointwise * real.clone() * active.clone()).sum() * (1.0 / rows);
    let shape = [part.requests, part.length, HEAD_COUNT];
    let masked = (logits + (real - 1.0) * -MASKED).reshape(shape);
    let happened = (y * active).reshape(shape);
    let share = happened.clone() / (happened.sum_dim(1) + 1e-9);
    let listwise = (activation::log_softmax(masked, 1) * share).sum() * (-LISTWISE / requests);
    let loss = pointwise + listwise;
    let value = floats(loss.clone().inner()).first().copied().unwrap_or(f32::NAN);
    let mut found = loss.backward();
    let take = |leaf: &Tensor<2>| {
        let size = leaf.dims().iter().product();
        leaf.grad_remove(&mut found).map_or_else(|| vec![0.0; size], floats)
    };
    (f64::from(value), leaves.iter().map(take).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;
    use models::{RANK_HIDDEN, Ranker};

    fn logits(weights: &[Matrix], features: &[f32]) -> Vec<f32> {
        let device = Device::flex();
        let leaf = |i: usize| tensor::<2>(weights[i].values.clone(), [weights[i].rows, weights[i].cols], &device);
        let x: Tensor<2> = tensor(features.to_vec(), [features.len() / FEATURE_COUNT, FEATURE_COUNT], &device);
        let hidden = activation::silu(x.clone().matmul(leaf(UP)) + leaf(UP_BIAS));
        floats(x.matmul(leaf(WIDE)) + leaf(BIAS) + hidden.matmul(leaf(DOWN)))
    }

    #[test]
    fn our_kernels_agree_with_the_graph_and_gradients_with_differences() {
        let mut rng = Rng::new(8);
        let shapes = [
            (FEATURE_COUNT, HEAD_COUNT),
            (1, HEAD_COUNT),
            (FEATURE_COUNT, RANK_HIDDEN),
            (1, RANK_HIDDEN),
            (RANK_HIDDEN, HEAD_COUNT),
        ];
        let mut weights: Vec<Matrix> = shapes
            .iter()
            .map(|&(rows, cols)| Matrix { rows, cols, values: (0..rows * cols).map(|_| 0.3 * rng.normal()).collect() })
            .collect();
        let features: Vec<f32> = (0..6 * FEATURE_COUNT).map(|_| rng.normal()).collect();
        let [wide, bias, up, up_bias, down] = [0, 1, 2, 3, 4].map(|i| weights[i].clone());
        let ranker = Ranker { wide, bias, up, up_bias, down, ..Ranker::prior() };
        for (ours, graph) in ranker.logits(&features).iter().zip(logits(&weights, &features)) {
            assert!((ours - graph).abs() < 1e-4, "{ours} here, {graph} in the graph");
        }
        let mut labels = vec![0.0; 6 * HEAD_COUNT];
        (0..5).for_each(|row| labels[row * HEAD_COUNT + row] = 1.0);
        let part = Padded { requests: 2, length: 3, features, labels, real: vec![1.0, 1.0, 1.0, 1.0, 1.0, 0.0] };
        let heads = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0];
        let loss = |weights: &[Matrix]| gradients(weights, &part, &heads, 5.0, 2.0);
        let found = loss(&weights).1;
        for i in 0..weights.len() {
            for at in [0, weights[i].values.len() / 2] {
                let mut moved = |by: f32| {
                    weights[i].values[at] += by;
                    let value = loss(&weights).0;
                    weights[i].values[at] -= by;
                    value
                };
                let difference = ((moved(1e-2) - moved(-1e-2)) / 2e-2) as f32;
                assert!((found[i][at] - difference).abs() < 2e-3, "{i} {at}: {} {difference}", found[i][at]);
            }
        }
    }
}
