//! Rows in groups that are learned together, who learns from which, and where features lie.

use std::ops::Range;

use domain::{HEAD_COUNT, Rng, Surface, hash64};
use models::{FEATURE_COUNT, KNOTS, OUTS};

use super::learn::BATCH_ROWS;
use crate::{RankRows, TrainConfig};

/// Rows of one request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) request: usize,
    pub(super) rows: Range<usize>,
    pub(super) surface: Surface,
}

/// Which requests do what.
pub(super) struct Split {
    pub(super) teach: Vec<Group>,
    pub(super) calibrate: Vec<Group>,
    pub(super) measure: Vec<Group>,
}

impl Split {
    /// The newest tenth of the requests that were shown and of which every learned head is known is held back, in
    /// turns to calibrate and to measure.
    pub(super) fn of(rows: &RankRows, heads: &[bool; HEAD_COUNT], config: &TrainConfig) -> Split {
        let mut groups: Vec<Group> = rows
            .by_request()
            .enumerate()
            .map(|(request, (about, range))| {
                let range = range.start..range.end.min(range.start + BATCH_ROWS);
                Group { request, rows: range, surface: about.surface }
            })
            .collect();
        let ts_ms = |group: &Group| rows.requests[group.request].ts_ms;
        let lot = |group: &Group| hash64(hash64(config.seed) ^ group.request as u64);
        groups.sort_by_key(|group| (ts_ms(group), lot(group)));
        let told = |group: &Group| {
            let request = &rows.requests[group.request];
            request.shown && (0..HEAD_COUNT).all(|head| !heads[head] || rows.known(head, request))
        };
        let all_told = groups.iter().filter(|group| told(group)).count();
        if all_told < 30 {
            return Split { teach: groups.clone(), calibrate: groups.clone(), measure: groups };
        }
        let mut late = all_told / 10;
        let (mut teach, mut held) = (Vec::new(), Vec::new());
        for group in groups.into_iter().rev() {
            match late > 0 && told(&group) {
                true => {
                    late -= 1;
                    held.push(group);
                }
                false => teach.push(group),
            }
        }
        teach.reverse();
        let (calibrate, measure) = held.into_iter().partition(|group| lot(group) % 2 == 0);
        Split { teach, calibrate, measure }
    }

    /// All requests, each once.
    pub(super) fn all(&self) -> Vec<Group> {
        let mut all = [&self.teach[..], &self.calibrate, &self.measure].concat();
        all.sort_by_key(|group| group.request);
        all.dedup();
        all
    }
}

/// The rows of groups with their outs.
pub(super) fn rows_of<'a>(groups: &'a [Group], outs: &'a [f32]) -> impl Iterator<Item = (&'a Group, usize, &'a [f32])> {
    let rows = groups.iter().flat_map(|group| group.rows.clone().map(move |row| (group, row)));
    rows.zip(outs.chunks_exact(OUTS)).map(|((group, row), outs)| (group, row, outs))
}

/// Knots of every feature at quantiles of a sample of its values; fewer where there are fewer values.
pub(super) fn knots(features: &[f32]) -> Vec<f32> {
    const SAMPLE: usize = 50_000;
    let step = (features.len() / FEATURE_COUNT / SAMPLE).max(1) * FEATURE_COUNT;
    let mut knots = vec![f32::INFINITY; FEATURE_COUNT * KNOTS];
    for (feature, knots) in knots.chunks_exact_mut(KNOTS).enumerate() {
        let mut values: Vec<f32> = features.iter().skip(feature).step_by(step).copied().collect();
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f32::total_cmp);
        let mut different = values.clone();
        different.dedup();
        if different.len() > KNOTS {
            let last = values.len() - 1;
            different = (0..KNOTS).map(|knot| values[knot * last / (KNOTS - 1)]).collect();
            different.dedup();
        }
        knots[..different.len()].copy_from_slice(&different);
    }
    knots
}

/// Mean of each column and one over its deviation, of the rows that are not all zeros.
pub(super) fn standard(encoded: &[f32], width: usize) -> Vec<f32> {
    let (mut sums, mut squares, mut count) = (vec![0.0f64; width], vec![0.0f64; width], 0.0f64);
    for row in encoded.chunks_exact(width.max(1)).filter(|row| row.iter().any(|value| *value != 0.0)) {
        count += 1.0;
        for (col, &value) in row.iter().enumerate() {
            sums[col] += f64::from(value);
            squares[col] += f64::from(value).powi(2);
        }
    }
    let of = count.max(1.0);
    let means = sums.iter().map(|sum| (sum / of) as f32);
    let scales = sums.iter().zip(&squares).map(|(sum, square)| {
        let deviation = (square / of - (sum / of).powi(2)).max(0.0).sqrt();
        if deviation > 1e-6 { (1.0 / deviation) as f32 } else { 0.0 }
    });
    means.chain(scales).collect()
}

/// Groups in batches: consecutive ones of the same pinner stay together, so that a pinner's rows can be compared.
pub(super) fn batches(rows: &RankRows, groups: &[Group], rng: &mut Rng) -> Vec<Vec<Group>> {
    let mut order: Vec<&Group> = groups.iter().collect();
    // Without a pinner, requests have nothing in common.
    let who = |group: &Group| match rows.requests[group.request].pinner {
        Some(pinner) => u64::from(pinner.0),
        None => u64::MAX - group.request as u64,
    };
    order.sort_by_key(|group| who(group));
    let mut parts: Vec<&[&Group]> = order.chunk_by(|a, b| who(a) == who(b)).flat_map(|own| own.chunks(PART)).collect();
    rng.shuffle(&mut parts);
    let (mut batches, mut batch, mut count) = (Vec::new(), Vec::new(), 0);
    for part in parts {
        count += part.iter().map(|group| group.rows.len()).sum::<usize>();
        batch.extend(part.iter().map(|&group| group.clone()));
        if count >= BATCH_ROWS {
            batches.push(std::mem::take(&mut batch));
            count = 0;
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Requests of one pinner that stay together in a batch.
const PART: usize = 16;
