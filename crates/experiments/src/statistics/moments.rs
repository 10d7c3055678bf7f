use crate::ExperimentError;
use serde::{Deserialize, Serialize};

/// What a metric's mean and variance need to know of an arm's units: how many, their mean, and the sum of squared
/// distances from it. Parts add up in any order (Chan, Golub and LeVeque 1979).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Units.
    pub units: f64,
    /// Mean over the units.
    pub mean: f64,
    /// Σ (y − mean)².
    pub squares: f64,
}

impl Moments {
    /// Of one value a unit.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Moments {
        let mut moments = Moments::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }

    /// Of what a table tells: units, mean and the sample variance (over n − 1) of one unit.
    pub fn of_variance(units: f64, mean: f64, variance: f64) -> Result<Moments, ExperimentError> {
        let right = units >= 0.0 && variance >= 0.0 && [units, mean, variance].iter().all(|value| value.is_finite());
        if !right {
            let what = format!("{units} units with mean {mean} and variance {variance} are no moments");
            return Err(ExperimentError::Statistics(what));
        }
        Ok(Moments { units, mean, squares: variance * (units - 1.0).max(0.0) })
    }

    /// Of units, Σ y and Σ y².
    pub fn of_sums(units: f64, sum: f64, sum_squares: f64) -> Result<Moments, ExperimentError> {
        let mean = if units > 0.0 { sum / units } else { 0.0 };
        let variance = (sum_squares - sum * mean).max(0.0) / (units - 1.0).max(1.0);
        Moments::of_variance(units, mean, variance)
    }

    /// Of a yes or no a unit.
    pub fn of_successes(units: u64, successes: u64) -> Result<Moments, ExperimentError> {
        if successes > units {
            return Err(ExperimentError::Statistics(format!("{successes} successes of {units} units")));
        }
        Moments::of_sums(units as f64, successes as f64, successes as f64)
    }

    /// One more unit.
    pub fn add(&mut self, value: f64) {
        self.units += 1.0;
        let from_old = value - self.mean;
        self.mean += from_old / self.units;
        self.squares += from_old * (value - self.mean);
    }

    /// Other units of the same arm.
    #[must_use]
    pub fn merged(&self, other: &Moments) -> Moments {
        let units = self.units + other.units;
        if units <= 0.0 {
            return *self;
        }
        let apart = other.mean - self.mean;
        Moments {
            units,
            mean: self.mean + apart * other.units / units,
            squares: self.squares + other.squares + apart * apart * self.units * other.units / units,
        }
    }

    /// Sample variance of one unit; 0 of fewer than two.
    pub fn variance(&self) -> f64 {
        self.squares / (self.units - 1.0).max(1.0)
    }

    /// The mean as an estimate.
    pub fn estimate(&self) -> Estimate {
        Estimate { value: self.mean, variance: self.variance() / self.units, units: self.units }
    }
}

/// The same of two values a unit: a ratio's numerator and denominator, or a metric and what was known before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairMoments {
    /// The first value.
    pub x: Moments,
    /// The second value.
    pub y: Moments,
    /// Σ (x − mean x)(y − mean y).
    pub products: f64,
}

impl PairMoments {
    /// Of one pair (x, y) a unit.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> PairMoments {
        let mut moments = PairMoments::default();
        pairs.into_iter().for_each(|(x, y)| moments.add(x, y));
        moments
    }

    /// One more unit.
    pub fn add(&mut self, x: f64, y: f64) {
        let from_old = x - self.x.mean;
        self.x.add(x);
        self.y.add(y);
        self.products += from_old * (y - self.y.mean);
    }

    /// Other units of the same arm.
    #[must_use]
    pub fn merged(&self, other: &PairMoments) -> PairMoments {
        let units = self.x.units + other.x.units;
        if units <= 0.0 {
            return *self;
        }
        let apart = (other.x.mean - self.x.mean) * (other.y.mean - self.y.mean);
        PairMoments {
            x: self.x.merged(&other.x),
            y: self.y.merged(&other.y),
            products: self.products + other.products + apart * self.x.units * other.x.units / units,
        }
    }

    /// Sample covariance of one unit.
    pub fn covariance(&self) -> f64 {
        self.products / (self.x.units - 1.0).max(1.0)
    }

    /// Correlation; 0 where one of both does not vary.
    pub fn correlation(&self) -> f64 {
        let scale = (self.x.squares * self.y.squares).sqrt();
        if scale > 0.0 { self.products / scale } else { 0.0 }
    }
}

/// A figure of one arm and how sure it is. Means, ratios, adjusted means and quantiles all become this, and everything
/// that compares arms takes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Variance of the figure itself, not of one unit: the square of its standard error.
    pub variance: f64,
    /// Units that it is made of.
    pub units: f64,
}

impl Estimate {
    /// Its standard error.
    pub fn error(&self) -> f64 {
        self.variance.sqrt()
    }

    pub(crate) fn checked(&self, whose: &str) -> Result<Estimate, ExperimentError> {
        let right = self.value.is_finite() && self.variance.is_finite() && self.variance >= 0.0 && self.units >= 2.0;
        if right {
            return Ok(*self);
        }
        let Estimate { value, variance, units } = self;
        let what = format!("{whose}: value {value} with variance {variance} of {units} units says nothing");
        Err(ExperimentError::Statistics(what))
    }
}

/// A ratio of two means over units, such as clicks per impression where a pinner is the unit: Σ y / Σ x of `pairs` (x
/// is the denominator), its variance by the delta method (Deng, Knoblich and Lu, KDD 2018):
/// `(var y − 2 r cov + r² var x) / (n · mean x²)`.
pub fn ratio(pairs: &PairMoments) -> Result<Estimate, ExperimentError> {
    let (x, y) = (&pairs.x, &pairs.y);
    if !x.mean.is_finite() || x.mean == 0.0 {
        return Err(ExperimentError::Statistics(format!("a ratio's denominator has the mean {}", x.mean)));
    }
    let value = y.mean / x.mean;
    let unit = y.variance() - 2.0 * value * pairs.covariance() + value * value * x.variance();
    Estimate { value, variance: unit.max(0.0) / (x.units * x.mean * x.mean), units: x.units }.checked("a ratio")
}
