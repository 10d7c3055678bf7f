//! What would another policy have earned, told from what a logged one did?

mod diagnostics;
mod estimate;
#[cfg(test)]
mod tests;

pub use diagnostics::{OffPolicyChecks, SumCheck, off_policy_checks};
pub use estimate::{OffPolicy, direct, doubly_robust, ips, self_normalised_ips, switch_doubly_robust};

use crate::ExperimentError;
use serde::{Deserialize, Serialize};

/// One logged decision. A slate is a row per position, each position with a policy of its own: propensities and
/// probabilities are those of the action at its position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedRow {
    /// What was chosen.
    pub action: u32,
    /// At which position; 0 where there is one only.
    pub position: u32,
    /// What it earned.
    pub reward: f64,
    /// The chance with which it had been chosen, above 0 and at most 1.
    pub propensity: f64,
    /// The chance with which the policy to be judged would choose it there.
    pub probability: f64,
    /// The reward that a model expects of the chosen action; 0 where there is no model.
    pub expected_logged: f64,
    /// The reward that it expects of the policy to be judged: Σ over all actions of probability · expectation.
    pub expected_policy: f64,
}

impl LoggedRow {
    /// The importance weight: probability / propensity.
    pub fn weight(&self) -> f64 {
        self.probability / self.propensity
    }
}

/// Propensities above 1 by no more than this are rounded logs.
const ABOVE_ONE: f64 = 1e-9;

/// Refuses rows that no estimate can be made of, by number.
fn checked(rows: &[LoggedRow]) -> Result<(), ExperimentError> {
    if rows.len() < 2 {
        return Err(ExperimentError::statistics("off-policy evaluation wants two rows or more"));
    }
    for (row, logged) in rows.iter().enumerate() {
        let LoggedRow { reward, propensity, probability, expected_logged, expected_policy, .. } = *logged;
        let chance = |value: f64| value.is_finite() && (0.0..=1.0 + ABOVE_ONE).contains(&value);
        let what = if !chance(propensity) || propensity == 0.0 {
            format!("the propensity {propensity} is not above 0 and at most 1")
        } else if !chance(probability) {
            format!("the probability {probability} is not between 0 and 1")
        } else if !reward.is_finite() {
            format!("the reward is {reward}")
        } else if !expected_logged.is_finite() || !expected_policy.is_finite() {
            format!("the expected rewards are {expected_logged} and {expected_policy}")
        } else {
            continue;
        };
        return Err(ExperimentError::OffPolicy { row, what });
    }
    Ok(())
}
