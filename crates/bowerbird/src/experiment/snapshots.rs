//! Snapshots of online experiments (ASOS Digital Experiments): what does looking early cost, and what does stopping by
//! always-valid intervals save?

use super::{ALPHA, percent, table};
use crate::import::Fields;
use crate::output::{print_table, thousands};
use anyhow::{Context, Result};
use experiments::{Estimate, Sequential, normal_quantile, sample_ratio};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

const KEYS: [&str; 3] = ["experiment_id", "variant_id", "metric_id"];
const DAYS: &str = "time_since_start";
const FIGURES: [&str; 6] = ["count_c", "count_t", "mean_c", "mean_t", "variance_c", "variance_t"];
/// People behave by the week: stopping before one has passed is told apart.
const WEEK_DAYS: f64 = 7.0;

/// A file of tests, each an arm and a metric of an experiment.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshots {
    experiments: usize,
    /// Treatments, each against its experiment's control.
    arms: usize,
    /// Those whose units at the end would be rarer than one in a thousand under an even split. Some splits may
    /// have been uneven on purpose; the file does not say.
    arms_not_even: usize,
    snapshots: usize,
    /// Snapshots that lack a figure, or have fewer than two units: they are left out.
    incomplete: usize,
    alpha: f64,
    #[serde(flatten)]
    all: Counts,
    by_metric: BTreeMap<String, Counts>,
}

/// How tests came out.
#[derive(Clone, Debug, Default, Serialize)]
struct Counts {
    tests: usize,
    /// No snapshot tells a variance: nothing can be said.
    without_variance: usize,
    /// Beyond the fixed bound (1.96) at the last snapshot …
    called_at_the_end: usize,
    /// … at any snapshot …
    called_by_peeking: usize,
    /// … at any, but not at the last one.
    peeking_and_not_the_end: usize,
    /// The always-valid p came below α at any snapshot …
    called_sequentially: usize,
    /// … before the last one …
    stopped_early: usize,
    /// … after this part of the whole time, in the mean …
    stopped_at: Option<f64>,
    /// … with the sign of a last snapshot that is called, too.
    stopped_early_and_agree: usize,
    /// The same where nobody stops before a week has passed.
    after_a_week: usize,
    after_a_week_and_agree: usize,
    #[serde(skip)]
    stopped_time: f64,
}

#[derive(Debug)]
struct Snapshot {
    days: f64,
    arms: [Estimate; 2],
}

impl Snapshot {
    fn variance(&self) -> f64 {
        self.arms[0].variance + self.arms[1].variance
    }

    fn z(&self) -> f64 {
        let variance = self.variance();
        let difference = self.arms[1].value - self.arms[0].value;
        if variance > 0.0 { difference / variance.sqrt() } else { 0.0 }
    }
}

/// The snapshot of a row; nothing where a figure is missing.
fn snapshot(row: &Fields) -> Result<Option<Snapshot>, String> {
    let days = row.finite(DAYS)?;
    let mut figures = [0.0; 6];
    for (figure, column) in figures.iter_mut().zip(FIGURES) {
        *figure = if row.optional(column).is_some() { row.number(column)? } else { f64::NAN };
    }
    let [units_c, units_t, mean_c, mean_t, variance_c, variance_t] = figures;
    for (column, figure) in FIGURES.into_iter().zip(figures) {
        if figure < 0.0 && !column.starts_with("mean") {
            return Err(format!("{column}: {figure} is below 0"));
        }
    }
    if days < 0.0 || figures.iter().any(|figure| figure.is_infinite()) {
        return Err(format!("{DAYS}, counts, means or variances are out of bounds"));
    }
    if figures.iter().any(|figure| figure.is_nan()) || units_c < 2.0 || units_t < 2.0 {
        return Ok(None);
    }
    let arm = |units: f64, value: f64, variance: f64| Estimate { value, variance: variance / units, units };
    Ok(Some(Snapshot { days, arms: [arm(units_c, mean_c, variance_c), arm(units_t, mean_t, variance_t)] }))
}

