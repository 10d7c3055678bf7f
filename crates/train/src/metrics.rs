//! How good are rankings and probabilities?
//!
//! Rankings are measured over the whole catalogue, never against sampled pins. A ranking is good when it holds the
//! pins that were held out: `relevant`, sorted by id.

use domain::{PinId, Rng};
use models::Reliability;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Resamples behind an interval.
const RESAMPLES: usize = 500;

fn is_hit(pin: &PinId, relevant: &[PinId]) -> bool {
    relevant.binary_search(pin).is_ok()
}

/// Part of the held-out pins that are among the first `k`: hits / |relevant|; 0 when nothing was held out.
pub fn recall_at(ranked: &[PinId], relevant: &[PinId], k: usize) -> f64 {
    let hits = ranked.iter().take(k).filter(|pin| is_hit(pin, relevant)).count();
    hits as f64 / relevant.len().max(1) as f64
}

/// Discounted gain of the first `k` over that of an ideal ranking, which has min(k, |relevant|) hits on top.
pub fn ndcg_at(ranked: &[PinId], relevant: &[PinId], k: usize) -> f64 {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let hits = ranked.iter().take(k).enumerate().filter(|(_, pin)| is_hit(pin, relevant));
    let ideal: f64 = (0..k.min(relevant.len())).map(gain).sum();
    if ideal > 0.0 { hits.map(|(place, _)| gain(place)).sum::<f64>() / ideal } else { 0.0 }
}

/// [`ndcg_at`] where pins are right by grades, sorted by pin: a grade is the gain, as `trec_eval` counts it, and the
/// ideal ranking has the highest grades on top.
pub fn graded_ndcg_at(ranked: &[PinId], grades: &[(PinId, f32)], k: usize) -> f64 {
    let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let sum = |gains: &mut dyn Iterator<Item = f32>| -> f64 {
        gains.take(k).enumerate().map(|(place, gain)| f64::from(gain.max(0.0)) * discount(place)).sum()
    };
    let grade = |pin: &PinId| grades.binary_search_by_key(pin, |(pin, _)| *pin).map_or(0.0, |at| grades[at].1);
    let mut best: Vec<f32> = grades.iter().map(|(_, grade)| *grade).collect();
    best.sort_unstable_by(|a, b| b.total_cmp(a));
    let ideal = sum(&mut best.into_iter());
    if ideal > 0.0 { sum(&mut ranked.iter().map(grade)) / ideal } else { 0.0 }
}

/// 1 when any held-out pin is among the first `k`, else 0.
pub fn hit_at(ranked: &[PinId], relevant: &[PinId], k: usize) -> f64 {
    f64::from(u8::from(ranked.iter().take(k).any(|pin| is_hit(pin, relevant))))
}

/// 1 / place of the first held-out pin; 0 when there is none.
pub fn reciprocal_rank(ranked: &[PinId], relevant: &[PinId]) -> f64 {
    ranked.iter().position(|pin| is_hit(pin, relevant)).map_or(0.0, |place| 1.0 / (place as f64 + 1.0))
}

/// Metrics over many pinners, gathered one pinner at a time.
#[derive(Clone, Debug)]
pub struct Report {
    cutoffs: Vec<usize>,
    /// One row of values per pinner, in the order of `names`.
    values: Vec<f32>,
    pinners: usize,
    /// Which pins were among the first of anybody, up to the largest cutoff.
    shown: Vec<bool>,
}

/// What a [`Report`] says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportSummary {
    /// Pinners with something held out.
    pub pinners: usize,
    /// Means over the pinners: `recall@k`, `ndcg@k`, `hit@k`, `mrr`; and `coverage@k`, the part of the catalogue that
    /// is among the first `k` (the largest cutoff) of anybody.
    pub metrics: BTreeMap<String, f64>,
    /// 95 % interval of each mean (bootstrap over pinners).
    pub intervals: BTreeMap<String, [f64; 2]>,
}

