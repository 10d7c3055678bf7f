//! The ranking head: learned from rows of features with what happened.

mod calibrate;

use std::collections::BTreeMap;
use std::ops::Range;

use domain::{Action, HEAD_COUNT, HEADS, Rng, hash64};
use models::{FEATURE_COUNT, Matrix, Model, RANK_HIDDEN, Ranker, feature};
use rayon::prelude::*;

use crate::adamw::{AdamW, Stride};
use crate::deed::{self, Labelled};
use crate::metrics::{auc, calibration_error, calibration_ratio, log_loss};
use crate::schedule;
use crate::tape::Tape;
use crate::{RankRows, TrainConfig, TrainError};

/// Matrices of the head in the order that they are trained in.
const WIDE: usize = 0;
const BIAS: usize = 1;
const UP: usize = 2;
const UP_BIAS: usize = 3;
const DOWN: usize = 4;
/// Steps of a pass over the rows, and the bounds of rows per step.
const STEPS: usize = 40;
const BATCH_ROWS: (usize, usize) = (512, 16_384);
/// A head with fewer positives is not learned: it gives everybody the same chance, so it moves nothing in the order.
const POSITIVES_MIN: usize = 10;
/// Strength, in rows, of the belief in [`Ranker::prior`]'s rates for heads that are not learned.
const PRIOR_ROWS: f64 = 1_000.0;
/// A request holds at most so many rows; the rest is cut off.
const REQUEST_ROWS_MAX: usize = 4_096;
const RATE: f32 = 5e-3;
const WARMUP: f32 = 0.05;

/// A model with a learned ranking head, and how good it is on requests that it did not learn from.
#[derive(Clone, Debug)]
pub struct RankedFit {
    /// The model given, with the ranking head.
    pub model: Model,
    /// By name: `ranker/<head>/auc`, `…/log_loss`, `…/calibration` (predicted / observed), `…/calibration_error`,
    /// `ranker/rows`, `ranker/requests`.
    pub metrics: BTreeMap<String, f64>,
}

/// Requests as ranges of rows, in seeded order, at most `rows_max` rows together: those of which the labels of every
/// head with enough positives say something.
fn ranges(rows: &RankRows, seed: u64, rows_max: usize) -> Vec<(usize, usize)> {
    let cut = |rows: Range<usize>| (rows.start, rows.end.min(rows.start + REQUEST_ROWS_MAX));
    let positives = rows.positives();
    let heads: Vec<usize> = (0..HEAD_COUNT).filter(|&head| positives[head] >= POSITIVES_MIN).collect();
    let told = rows.by_request().filter(|(request, _)| heads.iter().all(|&head| rows.known(head, request)));
    let mut ranges: Vec<(usize, usize)> = told.map(|(_, rows)| cut(rows)).collect();
    Rng::new(hash64(seed) ^ 0x4A).shuffle(&mut ranges);
    let mut total = 0;
    ranges.retain(|(start, end)| {
        total += end - start;
        total <= rows_max
    });
    ranges
}

impl RankRows {
    fn columns(&self, ranges: &[(usize, usize)], head: usize) -> Vec<bool> {
        ranges.iter().flat_map(|&(start, end)| self.labels[start..end].iter().map(move |row| row[head])).collect()
    }

    fn features_of(&self, ranges: &[(usize, usize)]) -> Vec<f32> {
        let rows = |&(start, end): &(usize, usize)| &self.features[start * FEATURE_COUNT..end * FEATURE_COUNT];
        ranges.iter().flat_map(rows).copied().collect()
    }
}

