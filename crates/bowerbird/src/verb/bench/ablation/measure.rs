//! Figures of variants, and of the differences between them: the same pinners, drawn anew together.

use super::split::{Halves, Way};
use crate::evaluate::SEED;
use ::train::{Dataset, ndcg_at, ranked, recall_at};
use domain::{PinId, Rng};
use models::{Model, Reach};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Resamples of pinners behind an interval.
const RESAMPLES: usize = 1_000;
/// How many pins are ranked.
const DEPTH: usize = 100;
/// Figures per pinner, and then of all.
const OF_PINNER: [&str; 4] = ["recall@10", "recall@20", "recall@100", "ndcg@20"];
/// All columns.
pub(super) const COLUMNS: [&str; 5] = ["recall@10", "recall@20", "recall@100", "ndcg@20", "coverage"];

/// What one variant found for everybody.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Per pinner, sums over seeds.
    sums: Vec<[f64; OF_PINNER.len()]>,
    seeds: f64,
    /// How often a pin was among anybody's first ten.
    shown: BTreeMap<PinId, usize>,
    pins: usize,
}

/// A variant by name, with what was published of it.
pub(super) type Found = (String, Option<f64>, Measured);

/// What was published to be better than something else, and what is found here.
pub(super) struct Claim {
    claim: String,
    of: &'static str,
    by: f64,
    interval: [f64; 2],
}

impl Measured {
    /// Asks a model for everybody, as of some days or acts before.
    pub(super) fn add(&mut self, model: &Model, data: &Dataset, halves: &Halves, (age, reach): (u64, Reach)) {
        let rankings = ranked(model, data, &halves.asked(age, reach), DEPTH);
        self.sums.resize(halves.cases.len(), [0.0; OF_PINNER.len()]);
        for ((sums, ranking), case) in self.sums.iter_mut().zip(&rankings).zip(&halves.cases) {
            let recall = |k| recall_at(ranking, &case.right, k);
            let figures = [recall(10), recall(20), recall(100), ndcg_at(ranking, &case.right, 20)];
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
            ranking.iter().take(10).for_each(|&pin| *self.shown.entry(pin).or_default() += 1);
        }
        self.seeds += 1.0;
        self.pins = data.pins;
    }

    /// A figure of each pinner.
    fn column(&self, column: usize) -> Vec<f64> {
        self.sums.iter().map(|sums| sums[column] / self.seeds.max(1.0)).collect()
    }

    /// The part of the catalogue that nine tenths of all first tens are made of.
    fn coverage(&self) -> f64 {
        let mut counts: Vec<usize> = self.shown.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let wanted = 0.9 * counts.iter().sum::<usize>() as f64;
        let mut sum = 0.0;
        let pins = counts.iter().take_while(|&&count| {
            let more = sum < wanted;
            sum += count as f64;
            more
        });
        pins.count() as f64 / self.pins.max(1) as f64
    }

    /// A row of the table.
    pub(super) fn json(&self, name: &str, published: Option<f64>) -> Value {
        let mut row = json!({ "variant": name, "published": published, "coverage": self.coverage() });
        for (column, metric) in OF_PINNER.iter().enumerate() {
            let values = self.column(column);
            row[*metric] = mean(&values).into();
            row["intervals"][*metric] = json!(interval(values.len(), |drawn| mean_of(&values, drawn)));
        }
        row
    }
}

impl Claim {
    /// Whether the first is better than the second by recall@10.
    pub(super) fn better((better, worse): (&str, &str), found: &[Found]) -> Option<Claim> {
        let [a, b] = [better, worse].map(|name| of(name, found));
        let (a, b) = (a?.column(0), b?.column(0));
        let gains: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        Some(Claim {
            claim: format!("{better} > {worse}"),
            of: "recall@10",
            by: mean(&gains),
            interval: interval(gains.len(), |drawn| mean_of(&gains, drawn)),
        })
    }

    /// Whether the first loses less than the second when user vectors grow old, in parts of what new ones find.
    pub(super) fn ages_better((better, worse): (&str, &str), age: u64, way: Way, found: &[Found]) -> Option<Claim> {
        let old = |name: &str| format!("{name}, {}", way.age(age));
        let columns = [better.to_owned(), old(better), worse.to_owned(), old(worse)].map(|name| of(&name, found));
        let [new_a, old_a, new_b, old_b] = columns.map(|measured| measured.map(|measured| measured.column(0)));
        let (new_a, old_a, new_b, old_b) = (new_a?, old_a?, new_b?, old_b?);
        let kept = |new: &[f64], old: &[f64], drawn: &[usize]| mean_of(old, drawn) / mean_of(new, drawn).max(1e-9);
        let gain = |drawn: &[usize]| kept(&new_a, &old_a, drawn) - kept(&new_b, &old_b, drawn);
        let everybody: Vec<usize> = (0..new_a.len()).collect();
        let [a, b] = [(&new_a, &old_a), (&new_b, &old_b)].map(|(new, old)| 1.0 - kept(new, old, &everybody));
        let claim = format!("{better} loses less than {worse} ({:.1} % and {:.1} %)", 100.0 * a, 100.0 * b);
        let interval = interval(new_a.len(), gain);
        Some(Claim { claim, of: "of recall@10", by: gain(&everybody), interval })
    }

