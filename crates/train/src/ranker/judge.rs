//! How good a ranking head is on rows that it did not learn from.

use std::collections::BTreeMap;

use domain::{HEAD_COUNT, HEADS};
use models::{Ranker, Reliability};

use super::Task;
use super::groups::{Group, rows_of};
use crate::metrics::{auc, calibration_error, calibration_ratio, log_loss, reliability};

/// By head, rows in groups of like chances.
pub(super) type Calibration = BTreeMap<String, Vec<Reliability>>;

/// Sum over heads of the log loss before calibration: what happens often says when to stop.
pub(super) fn loss(task: &Task, ranker: &Ranker, groups: &[Group]) -> f64 {
    let outs = task.outs(ranker, groups);
    let of_head = |head: usize| {
        let (labels, chances) = told(task, groups, &outs, head, |outs, _| 1.0 / (1.0 + (-outs[head]).exp()));
        if labels.is_empty() { 0.0 } else { log_loss(&labels, &chances) }
    };
    (0..HEAD_COUNT).filter(|&head| task.heads[head]).map(of_head).sum()
}

/// Groups of rows by chance.
const BINS: usize = 20;

/// Figures per learned head, calibrated, and how reliable its chances are.
pub(super) fn metrics(task: &Task, ranker: &Ranker, groups: &[Group]) -> (BTreeMap<String, f64>, Calibration) {
    let outs = task.outs(ranker, groups);
    let (mut metrics, mut calibration) = (BTreeMap::new(), Calibration::new());
    for head in (0..HEAD_COUNT).filter(|&head| task.heads[head]) {
        let chance = |outs: &[f32], group: &Group| ranker.chances(group.surface, outs)[head];
        let (labels, chances) = told(task, groups, &outs, head, chance);
        let mut note = |name: &str, value: Option<f64>| {
            value.map(|value| metrics.insert(format!("ranker/{}/{name}", HEADS[head]), value))
        };
        note("auc", auc(&labels, &chances));
        note("log_loss", (!labels.is_empty()).then(|| log_loss(&labels, &chances)));
        note("calibration", calibration_ratio(&labels, &chances));
        note("calibration_error", (!labels.is_empty()).then(|| calibration_error(&labels, &chances, BINS)));
        calibration.insert(HEADS[head].to_string(), reliability(&labels, &chances, BINS));
    }
    (metrics, calibration)
}

/// What happened and its chance, where it is known.
fn told(
    task: &Task,
    groups: &[Group],
    outs: &[f32],
    head: usize,
    chance: impl Fn(&[f32], &Group) -> f32,
) -> (Vec<bool>, Vec<f32>) {
    let known = |group: &Group| task.rows.known(head, &task.rows.requests[group.request]);
    let rows = rows_of(groups, outs).filter(|(group, ..)| known(group));
    rows.map(|(group, row, outs)| (task.rows.labels[row][head], chance(outs, group))).unzip()
}
