use super::{normal_pair, refused, uniform};
use crate::special::{normal_quantile, student_t_quantile};
use crate::{Estimate, ExperimentError, PairMoments, Sequential, cuped, lift};
use domain::Rng;
use serde::{Deserialize, Serialize};

/// Most units that all experiments of a simulation have together.
const DRAWS_MAX: u64 = 10_000_000_000;

/// What a unit's metric looks like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Normal, with mean 1 and variance 1.
    Normal,
    /// Yes or no, with this chance of yes.
    Conversion(f64),
    /// What a few spend: a tenth of the units something log-normal (mean 10, as much spread again), the others nothing.
    Spend,
}

/// Experiments to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AaConfig {
    /// How many experiments.
    pub simulations: u32,
    /// Units of each arm.
    pub units: u32,
    /// Units of each arm at the first look; from then on there is a look at every unit.
    pub first_look: u32,
    /// What is measured.
    pub metric: Metric,
    /// How a covariate from before goes with the metric: its correlation with the normal that the metric is made of.
    pub correlation: f64,
    /// What is planted in treatment, absolute; 0 is an A/A test.
    pub effect: f64,
    /// The error rate.
    pub alpha: f64,
}

impl Default for AaConfig {
    fn default() -> Self {
        AaConfig {
            simulations: 10_000,
            units: 1_000,
            first_look: 100,
            metric: Metric::Normal,
            correlation: 0.6,
            effect: 0.0,
            alpha: 0.05,
        }
    }
}

/// What came of them, as parts of the simulations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AaReport {
    /// Read once at the end: called an effect. Without a planted effect the false positive rate, else the power.
    pub fixed: f64,
    /// Read at every unit with the fixed interval: called an effect at any look.
    pub peeking_fixed: f64,
    /// Read at every unit with the sequential interval.
    pub peeking_sequential: f64,
    /// Intervals at the end that hold the planted effect.
    pub covered_fixed: f64,
    /// The same with CUPED.
    pub covered_cuped: f64,
    /// Experiments whose sequential intervals held it at every look.
    pub covered_sequential: f64,
    /// Called an effect at the end with CUPED.
    pub cuped: f64,
    /// CUPED's mean variance ratio.
    pub variance_ratio: f64,
    /// 1 − ρ², ρ the correlation over all units of all experiments.
    pub variance_ratio_expected: f64,
    /// Mean part of the units that the sequential intervals needed; 1 where they called nothing.
    pub stopped_at: f64,
}

/// One simulated unit: (covariate, metric). `threshold` is below what a conversion's normal lies.
fn unit(rng: &mut Rng, config: &AaConfig, threshold: f64) -> (f64, f64) {
    let [before, noise] = normal_pair(rng);
    let mixed = config.correlation * before + (1.0 - config.correlation * config.correlation).sqrt() * noise;
    match config.metric {
        Metric::Normal => (before, 1.0 + mixed),
        Metric::Conversion(_) => (before, f64::from(u8::from(mixed < threshold))),
        Metric::Spend => {
            let spends = f64::from(u8::from(uniform(rng) < 0.1));
            // A log-normal whose mean is its standard deviation: σ² = ln 2.
            let sigma = std::f64::consts::LN_2.sqrt();
            (before, spends * 10.0 * (sigma * mixed - 0.5 * sigma * sigma).exp())
        }
    }
}

/// Runs experiments whose truth is known and counts what each way to read them says. The same seed gives the same
/// report. 10,000 experiments of 1,000 units an arm with a look at every unit take a few seconds on one core.
pub fn aa(config: &AaConfig, seed: u64) -> Result<AaReport, ExperimentError> {
    checked(config)?;
    let (mut rng, mut report, mut all) = (Rng::new(seed), AaReport::default(), PairMoments::default());
    // A fixed interval at every look is what a dashboard shows; its critical value is that of the end.
    let critical = student_t_quantile(1.0 - config.alpha / 2.0, 2.0 * f64::from(config.units - 1));
    for _ in 0..config.simulations {
        let arms = one(&mut rng, config, critical, &mut report)?;
        all = all.merged(&arms[0]);
    }
    let simulations = f64::from(config.simulations);
    let AaReport { fixed, peeking_fixed, peeking_sequential, covered_fixed, covered_cuped, .. } = &mut report;
    for count in [fixed, peeking_fixed, peeking_sequential, covered_fixed, covered_cuped] {
        *count /= simulations;
    }
    for count in [&mut report.covered_sequential, &mut report.cuped, &mut report.variance_ratio, &mut report.stopped_at]
    {
        *count /= simulations;
    }
    report.variance_ratio_expected = 1.0 - all.correlation().powi(2);
    Ok(report)
}