    /// A claim about another figure.
    pub(super) fn of(claim: String, of: &'static str, by: f64, interval: [f64; 2]) -> Claim {
        Claim { claim, of, by, interval }
    }

    /// As it is told.
    pub(super) fn json(&self) -> Value {
        let found = match self.interval {
            [low, _] if low > 0.0 => "yes",
            [_, high] if high < 0.0 => "no, the other way round",
            _ => "open",
        };
        let Claim { claim, of, by, interval } = self;
        json!({ "claim": claim, "found": found, "by": by, "interval": interval, "of": of })
    }
}

fn of<'a>(name: &str, found: &'a [Found]) -> Option<&'a Measured> {
    found.iter().find(|(known, ..)| known == name).map(|(_, _, measured)| measured)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn mean_of(values: &[f64], drawn: &[usize]) -> f64 {
    drawn.iter().map(|&place| values[place]).sum::<f64>() / drawn.len().max(1) as f64
}

/// The 95 % interval of a figure of `count` pinners, who are drawn anew.
pub(super) fn interval(count: usize, figure: impl Fn(&[usize]) -> f64) -> [f64; 2] {
    let mut rng = Rng::new(SEED);
    let mut drawn = vec![0; count];
    let mut figures: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.fill_with(|| rng.below(count.max(1) as u32) as usize);
            figure(&drawn)
        })
        .collect();
    figures.sort_unstable_by(f64::total_cmp);
    [0.025, 0.975].map(|part| figures[((RESAMPLES - 1) as f64 * part).round() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(hits: &[f64]) -> Measured {
        let sums = hits.iter().map(|&hit| [2.0 * hit; OF_PINNER.len()]).collect();
        Measured { sums, seeds: 2.0, shown: BTreeMap::new(), pins: 10 }
    }

    #[test]
    fn differences_are_of_the_same_pinners() {
        let hits: Vec<f64> = (0..400).map(|pinner| f64::from(pinner % 4 == 0)).collect();
        let worse: Vec<f64> = hits.iter().enumerate().map(|(at, hit)| if at < 40 { 0.0 } else { *hit }).collect();
        let found: Vec<Found> = vec![("a".into(), None, measured(&hits)), ("b".into(), Some(0.1), measured(&worse))];
        assert_eq!(found[0].2.json("a", None)["recall@10"], 0.25);
        let claim = Claim::better(("a", "b"), &found).expect("both are there").json();
        assert_eq!((&claim["found"], &claim["by"]), (&json!("yes"), &json!(0.025)));
        assert_eq!(Claim::better(("b", "a"), &found).expect("both").json()["found"], "no, the other way round");
        assert_eq!(Claim::better(("a", "a"), &found).expect("itself").json()["found"], "open");
        assert!(Claim::better(("a", "c"), &found).is_none());
    }

    #[test]
    fn what_ages_well_keeps_more_of_what_it_finds() {
        let new: Vec<f64> = (0..200).map(|pinner| f64::from(pinner % 2)).collect();
        let aged = |lost: usize| -> Vec<f64> {
            new.iter().enumerate().map(|(at, hit)| if at % 20 < lost { 0.0 } else { *hit }).collect()
        };
        let name = |name: &str| format!("{name}, {}", Way::Order.age(2));
        let found: Vec<Found> = vec![
            ("a".into(), None, measured(&new)),
            (name("a"), None, measured(&aged(2))),
            ("b".into(), None, measured(&new)),
            (name("b"), None, measured(&aged(10))),
        ];
        let claim = Claim::ages_better(("a", "b"), 2, Way::Order, &found).expect("all are there").json();
        assert_eq!(claim["claim"], "a loses less than b (10.0 % and 50.0 %)");
        assert_eq!(claim["found"], "yes");
    }

    #[test]
    fn coverage_is_what_most_first_tens_are_made_of() {
        let shown = [(0, 70), (1, 20), (2, 5), (3, 5)].map(|(pin, count)| (PinId(pin), count)).into();
        assert_eq!(Measured { shown, pins: 10, ..Measured::default() }.coverage(), 0.2);
        assert_eq!(Measured::default().coverage(), 0.0);
    }
}
