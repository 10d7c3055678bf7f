//! The ranking head: learned from rows of features with what happened.

mod calibrate;
mod distil;
mod groups;
mod judge;
mod learn;
mod net;
mod subject;

use std::collections::BTreeMap;

use domain::{Action, HEAD_COUNT, HEADS, Surface};
use models::{
    FEATURE_COUNT, FIRST_FEATURES, Model, OUTS, RankInput, RankPart, RankScratch, RankTraits, Ranker, Reliability,
    feature,
};
use rayon::prelude::*;

use crate::{RankRows, Said, TrainConfig, TrainError};
pub use distil::{Distilled, FunnelRequest, distil_first_pass};
use groups::{Group, Split};

/// A head with fewer positives is not learned: it gives everybody the same chance, so it moves nothing in the order.
const POSITIVES_MIN: usize = 10;
/// Strength, in rows, of the belief in [`Ranker::prior`]'s rates for heads that are not learned.
const PRIOR_ROWS: f64 = 1_000.0;

/// A model with a learned ranking head, and how good it is on requests that it did not learn from.
#[derive(Clone, Debug)]
pub struct RankedFit {
    /// The model given, with the ranking head.
    pub model: Model,
    /// By name: `ranker/<head>/auc`, `…/log_loss`, `…/calibration` (predicted / observed), `…/calibration_error`,
    /// `ranker/rows`, `ranker/requests`, `ranker/epochs`, `ranker/reads_trunk` (1 when it does).
    pub metrics: BTreeMap<String, f64>,
    /// By head, rows in groups of like chances: what was said, and what happened.
    pub calibration: BTreeMap<String, Vec<Reliability>>,
}

/// Learns the ranking head of `model`. The newest tenth of the requests whose outcomes are known is not learned from at
/// first: half of it decides when to stop and calibrates, half measures (of very few requests all do everything).
/// Then all of it calibrates, and the head is learned once more from all rows, for as many passes. A head with fewer
/// than 10 positives gives everybody its prior rate, mixed with the rate seen; when no head has enough, the model comes
/// back as it was. `said` are the traits of pinners and pins.
///
/// # Errors
/// When the columns do not fit together, the configuration is wrong or the loss leaves the finite numbers.
pub fn fit_ranker(rows: &RankRows, said: &Said, model: &Model, config: &TrainConfig) -> Result<RankedFit, TrainError> {
    rows.check()?;
    config.check()?;
    let heads = learnable(rows);
    if heads.iter().all(|learned| !learned) {
        let metrics = BTreeMap::from([("ranker/rows".into(), 0.0)]);
        return Ok(RankedFit { model: model.clone(), metrics, calibration: BTreeMap::new() });
    }
    let task = Task { rows, said, heads, config };
    let split = Split::of(rows, &heads, config);
    let learned = learn::until_best(&task, task.begin(&split.teach), &split.teach, &split.calibrate)?;
    let told = rows.told();
    if told == 0 || told >= TOLD_ENOUGH {
        return task.fit(split, learned, model);
    }
    let blind = &rows.clone().without_trunk();
    let blind = Task { rows: blind, ..task };
    let without = learn::until_best(&blind, blind.begin(&split.teach), &split.teach, &split.calibrate)?;
    if without.loss < learned.loss { blind.fit(split, without, model) } else { task.fit(split, learned, model) }
}

/// With fewer rows of which the trunk says something, it is tried whether the head does better without: it may know
/// what the trunk says of them by heart before it knows what that means.
const TOLD_ENOUGH: usize = 100_000;

/// Heads that happened often enough.
fn learnable(rows: &RankRows) -> [bool; HEAD_COUNT] {
    rows.positives().map(|positives| positives >= POSITIVES_MIN)
}

/// What is learned from.
#[derive(Clone, Copy)]
struct Task<'a> {
    rows: &'a RankRows,
    said: &'a Said,
    heads: [bool; HEAD_COUNT],
    config: &'a TrainConfig,
}