fn checked(config: &AaConfig) -> Result<(), ExperimentError> {
    let AaConfig { simulations, units, first_look, correlation, effect, .. } = *config;
    crate::statistics::checked_alpha(config.alpha)?;
    let draws = u64::from(simulations) * u64::from(units) * 2;
    if simulations == 0 || draws > DRAWS_MAX {
        return Err(refused(format!("{simulations} experiments of 2 × {units} units; 1 to {DRAWS_MAX} units in all")));
    }
    if first_look < 2 || first_look > units {
        return Err(refused(format!("a first look at {first_look} units an arm of {units}; 2 are the fewest")));
    }
    if correlation.is_nan() || correlation.abs() >= 1.0 || !effect.is_finite() {
        return Err(refused(format!("a correlation of {correlation} and an effect of {effect}")));
    }
    match config.metric {
        Metric::Conversion(chance) if !(chance > 0.0 && chance < 1.0) => Err(refused(format!("a chance of {chance}"))),
        _ => Ok(()),
    }
}

fn one(
    rng: &mut Rng,
    config: &AaConfig,
    critical: f64,
    report: &mut AaReport,
) -> Result<[PairMoments; 2], ExperimentError> {
    let (mut arms, mut looks) = ([PairMoments::default(); 2], Looks::default());
    let mut sequential = None;
    let threshold = match config.metric {
        Metric::Conversion(chance) => normal_quantile(chance),
        _ => 0.0,
    };
    for units in 1..=config.units {
        for (arm, effect) in arms.iter_mut().zip([0.0, config.effect]) {
            let (before, value) = unit(rng, config, threshold);
            arm.add(before, value + effect);
        }
        if units < config.first_look {
            continue;
        }
        let difference = arms[1].y.mean - arms[0].y.mean;
        let variance = arms.iter().map(|arm| arm.y.variance()).sum::<f64>() / f64::from(units);
        if variance <= 0.0 {
            continue;
        }
        // The plan knows how many units there will be, and how they vary from the first look alone.
        let mixture = match sequential {
            Some(mixture) => mixture,
            None => {
                let planned = variance * f64::from(units) / f64::from(config.units);
                *sequential.insert(Sequential::planned(config.alpha, planned)?)
            }
        };
        looks.take(difference, config.effect, critical * variance.sqrt(), mixture.reach(variance), units);
    }
    looks.count(config, report);
    ends(&arms, config, report)?;
    Ok(arms)
}

/// What the looks at one experiment came to.
#[derive(Default)]
struct Looks {
    fixed: bool,
    sequential: Option<u32>,
    missed: bool,
}

impl Looks {
    fn take(&mut self, difference: f64, truth: f64, fixed: f64, sequential: f64, units: u32) {
        self.fixed |= difference.abs() > fixed;
        if self.sequential.is_none() && difference.abs() > sequential {
            self.sequential = Some(units);
        }
        self.missed |= (difference - truth).abs() > sequential;
    }

    fn count(&self, config: &AaConfig, report: &mut AaReport) {
        report.peeking_fixed += f64::from(u8::from(self.fixed));
        report.peeking_sequential += f64::from(u8::from(self.sequential.is_some()));
        report.covered_sequential += f64::from(u8::from(!self.missed));
        report.stopped_at += self.sequential.map_or(1.0, |units| f64::from(units) / f64::from(config.units));
    }
}

fn ends(arms: &[PairMoments; 2], config: &AaConfig, report: &mut AaReport) -> Result<(), ExperimentError> {
    let corrected = cuped(arms)?;
    let plain: [Estimate; 2] = [arms[0].y.estimate(), arms[1].y.estimate()];
    let lifts = [lift(&plain[0], &plain[1], config.alpha), lift(&corrected.arms[0], &corrected.arms[1], config.alpha)];
    report.variance_ratio += corrected.variance_ratio;
    let called = [&mut report.fixed, &mut report.cuped];
    let covered = [&mut report.covered_fixed, &mut report.covered_cuped];
    for ((found, called), covered) in lifts.into_iter().zip(called).zip(covered) {
        // Arms in which nothing varies, such as rare conversions that nobody did, call nothing and say nothing.
        if let Ok(found) = found {
            *called += f64::from(u8::from(found.p < config.alpha));
            *covered += f64::from(u8::from(!found.difference.excludes(config.effect)));
        }
    }
    Ok(())
}
