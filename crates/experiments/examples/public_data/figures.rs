//! What published experiments say, read with this room.

use crate::table::Table;
use experiments::{
    Better, Estimate, Facts, MetricFigures, Moments, Readout, SampleRatio, Sequential, cap_at, lift, quantile,
    sample_ratio, verdict, winsorised,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Sample ratios of headline tests (Upworthy Research Archive), inside and outside of the weeks that its publishers say
/// were not randomised.
#[derive(Debug, Serialize)]
pub(crate) struct Headlines {
    pub(crate) tests: usize,
    pub(crate) tests_inside: usize,
    pub(crate) alarms_inside: usize,
    pub(crate) alarms_outside: usize,
}

pub(crate) fn headlines(root: &Path) -> Option<Headlines> {
    let table = Table::read(&root.join("upworthy_headlines/upworthy_exploratory.csv.gz"))?;
    let [test, shown, week] = ["clickability_test_id", "impressions", "test_week"].map(|name| table.column(name));
    let mut tests: BTreeMap<&str, (u32, Vec<u64>)> = BTreeMap::new();
    for row in &table.rows {
        let found = tests.entry(&row[test]).or_insert((row[week].parse().expect("a week"), Vec::new()));
        found.1.push(row[shown].parse().expect("a count"));
    }
    let mut figures = Headlines { tests: 0, tests_inside: 0, alarms_inside: 0, alarms_outside: 0 };
    for (week, counts) in tests.values().filter(|(_, counts)| counts.len() > 1) {
        let alarm = sample_ratio(counts, &vec![1.0; counts.len()]).is_ok_and(|ratio| ratio.is_mismatch());
        let inside = (201_325..=201_402).contains(week);
        figures.tests += 1;
        figures.tests_inside += usize::from(inside);
        *if inside { &mut figures.alarms_inside } else { &mut figures.alarms_outside } += usize::from(alarm);
    }
    Some(figures)
}

/// Snapshots of online experiments (ASOS), read at the end and at every snapshot.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Snapshots {
    pub(crate) tests: usize,
    /// Tests that no snapshot tells a variance of: nothing can be said of them.
    pub(crate) without_variance: usize,
    /// |z| > 1.96 at the last snapshot.
    pub(crate) called_at_the_end: usize,
    /// |z| > 1.96 at any snapshot.
    pub(crate) called_by_peeking: usize,
    /// The sequential p came below 5 % at any snapshot …
    pub(crate) called_sequentially: usize,
    /// … before the last one …
    pub(crate) stopped_early: usize,
    /// … after this part of the snapshots' time, in the mean …
    pub(crate) stopped_at: f64,
    /// … with the sign that a significant last snapshot has, too.
    pub(crate) stopped_early_and_agree: usize,
    /// Those of them that do not agree, by metric.
    pub(crate) disagreeing: BTreeMap<String, usize>,
    /// The same where nobody stops before a week has passed.
    pub(crate) after_a_week: usize,
    pub(crate) after_a_week_and_agree: usize,
    /// Peeking called these, and the last snapshot did not.
    pub(crate) peeking_and_not_the_end: usize,
}

pub(crate) fn snapshots(root: &Path) -> Option<Snapshots> {
    let table = Table::read(&root.join("asos_experiments/asos_digital_experiments.csv.gz"))?;
    let names = ["time_since_start", "count_c", "count_t", "mean_c", "mean_t", "variance_c", "variance_t"];
    let (columns, keys) = (names.map(|name| table.column(name)), ["experiment_id", "variant_id", "metric_id"]);
    let keys = keys.map(|name| table.column(name));
    let mut tests: BTreeMap<[&str; 3], Vec<[f64; 7]>> = BTreeMap::new();
    for row in &table.rows {
        let numbers = columns.map(|column| row[column].parse().unwrap_or(f64::NAN));
        let snapshots = tests.entry(keys.map(|key| row[key].as_str())).or_default();
        if numbers.iter().all(|number| number.is_finite()) {
            snapshots.push(numbers);
        }
    }
    let mut figures = Snapshots::default();
    for (key, rows) in &mut tests {
        rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
        one_test(key[2], rows, &mut figures);
    }
    figures.stopped_at /= figures.stopped_early.max(1) as f64;
    Some(figures)
}