impl Task<'_> {
    /// Calibrates and measures what was learned, and learns it once more from all rows.
    fn fit(&self, split: Split, learned: learn::Learned, model: &Model) -> Result<RankedFit, TrainError> {
        let learn::Learned { mut ranker, epochs, .. } = learned;
        self.calibrate(&mut ranker, &split.calibrate);
        self.flatten(&mut ranker);
        let (mut metrics, calibration) = judge::metrics(self, &ranker, &split.measure);
        let all: Vec<Group> = split.all();
        if all.len() > split.teach.len() {
            // Measured: what is left for calibration is all that was not learned from.
            self.calibrate(&mut ranker, &[split.calibrate, split.measure].concat());
            let platt = ranker.part(RankPart::Platt).clone();
            ranker = learn::for_epochs(self, self.begin(&all), &all, epochs)?;
            *ranker.part_mut(RankPart::Platt) = platt;
            self.flatten(&mut ranker);
        }
        self.first_pass(&mut ranker, &all);
        metrics.insert("ranker/rows".into(), all.iter().map(|group| group.rows.len()).sum::<usize>() as f64);
        metrics.insert("ranker/requests".into(), self.rows.requests.len() as f64);
        metrics.insert("ranker/epochs".into(), epochs as f64);
        metrics.insert("ranker/reads_trunk".into(), f64::from(u8::from(ranker.encoded() > 0)));
        Ok(RankedFit { model: model.clone().with_ranker(ranker)?, metrics, calibration })
    }

    /// The head before the first step: knots where the features are, biases at the rates seen, and how candidates fit
    /// what was asked for.
    fn begin(&self, groups: &[Group]) -> Ranker {
        let mut ranker = Ranker::blank(self.rows.encoded_width, domain::hash64(self.config.seed));
        ranker.part_mut(RankPart::Knots).values = groups::knots(&self.rows.features);
        let standard = groups::standard(&self.rows.encoded, self.rows.encoded_width);
        ranker.part_mut(RankPart::Standard).values = standard;
        let (rates, look) = (self.rates(), self.looks());
        for (rates, out) in rates.iter().zip(ranker.part_mut(RankPart::Bias).values.chunks_exact_mut(OUTS)) {
            out.iter_mut().zip(rates.map(logit).into_iter().chain([look])).for_each(|(out, value)| *out = value);
        }
        // Only candidates that were not shown say what does not fit.
        if self.rows.requests.iter().any(|request| !request.shown) {
            subject::learn(self, &mut ranker, groups);
        }
        ranker
    }

    /// How often each head happens on each surface where it is known, drawn towards how often it happens on all.
    fn rates(&self) -> [[f64; HEAD_COUNT]; Surface::ALL.len()] {
        let mut counts = [[(0.0f64, 0.0f64); HEAD_COUNT]; Surface::ALL.len()];
        for (request, range) in self.rows.by_request().filter(|(request, _)| request.shown) {
            for head in (0..HEAD_COUNT).filter(|&head| self.rows.known(head, request)) {
                let (seen, of) = &mut counts[usize::from(request.surface.code())][head];
                *seen += self.rows.labels[range.clone()].iter().filter(|labels| labels[head]).count() as f64;
                *of += range.len() as f64;
            }
        }
        let everywhere: [f64; HEAD_COUNT] = std::array::from_fn(|head| {
            let (seen, of) = counts.iter().fold((1.0, 2.0), |sum, own| (sum.0 + own[head].0, sum.1 + own[head].1));
            seen / of
        });
        let rate = |(seen, of): (f64, f64), head: usize| (seen + PRIOR_ROWS * everywhere[head]) / (of + PRIOR_ROWS);
        counts.map(|own| std::array::from_fn(|head| rate(own[head], head)))
    }

    /// Mean of ln(1 + seconds) of looking.
    fn looks(&self) -> f32 {
        let known = || self.rows.looks_ms.iter().filter(|look_ms| look_ms.is_finite()).map(|ms| seconds_ln(*ms));
        known().sum::<f32>() / known().count().max(1) as f32
    }

    /// Outs before calibration of the rows of groups, one after the other: `rows × OUTS`.
    fn outs(&self, ranker: &Ranker, groups: &[Group]) -> Vec<f32> {
        let of = |group: &Group| {
            let (rows, mut scratch) = (&group.rows, RankScratch::default());
            let traits = group.traits(self.rows, self.said);
            let features = &self.rows.features[rows.start * FEATURE_COUNT..rows.end * FEATURE_COUNT];
            let input = RankInput {
                surface: group.surface,
                features,
                encoded: self.rows.encoded_of(rows.clone()),
                traits: &traits,
            };
            ranker.outs(input, &mut scratch).to_vec()
        };
        groups.par_iter().map(of).collect::<Vec<_>>().concat()
    }

    fn calibrate(&self, ranker: &mut Ranker, groups: &[Group]) {
        let outs = self.outs(ranker, groups);
        for head in (0..HEAD_COUNT).filter(|&head| self.heads[head]) {
            let mut told = Vec::new();
            for (group, row, outs) in groups::rows_of(groups, &outs) {
                if self.rows.known(head, &self.rows.requests[group.request]) {
                    let (happened, weight) = (self.rows.labels[row][head], self.rows.weights[row]);
                    told.push((group.surface, calibrate::Outcome { logit: outs[head], happened, weight }));
                }
            }
            let platt = calibrate::by_surface(&told);
            Surface::ALL.into_iter().zip(platt).for_each(|(surface, platt)| ranker.set_platt(surface, head, platt));
        }
    }

    /// Heads that were not learned give one chance to everything.
    fn flatten(&self, ranker: &mut Ranker) {
        let prior = Ranker::prior().part(RankPart::Bias);
        for head in (0..HEAD_COUNT).filter(|&head| !self.heads[head]) {
            let happened = self.rows.positives()[head] as f64;
            let believed = 1.0 / (1.0 + (-f64::from(prior.values[head])).exp());
            let chance = (happened + PRIOR_ROWS * believed) / (self.rows.len() as f64 + PRIOR_ROWS);
            Surface::ALL.into_iter().for_each(|surface| ranker.set_platt(surface, head, (0.0, logit(chance))));
        }
    }

    /// The first pass is the plane nearest to the main head's logit, where what is likely counts more; `dot` may not
    /// pull down. The main head is saves, when they were learned, else the learned head that happens most.
    fn first_pass(&self, ranker: &mut Ranker, groups: &[Group]) {
        let positives = self.rows.positives();
        let liked = (0..HEAD_COUNT).filter(|&head| self.heads[head] && HEADS[head] != Action::Hide);
        let Some(main) = liked.max_by_key(|&head| (HEADS[head] == Action::Save, positives[head])) else { return };
        let outs = self.outs(ranker, groups);
        let (mut features, mut logits) = (Vec::new(), Vec::new());
        for (_, row, outs) in groups::rows_of(groups, &outs) {
            let row = &self.rows.features[row * FEATURE_COUNT..][..FEATURE_COUNT];
            features.push(FIRST_FEATURES.map(|feature| if row[feature].is_finite() { row[feature] } else { 0.0 }));
            logits.push(outs[main]);
        }
        let weights: Vec<f32> = logits.iter().map(|logit| 0.01 + 1.0 / (1.0 + (-logit).exp())).collect();
        let (plane, constant) = calibrate::linear(&features, &logits, &weights);
        let l1 = &mut ranker.part_mut(RankPart::L1).values;
        l1.fill(0.0);
        FIRST_FEATURES.into_iter().zip(plane).for_each(|(feature, weight)| l1[feature] = weight);
        l1[feature("dot")] = l1[feature("dot")].max(1e-3);
        l1[FEATURE_COUNT] = constant;
    }
}

impl Group {
    /// What is said of its pinner and its pins.
    fn traits(&self, rows: &RankRows, said: &Said) -> RankTraits {
        let pinner = rows.requests[self.request].pinner.map_or(&[][..], |pinner| said.pinner(pinner));
        let mut traits = RankTraits::new(pinner.iter().copied());
        rows.pins[self.rows.clone()].iter().for_each(|&pin| traits.push(said.pin(pin).iter().copied()));
        traits
    }
}

fn logit(chance: f64) -> f32 {
    (chance / (1.0 - chance)).ln() as f32
}

/// ln(1 + seconds), at most an hour.
fn seconds_ln(look_ms: f32) -> f32 {
    (look_ms.clamp(0.0, 3.6e6) / 1e3).ln_1p()
}
