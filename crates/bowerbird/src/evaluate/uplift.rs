//! Whom is it worth to send a message? An uplift model on the e-mail experiment of Hillstrom's format.

use crate::import::{Fields, Table};
use crate::output::{print_table, thousands};
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result, ensure};
use experiments::{
    Interval, LearnerFigures, Lift, Moments, QiniRow, ResponseModel, UpliftModel, UpliftRow, UpliftTraits, lift, qini,
    qini_curve, qini_difference, qini_interval,
};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

const NUMBERS: [&str; 5] = ["recency", "history", "mens", "womens", "newbie"];
const WORDS: [&str; 3] = ["history_segment", "zip_code", "channel"];
const SEGMENT: &str = "segment";
const VISIT: &str = "visit";
/// Those who got no message.
const CONTROL: &str = "No E-Mail";
const TREATMENTS: [&str; 2] = ["Mens E-Mail", "Womens E-Mail"];
/// Fewest measured people of each arm.
const ARM_ROWS_MIN: usize = 100;
const RESAMPLES: u32 = 1_000;
const ALPHA: f64 = 0.05;
/// Seed of the bootstrap.
const BOOTSTRAP_SEED: u64 = 7;

/// How well a model of effects orders people whom it has not seen.
#[derive(Debug, Serialize)]
pub(crate) struct UpliftFigures {
    protocol: String,
    seed: u64,
    taught: usize,
    measured: usize,
    /// Visits of the measured people: with a message, less without.
    effect: Lift,
    learners: Vec<LearnerFigures>,
    /// The coefficient as scikit-uplift's `qini_auc_score`; 0 is what an order at random has.
    qini: Interval,
    random: Other,
    response: Other,
    tenths: Vec<Tenth>,
}

/// Another order of the same people.
#[derive(Debug, Serialize)]
struct Other {
    qini: f64,
    /// Ours less it, both on the same resampled people.
    ours_less: Interval,
}

/// Additional visits of the measured people when this share of them would get a message.
#[derive(Debug, Serialize)]
struct Tenth {
    share: f64,
    uplift: f64,
    response: f64,
    random: f64,
}

/// Learns from one file and measures on another; one alone is halved by `seed`.
pub(crate) fn measure_uplift(train: &Path, test: Option<&Path>, seed: u64, stop: &Stop) -> Result<UpliftFigures> {
    let rows = read(train)?;
    let (taught, measured, how) = match test {
        Some(test) => {
            let same = |path: &Path| path.canonicalize().ok();
            ensure!(same(train) != same(test), "--test is the file of --train: without --test it is halved by --seed");
            (rows, read(test)?, "another file".to_owned())
        }
        None => {
            let [taught, measured] = halves(rows, seed);
            (taught, measured, format!("half of the file, dealt by seed {seed}"))
        }
    };
    for (rows, name) in [(&taught, "taught"), (&measured, "measured")] {
        let treated = rows.iter().filter(|row| row.treated).count();
        let control = rows.len() - treated;
        ensure!(
            treated >= ARM_ROWS_MIN && control >= ARM_ROWS_MIN,
            "{treated} {name} people got a message and {control} did not: {ARM_ROWS_MIN} of each are the fewest"
        );
    }
    let model = UpliftModel::fit(&taught, seed).context("no uplift can be learned")?;
    let response = ResponseModel::fit(&taught).context("no response can be learned")?;
    stop.check()?;
    let ours = scored(&measured, |row| model.score(&row.traits));
    let by_response: Vec<f64> = measured.iter().map(|row| response.score(&row.traits)).collect();
    // People of one score make a straight line, which is what orders at random are in the mean.
    let by_chance = vec![0.0; measured.len()];
    let other = |scores: &[f64]| -> Result<Other> {
        stop.check()?;
        let ours_less = qini_difference(&ours, scores, RESAMPLES, ALPHA, BOOTSTRAP_SEED)?;
        Ok(Other { qini: qini(&with_scores(&ours, scores))?, ours_less })
    };
    Ok(UpliftFigures {
        protocol: format!(
            "any message against none, who visits; learned from {} people, measured on {how}; intervals of {:.0} % by \
             {} resamples of the measured people",
            thousands(taught.len() as u64),
            100.0 * (1.0 - ALPHA),
            thousands(u64::from(RESAMPLES))
        ),
        seed,
        taught: taught.len(),
        measured: measured.len(),
        effect: effect(&measured)?,
        qini: qini_interval(&ours, RESAMPLES, ALPHA, BOOTSTRAP_SEED)?,
        random: other(&by_chance)?,
        response: other(&by_response)?,
        tenths: tenths(&ours, &with_scores(&ours, &by_response))?,
        learners: model.learners,
    })
}

fn read(file: &Path) -> Result<Vec<UpliftRow>> {
    let columns: Vec<&str> = NUMBERS.into_iter().chain(WORDS).chain([SEGMENT, VISIT]).collect();
    Table::open(file, &columns, &Arc::new(Progress::quiet()))?.read_all(person)
}

fn person(row: &Fields) -> Result<UpliftRow, String> {
    let numbers = NUMBERS.iter().map(|column| row.finite(column)).collect::<Result<_, _>>()?;
    let words = WORDS.iter().map(|column| row.text(column).map(str::to_owned)).collect::<Result<_, _>>()?;
    let segment = row.text(SEGMENT)?;
    if segment != CONTROL && !TREATMENTS.contains(&segment) {
        return Err(format!("{SEGMENT}: '{segment}' is none of {CONTROL}, {}", TREATMENTS.join(", ")));
    }
    let visited = f64::from(u8::from(row.yes(VISIT)?));
    Ok(UpliftRow { traits: UpliftTraits { numbers, words }, treated: segment != CONTROL, outcome: visited })
}

