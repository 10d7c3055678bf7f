//! What is wrong with a definition is said before it runs.

use super::{BUCKETS, Buckets, Experiment, Overrides, State, Value};
use crate::ExperimentError;
use std::collections::BTreeSet;

/// Longest id, salt, layer, name of an arm or of a parameter, in bytes.
const NAME_MAX: usize = 128;
/// Most arms of an experiment.
const ARMS_MAX: usize = 32;
/// Most parameters that an arm overrides.
const OVERRIDES_MAX: usize = 256;
/// Most conditions of a targeting, and most values of one.
const CONDITIONS_MAX: usize = 64;
const VALUES_MAX: usize = 1_000;
/// How far from 1 the shares of the arms may add up.
const SHARES_OFF: f64 = 1e-9;

impl Experiment {
    /// Refuses a definition that contradicts itself, and names what is wrong. `tunable` says of each overridden
    /// parameter and value whether there is such a parameter and it takes the value, or why not.
    pub fn check(&self, tunable: impl Fn(&str, &Value) -> Result<(), String>) -> Result<(), ExperimentError> {
        self.found_wrong(&tunable).map_or(Ok(()), |what| Err(self.wrong(what)))
    }

    pub(super) fn wrong(&self, what: impl Into<String>) -> ExperimentError {
        ExperimentError::Definition { experiment: self.id.clone(), what: what.into() }
    }

    fn found_wrong(&self, tunable: &dyn Fn(&str, &Value) -> Result<(), String>) -> Option<String> {
        for (what, name) in [("id", &self.id), ("salt", &self.salt), ("layer", &self.layer)] {
            if let Some(wrong) = name_wrong(what, name) {
                return Some(wrong);
            }
        }
        let Buckets { first, count } = self.buckets;
        if count == 0 || self.buckets.end() > u64::from(BUCKETS) {
            return Some(format!("{count} buckets from {first} on are not among the {BUCKETS} of a layer"));
        }
        if let State::Running { ramp } = self.state
            && !(ramp > 0.0 && ramp <= 1.0)
        {
            return Some(format!("the ramp is {ramp}, not above 0 and at most 1"));
        }
        self.targeting_wrong()
            .or_else(|| self.arms_wrong())
            .or_else(|| self.arms.iter().find_map(|arm| overrides_wrong(&arm.name, &arm.overrides, tunable)))
    }

    fn targeting_wrong(&self) -> Option<String> {
        let conditions = &self.targeting.conditions;
        if conditions.len() > CONDITIONS_MAX {
            return Some(format!("{} conditions, at most {CONDITIONS_MAX}", conditions.len()));
        }
        let wrong = conditions.iter().find(|one| one.any_of.is_empty() || one.any_of.len() > VALUES_MAX)?;
        let (name, values) = (&wrong.name, wrong.any_of.len());
        Some(format!("the condition on `{name}` has {values} values; it has 1 to {VALUES_MAX}"))
    }

    fn arms_wrong(&self) -> Option<String> {
        if self.arms.len() < 2 || self.arms.len() > ARMS_MAX {
            return Some(format!("{} arms; there are 2 to {ARMS_MAX}", self.arms.len()));
        }
        let mut names = BTreeSet::new();
        for arm in &self.arms {
            if let Some(wrong) = name_wrong("an arm's name", &arm.name) {
                return Some(wrong);
            }
            if !names.insert(&arm.name) {
                return Some(format!("two arms are called `{}`", arm.name));
            }
            if !(arm.share > 0.0 && arm.share < 1.0) {
                return Some(format!("arm `{}` has the share {}, not between 0 and 1", arm.name, arm.share));
            }
        }
        let sum: f64 = self.arms.iter().map(|arm| arm.share).sum();
        ((sum - 1.0).abs() > SHARES_OFF).then(|| format!("the shares of the arms add up to {sum}, not to 1"))
    }

    /// Whether `next` may take this definition's place while units are assigned by it: what deals the arms may not
    /// change, and a ramp only grows. What has ended stays ended.
    pub fn may_become(&self, next: &Experiment) -> Result<(), ExperimentError> {
        if self.id != next.id {
            return Err(self.wrong(format!("`{}` is another one", next.id)));
        }
        let State::Running { ramp } = self.state else {
            let over = self.state != State::Draft && next.state.holds_buckets();
            return if over { Err(self.wrong("it has ended: start another one")) } else { Ok(()) };
        };
        let parts = [
            ("salt", self.salt == next.salt),
            ("layer", self.layer == next.layer),
            ("buckets", self.buckets == next.buckets),
            ("arms", self.arms == next.arms),
            ("targeting", self.targeting == next.targeting),
        ];
        if let Some((part, _)) = parts.iter().find(|(_, same)| !same) {
            return Err(self.wrong(format!("its {part} cannot change while it runs: stop it and start another one")));
        }
        match next.state {
            State::Running { ramp: wider } if wider < ramp => {
                Err(self.wrong(format!("its ramp cannot go back from {ramp} to {wider}: units would leave their arms")))
            }
            State::Draft => Err(self.wrong("it runs and cannot be a draft again")),
            _ => Ok(()),
        }
    }
}

fn name_wrong(what: &str, name: &str) -> Option<String> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Some(format!("{what} has {} bytes; it has 1 to {NAME_MAX}", name.len()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    name.chars().find(|c| !allowed(*c)).map(|c| format!("{what} `{name}` has a {c:?}"))
}

fn overrides_wrong(
    arm: &str,
    overrides: &Overrides,
    tunable: &dyn Fn(&str, &Value) -> Result<(), String>,
) -> Option<String> {
    if overrides.len() > OVERRIDES_MAX {
        return Some(format!("arm `{arm}` overrides {} parameters, at most {OVERRIDES_MAX}", overrides.len()));
    }
    for (name, value) in overrides {
        if let Some(wrong) = name_wrong("a parameter's name", name) {
            return Some(format!("arm `{arm}`: {wrong}"));
        }
        if matches!(value, Value::Number(number) if !number.is_finite()) {
            return Some(format!("arm `{arm}` sets `{name}` to no number"));
        }
        if let Err(why) = tunable(name, value) {
            return Some(format!("arm `{arm}` overrides `{name}`: {why}"));
        }
    }
    None
}