impl Report {
    /// An empty report about a catalogue of `pins` pins, measuring at each of `cutoffs`.
    pub fn new(cutoffs: &[usize], pins: usize) -> Report {
        Report { cutoffs: cutoffs.to_vec(), values: Vec::new(), pinners: 0, shown: vec![false; pins] }
    }

    /// How many pins a ranking must hold for this report.
    pub fn depth(&self) -> usize {
        self.cutoffs.iter().copied().max().unwrap_or(0)
    }

    /// Adds a pinner: the ranking, best first and without what was known, and the held-out pins, sorted. A pinner
    /// of whom nothing was held out does not count.
    pub fn add(&mut self, ranked: &[PinId], relevant: &[PinId]) {
        self.add_by(ranked, relevant, &|ranked, k| ndcg_at(ranked, relevant, k));
    }

    /// [`Report::add`] where pins are right by grades, sorted by pin; those that are not above 0 are not right.
    pub fn add_graded(&mut self, ranked: &[PinId], grades: &[(PinId, f32)]) {
        let relevant: Vec<PinId> = grades.iter().filter(|(_, grade)| *grade > 0.0).map(|(pin, _)| *pin).collect();
        self.add_by(ranked, &relevant, &|ranked, k| graded_ndcg_at(ranked, grades, k));
    }

    fn add_by(&mut self, ranked: &[PinId], relevant: &[PinId], ndcg: &dyn Fn(&[PinId], usize) -> f64) {
        debug_assert!(relevant.is_sorted(), "held-out pins are looked up by bisection");
        if relevant.is_empty() {
            return;
        }
        let ranked = &ranked[..ranked.len().min(self.depth())];
        for &k in &self.cutoffs {
            let found = [recall_at(ranked, relevant, k), ndcg(ranked, k), hit_at(ranked, relevant, k)];
            self.values.extend(found.map(|value| value as f32));
        }
        self.values.push(reciprocal_rank(ranked, relevant) as f32);
        self.pinners += 1;
        for pin in ranked {
            if let Some(shown) = self.shown.get_mut(pin.index()) {
                *shown = true;
            }
        }
    }

    /// Adds another report of the same shape, as if its pinners had come after ours.
    pub fn merge(&mut self, other: &Report) {
        debug_assert_eq!(self.cutoffs, other.cutoffs);
        self.values.extend_from_slice(&other.values);
        self.pinners += other.pinners;
        self.shown.iter_mut().zip(&other.shown).for_each(|(ours, theirs)| *ours |= theirs);
    }

    fn names(&self) -> Vec<String> {
        let at = |k: &usize| [format!("recall@{k}"), format!("ndcg@{k}"), format!("hit@{k}")];
        self.cutoffs.iter().flat_map(at).chain(["mrr".to_owned()]).collect()
    }

    /// Means and their intervals; `seed` draws the resamples.
    pub fn summary(&self, seed: u64) -> ReportSummary {
        let names = self.names();
        let means = self.means(0..self.pinners);
        let mut rng = Rng::new(seed);
        let resamples: Vec<Vec<f64>> = (0..RESAMPLES)
            .map(|_| self.means((0..self.pinners).map(|_| rng.below(self.pinners as u32) as usize)))
            .collect();
        let intervals = names.iter().enumerate().map(|(column, name)| (name.clone(), interval(&resamples, column)));
        let intervals = intervals.collect();
        let mut metrics: BTreeMap<String, f64> = names.into_iter().zip(means).collect();
        let shown = self.shown.iter().filter(|shown| **shown).count();
        metrics.insert(format!("coverage@{}", self.depth()), shown as f64 / self.shown.len().max(1) as f64);
        ReportSummary { pinners: self.pinners, metrics, intervals }
    }

