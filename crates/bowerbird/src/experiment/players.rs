//! One test of a game, a row a player (Cookie Cats): does a later gate keep them?

use super::{ALPHA, table};
use crate::output::print_table;
use anyhow::{Context, Result, ensure};
use experiments::{
    Better, Estimate, Facts, Interval, MetricFigures, MetricReading, Moments, Readout, SampleRatio, cap_at,
    quantile_interval, sample_ratio, verdict, winsorised,
};
use serde_json::{Value, json};
use std::path::Path;

const COLUMNS: [&str; 4] = ["version", "sum_gamerounds", "retention_1", "retention_7"];
/// Rounds are those of the first two weeks after installing.
const DAYS: f64 = 14.0;
/// A single player may have as many rounds as a thousand others: the highest thousandth is drawn in.
const CAP: f64 = 0.999;
/// The largest harm to be put up with, a part of control.
const MARGIN: f64 = 0.02;

/// The test, read.
pub(crate) struct Players {
    ratio: SampleRatio,
    control: String,
    rounds: Rounds,
    read: Readout,
}

struct Rounds {
    largest: f64,
    cap: f64,
    /// Of control and treatment.
    medians: [Interval; 2],
}

/// Players of one arm.
#[derive(Default)]
struct Arm {
    rounds: Vec<f64>,
    stayed: [u64; 2],
}

impl Arm {
    fn retention(&self, day: usize) -> Result<Estimate> {
        Ok(Moments::of_successes(self.rounds.len() as u64, self.stayed[day])?.estimate())
    }
}

impl Players {
    /// Reads a file of players. Of the two versions the first by name is control.
    pub(crate) fn read(path: &Path) -> Result<Players> {
        let (names, mut arms) = arms(path)?;
        let counts = arms.each_ref().map(|arm| arm.rounds.len() as u64);
        for (name, count) in names.iter().zip(counts) {
            ensure!(count >= 2, "{}: version `{name}` has {count} player, two are the fewest", path.display());
        }
        let mut all: Vec<f64> = arms.iter().flat_map(|arm| arm.rounds.iter().copied()).collect();
        let cap = cap_at(&mut all, CAP)?;
        let largest = all.last().copied().unwrap_or(cap);
        let capped = arms.each_ref().map(|arm| winsorised(arm.rounds.iter().copied(), cap).estimate());
        let [control, treatment] = arms.each_mut().map(|arm| quantile_interval(&mut arm.rounds, 0.5, ALPHA));
        let rounds = Rounds { largest, cap, medians: [control?, treatment?] };
        let retention = |day: usize| Ok::<_, anyhow::Error>([arms[0].retention(day)?, arms[1].retention(day)?]);
        let ratio = sample_ratio(&counts, &[1.0, 1.0])?;
        let [control, arm] = names;
        let read = verdict(Facts {
            experiment: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            arm,
            units: "players".into(),
            days: DAYS,
            days_planned: DAYS,
            alpha: ALPHA,
            sample_ratio: ratio.clone(),
            sample_ratio_slices: Vec::new(),
            crossed: 0,
            main: metric("7-day retention", retention(1)?),
            guardrails: vec![metric("1-day retention", retention(0)?)],
            others: vec![metric("rounds", capped)],
            by_day: None,
            by_slice: None,
        });
        Ok(Players { ratio, control, rounds, read: read.with_context(|| path.display().to_string())? })
    }

