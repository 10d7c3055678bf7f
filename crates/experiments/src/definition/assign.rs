use super::hash::{bucket, place, unit_hash};
use super::{BUCKETS, Buckets, Experiment, Overrides, State};
use crate::ExperimentError;
use domain::hash64;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most experiments, ended ones among them.
const EXPERIMENTS_MAX: usize = 10_000;

/// Units that are in no experiment of any layer for as long as it stands: what all launches did together is measured
/// against them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holdout {
    /// What units are hashed with.
    pub salt: String,
    /// Its part of all units, 0 to 0.5.
    pub share: f64,
}

/// All experiments that were checked against each other, ready to assign.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    holdout: Option<Holdout>,
    /// Those that run, by layer.
    running: BTreeMap<String, Vec<Experiment>>,
}

/// Where a unit is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment<'a> {
    /// Whether it is in the long-term holdout, and so in nothing else.
    pub holdout: bool,
    /// Its arms, one a layer at most, in the order of the layers' names.
    pub arms: Vec<Assigned<'a>>,
}

/// One arm that a unit is in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assigned<'a> {
    /// Of which experiment.
    pub experiment: &'a str,
    /// Which arm.
    pub arm: &'a str,
    /// What it overrides.
    pub overrides: &'a Overrides,
}

impl Assignment<'_> {
    /// All that its arms override. Experiments that run at once override different parameters.
    pub fn overrides(&self) -> Overrides {
        self.arms.iter().flat_map(|arm| arm.overrides.clone()).collect()
    }
}

impl Layers {
    /// Puts experiments together, each already [`Experiment::check`]ed against the parameters that there are. Refused
    /// are two of one id, drafts or running ones of one layer with a bucket in common, and running ones of different
    /// layers that override the same parameter, since a unit may be in both.
    pub fn new(holdout: Option<Holdout>, experiments: &[Experiment]) -> Result<Layers, ExperimentError> {
        if let Some(Holdout { share, .. }) = &holdout
            && !(*share >= 0.0 && *share <= 0.5)
        {
            let what = format!("its share is {share}, not 0 to 0.5");
            return Err(ExperimentError::Definition { experiment: "holdout".into(), what });
        }
        if let Some(one) = experiments.get(EXPERIMENTS_MAX) {
            return Err(one.wrong(format!("there are more than {EXPERIMENTS_MAX} experiments")));
        }
        let mut ids = BTreeSet::new();
        for (at, experiment) in experiments.iter().enumerate() {
            experiment.check(|_, _| Ok(()))?;
            if !ids.insert(&experiment.id) {
                return Err(experiment.wrong("there are two of this id"));
            }
            for other in &experiments[..at] {
                apart(other, experiment)?;
            }
        }
        let mut running: BTreeMap<String, Vec<Experiment>> = BTreeMap::new();
        for experiment in experiments.iter().filter(|experiment| matches!(experiment.state, State::Running { .. })) {
            running.entry(experiment.layer.clone()).or_default().push(experiment.clone());
        }
        Ok(Layers { holdout, running })
    }

    /// Where `unit` is, whose traits are (name, value). A function of the definitions, the unit and its traits alone.
    pub fn assign<'a>(&'a self, unit: &str, traits: &[(&str, &str)]) -> Assignment<'a> {
        if let Some(Holdout { salt, share }) = &self.holdout
            && place(unit_hash(salt, unit)) < *share
        {
            return Assignment { holdout: true, arms: Vec::new() };
        }
        let arms = self.running.iter().filter_map(|(layer, experiments)| {
            let bucket = bucket(unit_hash(layer, unit));
            let experiment = experiments.iter().find(|experiment| experiment.buckets.holds(bucket))?;
            experiment.arm_of(unit, traits)
        });
        Assignment { holdout: false, arms: arms.collect() }
    }
}

impl Experiment {
    /// The arm of a unit in its buckets. Who comes in at which ramp and who is in which arm are independent, so that a
    /// wider ramp only adds units to each arm.
    fn arm_of(&self, unit: &str, traits: &[(&str, &str)]) -> Option<Assigned<'_>> {
        let State::Running { ramp } = self.state else { return None };
        let hash = unit_hash(&self.salt, unit);
        if !self.targeting.holds(traits) || place(hash64(hash)) >= ramp {
            return None;
        }
        let (at, mut end) = (place(hash), 0.0);
        let (last, others) = self.arms.split_last()?;
        let mut arm = last;
        for other in others {
            end += other.share;
            if at < end {
                arm = other;
                break;
            }
        }
        Some(Assigned { experiment: &self.id, arm: &arm.name, overrides: &arm.overrides })
    }
}

fn apart(a: &Experiment, b: &Experiment) -> Result<(), ExperimentError> {
    let both = a.state.holds_buckets() && b.state.holds_buckets();
    if both && a.layer == b.layer && a.buckets.meets(&b.buckets) {
        return Err(b.wrong(format!("it shares buckets of layer `{}` with `{}`", b.layer, a.id)));
    }
    let running = |experiment: &Experiment| matches!(experiment.state, State::Running { .. });
    if running(a) && running(b) && a.layer != b.layer {
        let names = |of: &Experiment| -> BTreeSet<String> {
            of.arms.iter().flat_map(|arm| arm.overrides.keys().cloned()).collect()
        };
        let theirs = names(a);
        if let Some(name) = names(b).into_iter().find(|name| theirs.iter().any(|other| same_parameter(name, other))) {
            let what =
                format!("it overrides `{name}`, as `{}` of layer `{}` does: put both into one layer", a.id, a.layer);
            return Err(b.wrong(what));
        }
    }
    Ok(())
}

/// Whether one of both names is the other or a part of it.
fn same_parameter(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The first `count` consecutive buckets of a layer that no draft and no running experiment holds.
pub fn free_buckets(experiments: &[Experiment], layer: &str, count: u32) -> Option<Buckets> {
    let mut held: Vec<Buckets> = experiments
        .iter()
        .filter(|experiment| experiment.layer == layer && experiment.state.holds_buckets())
        .map(|experiment| experiment.buckets)
        .collect();
    held.sort_unstable_by_key(|buckets| buckets.first);
    let mut first = 0;
    for buckets in held {
        if u64::from(first) + u64::from(count) <= u64::from(buckets.first) {
            break;
        }
        first = first.max(buckets.end().min(u64::from(BUCKETS)) as u32);
    }
    let found = Buckets { first, count };
    (count > 0 && found.end() <= u64::from(BUCKETS)).then_some(found)
}
