use super::{Estimate, Moments, PairMoments, ratio};
use crate::ExperimentError;
use crate::special::normal_quantile;

/// Where a quantile's spread is read off: as many standard errors of the rank to both sides.
const REACH: f64 = 1.959963984540054;

/// The value that the part `q` of `values` (sorted here) is at most: the cap of a winsorised metric. Taken from all
/// arms together, or an arm's effect would move its own cap. NaN is refused.
pub fn cap_at(values: &mut [f64], q: f64) -> Result<f64, ExperimentError> {
    sorted(values, q)?;
    Ok(values[rank(q * values.len() as f64, values.len())])
}

/// A metric whose few largest values are drawn in to `cap`.
pub fn winsorised(values: impl IntoIterator<Item = f64>, cap: f64) -> Moments {
    Moments::of(values.into_iter().map(|value| value.min(cap)))
}

/// A quantile of one value a unit, `values` are sorted here. Its standard error is half the distance between the order
/// statistics at `n q ± 1.96 √(n q (1 − q))`, over 1.96: no density has to be estimated (Price and Bonett 2001).
pub fn quantile(values: &mut [f64], q: f64) -> Result<Estimate, ExperimentError> {
    let units = values.len() as f64;
    sorted(values, q)?;
    Ok(between(values, q, (q * (1.0 - q) / units).sqrt(), units))
}

/// A quantile of several values a unit, as (unit, value) in any order: values of one unit are alike, so that the part
/// of values below is a ratio over units whose error is the delta method's (Liu et al., arXiv 1903.08762).
pub fn quantile_of_units(rows: &[(u64, f64)], q: f64) -> Result<Estimate, ExperimentError> {
    let mut values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
    let middle = cap_at(&mut values, q)?;
    let mut counts = std::collections::BTreeMap::new();
    for (unit, value) in rows {
        let (all, below): &mut (f64, f64) = counts.entry(*unit).or_default();
        *all += 1.0;
        *below += f64::from(u8::from(*value <= middle));
    }
    let part = ratio(&PairMoments::of(counts.into_values()))?;
    Ok(between(&values, q, part.error(), part.units))
}

/// The exact interval of a quantile of independent units, by order statistics: its ranks are the binomial's normal
/// ones, rounded outwards.
pub fn quantile_interval(values: &mut [f64], q: f64, alpha: f64) -> Result<super::Interval, ExperimentError> {
    super::checked_alpha(alpha)?;
    sorted(values, q)?;
    let units = values.len() as f64;
    let reach = normal_quantile(1.0 - alpha / 2.0) * (units * q * (1.0 - q)).sqrt();
    let at = |place: f64| values[rank(place, values.len())];
    let (low, high) = (at((units * q - reach).floor()), at((units * q + reach).ceil() + 1.0));
    Ok(super::Interval { value: at(units * q), low, high })
}

fn between(sorted: &[f64], q: f64, rank_error: f64, units: f64) -> Estimate {
    let length = sorted.len() as f64;
    let at = |part: f64| sorted[rank(part * length, sorted.len())];
    let spread = at(q + REACH * rank_error) - at(q - REACH * rank_error);
    Estimate { value: at(q), variance: (spread / (2.0 * REACH)).powi(2), units }
}

/// The index of the `place`-th smallest of `length`.
fn rank(place: f64, length: usize) -> usize {
    (place.ceil().max(1.0) as usize).min(length) - 1
}

fn sorted(values: &mut [f64], q: f64) -> Result<(), ExperimentError> {
    if values.len() < 2 || q.is_nan() || q <= 0.0 || q >= 1.0 {
        return Err(ExperimentError::Statistics(format!("quantile {q} of {} values", values.len())));
    }
    if let Some(at) = values.iter().position(|value| value.is_nan()) {
        return Err(ExperimentError::Statistics(format!("value {at} is no number")));
    }
    values.sort_unstable_by(f64::total_cmp);
    Ok(())
}
