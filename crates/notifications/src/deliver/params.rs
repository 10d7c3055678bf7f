//! How hard delivery tries.

use super::Outcome;
use crate::error::within;
use crate::zone::{DAY_MS, HOUR_MS};
use crate::{ChannelKind, Key, NotifyError};
use domain::hash64;
use serde::{Deserialize, Serialize};

/// What is done where it is not known whether a message arrived: the connection broke after it was sent, no answer came
/// in time, or the process ended in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It is sent again under the same key: **at least once**, and once where the receiver knows keys again.
    Resend,
    /// It is given up: **at most once**, and never where it had not arrived.
    GiveUp,
}

/// How messages are sent and sent again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverParams {
    /// A message is tried so often, then it is dead.
    pub attempts_max: u32,
    /// Wait before the second attempt (ms); it doubles each time, …
    pub backoff_ms: u64,
    /// … up to this (ms).
    pub backoff_max_ms: u64,
    /// Part of a wait that is drawn: with 0.5 it is between half and all of it.
    pub jitter: f64,
    /// Seed of the draws.
    pub seed: u64,
    /// How long a channel may take for one message (ms).
    pub timeout_ms: u64,
    /// Messages that are on their way at once.
    pub in_flight_max: usize,
    /// Messages that are planned or wait for another attempt; more are refused.
    pub open_max: usize,
    /// What an unknown outcome means for a webhook: its receiver knows the key again.
    pub webhook_unknown: Unknown,
    /// What it means for a mail: nobody on the way drops a second one for sure.
    pub email_unknown: Unknown,
    /// What it means for the app's own list, which knows keys again.
    pub in_app_unknown: Unknown,
}

impl Default for DeliverParams {
    fn default() -> Self {
        DeliverParams {
            attempts_max: 6,
            backoff_ms: 30_000,
            backoff_max_ms: HOUR_MS,
            jitter: 0.5,
            seed: 0,
            timeout_ms: 10_000,
            in_flight_max: 32,
            open_max: 1_000_000,
            webhook_unknown: Unknown::Resend,
            email_unknown: Unknown::GiveUp,
            in_app_unknown: Unknown::Resend,
        }
    }
}

impl DeliverParams {
    /// Names what is wrong.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] with the name of the first wrong parameter.
    pub fn validate(&self) -> Result<(), NotifyError> {
        within("deliver.attempts_max", f64::from(self.attempts_max), 1.0, 100.0)?;
        within("deliver.backoff_ms", self.backoff_ms as f64, 1.0, DAY_MS as f64)?;
        within("deliver.backoff_max_ms", self.backoff_max_ms as f64, self.backoff_ms as f64, 7.0 * DAY_MS as f64)?;
        within("deliver.jitter", self.jitter, 0.0, 1.0)?;
        within("deliver.timeout_ms", self.timeout_ms as f64, 1.0, HOUR_MS as f64)?;
        within("deliver.in_flight_max", self.in_flight_max as f64, 1.0, 1_000.0)?;
        within("deliver.open_max", self.open_max as f64, 1.0, 1e8)
    }

    pub(super) fn unknown(&self, channel: ChannelKind) -> Unknown {
        match channel {
            ChannelKind::Webhook => self.webhook_unknown,
            ChannelKind::Email => self.email_unknown,
            ChannelKind::InApp => self.in_app_unknown,
        }
    }

    /// How long to wait after attempt `attempt` (from 1): a function of key and attempt, so that what failed together
    /// does not come back together, and a restart waits as long.
    pub(super) fn wait_ms(&self, key: Key, attempt: u32, outcome: &Outcome) -> u64 {
        let doubled = self.backoff_ms.saturating_mul(1 << attempt.saturating_sub(1).min(30));
        let longest = doubled.min(self.backoff_max_ms);
        let drawn = hash64(self.seed ^ hash64(key.0 as u64 ^ hash64((key.0 >> 64) as u64 + u64::from(attempt))));
        let part = 1.0 - self.jitter * (drawn >> 11) as f64 / (1u64 << 53) as f64;
        let asked = match outcome {
            Outcome::Failed { after_ms: Some(after_ms), .. } => (*after_ms).min(DAY_MS),
            _ => 0,
        };
        ((longest as f64 * part) as u64).max(asked)
    }
}
