//! What an experiment is, and which arm a unit is in.

mod assign;
mod check;
mod exposure;
mod hash;
mod targeting;
#[cfg(test)]
mod tests;

pub use assign::{Assigned, Assignment, Holdout, Layers, free_buckets};
pub use exposure::{Exposed, Exposure, Exposures};
pub use hash::{BUCKETS, unit_hash};
pub use targeting::{Condition, Targeting};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An experiment: who is in it, in which arms, and what the arms change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name, unique for all time.
    pub id: String,
    /// What units are hashed with. Another salt deals the arms anew.
    pub salt: String,
    /// Experiments of one layer share no unit; those of different layers know nothing of each other.
    pub layer: String,
    /// Its buckets of the layer, of [`BUCKETS`].
    pub buckets: Buckets,
    /// Its arms; the first one is control.
    pub arms: Vec<Arm>,
    /// Which units it is for; all of them by default.
    #[serde(default)]
    pub targeting: Targeting,
    /// Where it stands.
    #[serde(default)]
    pub state: State,
}

/// Consecutive buckets of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// The first one.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Buckets {
    /// The bucket behind the last one.
    pub fn end(&self) -> u64 {
        u64::from(self.first) + u64::from(self.count)
    }

    /// Whether `bucket` is one of them.
    pub fn holds(&self, bucket: u32) -> bool {
        bucket >= self.first && u64::from(bucket) < self.end()
    }

    fn meets(&self, other: &Buckets) -> bool {
        u64::from(self.first) < other.end() && u64::from(other.first) < self.end()
    }
}

/// One arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Its name, unique in its experiment.
    pub name: String,
    /// Its part of the experiment's units; the parts add up to 1.
    pub share: f64,
    /// Parameters that it overrides, by dotted name, such as `home.variety`.
    #[serde(default)]
    pub overrides: Overrides,
}

/// Dotted names of parameters and what they are set to.
pub type Overrides = BTreeMap<String, Value>;

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}

/// Where an experiment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Written down; nobody is in it, its buckets are reserved.
    #[default]
    Draft,
    /// Units are in it: the part `ramp`, above 0 and at most 1, of those in its buckets.
    Running {
        /// A larger one keeps everybody who was in an arm there.
        ramp: f64,
    },
    /// Ended as planned: nobody is in it any more, its buckets are free.
    Stopped,
    /// Ended because it did harm: as stopped, from one moment to the next.
    Killed,
}

impl State {
    fn holds_buckets(&self) -> bool {
        matches!(self, State::Draft | State::Running { .. })
    }
}
