//! How good are the chances that a head gives? Order, within pinners too, and calibration, with intervals.

use crate::metrics::{auc, calibration_error, calibration_ratio, log_loss};
use domain::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Resamples of pinners behind an interval.
const RESAMPLES: usize = 200;
/// Bins of the calibration error.
const BINS: usize = 20;
/// Where HIT@k is cut.
const HIT_CUT: usize = 3;

/// What one head said of some rows, and what happened. Columns of one length.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Whose rows they are.
    pub pinners: Vec<u32>,
    /// Of which request; rows of one request are consecutive.
    pub requests: Vec<u32>,
    /// Whether it happened.
    pub labels: Vec<bool>,
    /// The chance given.
    pub chances: Vec<f32>,
}

/// Figures of one head. What cannot be said is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChanceFigures {
    /// Chance that what happened was given more than what did not.
    pub auc: Option<f64>,
    /// 95 % interval of `auc`, bootstrap over pinners.
    pub auc_interval: Option<[f64; 2]>,
    /// Mean of the pinners' own AUC, weighted by their rows; of pinners with both outcomes.
    pub gauc: Option<f64>,
    /// 95 % interval of `gauc`.
    pub gauc_interval: Option<[f64; 2]>,
    /// Mean of −ln(chance given to what happened).
    pub log_loss: Option<f64>,
    /// `log_loss` over the entropy of the rate: 1 is what saying the rate each time would give (He et al., ADKDD 2014).
    pub ne: Option<f64>,
    /// Sum of chances over how often it happened.
    pub calibration: Option<f64>,
    /// Mean distance of chances and rates over 20 bins.
    pub ece: Option<f64>,
    /// Share of requests of more than three rows, something having happened, in which it happened to one of the three
    /// rows with the highest chances.
    #[serde(rename = "hit@3")]
    pub hit_at_3: Option<f64>,
    /// How often it happened.
    pub positives: usize,
    /// Rows.
    pub rows: usize,
}

impl Judged {
    /// Adds a row.
    pub fn push(&mut self, pinner: u32, request: u32, label: bool, chance: f32) {
        self.pinners.push(pinner);
        self.requests.push(request);
        self.labels.push(label);
        self.chances.push(chance);
    }

    /// All figures; `seed` draws the resamples.
    pub fn figures(&self, seed: u64) -> ChanceFigures {
        let (rows, positives) = (self.labels.len(), self.labels.iter().filter(|label| **label).count());
        if rows == 0 {
            return ChanceFigures::default();
        }
        let loss = log_loss(&self.labels, &self.chances);
        let groups = self.groups();
        let (auc_interval, gauc_interval) = self.intervals(&groups, seed);
        ChanceFigures {
            auc: auc(&self.labels, &self.chances),
            auc_interval,
            gauc: weighted(groups.values().filter_map(|group| Some((group.auc?, group.rows)))),
            gauc_interval,
            log_loss: Some(loss),
            ne: entropy(positives as f64 / rows as f64).map(|entropy| loss / entropy),
            calibration: calibration_ratio(&self.labels, &self.chances),
            ece: Some(calibration_error(&self.labels, &self.chances, BINS)),
            hit_at_3: self.hit_rate(),
            positives,
            rows,
        }
    }

    fn groups(&self) -> BTreeMap<u32, Group> {
        let mut rows: BTreeMap<u32, (Vec<bool>, Vec<f32>)> = BTreeMap::new();
        for (place, pinner) in self.pinners.iter().enumerate() {
            let (labels, chances) = rows.entry(*pinner).or_default();
            labels.push(self.labels[place]);
            chances.push(self.chances[place]);
        }
        let mut groups = BTreeMap::new();
        for (number, (pinner, (labels, chances))) in rows.into_iter().enumerate() {
            groups.insert(pinner, Group { number, rows: labels.len() as f64, auc: auc(&labels, &chances) });
        }
        groups
    }

    /// Intervals of AUC and GAUC: pinners are drawn anew, with all their rows.
    fn intervals(&self, groups: &BTreeMap<u32, Group>, seed: u64) -> (Option<[f64; 2]>, Option<[f64; 2]>) {
        let mut rng = Rng::new(seed);
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        order.sort_by(|&a, &b| self.chances[a].total_cmp(&self.chances[b]));
        let numbers: Vec<usize> = self.pinners.iter().map(|pinner| groups[pinner].number).collect();
        let (mut aucs, mut gaucs) = (Vec::new(), Vec::new());
        for _ in 0..RESAMPLES {
            let mut drawn = vec![0.0; groups.len()];
            (0..groups.len()).for_each(|_| drawn[rng.below(groups.len() as u32) as usize] += 1.0);
            aucs.extend(self.weighted_auc(&order, |row| drawn[numbers[row]]));
            gaucs.extend(weighted(groups.values().filter_map(|g| Some((g.auc?, g.rows * drawn[g.number])))));
        }
        (interval(aucs), interval(gaucs))
    }

