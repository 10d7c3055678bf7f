//! The ranking head: features → probability per head (L2), and the linear first pass (L1).

use domain::HEAD_COUNT;

use crate::kernel;
use crate::weights::take;
use crate::{FEATURE_COUNT, Matrix, ModelError, feature};

/// Width of the ranking head's hidden layer.
pub const RANK_HIDDEN: usize = 32;
/// Standardised features are cut here, so that one odd value cannot decide a ranking.
pub(crate) const STANDARD_MAX: f32 = 6.0;

/// The learned ranking head. Logits = `x · wide + bias + silu(x · up + up_bias) · down` of standardised features `x`,
/// then Platt's `slope · logit + shift` per head, then a sigmoid.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranker {
    /// Mean of each feature and one over its deviation. `[2, FEATURE_COUNT]`
    pub standard: Matrix,
    /// `[FEATURE_COUNT, HEAD_COUNT]`
    pub wide: Matrix,
    /// `[1, HEAD_COUNT]`
    pub bias: Matrix,
    /// `[FEATURE_COUNT, RANK_HIDDEN]`
    pub up: Matrix,
    /// `[1, RANK_HIDDEN]`
    pub up_bias: Matrix,
    /// `[RANK_HIDDEN, HEAD_COUNT]`
    pub down: Matrix,
    /// Slope and shift of each head. `[2, HEAD_COUNT]`
    pub platt: Matrix,
    /// Weights of the first pass on raw features, then its constant. `[1, FEATURE_COUNT + 1]`
    pub l1: Matrix,
}

const NAMES: [(&str, usize, usize); 8] = [
    ("ranker.standard", 2, FEATURE_COUNT),
    ("ranker.wide", FEATURE_COUNT, HEAD_COUNT),
    ("ranker.bias", 1, HEAD_COUNT),
    ("ranker.up", FEATURE_COUNT, RANK_HIDDEN),
    ("ranker.up_bias", 1, RANK_HIDDEN),
    ("ranker.down", RANK_HIDDEN, HEAD_COUNT),
    ("ranker.platt", 2, HEAD_COUNT),
    ("ranker.l1", 1, FEATURE_COUNT + 1),
];

impl Ranker {
    /// What ranks before anything was learned: all heads rise with `dot`, `walk_share` and a little with `text` and
    /// `content`, around rates that are typical of feeds. L1 uses the same sum.
    pub fn prior() -> Ranker {
        let weights = [("dot", 4.0), ("walk_share", 2.0), ("text", 0.1), ("content", 1.0)];
        let rates: [f32; HEAD_COUNT] = [0.05, 0.10, 0.05, 0.03, 0.01, 0.005, 0.005, 0.005];
        let zero = |(_, rows, cols): (&str, usize, usize)| Matrix { rows, cols, values: vec![0.0; rows * cols] };
        let [mut standard, mut wide, mut bias, up, up_bias, down, mut platt, mut l1] = NAMES.map(zero);
        standard.values[FEATURE_COUNT..].fill(1.0);
        platt.values[..HEAD_COUNT].fill(1.0);
        bias.values.iter_mut().zip(rates).for_each(|(bias, rate)| *bias = (rate / (1.0 - rate)).ln());
        for (name, weight) in weights {
            let feature = feature(name);
            l1.values[feature] = weight;
            // The last head is `hide`: what is liked is hidden less.
            for head in 0..HEAD_COUNT {
                wide.values[feature * HEAD_COUNT + head] = if head + 1 == HEAD_COUNT { -weight } else { weight };
            }
        }
        Ranker { standard, wide, bias, up, up_bias, down, platt, l1 }
    }

    pub(crate) fn parts(&self) -> [(&'static str, &Matrix); NAMES.len()] {
        let matrices =
            [&self.standard, &self.wide, &self.bias, &self.up, &self.up_bias, &self.down, &self.platt, &self.l1];
        std::array::from_fn(|i| (NAMES[i].0, matrices[i]))
    }

    pub(crate) fn from_parts(found: &mut Vec<(String, Matrix)>) -> Result<Ranker, ModelError> {
        let mut next = NAMES.iter().map(|&(name, rows, cols)| take(found, name, rows, cols));
        let mut next = || next.next().expect("invariant: eight names for eight parts");
        Ok(Ranker {
            standard: next()?,
            wide: next()?,
            bias: next()?,
            up: next()?,
            up_bias: next()?,
            down: next()?,
            platt: next()?,
            l1: next()?,
        })
    }

    /// Standardises rows of raw features in place: mean 0, deviation 1, cut at [`STANDARD_MAX`], not-a-number is 0.
    pub fn standardise(&self, features: &mut [f32]) {
        let (mean, scale) = self.standard.values.split_at(FEATURE_COUNT);
        for row in features.chunks_exact_mut(FEATURE_COUNT) {
            for ((x, mean), scale) in row.iter_mut().zip(mean).zip(scale) {
                let standard = (*x - mean) * scale;
                *x = if standard.is_nan() { 0.0 } else { standard.clamp(-STANDARD_MAX, STANDARD_MAX) };
            }
        }
    }

    /// Logits before calibration of rows of raw features, `rows × HEAD_COUNT`.
    pub fn logits(&self, features: &[f32]) -> Vec<f32> {
        let mut x = features.to_vec();
        self.standardise(&mut x);
        let rows = features.len() / FEATURE_COUNT;
        let mut hidden = self.up_bias.values.repeat(rows);
        kernel::matmul_add(&x, &self.up, &mut hidden);
        kernel::silu(&mut hidden);
        let mut logits = self.bias.values.repeat(rows);
        kernel::matmul_add(&x, &self.wide, &mut logits);
        kernel::matmul_add(&hidden, &self.down, &mut logits);
        logits
    }

    /// Calibrated probabilities per head of rows of raw features; `out` is cleared first.
    pub fn rank(&self, features: &[f32], out: &mut Vec<[f32; HEAD_COUNT]>) {
        let (slope, shift) = self.platt.values.split_at(HEAD_COUNT);
        let logits = self.logits(features);
        out.clear();
        out.extend(logits.chunks_exact(HEAD_COUNT).map(|logits| {
            std::array::from_fn(|head| 1.0 / (1.0 + (-(slope[head] * logits[head] + shift[head])).exp()))
        }));
    }

    /// First-pass score of one row of raw features.
    pub fn l1(&self, features: &[f32]) -> f32 {
        let (weights, constant) = self.l1.values.split_at(FEATURE_COUNT);
        kernel::dot(features, weights) + constant[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_orders_by_dot_and_stays_finite() {
        let ranker = Ranker::prior();
        let mut rows = vec![0.0; 3 * FEATURE_COUNT];
        rows[feature("dot")] = 0.2;
        rows[FEATURE_COUNT + feature("dot")] = 0.6;
        rows[2 * FEATURE_COUNT + feature("dot")] = f32::NAN;
        let mut out = Vec::new();
        ranker.rank(&rows, &mut out);
        assert!(out[1][0] > out[0][0] && out[1][HEAD_COUNT - 1] < out[0][HEAD_COUNT - 1]);
        assert!(out.iter().flatten().all(|p| p.is_finite() && (0.0..=1.0).contains(p)));
        assert!(ranker.l1(&rows[FEATURE_COUNT..2 * FEATURE_COUNT]) > ranker.l1(&rows[..FEATURE_COUNT]));
    }
}