/// Learns the ranking head of `model`: 80 % of the requests teach it, 10 % calibrate it, 10 % measure it (with fewer
/// than 30 requests all of them do all three). A head with fewer than 10 positives gives everybody its prior rate,
/// mixed with the rate seen; when no head has enough, the model comes back as it was.
///
/// # Errors
/// When the columns do not fit together, the configuration is wrong or the loss leaves the finite numbers.
pub fn fit_ranker(rows: &RankRows, model: &Model, config: &TrainConfig) -> Result<RankedFit, TrainError> {
    rows.check()?;
    config.check()?;
    let ranges = ranges(rows, config.seed, config.rank_rows_max);
    let tenth = ranges.len() / 10;
    let (measure, calibrate, teach) = if ranges.len() < 30 {
        (&ranges[..], &ranges[..], &ranges[..])
    } else {
        (&ranges[..tenth], &ranges[tenth..2 * tenth], &ranges[2 * tenth..])
    };
    let positives = |head| rows.columns(teach, head).iter().filter(|label| **label).count();
    let heads: [f32; HEAD_COUNT] = std::array::from_fn(|head| f32::from(u8::from(positives(head) >= POSITIVES_MIN)));
    if heads.iter().all(|head| *head == 0.0) {
        return Ok(RankedFit { model: model.clone(), metrics: BTreeMap::from([("ranker/rows".into(), 0.0)]) });
    }
    let mut ranker = Ranker::prior();
    ranker.standard = standard(&rows.features_of(teach));
    learn(rows, teach, &heads, config, &mut ranker)?;
    flatten(rows, teach, &heads, &mut ranker);
    platt(rows, calibrate, &heads, &mut ranker);
    first_pass(rows, teach, &heads, &mut ranker);
    let metrics = measured(rows, measure, &heads, &ranker, &ranges);
    Ok(RankedFit { model: model.clone().with_ranker(ranker), metrics })
}

