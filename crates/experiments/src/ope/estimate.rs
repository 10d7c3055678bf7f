use super::{LoggedRow, checked};
use crate::special::normal_quantile;
use crate::statistics::checked_alpha;
use crate::{Estimate, ExperimentError, Interval, Moments, PairMoments, ratio};
use serde::{Deserialize, Serialize};

/// What the policy would earn per row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OffPolicy {
    /// The value with its normal interval. Where few rows carry most of the weight it promises too much: see
    /// [`super::off_policy_checks`].
    pub value: Interval,
    /// Standard error.
    pub error: f64,
}

fn with_interval(estimate: Estimate, alpha: f64) -> OffPolicy {
    let error = estimate.error();
    let reach = normal_quantile(1.0 - alpha / 2.0) * error;
    OffPolicy { value: Interval::around(estimate.value, reach), error }
}

fn mean(rows: &[LoggedRow], alpha: f64, of: impl Fn(&LoggedRow) -> f64) -> Result<OffPolicy, ExperimentError> {
    checked_alpha(alpha)?;
    checked(rows)?;
    Ok(with_interval(Moments::of(rows.iter().map(of)).estimate(), alpha))
}

/// Inverse propensity scoring (Horvitz and Thompson 1952): the mean of `w r`, with `w` = probability / propensity.
/// Unbiased where every action that the policy would choose had a chance in the log.
pub fn ips(rows: &[LoggedRow], alpha: f64) -> Result<OffPolicy, ExperimentError> {
    mean(rows, alpha, |row| row.weight() * row.reward)
}

/// Self-normalised (Swaminathan and Joachims 2015): Σ w r / Σ w, its error by the delta method. Slightly biased, but
/// bounded by the rewards and steadier.
pub fn self_normalised_ips(rows: &[LoggedRow], alpha: f64) -> Result<OffPolicy, ExperimentError> {
    checked_alpha(alpha)?;
    checked(rows)?;
    let pairs = PairMoments::of(rows.iter().map(|row| (row.weight(), row.weight() * row.reward)));
    if pairs.x.mean == 0.0 {
        return Err(ExperimentError::statistics("the policy would have chosen nothing of what was logged"));
    }
    Ok(with_interval(ratio(&pairs)?, alpha))
}

/// The direct method: the mean of what the model expects of the policy. As biased as the model; its interval knows
/// nothing of that.
pub fn direct(rows: &[LoggedRow], alpha: f64) -> Result<OffPolicy, ExperimentError> {
    mean(rows, alpha, |row| row.expected_policy)
}

/// Doubly robust (Dudík, Langford and Li 2011): the direct method corrected by `w (r − expected)`. Unbiased where the
/// propensities or the model are right.
pub fn doubly_robust(rows: &[LoggedRow], alpha: f64) -> Result<OffPolicy, ExperimentError> {
    mean(rows, alpha, |row| row.expected_policy + row.weight() * (row.reward - row.expected_logged))
}

/// The same, but rows whose weight is above `weight_max` are left to the model (SWITCH, Wang, Agarwal and Dudík 2017).
pub fn switch_doubly_robust(rows: &[LoggedRow], weight_max: f64, alpha: f64) -> Result<OffPolicy, ExperimentError> {
    if weight_max.is_nan() || weight_max < 0.0 {
        return Err(ExperimentError::Statistics(format!("weights are switched at {weight_max}, not at 0 or more")));
    }
    mean(rows, alpha, |row| {
        let corrected = row.weight() * (row.reward - row.expected_logged);
        row.expected_policy + if row.weight() <= weight_max { corrected } else { 0.0 }
    })
}
