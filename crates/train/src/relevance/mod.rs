//! Learning how well pins answer queries: a teacher that reads both together, and the student that serves.
//!
//! Both are learned by the softmax over five levels against graded labels or a teacher's chances, and calibrated by one
//! temperature (Guo et al., ICML 2017) on queries that were held back. The student's knots lie at quantiles of what it
//! was shown.

mod fit;
mod student;
mod teacher;

pub use fit::RelevanceTraining;
pub use student::fit_student;
pub use teacher::{fit_teacher, teach};

use crate::TrainError;
use models::{LEVELS, Levels, RELEVANCE_COUNT, likeliest_level};

/// Fewest labels that anything is learned from.
const LABELS_MIN: usize = 50;

/// A query whose pins were labelled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelledQuery {
    /// What was typed.
    pub text: String,
    /// Its hashed words, see [`models::relevance_words`].
    pub words: Vec<u64>,
    /// What the words mean; empty where nobody knows.
    pub asked: Vec<f32>,
}

/// A pin that was labelled for a query.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledPin {
    /// Place of its query among the queries.
    pub query: usize,
    /// A row of [`models::RELEVANCE_FEATURES`].
    pub features: [f32; RELEVANCE_COUNT],
    /// Hashed words of its title.
    pub words: Vec<u64>,
    /// Its content, as wide as its query's; zeros where none is known.
    pub content: Vec<f32>,
    /// Its title.
    pub title: String,
    /// What else it says.
    pub rest: String,
    /// How likely each level is: one where somebody chose, several where a teacher was unsure.
    pub label: Levels,
}

/// Labelled pins with their queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelevanceData {
    /// Version of the space of all contents.
    pub space: u32,
    /// Queries that were asked.
    pub queries: Vec<LabelledQuery>,
    /// Pins, those of a query together or not.
    pub pins: Vec<LabelledPin>,
}

impl RelevanceData {
    /// Width of contents; 0 where none is known.
    pub fn content_dim(&self) -> usize {
        self.pins.iter().map(|pin| pin.content.len()).max().unwrap_or(0)
    }

    /// Whether everything fits together and is enough.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if self.pins.len() < LABELS_MIN {
            let reason = format!("{} labels, {LABELS_MIN} are needed to learn relevance", self.pins.len());
            return Err(TrainError::TooLittle(reason));
        }
        for (number, pin) in self.pins.iter().enumerate() {
            if pin.query >= self.queries.len() {
                return Err(TrainError::Data(format!("label {number} is of a query that is not there")));
            }
            let sum: f32 = pin.label.iter().sum();
            if !pin.label.iter().all(|chance| (0.0..=1.0).contains(chance)) || (sum - 1.0).abs() > 1e-3 {
                return Err(TrainError::Data(format!("label {number}: chances {:?} are none", pin.label)));
            }
        }
        Ok(())
    }

    /// What the label of a pin says at the likeliest.
    pub fn level(&self, pin: usize) -> usize {
        likeliest_level(&self.pins[pin].label)
    }
}

/// Part of the pins whose likeliest level is the labels'.
pub fn level_accuracy(found: &[Levels], labels: &[usize]) -> f64 {
    let same = found.iter().zip(labels).filter(|(found, label)| likeliest_level(found) == **label).count();
    same as f64 / labels.len().max(1) as f64
}

/// Expected calibration error of the likeliest level: over ten bins of its chance, how far that is from how often it is
/// right (Guo et al., ICML 2017).
pub fn level_calibration(found: &[Levels], labels: &[usize]) -> f64 {
    const BINS: usize = 10;
    let mut bins = [(0.0f64, 0.0f64, 0usize); BINS];
    for (found, label) in found.iter().zip(labels) {
        let level = likeliest_level(found);
        let chance = f64::from(found[level]);
        let bin = &mut bins[((chance * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + chance, bin.1 + f64::from(u8::from(level == *label)), bin.2 + 1);
    }
    let all = labels.len().max(1) as f64;
    bins.iter().map(|(chance, right, _)| (chance - right).abs() / all).sum()
}

/// Mean log loss of the labels' levels.
pub fn level_log_loss(found: &[Levels], labels: &[usize]) -> f64 {
    let loss = |(found, label): (&Levels, &usize)| -f64::from(found[(*label).min(LEVELS - 1)].max(1e-7)).ln();
    found.iter().zip(labels).map(loss).sum::<f64>() / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests;