fn one_test(metric: &str, rows: &[[f64; 7]], figures: &mut Snapshots) {
    let z = |row: &[f64; 7]| (row[4] - row[3]) / (row[5] / row[1] + row[6] / row[2]).sqrt();
    figures.tests += 1;
    let (Some(first), Some(last)) = (rows.iter().find(|row| row[5] + row[6] > 0.0), rows.last()) else {
        figures.without_variance += 1;
        return;
    };
    let end = z(last);
    let (called, peeked) = (end.abs() > 1.96, rows.iter().any(|row| z(row).abs() > 1.96));
    figures.called_at_the_end += usize::from(called);
    figures.called_by_peeking += usize::from(peeked);
    figures.peeking_and_not_the_end += usize::from(peeked && !called);
    // What a plan knows: how many units there will be, and how the first ones vary.
    let planned = first[5] / last[1] + first[6] / last[2];
    let sequential = Sequential::planned(0.05, planned).expect("units that vary");
    let arm = |units: f64, value: f64, variance: f64| Estimate { value, variance: variance / units, units };
    let is_called = |row: &[f64; 7]| {
        let (control, treatment) = (arm(row[1], row[3], row[5]), arm(row[2], row[4], row[6]));
        sequential.look(&control, &treatment).is_ok_and(|look| look.p < 0.05)
    };
    let agrees = |row: &[f64; 7]| usize::from(called && end * z(row) > 0.0);
    let before_end = &rows[..rows.len() - 1];
    figures.called_sequentially += usize::from(rows.iter().any(is_called));
    if let Some(row) = before_end.iter().find(|row| is_called(row)) {
        figures.stopped_early += 1;
        figures.stopped_at += row[0] / last[0];
        figures.stopped_early_and_agree += agrees(row);
        if agrees(row) == 0 {
            *figures.disagreeing.entry(metric.to_owned()).or_default() += 1;
        }
    }
    if let Some(row) = before_end.iter().find(|row| row[0] >= 7.0 && is_called(row)) {
        figures.after_a_week += 1;
        figures.after_a_week_and_agree += agrees(row);
    }
}

/// One test of a game: the gate at level 40 against the one at level 30 (Cookie Cats).
#[derive(Debug, Serialize)]
pub(crate) struct Cats {
    pub(crate) sample_ratio: SampleRatio,
    pub(crate) z: f64,
    /// Median rounds of both.
    pub(crate) median_rounds: [f64; 2],
    pub(crate) read: Readout,
}

pub(crate) fn cats(root: &Path) -> Option<Cats> {
    let table = Table::read(&root.join("cookie_cats/cookie_cats.csv.gz"))?;
    let [version, rounds, day_1, day_7] =
        ["version", "sum_gamerounds", "retention_1", "retention_7"].map(|name| table.column(name));
    let arm = |name: &str| table.rows.iter().filter(|row| row[version] == name).collect::<Vec<_>>();
    let arms = ["gate_30", "gate_40"].map(arm);
    let stayed = |column: usize| {
        arms.each_ref().map(|rows| {
            let yes = rows.iter().filter(|row| row[column].eq_ignore_ascii_case("true")).count();
            Moments::of_successes(rows.len() as u64, yes as u64).expect("a part").estimate()
        })
    };
    let mut played = arms.each_ref().map(|rows| rows.iter().map(|row| row[rounds].parse().expect("rounds")).collect());
    let mut all: Vec<f64> = played.iter().flat_map(|arm: &Vec<f64>| arm.iter().copied()).collect();
    // One player has 49,854 rounds.
    let cap = cap_at(&mut all, 0.999).expect("rounds");
    let capped = played.each_ref().map(|arm| winsorised(arm.iter().copied(), cap).estimate());
    let median_rounds = played.each_mut().map(|arm| quantile(arm, 0.5).expect("rounds").value);
    let metric = |name: &str, [control, treatment]: [Estimate; 2]| MetricFigures {
        name: name.into(),
        better: Better::Higher,
        control,
        treatment,
        margin: 0.02,
        look: None,
    };
    let counts = arms.each_ref().map(|rows| rows.len() as u64);
    let ratio = sample_ratio(&counts, &[0.5, 0.5]).expect("counts");
    let read = verdict(Facts {
        experiment: "cookie cats".into(),
        arm: "gate at level 40".into(),
        units: "players".into(),
        days: 14.0,
        days_planned: 14.0,
        alpha: 0.05,
        sample_ratio: ratio.clone(),
        sample_ratio_slices: Vec::new(),
        crossed: 0,
        main: metric("7-day retention", stayed(day_7)),
        guardrails: vec![metric("1-day retention", stayed(day_1))],
        others: vec![metric("rounds", capped)],
        by_day: None,
        by_slice: None,
    });
    Some(Cats { z: ratio.z(), sample_ratio: ratio, median_rounds, read: read.expect("facts") })
}

/// The p of a difference in 7-day retention, as a figure of its own.
pub(crate) fn cats_p(cats: &Cats) -> f64 {
    lift(&cats.read.facts.main.control, &cats.read.facts.main.treatment, 0.05).expect("arms").p
}