    /// AUC of rows that count several times; `order` is by chance, lowest first.
    fn weighted_auc(&self, order: &[usize], weight: impl Fn(usize) -> f64) -> Option<f64> {
        let (mut pairs_won, mut below, mut positives) = (0.0, 0.0, 0.0);
        for equal in order.chunk_by(|&a, &b| self.chances[a] == self.chances[b]) {
            let (mut up, mut down) = (0.0, 0.0);
            equal.iter().for_each(|&row| *if self.labels[row] { &mut up } else { &mut down } += weight(row));
            pairs_won += up * (below + down / 2.0);
            below += down;
            positives += up;
        }
        (positives * below > 0.0).then(|| pairs_won / (positives * below))
    }

    fn hit_rate(&self) -> Option<f64> {
        let (mut requests, mut hits, mut start) = (0, 0, 0);
        for rows in self.requests.chunk_by(|a, b| a == b) {
            let range = start..start + rows.len();
            start = range.end;
            if rows.len() <= HIT_CUT || !self.labels[range.clone()].contains(&true) {
                continue;
            }
            let mut order: Vec<usize> = range.collect();
            order.sort_by(|&a, &b| self.chances[b].total_cmp(&self.chances[a]));
            requests += 1;
            hits += usize::from(order[..HIT_CUT].iter().any(|&row| self.labels[row]));
        }
        (requests > 0).then(|| f64::from(hits as u32) / f64::from(requests))
    }
}

/// The rows of one pinner.
struct Group {
    number: usize,
    rows: f64,
    auc: Option<f64>,
}

fn weighted(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weight) = values.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
    (weight > 0.0).then(|| sum / weight)
}

fn interval(mut values: Vec<f64>) -> Option<[f64; 2]> {
    values.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
    (!values.is_empty()).then(|| [at(0.025), at(0.975)])
}

/// What saying a rate each time costs; nothing when it says nothing.
fn entropy(rate: f64) -> Option<f64> {
    (rate > 0.0 && rate < 1.0).then(|| -(rate * rate.ln() + (1.0 - rate) * (1.0 - rate).ln()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pinners of three rows in one request each, and one row of a third.
    fn judged() -> Judged {
        let mut judged = Judged::default();
        let rows = [(1, 0, true, 0.9), (1, 0, false, 0.5), (1, 0, false, 0.1), (2, 1, true, 0.2), (2, 1, false, 0.3)];
        rows.iter().for_each(|&(pinner, request, label, chance)| judged.push(pinner, request, label, chance));
        judged.push(2, 1, true, 0.4);
        judged.push(3, 2, true, 0.3);
        judged
    }

    #[test]
    fn figures_are_as_by_hand() {
        let figures = judged().figures(1);
        // Positives .9 .2 .4 .3 against negatives .5 .1 .3: 3, 1, 2 and 1.5 of 3 each are won.
        assert!((figures.auc.expect("both") - 7.5 / 12.0).abs() < 1e-9);
        // 1 of three rows, 1/2 of three rows.
        assert!((figures.gauc.expect("two") - 0.75).abs() < 1e-9);
        assert!((figures.calibration.expect("some") - 2.7 / 4.0).abs() < 1e-6);
        let rate = 4.0f64 / 7.0;
        let entropy = -(rate * rate.ln() + (1.0 - rate) * (1.0 - rate).ln());
        assert!((figures.ne.expect("both") - figures.log_loss.expect("rows") / entropy).abs() < 1e-9);
        assert_eq!((figures.positives, figures.rows, figures.hit_at_3), (4, 7, None));
        assert_eq!(Judged::default().figures(1), ChanceFigures::default());
    }

    #[test]
    fn whoever_counts_once_gives_the_plain_area() {
        let mut rng = Rng::new(4);
        let mut judged = Judged::default();
        for row in 0..5_000 {
            let chance = (rng.uniform() * 50.0).round() / 50.0;
            judged.push(row % 500, row / 10, rng.uniform() < chance, chance);
        }
        let mut order: Vec<usize> = (0..5_000).collect();
        order.sort_by(|&a, &b| judged.chances[a].total_cmp(&judged.chances[b]));
        let figures = judged.figures(5);
        let auc = figures.auc.expect("both");
        assert!((judged.weighted_auc(&order, |_| 1.0).expect("both") - auc).abs() < 1e-9);
        let [low, high] = figures.auc_interval.expect("drawn");
        // The deviation of an area of 0.83 over 5,000 rows is about .006.
        assert!(low < auc && auc < high && (0.012..0.04).contains(&(high - low)), "{low} {auc} {high}");
        let [low, high] = figures.gauc_interval.expect("drawn");
        assert!((low..high).contains(&figures.gauc.expect("both")));
        assert!((figures.calibration.expect("some") - 1.0).abs() < 0.05 && figures.ece.expect("rows") < 0.05);
        assert!((0.8..1.0).contains(&figures.hit_at_3.expect("ten rows each")), "{figures:?}");
    }
}
