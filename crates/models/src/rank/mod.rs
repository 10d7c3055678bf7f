//! The ranking head: what is known of a candidate → a probability per head and how long it will be looked at (L2); and
//! the linear first pass (L1).

mod net;
mod parts;
mod traits;

pub use net::RankScratch;
pub use parts::{CROSSES, EXPERTS, KNOTS, MASKS, OUTS, PHI, RankPart};
pub use traits::RankTraits;

use domain::{HEAD_COUNT, Surface};
use std::sync::LazyLock;

use crate::weights::take;
use crate::{FEATURE_COUNT, Matrix, ModelError, feature, kernel};
use parts::shapes;

/// The learned ranking head, a list of matrices ([`RankPart`]):
///
/// ```text
/// φ       = Σ over features of an embedding that is piecewise linear in the feature      (Gorishniy et al., 2022)
///           + Σ of the pinner's traits / √their number + the same of the pin's
/// x       = norm[ encoded candidate, user · candidate ; φ ]
/// cross   = x ⊙ (x · V · U + b) + x, twice                                               (DCNv2: Wang et al., 2021)
/// mask    = norm(silu-MLP(φ) ⊙ x · W), two of them                                       (MaskNet: Wang et al., 2021)
/// experts = silu([cross ; masks] · W + b), four of them
/// out     = Σ gate(surface, head, expert) · readout(expert) + Σ piecewise linear          (MMoE: Ma et al., 2018)
///           + bias(surface)
/// ```
///
/// A head's probability is the sigmoid of Platt's `slope · out + shift` of its surface. A row depends on nothing but
/// its own candidate, the pinner and the question.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranker {
    /// Width of what the trunk says of a candidate; 0 when it is not asked.
    encoded: usize,
    matrices: Vec<Matrix>,
}

/// What the ranking head reads: rows of one request, as columns.
#[derive(Clone, Copy, Debug)]
pub struct RankInput<'a> {
    /// Where they would be shown.
    pub surface: Surface,
    /// `rows × FEATURE_COUNT`
    pub features: &'a [f32],
    /// `rows × encoded`, as [`crate::Model::encode_candidates`] gives them; zeros when it is empty.
    pub encoded: &'a [f32],
    /// What is said of the pinner and of the pins.
    pub traits: &'a RankTraits,
}

impl Ranker {
    /// A head that has learned nothing: it reads candidates of `encoded` values, and gives zeros.
    pub fn blank(encoded: usize, seed: u64) -> Ranker {
        let mut rng = domain::Rng::new(seed);
        let matrices = shapes(encoded).into_iter().map(|shape| shape.start(&mut rng)).collect();
        Ranker { encoded, matrices }
    }