    /// As one object.
    pub(crate) fn json(&self) -> Value {
        let (facts, read) = (&self.read.facts, &self.read);
        let [control, treatment] = &self.rounds.medians;
        let mut rounds = metric_json(&facts.others[0], &read.others[0]);
        rounds["cap"] = json!(self.rounds.cap);
        rounds["largest"] = json!(self.rounds.largest);
        rounds["median_control"] = json!(control);
        rounds["median_treatment"] = json!(treatment);
        json!({
            "control": self.control,
            "treatment": facts.arm,
            "sample_ratio": {
                "counts": self.ratio.counts, "z": self.ratio.z(), "chi_square": self.ratio.chi_square,
                "p": self.ratio.p, "mismatch": self.ratio.is_mismatch(),
            },
            "retention_1": metric_json(&facts.guardrails[0], &read.guardrails[0]),
            "retention_7": metric_json(&facts.main, &read.main),
            "rounds": rounds,
            "decision": read.decision,
            "because": read.because,
            "checks": read.checks,
            "verdict": read.to_string(),
        })
    }

    /// Prints it as an analyst would.
    pub(crate) fn print(&self) {
        let (facts, read) = (&self.read.facts, &self.read);
        let row = |metric: &MetricFigures, reading: &MetricReading| {
            let Interval { value, low, high } = reading.lift.difference;
            let difference = format!("{value:.4} [{low:.4}, {high:.4}]");
            let [from, to] = [metric.control.value, metric.treatment.value].map(|value| format!("{value:.4}"));
            vec![metric.name.clone(), from, to, difference, format!("{:.4}", reading.p)]
        };
        let rows = [
            row(&facts.guardrails[0], &read.guardrails[0]),
            row(&facts.main, &read.main),
            row(&facts.others[0], &read.others[0]),
        ];
        let headings = ["metric", self.control.as_str(), facts.arm.as_str(), "difference", "p"];
        print_table(&headings.map(str::to_owned), &rows);
        let Rounds { largest, cap, medians: [control, treatment] } = &self.rounds;
        println!(
            "\nRounds above {cap} count as {cap} (one player has {largest}); medians {} [{}, {}] and {} [{}, {}].",
            control.value, control.low, control.high, treatment.value, treatment.low, treatment.high
        );
        let (z, p) = (self.ratio.z(), self.ratio.p);
        if p < ALPHA && !self.ratio.is_mismatch() {
            println!(
                "The arms' sizes are odd for an even split (z {z:.2}, p {p:.4}), but not so odd that the test must not \
                 be read (p below .001). Find out how players were dealt before much hangs on it."
            );
        }
        println!("\n{read}");
    }
}

fn arms(path: &Path) -> Result<([String; 2], [Arm; 2])> {
    let mut arms: std::collections::BTreeMap<String, Arm> = std::collections::BTreeMap::new();
    table(path, &COLUMNS)?.read_all(|row| {
        let [version, rounds, day_1, day_7] = COLUMNS;
        let (version, rounds) = (row.text(version)?, row.count(rounds)? as f64);
        let stayed = [row.yes(day_1)?, row.yes(day_7)?];
        if !arms.contains_key(version) && arms.len() == 2 {
            let known: Vec<&str> = arms.keys().map(String::as_str).collect();
            return Err(format!("version: '{version}' is a third one beside {}", known.join(" and ")));
        }
        let arm = arms.entry(version.to_owned()).or_default();
        arm.rounds.push(rounds);
        arm.stayed.iter_mut().zip(stayed).for_each(|(count, stayed)| *count += u64::from(stayed));
        Ok(())
    })?;
    let mut arms = arms.into_iter();
    let (Some((control, of_control)), Some((treatment, of_treatment))) = (arms.next(), arms.next()) else {
        anyhow::bail!("{}: all players have one version, and a test has two", path.display());
    };
    Ok(([control, treatment], [of_control, of_treatment]))
}

fn metric(name: &str, [control, treatment]: [Estimate; 2]) -> MetricFigures {
    MetricFigures { name: name.into(), better: Better::Higher, control, treatment, margin: MARGIN, look: None }
}

fn metric_json(metric: &MetricFigures, reading: &MetricReading) -> Value {
    json!({
        "control": metric.control.value,
        "treatment": metric.treatment.value,
        "difference": reading.lift.difference,
        "relative": reading.lift.relative,
        "p": reading.p,
        "adjusted_p": reading.adjusted_p,
    })
}
