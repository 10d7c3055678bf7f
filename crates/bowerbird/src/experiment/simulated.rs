//! Experiments whose truth is known: do the statistics keep what they promise?

use crate::output::print_table;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::Result;
use experiments::{AaConfig, AaReport, Metric, Sensitivity, SensitivityConfig, aa, interleaving_sensitivity};
use serde::Serialize;

/// Most experiments that the power of interleaving is measured on; a fiftieth of the simulations where that is fewer.
const POWER_CHECKS_MAX: u32 = 200;
/// Noise of the better ranking, and how much sessions differ in how often they click.
const DRAFTS: [(f64, f64); 4] = [(0.9, 1.0), (0.7, 1.0), (0.9, 0.0), (0.9, 1.5)];

/// What came of all simulations.
#[derive(Debug, Serialize)]
pub(crate) struct Simulated {
    simulations: u32,
    seed: u64,
    /// Standard error of a rate of 5 % by the number of simulations.
    error: f64,
    experiments: Vec<Case>,
    interleaving: Vec<Draft>,
}

#[derive(Debug, Serialize)]
struct Case {
    case: &'static str,
    config: AaConfig,
    report: AaReport,
}

#[derive(Debug, Serialize)]
struct Draft {
    config: SensitivityConfig,
    found: Sensitivity,
}

fn cases(simulations: u32) -> [(&'static str, AaConfig); 6] {
    let base = AaConfig { simulations, ..AaConfig::default() };
    [
        ("A/A, normal", base),
        ("A/A, conversion of 10 %", AaConfig { metric: Metric::Conversion(0.1), ..base }),
        ("A/A, spend", AaConfig { metric: Metric::Spend, ..base }),
        ("A/A, correlation .9", AaConfig { correlation: 0.9, ..base }),
        ("planted .1, normal", AaConfig { effect: 0.1, ..base }),
        ("planted .3, spend", AaConfig { metric: Metric::Spend, effect: 0.3, ..base }),
    ]
}

impl Simulated {
    /// Simulates; the same seed gives the same figures.
    pub(crate) fn run(simulations: u32, seed: u64, stop: &Stop) -> Result<Simulated> {
        let cases = cases(simulations);
        let progress = Progress::new("simulations", (cases.len() + DRAFTS.len()) as u64);
        let (mut experiments, mut interleaving) = (Vec::new(), Vec::new());
        for (case, config) in cases {
            stop.check()?;
            experiments.push(Case { case, config, report: aa(&config, seed)? });
            progress.add(1);
        }
        let checks = (simulations / 50).min(POWER_CHECKS_MAX);
        for (noise_b, eagerness) in DRAFTS {
            stop.check()?;
            let config = SensitivityConfig { noise_b, eagerness, checks, ..SensitivityConfig::default() };
            let found = interleaving_sensitivity(&config, seed.wrapping_add(1))?;
            interleaving.push(Draft { config, found });
            progress.add(1);
        }
        let error = (0.05 * 0.95 / f64::from(simulations)).sqrt();
        Ok(Simulated { simulations, seed, error, experiments, interleaving })
    }

    /// Prints it as an analyst would.
    pub(crate) fn print(&self) {
        println!(
            "{} experiments a line, percent; a look after every unit from the 100th of an arm on\n",
            self.simulations
        );
        let headings = [
            "experiments",
            "called at the end",
            "with CUPED",
            "at any look",
            "always valid",
            "covered",
            "CUPED",
            "always valid",
            "variance left",
            "1 − ρ²",
        ];
        let row = |Case { case, report: found, .. }: &Case| {
            let parts = [
                found.fixed,
                found.cuped,
                found.peeking_fixed,
                found.peeking_sequential,
                found.covered_fixed,
                found.covered_cuped,
                found.covered_sequential,
                found.variance_ratio,
                found.variance_ratio_expected,
            ];
            std::iter::once((*case).to_owned()).chain(parts.map(|part| format!("{:.2}", 100.0 * part))).collect()
        };
        print_table(&headings.map(str::to_owned), &self.experiments.iter().map(row).collect::<Vec<_>>());
        println!();
        let headings = ["noise of B", "eagerness", "sessions A/B", "interleaved", "times", "power", "interleaved"];
        let row = |Draft { config, found }: &Draft| {
            let figures = [found.sessions_ab, found.sessions_interleaving];
            let sizes = figures.map(|sessions| format!("{sessions:.0}"));
            let noise = [config.noise_b, config.eagerness].map(|figure| figure.to_string());
            let power = match config.checks {
                0 => ["", ""].map(str::to_owned),
                _ => [found.power_ab, found.power_interleaving].map(|power| format!("{power:.2}")),
            };
            noise.into_iter().chain(sizes).chain([format!("{:.1}", found.times)]).chain(power).collect()
        };
        print_table(&headings.map(str::to_owned), &self.interleaving.iter().map(row).collect::<Vec<_>>());
        println!("\n{}", self.sentences());
    }

    fn sentences(&self) -> String {
        let Some(Case { report: found, .. }) = self.experiments.first() else { return String::new() };
        let percent = |part: f64| format!("{:.2} %", 100.0 * part);
        let times = self.interleaving.first().map_or(0.0, |draft| draft.found.times);
        format!(
            "Without an effect, one is called in {} of the experiments when they are read once at the end (5 % is \
             promised; {} is the standard error of {} simulations), in {} when every look counts, and in {} by the \
             always-valid interval. CUPED leaves {} of the variance, where 1 − ρ² is {}. An A/B test needs {times:.1} \
             times the sessions of interleaving where sessions differ as in the first line.",
            percent(found.fixed),
            percent(self.error),
            self.simulations,
            percent(found.peeking_fixed),
            percent(found.peeking_sequential),
            percent(found.variance_ratio),
            percent(found.variance_ratio_expected),
        )
    }
}
