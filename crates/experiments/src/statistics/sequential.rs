use super::{Estimate, Interval, lift::relative};
use crate::ExperimentError;
use serde::{Deserialize, Serialize};

/// Inference that may be looked at as often as anybody likes: the error rate holds over all looks together.
///
/// A mixture sequential probability ratio test with normal weights N(0, τ²) on the difference (Robbins 1970; Johari,
/// Pekelis and Walsh 2015). With `s²` the variance of the difference `d` seen up to now,
///
/// ```text
/// Λ = √(s² / (s² + τ²)) · exp(τ² d² / (2 s² (s² + τ²)))        p = min over the looks of 1 / Λ
/// d ± √( s² (s² + τ²) / τ² · (2 ln(1/α) + ln((s² + τ²) / s²)) )
/// ```
///
/// Where `s²` is estimated, the interval is an asymptotic confidence sequence (Waudby-Smith et al., Annals of
/// Statistics 2024), for which some hundred units an arm should be there at the first look. It takes whatever has a
/// variance: means, ratios, CUPED's means.
///
/// τ is chosen by when the interval should be tightest: at the variance that is planned for the end (the cited paper's
/// rule, τ² = s² (2 ln(1/α) + ln(2 ln(1/α) + 1))). A wrong plan costs width, never coverage. An effect that itself
/// changes with time may well be called early and gone later: what was called was there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    alpha: f64,
    tau_square: f64,
}

/// What one look says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Treatment − control, in an interval that holds the truth at all looks at once with chance 1 − α.
    pub difference: Interval,
    /// The same relative to control, wherever control is told from 0.
    pub relative: Option<Interval>,
    /// 1 / Λ of this look, at most 1. The least of all looks is a p that may be stopped on.
    pub p: f64,
}

impl Sequential {
    /// With intervals that are tightest when the difference has the variance `planned`: (variance of a unit in control)
    /// / units + the same of treatment, at the planned end.
    pub fn planned(alpha: f64, planned: f64) -> Result<Sequential, ExperimentError> {
        super::checked_alpha(alpha)?;
        let evidence = -2.0 * alpha.ln();
        Sequential::with_tau(alpha, (planned * (evidence + (evidence + 1.0).ln())).sqrt())
    }

    /// With a given τ, in the unit of the metric.
    pub fn with_tau(alpha: f64, tau: f64) -> Result<Sequential, ExperimentError> {
        super::checked_alpha(alpha)?;
        if !(tau.is_finite() && tau > 0.0 && tau * tau > 0.0) {
            return Err(ExperimentError::Statistics(format!("a mixture of width τ = {tau}")));
        }
        Ok(Sequential { alpha, tau_square: tau * tau })
    }

    /// How far the interval reaches to both sides where the difference has this variance.
    pub fn reach(&self, variance: f64) -> f64 {
        let both = variance + self.tau_square;
        (variance * both / self.tau_square * (-2.0 * self.alpha.ln() + (both / variance).ln())).sqrt()
    }

    /// 1 / Λ, at most 1.
    pub fn p(&self, difference: f64, variance: f64) -> f64 {
        let both = variance + self.tau_square;
        let log_ratio =
            0.5 * (variance / both).ln() + self.tau_square * difference * difference / (2.0 * variance * both);
        (-log_ratio).exp().min(1.0)
    }

    /// A look at both arms.
    pub fn look(&self, control: &Estimate, treatment: &Estimate) -> Result<Look, ExperimentError> {
        let (control, treatment) = (control.checked("control")?, treatment.checked("treatment")?);
        let variance = control.variance + treatment.variance;
        if variance <= 0.0 {
            return Err(ExperimentError::statistics("neither arm varies: there is no interval"));
        }
        let (difference, reach) = (treatment.value - control.value, self.reach(variance));
        Ok(Look {
            difference: Interval::around(difference, reach),
            relative: relative(&control, &treatment, reach / variance.sqrt()),
            p: self.p(difference, variance),
        })
    }
}

/// What all looks up to the last one say together: the intervals' intersection about the last value, and the least p.
/// Nothing of no looks.
pub fn running(looks: &[Look]) -> Option<Look> {
    let last = looks.last()?;
    let low = looks.iter().map(|look| look.difference.low).fold(f64::NEG_INFINITY, f64::max);
    let high = looks.iter().map(|look| look.difference.high).fold(f64::INFINITY, f64::min);
    let p = looks.iter().map(|look| look.p).fold(1.0, f64::min);
    // Bounds that cross contradict each other, which happens with chance α: the last look stands alone.
    let difference = if low <= high { Interval { value: last.difference.value, low, high } } else { last.difference };
    Some(Look { difference, relative: last.relative, p })
}
