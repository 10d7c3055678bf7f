use super::encoder::Encoder;
use super::linear::Plane;
use super::trees::Trees;
use crate::{ExperimentError, Moments};
use domain::{Rng, hash64};
use serde::{Deserialize, Serialize};

/// Ridges of the effect, as parts of the treatment's variance over all rows.
const RIDGES: [f64; 5] = [10.0, 3.0, 1.0, 0.3, 0.1];
/// Ridge of the outcome's model, a row.
pub(super) const OUTCOME_RIDGE: f64 = 1e-3;
/// How large the expected outcome stands among the effect's columns, in standard deviations: it is shrunk less.
const PROGNOSIS: f64 = 5.0;
/// Parts, and turns, of the cross-validation.
const FOLDS: u32 = 5;
const TURNS: u64 = 3;
/// Fewest rows of each arm.
const ARM_ROWS_MIN: usize = 100;

/// What is known of somebody before it is decided whether to treat them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpliftTraits {
    /// Numbers, the same ones in the same order for everybody.
    pub numbers: Vec<f64>,
    /// Words, such as a channel; the same columns for everybody.
    pub words: Vec<String>,
}

/// Somebody of a randomised experiment: treated or not by a coin that knew nothing of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpliftRow {
    /// What was known.
    pub traits: UpliftTraits,
    /// Whether they were treated.
    pub treated: bool,
    /// What came of it: a visit (0 or 1), or money.
    pub outcome: f64,
}

/// One learner in the cross-validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnerFigures {
    /// Which one: `ridge 3`, `trees`.
    pub name: String,
    /// By how much it made the R-loss of rows that it had not seen less than one effect for all did; mean over parts.
    pub gain: f64,
    /// Whether the model is a mean of it and others.
    pub used: bool,
}

/// Expected effect of a treatment by person: the R-learner (Nie and Wager, Biometrika 2021) for a randomised treatment.
///
/// With `m` the expected outcome (a plane) and `e` the part that was treated, an effect `τ` is learned that makes
/// `Σ ((y − m) − (t − e) τ)²` small: by planes under five ridges, and by boosted trees. `m` stands among their columns,
/// since effects mostly go with what is expected anyway (Hahn, Murray and Carvalho 2020). Cross-validation by the same
/// loss says which of them are no worse than the best by more than a standard error; the model is their mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpliftModel {
    encoder: Encoder,
    outcome: Outcome,
    effects: Vec<Effect>,
    /// What the cross-validation found of each learner.
    pub learners: Vec<LearnerFigures>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outcome {
    plane: Plane,
    mean: f64,
    deviation: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Effect {
    /// One effect for all.
    Same(f64),
    Plane(Plane),
    Trees(Trees),
}

#[derive(Clone, Copy)]
enum Learner {
    Ridge(f64),
    Trees,
}

/// A row as a learner sees it: columns, treatment less its mean, outcome less what was expected.
type Centred<'a> = (&'a [f64], f64, f64);

impl UpliftModel {
    /// Learns from the rows of an experiment. `seed` deals the parts of the cross-validation; the same rows and seed
    /// give the same model.
    pub fn fit(rows: &[UpliftRow], seed: u64) -> Result<UpliftModel, ExperimentError> {
        checked(rows)?;
        let encoder = Encoder::learned(&rows.iter().map(|row| &row.traits).collect::<Vec<_>>())?;
        let encoded: Vec<Vec<f64>> = rows.iter().map(|row| encoder.row(&row.traits)).collect();
        let all = Rows { rows, encoded: &encoded };
        let learners = all.validated(seed);
        let everybody: Vec<usize> = (0..rows.len()).collect();
        let fitted = all.prepared(&everybody);
        let effects = learners.iter().filter(|(_, figures)| figures.used);
        let effects = effects.map(|(learner, _)| learner.fit(&fitted.centred(&everybody))).collect();
        let learners = learners.into_iter().map(|(_, figures)| figures).collect();
        Ok(UpliftModel { outcome: fitted.outcome, encoder, effects, learners })
    }

    /// The expected effect of treating somebody, in the outcome's unit.
    pub fn score(&self, traits: &UpliftTraits) -> f64 {
        let row = self.outcome.beside(&self.encoder.row(traits));
        self.effects.iter().map(|effect| effect.at(&row)).sum::<f64>() / self.effects.len().max(1) as f64
    }
}

/// Refuses rows that nothing can be learned of.
pub(super) fn checked(rows: &[UpliftRow]) -> Result<(), ExperimentError> {
    let treated = rows.iter().filter(|row| row.treated).count();
    if treated < ARM_ROWS_MIN || rows.len() - treated < ARM_ROWS_MIN {
        let what = format!("{treated} treated of {} rows; each arm wants {ARM_ROWS_MIN}", rows.len());
        return Err(ExperimentError::uplift(what));
    }
    if let Some(row) = rows.iter().position(|row| !row.outcome.is_finite()) {
        return Err(ExperimentError::uplift(format!("row {row}: the outcome is {}", rows[row].outcome)));
    }
    Ok(())
}