/// Those who teach and those who are measured.
fn halves(rows: Vec<UpliftRow>, seed: u64) -> [Vec<UpliftRow>; 2] {
    let mut halves = [Vec::new(), Vec::new()];
    for (place, row) in (0..).zip(rows) {
        halves[(domain::hash64(place ^ (seed << 32)) & 1) as usize].push(row);
    }
    halves
}

fn scored(rows: &[UpliftRow], score: impl Fn(&UpliftRow) -> f64) -> Vec<QiniRow> {
    let of = |row: &UpliftRow| QiniRow { score: score(row), treated: row.treated, outcome: row.outcome > 0.5 };
    rows.iter().map(of).collect()
}

fn with_scores(rows: &[QiniRow], scores: &[f64]) -> Vec<QiniRow> {
    rows.iter().zip(scores).map(|(row, score)| QiniRow { score: *score, ..*row }).collect()
}

fn effect(rows: &[UpliftRow]) -> Result<Lift> {
    let arm =
        |treated: bool| Moments::of(rows.iter().filter(|row| row.treated == treated).map(|row| row.outcome)).estimate();
    lift(&arm(false), &arm(true), ALPHA).context("nothing can be measured")
}

fn tenths(uplift: &[QiniRow], response: &[QiniRow]) -> Result<Vec<Tenth>> {
    let curves = [qini_curve(uplift)?, qini_curve(response)?];
    let people = uplift.len() as f64;
    let end = curves[0].last().map_or(0.0, |point| point.1);
    // The curve counts visits of the treated arm: as many as all measured people would make are so many times as many.
    let all = people / uplift.iter().filter(|row| row.treated).count().max(1) as f64;
    let tenth = |tenth: u32| {
        let share = f64::from(tenth) / 10.0;
        let [uplift, response] = curves.each_ref().map(|curve| all * along(curve, share * people));
        Tenth { share, uplift, response, random: all * share * end }
    };
    Ok((1..=10).map(tenth).collect())
}

/// The height of a curve at `x`, on the straight line between its points.
fn along(curve: &[(f64, f64)], x: f64) -> f64 {
    let next = curve.partition_point(|point| point.0 < x).clamp(1, curve.len().max(2) - 1);
    match (curve.get(next - 1), curve.get(next)) {
        (Some(from), Some(to)) if to.0 > from.0 => from.1 + (to.1 - from.1) * (x - from.0) / (to.0 - from.0),
        _ => curve.last().map_or(0.0, |point| point.1),
    }
}

impl UpliftFigures {
    /// Prints them as an analyst would.
    pub(crate) fn print(&self) {
        println!("{}\n", self.protocol);
        let bounds = |interval: &Interval| format!("{:.4} [{:.4}, {:.4}]", interval.value, interval.low, interval.high);
        let rows = [
            vec!["uplift".to_owned(), bounds(&self.qini), String::new()],
            vec!["response".to_owned(), format!("{:.4}", self.response.qini), bounds(&self.response.ours_less)],
            vec!["random".to_owned(), format!("{:.4}", self.random.qini), bounds(&self.random.ours_less)],
        ];
        print_table(&["order", "Qini", "uplift less it"].map(str::to_owned), &rows);
        println!();
        let row = |tenth: &Tenth| {
            let visits = [tenth.uplift, tenth.response, tenth.random].map(|visits| format!("{visits:.0}"));
            std::iter::once(format!("{:.0} %", 100.0 * tenth.share)).chain(visits).collect()
        };
        let rows: Vec<Vec<String>> = self.tenths.iter().map(row).collect();
        print_table(&["get a message", "visits more: uplift", "response", "random"].map(str::to_owned), &rows);
        println!("\n{}", self.sentences());
    }

    fn sentences(&self) -> String {
        let against = |other: &Other, name: &str| match other.ours_less {
            Interval { low, .. } if low > 0.0 => format!("better than {name} by more than chance"),
            Interval { high, .. } if high < 0.0 => format!("worse than {name} by more than chance"),
            _ => format!("not told from {name} by these {} people", thousands(self.measured as u64)),
        };
        let Interval { value, low, high } = self.effect.difference;
        let used = self.learners.iter().filter(|learner| learner.used).map(|learner| learner.name.as_str());
        format!(
            "A message brings {:.2} visits more of 100 people [{:.2}, {:.2}]. The order by uplift is {}, and {}. It is \
             the mean of: {}.",
            100.0 * value,
            100.0 * low,
            100.0 * high,
            against(&self.random, "an order at random"),
            against(&self.response, "the order by response"),
            used.collect::<Vec<_>>().join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_read_between_its_points() {
        let curve = [(0.0, 0.0), (10.0, 5.0), (20.0, 4.0)];
        let found = [0.0, 5.0, 10.0, 15.0, 20.0, 30.0].map(|x| along(&curve, x));
        assert_eq!(found[..5], [0.0, 2.5, 5.0, 4.5, 4.0]);
        assert_eq!(along(&[(0.0, 0.0)], 3.0), 0.0);
    }
}