    /// Column means over the given pinners.
    fn means(&self, pinners: impl Iterator<Item = usize>) -> Vec<f64> {
        let width = 3 * self.cutoffs.len() + 1;
        let mut sums = vec![0.0; width];
        for pinner in pinners {
            let row = &self.values[pinner * width..][..width];
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        sums.into_iter().map(|sum| sum / self.pinners.max(1) as f64).collect()
    }
}

/// Ranks for every pinner and reports: `known` and `held` have one entry per pinner, `rank` gives the best so many
/// pins for what is known, `progress` hears how many more pinners are done. Runs on all threads; the report does not
/// depend on their number.
pub fn evaluate(
    known: &[Vec<PinId>],
    held: &[Vec<PinId>],
    empty: &Report,
    rank: &(dyn Fn(&[PinId], usize) -> Vec<PinId> + Sync),
    progress: &(dyn Fn(usize) + Sync),
) -> Report {
    const PINNERS: usize = 512;
    let measure = |(known, held): (&[Vec<PinId>], &[Vec<PinId>])| {
        let mut part = empty.clone();
        for (known, held) in known.iter().zip(held).filter(|(_, held)| !held.is_empty()) {
            part.add(&rank(known, empty.depth()), held);
        }
        progress(known.len());
        part
    };
    let parts: Vec<Report> = known.par_chunks(PINNERS).zip(held.par_chunks(PINNERS)).map(measure).collect();
    let mut whole = empty.clone();
    parts.iter().for_each(|part| whole.merge(part));
    whole
}

fn interval(resamples: &[Vec<f64>], column: usize) -> [f64; 2] {
    let mut means: Vec<f64> = resamples.iter().map(|means| means[column]).collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| means[((means.len() - 1) as f64 * part).round() as usize];
    [at(0.025), at(0.975)]
}

/// Chance that a random positive is scored above a random negative, ties counting half (Mann-Whitney). `None` when
/// one of the classes is empty. A score that is not a number sinks.
pub fn auc(labels: &[bool], scores: &[f32]) -> Option<f64> {
    let score = |at: usize| if scores[at].is_nan() { f32::NEG_INFINITY } else { scores[at] };
    let mut order: Vec<usize> = (0..labels.len().min(scores.len())).collect();
    order.sort_unstable_by(|&a, &b| score(a).total_cmp(&score(b)));
    // The mean rank of equal scores goes to each of them.
    let (mut positives, mut rank_sum, mut below) = (0usize, 0.0, 0usize);
    for equal in order.chunk_by(|&a, &b| score(a) == score(b)) {
        let liked = equal.iter().filter(|&&at| labels[at]).count();
        rank_sum += liked as f64 * (below as f64 + (equal.len() as f64 + 1.0) / 2.0);
        positives += liked;
        below += equal.len();
    }
    let negatives = below - positives;
    let pairs = positives as f64 * negatives as f64;
    (pairs > 0.0).then(|| (rank_sum - positives as f64 * (positives as f64 + 1.0) / 2.0) / pairs)
}

/// A probability away from 0 and 1 by a millionth; one that is not a number counts as 0.
fn bounded(chance: f32) -> f64 {
    if chance.is_nan() { 1e-6 } else { f64::from(chance).clamp(1e-6, 1.0 - 1e-6) }
}

/// Mean of −ln(probability given to what happened); 0 for no rows.
pub fn log_loss(labels: &[bool], chances: &[f32]) -> f64 {
    let rows = labels.len().min(chances.len()).max(1);
    let loss = |(&label, &p): (&bool, &f32)| if label { -bounded(p).ln() } else { -(1.0 - bounded(p)).ln() };
    labels.iter().zip(chances).map(loss).sum::<f64>() / rows as f64
}

/// Predicted over observed number of positives: 1 is calibrated. `None` without a positive.
pub fn calibration_ratio(labels: &[bool], chances: &[f32]) -> Option<f64> {
    let observed = labels.iter().zip(chances).filter(|(label, _)| **label).count();
    let predicted: f64 = labels.iter().zip(chances).map(|(_, &p)| bounded(p)).sum();
    (observed > 0).then(|| predicted / observed as f64)
}

/// Rows in the order of their predictions, in at most `bins` groups of equally many.
pub fn reliability(labels: &[bool], chances: &[f32], bins: usize) -> Vec<Reliability> {
    let mut rows: Vec<(f64, bool)> = labels.iter().zip(chances).map(|(&label, &p)| (bounded(p), label)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let group = |group: &[(f64, bool)]| {
        let count = group.len() as f64;
        let predicted = group.iter().map(|row| row.0).sum::<f64>() / count;
        let observed = group.iter().filter(|row| row.1).count() as f64 / count;
        Reliability { predicted: predicted as f32, observed: observed as f32, rows: group.len() as u32 }
    };
    rows.chunks(rows.len().div_ceil(bins.max(1)).max(1)).map(group).collect()
}

/// Expected calibration error: the gap between predicted and observed rate, over `bins` groups of equally many rows
/// in the order of their predictions (Naeini et al., AAAI 2015, with equal-mass bins), weighted by their sizes.
pub fn calibration_error(labels: &[bool], chances: &[f32], bins: usize) -> f64 {
    let gap = |group: &Reliability| f64::from((group.predicted - group.observed).abs()) * f64::from(group.rows);
    reliability(labels, chances, bins).iter().map(gap).sum::<f64>() / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(ids: &[u32]) -> Vec<PinId> {
        ids.iter().copied().map(PinId).collect()
    }

    #[test]
    fn rankings_are_measured_as_by_hand() {
        let (ranked, relevant) = (pins(&[9, 3, 7, 1]), pins(&[1, 3, 50]));
        assert_eq!(recall_at(&ranked, &relevant, 3), 1.0 / 3.0);
        assert_eq!(recall_at(&ranked, &relevant, 20), 2.0 / 3.0);
        let (second, fourth) = (1.0 / 3f64.log2(), 1.0 / 5f64.log2());
        let ideal = |hits: usize| (0..hits).map(|place| 1.0 / (place as f64 + 2.0).log2()).sum::<f64>();
        assert!((ndcg_at(&ranked, &relevant, 20) - (second + fourth) / ideal(3)).abs() < 1e-12);
        assert!((ndcg_at(&ranked, &relevant, 2) - second / ideal(2)).abs() < 1e-12, "the ideal is cut at k");
        assert_eq!(hit_at(&ranked, &relevant, 1), 0.0);
        assert_eq!(hit_at(&ranked, &relevant, 2), 1.0);
        assert_eq!(reciprocal_rank(&ranked, &relevant), 0.5);
        assert_eq!([recall_at(&ranked, &[], 5), ndcg_at(&ranked, &[], 5), reciprocal_rank(&[], &relevant)], [0.0; 3]);
    }

    #[test]
    fn grades_are_gains() {
        let grades = [(PinId(1), 1.0), (PinId(3), 3.0), (PinId(4), 0.0), (PinId(9), 1.0)];
        let (second, third) = (1.0 / 3f64.log2(), 0.5);
        let found = graded_ndcg_at(&pins(&[4, 3, 1]), &grades, 3);
        assert!((found - (3.0 * second + third) / (3.0 + second + third)).abs() < 1e-12);
        assert_eq!(graded_ndcg_at(&pins(&[3, 1, 9]), &grades, 20), 1.0);
        assert_eq!(graded_ndcg_at(&pins(&[4]), &grades[2..3], 20), 0.0, "nothing is right");
        let alike = [(PinId(1), 1.0), (PinId(3), 1.0), (PinId(50), 1.0)];
        let (ranked, relevant) = (pins(&[9, 3, 7, 1]), pins(&[1, 3, 50]));
        assert_eq!(graded_ndcg_at(&ranked, &alike, 20), ndcg_at(&ranked, &relevant, 20));
        let (mut graded, mut plain) = (Report::new(&[2, 20], 60), Report::new(&[2, 20], 60));
        graded.add_graded(&ranked, &[&alike[..2], &[(PinId(7), 0.0)], &alike[2..]].concat());
        plain.add(&ranked, &relevant);
        assert_eq!(graded.summary(1), plain.summary(1), "what is graded 0 is not right");
    }

    #[test]
    fn a_report_is_the_mean_over_pinners_whoever_adds_them() {
        let mut whole = Report::new(&[1, 2], 10);
        whole.add(&pins(&[1, 2, 3]), &pins(&[1, 9]));
        whole.add(&pins(&[4, 5]), &pins(&[5]));
        whole.add(&pins(&[4, 5]), &[]);
        let mut left = Report::new(&[1, 2], 10);
        left.add(&pins(&[1, 2, 3]), &pins(&[1, 9]));
        let mut right = Report::new(&[1, 2], 10);
        right.add(&pins(&[4, 5]), &pins(&[5]));
        left.merge(&right);
        let summary = whole.summary(1);
        assert_eq!(summary, left.summary(1));
        assert_eq!(summary.pinners, 2);
        assert_eq!(summary.metrics["recall@1"], 0.25);
        assert_eq!(summary.metrics["recall@2"], 0.75);
        assert_eq!(summary.metrics["hit@2"], 1.0);
        assert_eq!(summary.metrics["mrr"], 0.75);
        assert_eq!(summary.metrics["coverage@2"], 0.4);
        assert_eq!(Report::new(&[20], 0).summary(1).metrics["recall@20"], 0.0, "nobody was measured");
        let json = serde_json::to_value(&summary).expect("serializes");
        assert_eq!(json["metrics"]["recall@2"], 0.75);
    }

    #[test]
    fn intervals_have_the_width_that_theory_says() {
        let (mut report, mut rng) = (Report::new(&[1], 2), Rng::new(3));
        for _ in 0..4_000 {
            let hit = rng.uniform() < 0.3;
            report.add(&pins(&[u32::from(hit)]), &pins(&[1]));
        }
        let summary = report.summary(7);
        let [low, high] = summary.intervals["recall@1"];
        let expected = 2.0 * 1.96 * (0.3f64 * 0.7 / 4_000.0).sqrt();
        assert!(low < summary.metrics["recall@1"] && summary.metrics["recall@1"] < high);
        assert!(((high - low) / expected - 1.0).abs() < 0.15, "{} for {expected}", high - low);
    }

    #[test]
    fn auc_counts_ties_half_and_sinks_what_is_no_number() {
        let labels = [true, false, true, false];
        assert_eq!(auc(&labels, &[0.9, 0.1, 0.8, 0.2]), Some(1.0));
        assert_eq!(auc(&labels, &[0.5, 0.5, 0.5, 0.5]), Some(0.5));
        assert_eq!(auc(&labels, &[0.9, 0.1, 0.15, 0.2]), Some(0.75));
        assert_eq!(auc(&labels, &[f32::NAN, 0.1, 0.15, 0.2]), Some(0.25));
        assert_eq!(auc(&[true, true], &[0.1, 0.2]), None);
        assert_eq!(auc(&[], &[]), None);
    }

    #[test]
    fn probabilities_are_measured_as_by_hand() {
        let (labels, chances) = ([true, false, false, false], [0.5, 0.5, 0.25, 0.25]);
        assert!((log_loss(&labels, &chances) - (-(2.0 * 0.5f64.ln() + 2.0 * 0.75f64.ln()) / 4.0)).abs() < 1e-6);
        assert!((calibration_ratio(&labels, &chances).expect("a positive") - 1.5).abs() < 1e-6);
        assert_eq!(calibration_ratio(&[false], &[0.1]), None);
        // Low half: 0.5 predicted, 0 observed; high half: 1 predicted, 1 observed.
        assert!((calibration_error(&labels, &chances, 2) - 0.5 / 4.0).abs() < 1e-6);
        assert!(log_loss(&[true], &[f32::NAN]).is_finite() && log_loss(&[true], &[0.0]).is_finite());
        assert_eq!([log_loss(&[], &[]), calibration_error(&[], &[], 10)], [0.0; 2]);
    }
}