    /// What ranks before anything was learned: all heads rise with `dot`, `walk_share` and a little with `text` and
    /// `content`, around rates that are typical of feeds. L1 uses the same sum. It does not read the trunk.
    pub fn prior() -> &'static Ranker {
        static PRIOR: LazyLock<Ranker> = LazyLock::new(|| Ranker::untaught(0));
        &PRIOR
    }

    /// The same for a head that is given `encoded` values of the trunk, which count for nothing.
    pub fn untaught(encoded: usize) -> Ranker {
        const REACH: f32 = 64.0;
        let weights = [("dot", 4.0), ("walk_share", 2.0), ("text", 0.1), ("content", 1.0)];
        let rates: [f32; HEAD_COUNT] = [0.05, 0.10, 0.05, 0.03, 0.01, 0.005, 0.005, 0.005];
        let mut ranker = Ranker::blank(encoded, 0);
        let bias = ranker.part_mut(RankPart::Bias);
        for row in bias.values.chunks_exact_mut(OUTS) {
            row.iter_mut().zip(rates).for_each(|(bias, rate)| *bias = (rate / (1.0 - rate)).ln());
        }
        for (name, weight) in weights {
            let feature = feature(name);
            ranker.part_mut(RankPart::L1).values[feature] = weight;
            let knots = &mut ranker.part_mut(RankPart::Knots).values[feature * KNOTS..][..KNOTS];
            (knots[0], knots[1]) = (-REACH, REACH);
            let table = ranker.part_mut(RankPart::Table);
            for (knot, at) in [(0, -REACH), (1, REACH)] {
                let row = &mut table.values[(feature * KNOTS + knot) * table.cols..][..table.cols];
                // The last head is `hide`: what is liked is hidden less.
                let outs = &mut row[PHI..][..HEAD_COUNT];
                outs.iter_mut().for_each(|out| *out = weight * at);
                outs[HEAD_COUNT - 1] *= -1.0;
            }
        }
        ranker
    }

    /// Width of what it reads of the trunk.
    pub fn encoded(&self) -> usize {
        self.encoded
    }

    /// A matrix.
    #[inline]
    pub fn part(&self, part: RankPart) -> &Matrix {
        &self.matrices[part.place()]
    }

    /// A matrix, to be learned.
    pub fn part_mut(&mut self, part: RankPart) -> &mut Matrix {
        &mut self.matrices[part.place()]
    }

    /// All matrices in the order of the list.
    pub fn matrices(&self) -> &[Matrix] {
        &self.matrices
    }

    /// All matrices in the order of the list, to be learned.
    pub fn matrices_mut(&mut self) -> &mut [Matrix] {
        &mut self.matrices
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (String, &Matrix)> {
        shapes(self.encoded).into_iter().map(|shape| shape.name).zip(&self.matrices)
    }

    pub(crate) fn from_parts(found: &mut Vec<(String, Matrix)>) -> Result<Ranker, ModelError> {
        let encoded = found.iter().find(|(name, _)| name == "ranker.standard").map_or(0, |(_, matrix)| matrix.cols);
        if encoded > 4_096 {
            return Err(ModelError::Config(format!("the ranking head reads {encoded} values of the trunk")));
        }
        let take = |shape: parts::RankShape| take(found, &shape.name, shape.rows, shape.cols);
        let matrices = shapes(encoded).into_iter().map(take).collect::<Result<_, _>>()?;
        Ok(Ranker { encoded, matrices })
    }

    /// The two knots around a value of a feature, as rows of the table with their weights: what is between two knots
    /// is mixed, what is beyond the ends counts as the ends, and what is not a number as 0.
    #[inline]
    pub fn knots(&self, feature: usize, value: f32) -> [(u32, f32); 2] {
        let knots = &self.part(RankPart::Knots).values[feature * KNOTS..][..KNOTS];
        let value = if value.is_nan() { 0.0 } else { value };
        let knots: &[f32; KNOTS] = knots.try_into().expect("invariant: a row of knots");
        let below = knots.iter().map(|knot| u32::from(*knot <= value)).sum::<u32>();
        let at = (below.saturating_sub(1) as usize).min(KNOTS - 2);
        let (low, high) = (knots[at], knots[at + 1]);
        // An unused knot is infinite: nothing is ever on its side.
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        let row = (feature * KNOTS + at) as u32;
        [(row, 1.0 - share), (row + 1, share)]
    }

    /// First-pass score of one row of raw features.
    pub fn l1(&self, features: &[f32]) -> f32 {
        let (weights, constant) = self.part(RankPart::L1).values.split_at(FEATURE_COUNT);
        kernel::dot(features, weights) + constant[0]
    }

    /// Calibrated probabilities per head; `out` is cleared first.
    pub fn rank(&self, input: RankInput, scratch: &mut RankScratch, out: &mut Vec<[f32; HEAD_COUNT]>) {
        out.clear();
        out.extend(self.outs(input, scratch).chunks_exact(OUTS).map(|outs| self.chances(input.surface, outs)));
    }

    /// Probabilities per head of a row of [`Ranker::outs`] on a surface.
    pub fn chances(&self, surface: Surface, outs: &[f32]) -> [f32; HEAD_COUNT] {
        let platt = self.part(RankPart::Platt);
        let first = usize::from(surface.code()) * HEAD_COUNT;
        let (slope, shift) = (&platt.row(0)[first..][..HEAD_COUNT], &platt.row(1)[first..][..HEAD_COUNT]);
        std::array::from_fn(|head| 1.0 / (1.0 + (-(slope[head] * outs[head] + shift[head])).exp()))
    }

    /// Sets Platt's slope and shift of a head on a surface.
    pub fn set_platt(&mut self, surface: Surface, head: usize, (slope, shift): (f32, f32)) {
        let platt = self.part_mut(RankPart::Platt);
        let place = usize::from(surface.code()) * HEAD_COUNT + head;
        (platt.values[place], platt.values[platt.cols + place]) = (slope, shift);
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
        let traits = &RankTraits::default();
        let input = RankInput { surface: Surface::Home, features: &rows, encoded: &[], traits };
        ranker.rank(input, &mut RankScratch::default(), &mut out);
        assert!(out[1][0] > out[0][0] && out[1][HEAD_COUNT - 1] < out[0][HEAD_COUNT - 1]);
        assert!(out.iter().flatten().all(|p| p.is_finite() && (0.0..=1.0).contains(p)));
        assert!(ranker.l1(&rows[FEATURE_COUNT..2 * FEATURE_COUNT]) > ranker.l1(&rows[..FEATURE_COUNT]));
    }

    #[test]
    fn a_value_lies_between_its_knots() {
        let mut ranker = Ranker::blank(0, 1);
        let knots = &mut ranker.part_mut(RankPart::Knots).values[KNOTS..2 * KNOTS];
        knots[..3].copy_from_slice(&[-1.0, 0.0, 4.0]);
        let first = KNOTS as u32;
        assert_eq!(ranker.knots(1, 1.0), [(first + 1, 0.75), (first + 2, 0.25)]);
        assert_eq!(ranker.knots(1, -9.0), [(first, 1.0), (first + 1, 0.0)]);
        assert_eq!(ranker.knots(1, f32::INFINITY)[0].1 + ranker.knots(1, f32::INFINITY)[1].1, 1.0);
        assert_eq!(ranker.knots(1, 9.0), [(first + 2, 1.0), (first + 3, 0.0)], "beyond the last knot");
        assert_eq!(ranker.knots(1, f32::NAN), ranker.knots(1, 0.0));
    }
}
