use super::Estimate;
use crate::ExperimentError;
use crate::special::{student_t_cdf, student_t_quantile};
use serde::{Deserialize, Serialize};

/// A figure between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// As far to both sides.
    pub fn around(value: f64, reach: f64) -> Interval {
        Interval { value, low: value - reach, high: value + reach }
    }

    /// Whether all of it lies above or below `point`.
    pub fn excludes(&self, point: f64) -> bool {
        self.low > point || self.high < point
    }

    /// The same seen from the other side: good and bad trade places.
    #[must_use]
    pub fn flipped(&self) -> Interval {
        Interval { value: -self.value, low: -self.high, high: -self.low }
    }
}

/// What an arm did to a metric, against control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// Treatment − control.
    pub difference: Interval,
    /// (treatment − control) / control; nothing where control may as well be 0.
    pub relative: Option<Interval>,
    /// Variance of the difference.
    pub variance: f64,
    /// Welch's degrees of freedom.
    pub degrees: f64,
    /// Two-sided p of no difference.
    pub p: f64,
}

/// Compares independent arms (Welch 1947): the difference and its interval by Student's t with Welch's degrees of
/// freedom, which is the normal interval where there are many units. `alpha` is the error rate, 0.05 for 95 %.
///
/// The relative lift has Fieller's interval (1954): all lifts `l` for which `treatment − (1 + l) control` is not told
/// from 0. It keeps its coverage where control is unsure, unlike the delta method's, and says when there is none.
pub fn lift(control: &Estimate, treatment: &Estimate, alpha: f64) -> Result<Lift, ExperimentError> {
    super::checked_alpha(alpha)?;
    let (control, treatment) = (control.checked("control")?, treatment.checked("treatment")?);
    let variance = control.variance + treatment.variance;
    if variance <= 0.0 {
        return Err(ExperimentError::statistics("neither arm varies: there is no interval"));
    }
    let part = |arm: &Estimate| arm.variance * arm.variance / (arm.units - 1.0);
    let degrees = variance * variance / (part(&control) + part(&treatment));
    let critical = student_t_quantile(1.0 - alpha / 2.0, degrees);
    let value = treatment.value - control.value;
    Ok(Lift {
        difference: Interval::around(value, critical * variance.sqrt()),
        relative: relative(&control, &treatment, critical),
        variance,
        degrees,
        p: 2.0 * student_t_cdf(-(value / variance.sqrt()).abs(), degrees),
    })
}

/// Fieller's interval of treatment / control − 1.
pub(super) fn relative(control: &Estimate, treatment: &Estimate, critical: f64) -> Option<Interval> {
    let unsure = (critical * control.error() / control.value).powi(2);
    if unsure.is_nan() || unsure >= 1.0 {
        return None;
    }
    let ratio = treatment.value / control.value;
    let spread = treatment.variance + ratio * ratio * control.variance - unsure * treatment.variance;
    let reach = critical / control.value.abs() * spread.max(0.0).sqrt() / (1.0 - unsure);
    let middle = ratio / (1.0 - unsure) - 1.0;
    Some(Interval { value: ratio - 1.0, low: middle - reach, high: middle + reach })
}
