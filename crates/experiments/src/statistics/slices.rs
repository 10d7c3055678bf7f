use super::{Estimate, Interval, Lift, adjusted_p, lift};
use crate::ExperimentError;
use crate::special::{chi_square_p, normal_quantile, student_t_cdf};
use serde::{Deserialize, Serialize};

/// One slice of the units: what it is, and both arms in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Its name, such as `platform=ios`.
    pub name: String,
    /// Control in it.
    pub control: Estimate,
    /// Treatment in it.
    pub treatment: Estimate,
}

/// A slice's lift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceLift {
    /// Which slice.
    pub name: String,
    /// Its lift.
    pub lift: Lift,
    /// p adjusted for the number of slices (Benjamini and Hochberg).
    pub adjusted_p: f64,
}

/// Whether slices that share no unit agree on the lift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heterogeneity {
    /// Each slice.
    pub slices: Vec<SliceLift>,
    /// The lift of all slices, each weighing as much as it is sure.
    pub pooled: Interval,
    /// Cochran's Q: squared distances from it, each over its variance.
    pub q: f64,
    /// The chance of at least that where all slices have one lift.
    pub p: f64,
    /// Part of the spread that is more than chance: max(0, 1 − (slices − 1) / Q) (Higgins and Thompson 2002).
    pub beyond_chance: f64,
}

/// Compares the absolute lifts of disjoint slices (Cochran 1954).
pub fn heterogeneity(slices: &[Slice], alpha: f64) -> Result<Heterogeneity, ExperimentError> {
    if slices.len() < 2 {
        return Err(ExperimentError::statistics("one slice agrees with itself"));
    }
    let lifts: Result<Vec<Lift>, _> =
        slices.iter().map(|slice| lift(&slice.control, &slice.treatment, alpha)).collect();
    let lifts = lifts?;
    let weight: f64 = lifts.iter().map(|lift| 1.0 / lift.variance).sum();
    let middle = lifts.iter().map(|lift| lift.difference.value / lift.variance).sum::<f64>() / weight;
    let q: f64 = lifts.iter().map(|lift| (lift.difference.value - middle).powi(2) / lift.variance).sum();
    let degrees = slices.len() as f64 - 1.0;
    let adjusted = adjusted_p(&lifts.iter().map(|lift| lift.p).collect::<Vec<_>>());
    let named = slices.iter().zip(lifts).zip(adjusted);
    Ok(Heterogeneity {
        slices: named
            .map(|((slice, lift), adjusted_p)| SliceLift { name: slice.name.clone(), lift, adjusted_p })
            .collect(),
        pooled: Interval::around(middle, normal_quantile(1.0 - alpha / 2.0) / weight.sqrt()),
        q,
        p: chi_square_p(q, degrees),
        beyond_chance: if q > degrees { 1.0 - degrees / q } else { 0.0 },
    })
}

/// Both arms on one day since their units were first exposed; day 0 is the day of exposure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Days since exposure.
    pub day: u32,
    /// Control on that day.
    pub control: Estimate,
    /// Treatment on that day.
    pub treatment: Estimate,
}

/// How the lift went on after the first exposure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayCurve {
    /// Absolute lift by day since exposure.
    pub days: Vec<(u32, Lift)>,
    /// Change of the lift per day: a line through the days, each weighing as much as it is sure.
    pub slope: Interval,
    /// Two-sided p of no change. Days share their units: what a unit adds to all of its days cancels out of a slope, so
    /// that this errs on the careful side.
    pub slope_p: f64,
}

/// The lift by day since exposure, which shows novelty that wears off (a slope against the lift) and habits that are
/// still forming (a slope with it). Three days or more.
pub fn day_curve(days: &[Day], alpha: f64) -> Result<DayCurve, ExperimentError> {
    if days.len() < 3 {
        return Err(ExperimentError::Statistics(format!("a trend wants three days or more, not {}", days.len())));
    }
    let lifts: Result<Vec<Lift>, _> = days.iter().map(|day| lift(&day.control, &day.treatment, alpha)).collect();
    let rows: Vec<(u32, Lift)> = days.iter().map(|day| day.day).zip(lifts?).collect();
    let weight: f64 = rows.iter().map(|(_, lift)| 1.0 / lift.variance).sum();
    let mean = |of: &dyn Fn(&(u32, Lift)) -> f64| rows.iter().map(|row| of(row) / row.1.variance).sum::<f64>() / weight;
    let middle = mean(&|row| f64::from(row.0));
    let spread = mean(&|row| (f64::from(row.0) - middle).powi(2)) * weight;
    if spread <= 0.0 {
        return Err(ExperimentError::statistics("a trend wants different days"));
    }
    let together = mean(&|row| (f64::from(row.0) - middle) * row.1.difference.value) * weight;
    let (value, error) = (together / spread, 1.0 / spread.sqrt());
    let degrees = rows.iter().map(|(_, lift)| lift.degrees).fold(f64::INFINITY, f64::min);
    let reach = crate::special::student_t_quantile(1.0 - alpha / 2.0, degrees) * error;
    let slope_p = 2.0 * student_t_cdf(-(value / error).abs(), degrees);
    Ok(DayCurve { days: rows, slope: Interval::around(value, reach), slope_p })
}
