use super::{Estimate, PairMoments};
use crate::ExperimentError;
use serde::{Deserialize, Serialize};

/// Arms whose means were corrected by what was known of their units before (CUPED, Deng et al., WSDM 2013):
/// `Y − θ (X − mean X)` has the same mean as `Y` and `1 − ρ²` of its variance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cuped {
    /// θ = cov(X, Y) / var(X), within the arms.
    pub theta: f64,
    /// Variance that is left, as a part of what it was: of the sum over the arms.
    pub variance_ratio: f64,
    /// The corrected means, in the order of the arms.
    pub arms: Vec<Estimate>,
}

/// Corrects arms by a covariate from before exposure; `x` of each pair is the covariate, `y` the metric. θ is the same
/// for all arms, of the pooled covariance within them, so that no arm's effect leaks into it.
pub fn cuped(arms: &[PairMoments]) -> Result<Cuped, ExperimentError> {
    let sum = |of: fn(&PairMoments) -> f64| arms.iter().map(of).sum::<f64>();
    let units = sum(|arm| arm.x.units);
    if arms.is_empty() || arms.iter().any(|arm| arm.x.units < 2.0) {
        return Err(ExperimentError::statistics("CUPED wants arms of two units or more"));
    }
    let (spread, together) = (sum(|arm| arm.x.squares), sum(|arm| arm.products));
    // A covariate that is the same for everybody says nothing, and corrects nothing.
    let theta = if spread > 0.0 { together / spread } else { 0.0 };
    let middle = sum(|arm| arm.x.mean * arm.x.units) / units;
    let corrected: Vec<Estimate> = arms.iter().map(|arm| corrected(arm, theta, middle)).collect();
    let (before, after) = (sum(|arm| arm.y.estimate().variance), corrected.iter().map(|arm| arm.variance).sum::<f64>());
    let variance_ratio = if before > 0.0 { after / before } else { 1.0 };
    Ok(Cuped { theta, variance_ratio, arms: corrected })
}

fn corrected(arm: &PairMoments, theta: f64, middle: f64) -> Estimate {
    let unit = arm.y.variance() - 2.0 * theta * arm.covariance() + theta * theta * arm.x.variance();
    let value = arm.y.mean - theta * (arm.x.mean - middle);
    Estimate { value, variance: unit.max(0.0) / arm.x.units, units: arm.x.units }
}
