//! What does an experiment say? Figures in, a decision and plain English out.

mod decide;
#[cfg(test)]
mod tests;
mod text;

pub use decide::{Check, Decision, Readout, verdict};

use crate::{DayCurve, Estimate, ExperimentError, Heterogeneity, Lift, Look, SampleRatio, SliceRatio};
use serde::{Deserialize, Serialize};

/// Which way a metric should go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Saves, visits, money.
    #[default]
    Higher,
    /// Hides, unsubscribes, latency, cost.
    Lower,
}

/// A metric of both arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricFigures {
    /// Its name, such as `saves per pinner`.
    pub name: String,
    /// Which way is better.
    pub better: Better,
    /// Control.
    pub control: Estimate,
    /// Treatment.
    pub treatment: Estimate,
    /// The largest harm that would be put up with, as a part of control (0.01 is one percent): how far a guardrail may
    /// get worse, and the smallest effect that the main metric is planned to find.
    pub margin: f64,
    /// The sequential look at it, where it is looked at before the end.
    pub look: Option<Look>,
}

/// All that is known of an experiment, treatment against control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The experiment.
    pub experiment: String,
    /// The treatment's name.
    pub arm: String,
    /// What a unit is called, in the plural: `pinners`.
    pub units: String,
    /// Days that it has run.
    pub days: f64,
    /// Days that it was planned for.
    pub days_planned: f64,
    /// The error rate. Where several treatments share a control, the error rate over their number.
    pub alpha: f64,
    /// Units of the arms against their shares.
    pub sample_ratio: SampleRatio,
    /// The same by slice.
    pub sample_ratio_slices: Vec<SliceRatio>,
    /// Units that were seen in more than one arm.
    pub crossed: u64,
    /// What decides.
    pub main: MetricFigures,
    /// What may not get worse.
    pub guardrails: Vec<MetricFigures>,
    /// What is looked at beside.
    pub others: Vec<MetricFigures>,
    /// The main metric by day since exposure, where there are three days.
    pub by_day: Option<DayCurve>,
    /// The main metric by slice, where there are slices.
    pub by_slice: Option<Heterogeneity>,
}

/// One metric as it is read: by the fixed interval at the planned end, by the sequential one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricReading {
    /// Its name.
    pub name: String,
    /// The comparison at a fixed time.
    pub lift: Lift,
    /// The sequential look, where that is what counts.
    pub look: Option<Look>,
    /// p of no difference, by whichever counts.
    pub p: f64,
    /// p adjusted for the number of metrics in its group (Benjamini and Hochberg).
    pub adjusted_p: f64,
}

impl MetricReading {
    /// The difference and its interval, by whichever counts.
    pub fn difference(&self) -> crate::Interval {
        self.look.map_or(self.lift.difference, |look| look.difference)
    }

    /// The lift relative to control, by whichever counts.
    pub fn relative(&self) -> Option<crate::Interval> {
        self.look.map_or(self.lift.relative, |look| look.relative)
    }
}

fn nothing(what: &str, name: &str) -> ExperimentError {
    ExperimentError::Statistics(format!("metric `{name}`: {what}"))
}
