use super::adjusted_p;
use crate::ExperimentError;
use crate::special::chi_square_p;
use serde::{Deserialize, Serialize};

/// Below this a sample ratio is a mismatch: nothing else of the experiment can be read.
pub const SRM_ALPHA: f64 = 0.001;

/// Whether arms have as many units as their shares promise. They have not where assignment, exposure or logging treat
/// arms differently; then every other figure is biased, too (Fabijan et al., KDD 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRatio {
    /// Units of each arm.
    pub counts: Vec<u64>,
    /// What the shares promise.
    pub expected: Vec<f64>,
    /// Pearson's χ², with arms − 1 degrees of freedom.
    pub chi_square: f64,
    /// The chance of at least that.
    pub p: f64,
}

impl SampleRatio {
    /// Whether it is a mismatch at [`SRM_ALPHA`].
    pub fn is_mismatch(&self) -> bool {
        self.p < SRM_ALPHA
    }

    /// Standard errors that the first arm's count is away from its share, for two arms.
    pub fn z(&self) -> f64 {
        match (&self.counts[..], &self.expected[..]) {
            ([first, _], [expected, _]) => self.chi_square.sqrt().copysign(*first as f64 - expected),
            _ => f64::NAN,
        }
    }
}

/// The χ² test of counts against shares, which need not add up to 1.
pub fn sample_ratio(counts: &[u64], shares: &[f64]) -> Result<SampleRatio, ExperimentError> {
    let total = counts.iter().sum::<u64>() as f64;
    let all: f64 = shares.iter().sum();
    let right = counts.len() == shares.len() && counts.len() >= 2 && shares.iter().all(|share| *share > 0.0);
    if !right || !all.is_finite() || total == 0.0 {
        return Err(ExperimentError::Statistics(format!("counts {counts:?} against shares {shares:?}")));
    }
    let expected: Vec<f64> = shares.iter().map(|share| total * share / all).collect();
    let apart = |(&count, &expected): (&u64, &f64)| (count as f64 - expected).powi(2) / expected;
    let chi_square = counts.iter().zip(&expected).map(apart).sum::<f64>();
    let p = chi_square_p(chi_square, counts.len() as f64 - 1.0);
    Ok(SampleRatio { counts: counts.to_vec(), expected, chi_square, p })
}

/// A slice's sample ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceRatio {
    /// Which slice.
    pub slice: String,
    /// Its counts and their test.
    pub ratio: SampleRatio,
    /// p adjusted for the number of slices (Benjamini and Hochberg).
    pub adjusted_p: f64,
}

/// The same by slice, such as platform or day: mismatches that cancel out over all units show here.
pub fn sample_ratio_by_slice(
    slices: &[(String, Vec<u64>)],
    shares: &[f64],
) -> Result<Vec<SliceRatio>, ExperimentError> {
    let ratios: Result<Vec<_>, _> = slices.iter().map(|(_, counts)| sample_ratio(counts, shares)).collect();
    let ratios = ratios?;
    let adjusted = adjusted_p(&ratios.iter().map(|ratio| ratio.p).collect::<Vec<_>>());
    let rows = slices.iter().zip(ratios).zip(adjusted);
    Ok(rows.map(|(((slice, _), ratio), adjusted_p)| SliceRatio { slice: slice.clone(), ratio, adjusted_p }).collect())
}
