//! What a pinner is, as numbers that a logistic regression bends to.

use serde::{Deserialize, Serialize};

/// Knots of a feature.
const KNOTS: usize = 8;

/// Functions of the volume.
pub(super) const POWERS: usize = 4;

/// Features as piecewise linear functions, crossed with functions of the volume.
///
/// Each feature has up to eight knots, quantiles of what was seen; between two knots the value is shared between them
/// (hat functions), outside of them it is the outer one's. That bends where the data bend and keeps still where nothing
/// was seen. Shares of a feature add up to 1, as the constant does: the ridge says which of them speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Basis {
    /// Knots of each feature, ascending.
    knots: Vec<Vec<f32>>,
    /// Functions of the volume beside the constant: whether any, `ln(1 + k)` and `k`; or none.
    volume: bool,
    /// The highest volume that was seen; higher ones are taken for it.
    volume_max: u8,
}

impl Basis {
    /// Knots at the quantiles of `rows`, each `width` numbers; of no rows, none.
    pub(super) fn of(rows: &[f32], width: usize, volume: bool, volume_max: u8) -> Basis {
        let knots = (0..width).map(|feature| {
            let mut values: Vec<f32> = rows.iter().skip(feature).step_by(width).copied().collect();
            values.retain(|value| value.is_finite());
            values.sort_unstable_by(f32::total_cmp);
            let at = |knot: usize| values.get(knot * values.len().saturating_sub(1) / (KNOTS - 1)).copied();
            let mut knots: Vec<f32> = (0..KNOTS).filter_map(at).collect();
            knots.dedup();
            knots
        });
        Basis { knots: knots.collect(), volume, volume_max }
    }

    /// Numbers that [`fill`](Basis::fill) writes.
    pub(super) fn len(&self) -> usize {
        self.features() * if self.volume { POWERS } else { 1 }
    }

    /// Numbers that [`shares`](Basis::shares) writes.
    pub(super) fn features(&self) -> usize {
        1 + self.knots.iter().map(Vec::len).sum::<usize>()
    }

    /// Features that a row has.
    pub(super) fn width(&self) -> usize {
        self.knots.len()
    }

    /// Whether the numbers of a basis from a file fit together.
    pub(super) fn is_sound(&self) -> bool {
        let ascends = |knots: &Vec<f32>| knots.is_sorted_by(|a, b| a < b) && knots.iter().all(|knot| knot.is_finite());
        self.knots.iter().all(|knots| knots.len() <= KNOTS && ascends(knots))
    }

    /// The functions of a pinner at a volume. A feature that is no number is taken for its first knot.
    pub(super) fn fill(&self, features: &[f32], volume: u8, out: &mut [f64]) {
        let own = self.features();
        let (shares, crossed) = out.split_at_mut(own);
        self.shares(features, shares);
        let powers = self.powers(volume);
        let parts = crossed.chunks_exact_mut(own).zip(&powers[1..]);
        parts.for_each(|(part, weight)| part.iter_mut().zip(&*shares).for_each(|(out, share)| *out = share * weight));
    }

    /// The functions of a volume, by which those of the features are crossed: the constant first.
    pub(super) fn powers(&self, volume: u8) -> [f64; POWERS] {
        let most = f64::from(self.volume_max.max(1));
        let k = f64::from(volume.min(self.volume_max));
        [1.0, k.min(1.0), k.ln_1p() / most.ln_1p(), k / most]
    }

    /// One, then for each feature the share of each knot.
    pub(super) fn shares(&self, features: &[f32], out: &mut [f64]) {
        out.fill(0.0);
        out[0] = 1.0;
        let mut place = 1;
        for (knots, &value) in self.knots.iter().zip(features) {
            let last = knots.len().saturating_sub(1);
            let after = knots.partition_point(|&knot| knot < value).min(last);
            if after > 0 {
                let (low, high) = (f64::from(knots[after - 1]), f64::from(knots[after]));
                let share = ((f64::from(value) - low) / (high - low)).min(1.0);
                out[place + after] = share;
                out[place + after - 1] = 1.0 - share;
            } else if last > 0 {
                out[place] = 1.0;
            }
            place += knots.len();
        }
    }
}