impl Snapshots {
    /// Reads a file of snapshots, a row each.
    pub(crate) fn read(path: &Path) -> Result<Snapshots> {
        let columns: Vec<&str> = KEYS.into_iter().chain([DAYS]).chain(FIGURES).collect();
        let rows = table(path, &columns)?.read_all(|row| {
            let [experiment, variant, metric] = KEYS.map(|key| row.text(key).map(str::to_owned));
            Ok(([experiment?, variant?, metric?], snapshot(row)?))
        })?;
        let snapshots = rows.len();
        let mut tests: BTreeMap<[String; 3], Vec<Snapshot>> = BTreeMap::new();
        for (key, snapshot) in rows {
            tests.entry(key).or_default().extend(snapshot);
        }
        let mut by_metric: BTreeMap<String, Counts> = BTreeMap::new();
        for ([experiment, variant, metric], test) in &mut tests {
            test.sort_by(|a, b| a.days.total_cmp(&b.days));
            let counts = by_metric.entry(metric.clone()).or_default();
            counts.add(test).with_context(|| format!("experiment {experiment}, variant {variant}, metric {metric}"))?;
        }
        let mut all = Counts::default();
        by_metric.values().for_each(|counts| all.merge(counts));
        let mut experiments: Vec<&String> = tests.keys().map(|[experiment, ..]| experiment).collect();
        experiments.dedup();
        let experiments = experiments.len();
        let arms = arms(&tests);
        Ok(Snapshots {
            experiments,
            arms: arms.len(),
            arms_not_even: arms.values().filter(|counts| is_uneven(counts)).count(),
            snapshots,
            incomplete: snapshots - tests.values().map(Vec::len).sum::<usize>(),
            alpha: ALPHA,
            all,
            by_metric,
        })
    }
}

/// Units of both arms at the last snapshot, by experiment and variant; of the first metric that tells them.
fn arms(tests: &BTreeMap<[String; 3], Vec<Snapshot>>) -> BTreeMap<[&str; 2], [u64; 2]> {
    let mut arms = BTreeMap::new();
    for ([experiment, variant, _], test) in tests {
        let units = test.last().map(|last| last.arms.map(|arm| arm.units as u64));
        let counts = arms.entry([experiment.as_str(), variant.as_str()]).or_insert([0; 2]);
        if let ([0, 0], Some(units)) = (&counts, units) {
            *counts = units;
        }
    }
    arms
}

fn is_uneven(counts: &[u64; 2]) -> bool {
    sample_ratio(counts, &[1.0, 1.0]).is_ok_and(|ratio| ratio.is_mismatch())
}

impl Counts {
    /// Adds a test, its snapshots in the order of time.
    fn add(&mut self, test: &[Snapshot]) -> Result<()> {
        self.tests += 1;
        let (Some(first), Some(last)) = (test.iter().find(|at| at.variance() > 0.0), test.last()) else {
            self.without_variance += 1;
            return Ok(());
        };
        let (end, bound) = (last.z(), normal_quantile(1.0 - ALPHA / 2.0));
        let (called, peeked) = (end.abs() > bound, test.iter().any(|at| at.z().abs() > bound));
        self.called_at_the_end += usize::from(called);
        self.called_by_peeking += usize::from(peeked);
        self.peeking_and_not_the_end += usize::from(peeked && !called);
        // What a plan knows: how many units there will be, and how the first ones vary.
        let part = |arm: usize| first.arms[arm].variance * first.arms[arm].units / last.arms[arm].units;
        let sequential = Sequential::planned(ALPHA, part(0) + part(1))?;
        let calls = |at: &&Snapshot| sequential.look(&at.arms[0], &at.arms[1]).is_ok_and(|look| look.p < ALPHA);
        let agrees = |at: &Snapshot| usize::from(called && end * at.z() > 0.0);
        let before_end = &test[..test.len() - 1];
        self.called_sequentially += usize::from(test.iter().any(|at| calls(&at)));
        if let Some(at) = before_end.iter().find(calls) {
            self.stopped_early += 1;
            self.stopped_time += if last.days > 0.0 { at.days / last.days } else { 1.0 };
            self.stopped_at = Some(self.stopped_time / self.stopped_early as f64);
            self.stopped_early_and_agree += agrees(at);
        }
        if let Some(at) = before_end.iter().find(|at| at.days >= WEEK_DAYS && calls(at)) {
            self.after_a_week += 1;
            self.after_a_week_and_agree += agrees(at);
        }
        Ok(())
    }

