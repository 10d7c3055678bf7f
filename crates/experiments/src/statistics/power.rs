use super::{Moments, PairMoments, checked_alpha, ratio};
use crate::ExperimentError;
use crate::special::normal_quantile;
use serde::{Deserialize, Serialize};

/// What a metric is without any treatment: its value and the variance of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The metric's value.
    pub value: f64,
    /// Variance of one unit; of a ratio that of its linearised form.
    pub variance: f64,
}

impl Baseline {
    /// A yes or no a unit, yes with chance `rate`.
    pub fn proportion(rate: f64) -> Baseline {
        Baseline { value: rate, variance: rate * (1.0 - rate) }
    }

    /// A value a unit.
    pub fn mean(moments: &Moments) -> Baseline {
        Baseline { value: moments.mean, variance: moments.variance() }
    }

    /// Σ y / Σ x over units.
    pub fn ratio(pairs: &PairMoments) -> Result<Baseline, ExperimentError> {
        let ratio = ratio(pairs)?;
        Ok(Baseline { value: ratio.value, variance: ratio.variance * ratio.units })
    }

    /// The same after a correction that leaves this part of the variance ([`super::Cuped::variance_ratio`]).
    #[must_use]
    pub fn with_variance_ratio(&self, left: f64) -> Baseline {
        Baseline { value: self.value, variance: self.variance * left }
    }
}

/// What an experiment wants to find, and how surely: both error rates, and the part of its units that is treated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Two-sided error rate where there is no effect.
    pub alpha: f64,
    /// Chance to find an effect that is there.
    pub power: f64,
    /// Part of the units that is in treatment; the others are control.
    pub treated: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { alpha: 0.05, power: 0.8, treated: 0.5 }
    }
}

impl Plan {
    /// (z of α/2 + z of power)², over the shares: units × effect² / variance.
    fn demand(&self, baseline: &Baseline) -> Result<f64, ExperimentError> {
        checked_alpha(self.alpha)?;
        let Plan { alpha, power, treated } = *self;
        let rates = power > alpha && power < 1.0 && treated > 0.0 && treated < 1.0;
        let varies = baseline.value.is_finite() && baseline.variance.is_finite() && baseline.variance > 0.0;
        if !(rates && varies) {
            return Err(ExperimentError::Statistics(format!("{self:?} for {baseline:?} cannot be planned")));
        }
        let z = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power);
        Ok(z * z * baseline.variance / (treated * (1.0 - treated)))
    }

    /// The least absolute effect that so many units, both arms together, find with the wanted power.
    pub fn detectable_effect(&self, baseline: &Baseline, units: f64) -> Result<f64, ExperimentError> {
        if units.is_nan() || units < 2.0 {
            return Err(ExperimentError::Statistics(format!("{units} units find nothing")));
        }
        Ok((self.demand(baseline)? / units).sqrt())
    }

    /// Units, both arms together, that find an absolute effect.
    pub fn units_needed(&self, baseline: &Baseline, effect: f64) -> Result<f64, ExperimentError> {
        if !effect.is_finite() || effect == 0.0 {
            return Err(ExperimentError::Statistics(format!("no number of units finds an effect of {effect}")));
        }
        Ok((self.demand(baseline)? / (effect * effect)).ceil())
    }

    /// The first day, counted from 1, by whose end so many units have come; `new_units` are those of the days known or
    /// expected, the last of which goes on. Nothing where that is never.
    pub fn days_needed(units: f64, new_units: &[f64]) -> Option<u32> {
        let (last, mut sum) = (*new_units.last()?, 0.0);
        for (day, new) in new_units.iter().enumerate() {
            sum += new;
            if sum >= units {
                return Some(day as u32 + 1);
            }
        }
        let days = new_units.len() as f64 + ((units - sum) / last).ceil();
        (last > 0.0 && days < f64::from(u32::MAX)).then_some(days as u32)
    }
}
