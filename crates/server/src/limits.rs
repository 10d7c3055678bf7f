//! How much is taken at once: every body, batch, queue and wait has an end.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bounds of the server. All of them can be set in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body of events, boards and pinners (bytes).
    pub body_bytes_max: usize,
    /// Largest body of pins, which may carry pictures, and largest picture (bytes).
    pub picture_bytes_max: usize,
    /// Largest single row besides pins (bytes).
    pub row_bytes_max: usize,
    /// Most rows of one body.
    pub rows_max: usize,
    /// Most pins of one page.
    pub page_max: usize,
    /// Longest deadline that a request may ask for (ms).
    pub deadline_ms_max: u64,
    /// Longest that anything may take, reading the body included (ms).
    pub request_ms_max: u64,
    /// Most rankings that run at once.
    pub rankings_max: usize,
    /// Most bodies that are taken in at once: so many with pins, and so many others. As many of the largest may be in
    /// memory, those being read included.
    pub ingests_max: usize,
    /// Most requests that wait for their turn; more are sent away.
    pub waiting_max: usize,
    /// Longest wait for a turn (ms).
    pub wait_ms_max: u64,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most rankings kept for paging.
    pub rankings_kept_max: usize,
    /// Most answers kept in memory with all that is known of them, for explanations; older ones are read from the log.
    pub answers_kept_max: usize,
    /// How long a ranking can be paged through (ms).
    pub paging_ms_max: u64,
    /// How long a stopping server waits for requests under way (ms).
    pub drain_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 16 << 20,
            picture_bytes_max: 16 << 20,
            row_bytes_max: 64 << 10,
            rows_max: 100_000,
            page_max: 200,
            deadline_ms_max: 5_000,
            request_ms_max: 30_000,
            rankings_max: 64,
            ingests_max: 8,
            waiting_max: 256,
            wait_ms_max: 1_000,
            connections_max: 2_048,
            rankings_kept_max: 8_192,
            answers_kept_max: 128,
            paging_ms_max: 30 * 60_000,
            drain_ms_max: 10_000,
        }
    }
}

impl Limits {
    pub(crate) fn request(&self) -> Duration {
        Duration::from_millis(self.request_ms_max.max(1))
    }

    /// Most bytes of bodies in memory.
    pub(crate) fn bodies(&self) -> usize {
        self.ingests_max.max(1).saturating_mul(self.body_bytes_max.max(self.picture_bytes_max))
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms_max)
    }

    pub(crate) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms_max)
    }
}
