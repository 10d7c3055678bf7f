//! Published baselines on the same split by the same measure.

use super::{BASELINE_CUTOFFS, Case, SEED};
use crate::progress::Progress;
use crate::stop::Stop;
use domain::PinId;
use train::{Ease, ItemKnn, LinearFilter, Popularity, Report, ReportSummary, evaluate};

/// Ridge of EASE (Steck, WWW 2019).
const EASE_LAMBDA: f32 = 500.0;

/// What each pinner is known to have saved: rows to learn from, and per case what is masked and what is right.
struct Split<'a> {
    known: Vec<Vec<PinId>>,
    right: Vec<Vec<PinId>>,
    rows: &'a [Vec<PinId>],
    pins: usize,
}

impl<'a> Split<'a> {
    fn new(rows: &'a [Vec<PinId>], cases: &[Case], pins: usize) -> Split<'a> {
        let row = |case: &Case| match &case.past {
            Some(past) => past.acts.iter().map(|act| act.pin).collect(),
            None => case.pinner.and_then(|pinner| rows.get(pinner.index())).cloned().unwrap_or_default(),
        };
        let known = cases.iter().map(row).collect();
        Split { known, right: cases.iter().map(|case| case.right.clone()).collect(), rows, pins }
    }

    fn measure(&self, what: &str, rank: &(dyn Fn(&[PinId], usize) -> Vec<PinId> + Sync)) -> ReportSummary {
        let progress = Progress::new(what, self.known.len() as u64);
        let report = evaluate(&self.known, &self.right, &Report::new(&BASELINE_CUTOFFS, self.pins), rank, &|more| {
            progress.add(more as u64);
        });
        progress.finish("measured");
        report.summary(SEED)
    }

    fn popularity(&self) -> ReportSummary {
        let popular = Popularity::fit(self.rows, self.pins);
        self.measure("popularity", &|known, k| popular.rank(known, k))
    }

    fn item_knn(&self) -> ReportSummary {
        let knn = ItemKnn::fit(self.rows, self.pins);
        self.measure("item-kNN", &|known, k| knn.rank(known, k))
    }

    fn linear_filter(&self) -> ReportSummary {
        let filter = LinearFilter::fit(self.rows, self.pins);
        self.measure("linear filter", &|known, k| filter.rank(known, k))
    }

    /// Nothing when there are too many pins for it, or somebody asked to stop: what was measured before is told.
    fn ease(&self, stop: &Stop) -> Option<ReportSummary> {
        let progress = Progress::new("EASE", 0);
        let told = |done: usize, parts: usize| {
            progress.total(parts as u64);
            progress.set(done as u64);
            !stop.asked()
        };
        let Some(ease) = Ease::fit(self.rows, self.pins, EASE_LAMBDA, &told) else {
            let reason = if stop.asked() { "it was told to stop" } else { "these are too many pins for it" };
            progress.finish(&format!("left out: {} pins, {reason}", self.pins));
            return None;
        };
        progress.finish("learned");
        Some(self.measure("EASE", &|known, k| ease.rank(known, k)))
    }
}

/// Popularity, item-kNN, the linear filter and EASE, learned from `rows` (saved pins by pinner) and asked for the same
/// cases.
pub(crate) fn baselines(
    rows: &[Vec<PinId>],
    cases: &[Case],
    pins: usize,
    stop: &Stop,
) -> Vec<(&'static str, ReportSummary)> {
    let split = Split::new(rows, cases, pins);
    let filter = ("linear_filter", split.linear_filter());
    let mut all = vec![("popularity", split.popularity()), ("item_knn", split.item_knn()), filter];
    all.extend(split.ease(stop).map(|ease| ("ease", ease)));
    all
}

/// The most saved pins for everybody.
pub(crate) fn popularity(rows: &[Vec<PinId>], cases: &[Case], pins: usize) -> ReportSummary {
    Split::new(rows, cases, pins).popularity()
}