    fn merge(&mut self, other: &Counts) {
        self.tests += other.tests;
        self.without_variance += other.without_variance;
        self.called_at_the_end += other.called_at_the_end;
        self.called_by_peeking += other.called_by_peeking;
        self.peeking_and_not_the_end += other.peeking_and_not_the_end;
        self.called_sequentially += other.called_sequentially;
        self.stopped_early += other.stopped_early;
        self.stopped_time += other.stopped_time;
        self.stopped_at = (self.stopped_early > 0).then(|| self.stopped_time / self.stopped_early as f64);
        self.stopped_early_and_agree += other.stopped_early_and_agree;
        self.after_a_week += other.after_a_week;
        self.after_a_week_and_agree += other.after_a_week_and_agree;
    }

    fn row(&self, name: &str) -> Vec<String> {
        let counts = [
            self.tests,
            self.called_at_the_end,
            self.called_by_peeking,
            self.called_sequentially,
            self.stopped_early,
            self.stopped_early_and_agree,
        ];
        let stopped = self.stopped_at.map_or_else(String::new, |part| format!("{:.0} %", 100.0 * part));
        std::iter::once(name.to_owned()).chain(counts.map(|count| count.to_string())).chain([stopped]).collect()
    }
}

impl Snapshots {
    /// Prints them as an analyst would.
    pub(crate) fn print(&self) {
        println!(
            "{} tests: metrics of {} arms in {} experiments, {} snapshots ({} tell nothing and are left out)\n",
            self.all.tests,
            self.arms,
            self.experiments,
            thousands(self.snapshots as u64),
            self.incomplete
        );
        let headings = ["metric", "tests", "at the end", "at any look", "always valid", "early", "agree", "after"];
        let mut rows: Vec<Vec<String>> = self.by_metric.iter().map(|(metric, counts)| counts.row(metric)).collect();
        rows.push(self.all.row("all"));
        print_table(&headings.map(str::to_owned), &rows);
        println!("\n{}", self.sentences());
    }

    fn sentences(&self) -> String {
        let all = &self.all;
        let mut said = vec![format!(
            "{} of {} tests ({}) are beyond 1.96 at the last snapshot; {} never tell a variance.",
            all.called_at_the_end,
            all.tests,
            percent(all.called_at_the_end, all.tests),
            all.without_variance
        )];
        said.push(format!(
            "Who looks at every snapshot with that bound calls {}, {} of which the last one does not.",
            all.called_by_peeking, all.peeking_and_not_the_end
        ));
        said.push(match all.stopped_at {
            None => "By always-valid intervals none could have been stopped early.".to_owned(),
            Some(part) => format!(
                "By always-valid intervals {} are called, {} of them before the end, after {:.0} % of the time in the \
                 mean; {} of these say at the last snapshot the same, beyond 1.96. Where nobody stops before a week: \
                 {} and {}.",
                all.called_sequentially,
                all.stopped_early,
                100.0 * part,
                all.stopped_early_and_agree,
                all.after_a_week,
                all.after_a_week_and_agree
            ),
        });
        said.push(format!(
            "{} of {} arms have not half of the units (χ² below .001); the file does not say whether that was meant.",
            self.arms_not_even, self.arms
        ));
        said.join(" ")
    }
}
