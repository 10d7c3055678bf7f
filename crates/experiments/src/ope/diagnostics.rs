use super::{LoggedRow, checked};
use crate::special::normal_cdf;
use crate::{ExperimentError, Moments};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A mean that is 1 where propensities are right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SumCheck {
    /// The mean over the rows.
    pub mean: f64,
    /// Standard errors that it is away from 1; 0 where it cannot vary and is 1.
    pub z: f64,
    /// Two-sided p.
    pub p: f64,
}

/// Whether logged propensities can carry an estimate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OffPolicyChecks {
    /// Rows.
    pub rows: usize,
    /// As many rows as would say as much with equal weights: (Σ w)² / Σ w² (Kish 1965).
    pub effective_rows: f64,
    /// The largest weight, and the row that has it.
    pub weight_max: f64,
    /// The first row with it.
    pub weight_max_row: usize,
    /// Part of all weight that the heaviest hundredth of the rows carries.
    pub heaviest_hundredth: f64,
    /// Rows whose action the policy would never choose.
    pub never: usize,
    /// The mean of the weights: the policy's chances add up to 1.
    pub weights: SumCheck,
    /// By position, the mean of 1 / (actions · propensity), which is the mean weight of choosing evenly among all
    /// actions; where their number is known.
    pub even: BTreeMap<u32, SumCheck>,
}

/// Looks at rows before they are believed; `actions` is how many there are to choose from at each position, where that
/// is known.
pub fn off_policy_checks(rows: &[LoggedRow], actions: Option<u32>) -> Result<OffPolicyChecks, ExperimentError> {
    checked(rows)?;
    let weights = Moments::of(rows.iter().map(LoggedRow::weight));
    let sum = weights.mean * weights.units;
    let squares: f64 = rows.iter().map(|row| row.weight().powi(2)).sum();
    let mut heaviest: Vec<f64> = rows.iter().map(LoggedRow::weight).collect();
    heaviest.sort_unstable_by(|a, b| b.total_cmp(a));
    let weight_max = heaviest[0];
    let part: f64 = heaviest.iter().take(rows.len().div_ceil(100)).sum();
    Ok(OffPolicyChecks {
        rows: rows.len(),
        effective_rows: if squares > 0.0 { sum * sum / squares } else { 0.0 },
        weight_max,
        weight_max_row: rows.iter().position(|row| row.weight() == weight_max).unwrap_or(0),
        heaviest_hundredth: if sum > 0.0 { part / sum } else { 0.0 },
        never: rows.iter().filter(|row| row.probability == 0.0).count(),
        weights: is_one(&weights),
        even: actions.filter(|actions| *actions > 0).map(|actions| even(rows, actions)).unwrap_or_default(),
    })
}

fn even(rows: &[LoggedRow], actions: u32) -> BTreeMap<u32, SumCheck> {
    let mut positions: BTreeMap<u32, Moments> = BTreeMap::new();
    for row in rows {
        positions.entry(row.position).or_default().add(1.0 / (f64::from(actions) * row.propensity));
    }
    positions.iter().map(|(position, moments)| (*position, is_one(moments))).collect()
}

fn is_one(moments: &Moments) -> SumCheck {
    let estimate = moments.estimate();
    let away = estimate.value - 1.0;
    // Means that rounding alone moves are no news.
    let z = if away.abs() < 1e-9 { 0.0 } else { away / estimate.error() };
    SumCheck { mean: estimate.value, z, p: 2.0 * normal_cdf(-z.abs()) }
}