impl Outcome {
    /// The columns, and the expected outcome as one more.
    fn beside(&self, row: &[f64]) -> Vec<f64> {
        let scale = if self.deviation > 0.0 { PROGNOSIS / self.deviation } else { 0.0 };
        let prognosis = (self.plane.at(row) - self.mean) * scale;
        row.iter().copied().chain([prognosis]).collect()
    }
}

impl Effect {
    fn at(&self, row: &[f64]) -> f64 {
        match self {
            Effect::Same(effect) => *effect,
            Effect::Plane(plane) => plane.at(row),
            Effect::Trees(trees) => trees.at(row),
        }
    }
}

impl Learner {
    fn name(&self) -> String {
        match self {
            Learner::Ridge(ridge) => format!("ridge {ridge}"),
            Learner::Trees => "trees".to_owned(),
        }
    }

    fn fit(&self, rows: &[Centred<'_>]) -> Effect {
        let columns = rows.first().map_or(0, |(x, ..)| x.len());
        match self {
            Learner::Ridge(ridge) => {
                let spread: f64 = rows.iter().map(|(_, treated, _)| treated * treated).sum();
                Effect::Plane(Plane::ridge(rows.iter().copied(), columns, ridge * spread))
            }
            Learner::Trees => Effect::Trees(Trees::boosted(rows, columns)),
        }
    }
}

struct Rows<'a> {
    rows: &'a [UpliftRow],
    encoded: &'a [Vec<f64>],
}

/// All rows with the outcome's model of some of them.
struct Prepared<'a> {
    all: &'a Rows<'a>,
    outcome: Outcome,
    treated: f64,
    beside: Vec<Vec<f64>>,
}

impl Rows<'_> {
    fn prepared(&self, part: &[usize]) -> Prepared<'_> {
        let columns = self.encoded[0].len();
        let taught = part.iter().map(|row| (&self.encoded[*row][..], 1.0, self.rows[*row].outcome));
        let plane = Plane::ridge(taught, columns, OUTCOME_RIDGE * part.len() as f64);
        let expected = Moments::of(part.iter().map(|row| plane.at(&self.encoded[*row])));
        let treated = part.iter().filter(|row| self.rows[**row].treated).count() as f64 / part.len() as f64;
        let outcome = Outcome { plane, mean: expected.mean, deviation: expected.variance().sqrt() };
        let beside = self.encoded.iter().map(|row| outcome.beside(row)).collect();
        Prepared { all: self, outcome, treated, beside }
    }

    /// Every learner with what cross-validation says of it.
    fn validated(&self, seed: u64) -> Vec<(Learner, LearnerFigures)> {
        let learners: Vec<Learner> = RIDGES.map(Learner::Ridge).into_iter().chain([Learner::Trees]).collect();
        let mut gains: Vec<Vec<f64>> = vec![Vec::new(); learners.len()];
        for turn in 0..TURNS {
            let mut rng = Rng::new(hash64(seed ^ hash64(turn)));
            let fold: Vec<u32> = self.rows.iter().map(|_| rng.below(FOLDS)).collect();
            for held in 0..FOLDS {
                let part = |inside: bool| (0..fold.len()).filter(|row| (fold[*row] == held) == inside).collect();
                let (kept, left): (Vec<usize>, Vec<usize>) = (part(false), part(true));
                let prepared = self.prepared(&kept);
                let (taught, asked) = (prepared.centred(&kept), prepared.centred(&left));
                let same = loss(&Effect::Same(one_effect(&taught)), &asked);
                for (learner, gains) in learners.iter().zip(&mut gains) {
                    gains.push(same - loss(&learner.fit(&taught), &asked));
                }
            }
        }
        let means: Vec<f64> = gains.iter().map(|gains| Moments::of(gains.iter().copied()).mean).collect();
        let best = (0..means.len()).max_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap_or(0);
        let used = |learner: usize| {
            let behind = Moments::of(gains[best].iter().zip(&gains[learner]).map(|(best, gain)| best - gain));
            learner == best || behind.mean <= behind.estimate().error()
        };
        let figures = learners.iter().enumerate().map(|(at, learner)| LearnerFigures {
            name: learner.name(),
            gain: means[at],
            used: used(at),
        });
        learners.iter().copied().zip(figures.collect::<Vec<_>>()).collect()
    }
}

impl Prepared<'_> {
    fn centred(&self, part: &[usize]) -> Vec<Centred<'_>> {
        let of = |row: &usize| {
            let UpliftRow { treated, outcome, .. } = &self.all.rows[*row];
            let expected = self.outcome.plane.at(&self.all.encoded[*row]);
            (&self.beside[*row][..], f64::from(u8::from(*treated)) - self.treated, outcome - expected)
        };
        part.iter().map(of).collect()
    }
}

fn one_effect(rows: &[Centred<'_>]) -> f64 {
    let (above, below) = rows.iter().fold((0.0, 0.0), |(above, below), (_, t, y)| (above + t * y, below + t * t));
    if below > 0.0 { above / below } else { 0.0 }
}

fn loss(effect: &Effect, rows: &[Centred<'_>]) -> f64 {
    rows.iter().map(|(x, treated, y)| (y - treated * effect.at(x)).powi(2)).sum()
}
