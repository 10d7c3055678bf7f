//! From sums over units to lifts with intervals. Everything about one arm becomes an [`Estimate`]; everything about two
//! arms takes those.

mod cuped;
mod lift;
mod moments;
mod multiple;
mod power;
mod quantile;
mod sequential;
mod slices;
mod srm;
#[cfg(test)]
mod tests;

pub use cuped::{Cuped, cuped};
pub use lift::{Interval, Lift, lift};
pub use moments::{Estimate, Moments, PairMoments, ratio};
pub use multiple::adjusted_p;
pub use power::{Baseline, Plan};
pub use quantile::{cap_at, quantile, quantile_interval, quantile_of_units, winsorised};
pub use sequential::{Look, Sequential, running};
pub use slices::{Day, DayCurve, Heterogeneity, Slice, SliceLift, day_curve, heterogeneity};
pub use srm::{SRM_ALPHA, SampleRatio, SliceRatio, sample_ratio, sample_ratio_by_slice};

use crate::ExperimentError;

pub(crate) fn checked_alpha(alpha: f64) -> Result<(), ExperimentError> {
    if alpha.is_finite() && alpha > 0.0 && alpha < 0.5 {
        return Ok(());
    }
    Err(ExperimentError::Statistics(format!("the error rate is {alpha}, not between 0 and 0.5")))
}