/// Mean and one over the deviation of each feature; a feature that never varies counts as 0.
fn standard(features: &[f32]) -> Matrix {
    let rows = (features.len() / FEATURE_COUNT).max(1) as f64;
    let mut values = vec![0.0; 2 * FEATURE_COUNT];
    for column in 0..FEATURE_COUNT {
        let finite =
            || features[column..].iter().step_by(FEATURE_COUNT).filter(|x| x.is_finite()).map(|x| f64::from(*x));
        let mean = finite().sum::<f64>() / rows;
        let deviation = (finite().map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt();
        values[column] = mean as f32;
        values[FEATURE_COUNT + column] = if deviation > 1e-6 { (1.0 / deviation) as f32 } else { 0.0 };
    }
    Matrix { rows: 2, cols: FEATURE_COUNT, values }
}

fn learn(
    rows: &RankRows,
    teach: &[(usize, usize)],
    heads: &[f32; HEAD_COUNT],
    config: &TrainConfig,
    ranker: &mut Ranker,
) -> Result<(), TrainError> {
    let mut rng = Rng::new(hash64(config.seed) ^ 0x4B);
    let mut weights = begin(rows, teach, &mut rng);
    let mut adamw = AdamW::new(&weights);
    let mut order = teach.to_vec();
    let total: usize = teach.iter().map(|(start, end)| end - start).sum();
    let per_batch = total.div_ceil(STEPS).clamp(BATCH_ROWS.0, BATCH_ROWS.1);
    let steps = (total.div_ceil(per_batch) * config.rank_epochs) as u64;
    for _ in 0..config.rank_epochs {
        rng.shuffle(&mut order);
        for batch in batches(&order, per_batch) {
            let count: usize = batch.iter().map(|(start, end)| end - start).sum();
            let parts: Vec<&[(usize, usize)]> = batch.chunks(batch.len().div_ceil(config.shards).max(1)).collect();
            let of = (count as f32, batch.len() as f32);
            let found: Vec<(f64, Vec<Vec<f32>>)> =
                parts.par_iter().map(|part| gradients(rows, part, &weights, ranker, heads, of)).collect();
            let mut sums: Vec<Vec<f32>> = weights.iter().map(|matrix| vec![0.0; matrix.values.len()]).collect();
            for (loss, gradients) in found {
                if !loss.is_finite() {
                    return Err(TrainError::Diverged { step: adamw.steps });
                }
                for (sum, part) in sums.iter_mut().zip(gradients) {
                    sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
                }
            }
            let rate = RATE * schedule::rate(adamw.steps, steps, WARMUP);
            adamw.step(&mut weights, &sums, Stride { rate, decay: config.weight_decay, clip_norm: config.clip_norm });
        }
    }
    let mut weights = weights.into_iter();
    for slot in [&mut ranker.wide, &mut ranker.bias, &mut ranker.up, &mut ranker.up_bias, &mut ranker.down] {
        *slot = weights.next().expect("invariant: five matrices");
    }
    Ok(())
}

/// The matrices at the start: biases at the rates seen, small noise in the hidden layer, zeros elsewhere.
fn begin(rows: &RankRows, teach: &[(usize, usize)], rng: &mut Rng) -> Vec<Matrix> {
    let zeros = |rows: usize, cols: usize| Matrix { rows, cols, values: vec![0.0; rows * cols] };
    let mut weights = vec![
        zeros(FEATURE_COUNT, HEAD_COUNT),
        zeros(1, HEAD_COUNT),
        zeros(FEATURE_COUNT, RANK_HIDDEN),
        zeros(1, RANK_HIDDEN),
        zeros(RANK_HIDDEN, HEAD_COUNT),
    ];
    debug_assert!([WIDE, BIAS, UP, UP_BIAS, DOWN].into_iter().eq(0..weights.len()));
    for head in 0..HEAD_COUNT {
        let happened = rows.columns(teach, head);
        let seen = happened.iter().filter(|label| **label).count() as f64;
        weights[BIAS].values[head] = logit((seen + 1.0) / (happened.len() as f64 + 2.0));
    }
    let deviation = 1.0 / (FEATURE_COUNT as f32).sqrt();
    weights[UP].values.iter_mut().for_each(|value| *value = deviation * rng.normal());
    weights
}

fn logit(chance: f64) -> f32 {
    (chance / (1.0 - chance)).ln() as f32
}

/// Consecutive requests with at least `per_batch` rows together.
fn batches(order: &[(usize, usize)], per_batch: usize) -> Vec<&[(usize, usize)]> {
    let (mut batches, mut from, mut count) = (Vec::new(), 0, 0);
    for (i, (start, end)) in order.iter().enumerate() {
        count += end - start;
        if count >= per_batch {
            batches.push(&order[from..=i]);
            (from, count) = (i + 1, 0);
        }
    }
    if from < order.len() {
        batches.push(&order[from..]);
    }
    batches
}

/// Loss and gradients of a part of a batch of `of` rows and requests.
fn gradients(
    rows: &RankRows,
    requests: &[(usize, usize)],
    weights: &[Matrix],
    ranker: &Ranker,
    heads: &[f32; HEAD_COUNT],
    of: (f32, f32),
) -> (f64, Vec<Vec<f32>>) {
    let mut features = rows.features_of(requests);
    ranker.standardise(&mut features);
    let labels = requests.iter().flat_map(|&(start, end)| &rows.labels[start..end]);
    let labels: Vec<[f32; HEAD_COUNT]> = labels.map(|row| row.map(|label| f32::from(u8::from(label)))).collect();
    let mut ranges = Vec::with_capacity(requests.len());
    let mut at = 0;
    for (start, end) in requests {
        ranges.push((at, at + end - start));
        at += end - start;
    }
    let mut tape = Tape::new(weights);
    let x = tape.input(FEATURE_COUNT, features);
    let hidden = tape.linear(x, UP, Some(UP_BIAS));
    let hidden = tape.silu(hidden);
    let (wide, deep) = (tape.linear(x, WIDE, Some(BIAS)), tape.linear(hidden, DOWN, None));
    let logits = tape.add(wide, deep);
    let labelled = Labelled { labels: &labels, requests: &ranges, heads, of_rows: of.0, of_requests: of.1 };
    let (sum, gradient) = deed::loss(tape.value(logits), &labelled);
    (sum, tape.backward(vec![(logits, gradient)]).weights)
}

/// Heads that were not learned give one chance to everything.
fn flatten(rows: &RankRows, teach: &[(usize, usize)], heads: &[f32; HEAD_COUNT], ranker: &mut Ranker) {
    let prior = Ranker::prior();
    for head in (0..HEAD_COUNT).filter(|&head| heads[head] == 0.0) {
        let happened = rows.columns(teach, head);
        let seen = happened.iter().filter(|label| **label).count() as f64;
        let believed = 1.0 / (1.0 + (-f64::from(prior.bias.values[head])).exp());
        ranker.bias.values[head] = logit((seen + PRIOR_ROWS * believed) / (happened.len() as f64 + PRIOR_ROWS));
        ranker.wide.values[head..].iter_mut().step_by(HEAD_COUNT).for_each(|value| *value = 0.0);
        ranker.down.values[head..].iter_mut().step_by(HEAD_COUNT).for_each(|value| *value = 0.0);
    }
}

fn platt(rows: &RankRows, calibrate: &[(usize, usize)], heads: &[f32; HEAD_COUNT], ranker: &mut Ranker) {
    let logits = ranker.logits(&rows.features_of(calibrate));
    for head in (0..HEAD_COUNT).filter(|&head| heads[head] > 0.0) {
        let mine: Vec<f32> = logits[head..].iter().step_by(HEAD_COUNT).copied().collect();
        let (slope, shift) = calibrate::platt(&mine, &rows.columns(calibrate, head));
        ranker.platt.values[head] = slope;
        ranker.platt.values[HEAD_COUNT + head] = shift;
    }
}

/// The first pass is the plane nearest to the main head's logit, where what is likely counts more; `dot` may not pull
/// down. The main head is saves, when they were learned, else the learned head that happens most.
fn first_pass(rows: &RankRows, teach: &[(usize, usize)], heads: &[f32; HEAD_COUNT], ranker: &mut Ranker) {
    let seen = |head: &usize| rows.columns(teach, *head).iter().filter(|label| **label).count();
    let liked = (0..HEAD_COUNT).filter(|&head| heads[head] > 0.0 && HEADS[head] != Action::Hide);
    let Some(main) = liked.max_by_key(|head| (HEADS[*head] == Action::Save, seen(head))) else { return };
    let mut features = rows.features_of(teach);
    features.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    let logits: Vec<f32> = ranker.logits(&features)[main..].iter().step_by(HEAD_COUNT).copied().collect();
    let weights: Vec<f32> = logits.iter().map(|logit| 0.01 + 1.0 / (1.0 + (-logit).exp())).collect();
    let mut plane = calibrate::linear(&features, &logits, &weights);
    plane[feature("dot")] = plane[feature("dot")].max(1e-3);
    ranker.l1.values.copy_from_slice(&plane);
}

fn measured(
    rows: &RankRows,
    measure: &[(usize, usize)],
    heads: &[f32; HEAD_COUNT],
    ranker: &Ranker,
    all: &[(usize, usize)],
) -> BTreeMap<String, f64> {
    let total: usize = all.iter().map(|(start, end)| end - start).sum();
    let mut metrics =
        BTreeMap::from([("ranker/rows".into(), total as f64), ("ranker/requests".into(), all.len() as f64)]);
    let mut chances = Vec::new();
    ranker.rank(&rows.features_of(measure), &mut chances);
    for head in (0..HEAD_COUNT).filter(|&head| heads[head] > 0.0) {
        let labels = rows.columns(measure, head);
        let mine: Vec<f32> = chances.iter().map(|row| row[head]).collect();
        let mut note = |name: &str, value: Option<f64>| {
            value.map(|value| metrics.insert(format!("ranker/{}/{name}", HEADS[head]), value))
        };
        note("auc", auc(&labels, &mine));
        note("log_loss", Some(log_loss(&labels, &mine)));
        note("calibration", calibration_ratio(&labels, &mine));
        note("calibration_error", Some(calibration_error(&labels, &mine, 20)));
    }
    metrics
}
