//! What a plan says.

use crate::{ChannelKind, Key, Refusal};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Notifications that a plan prints.
const SHOWN_MAX: usize = 20;

/// A notification that would be sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned {
    /// The candidate's place among those that were given.
    pub candidate: usize,
    /// For whom: the owner's id of the pinner.
    pub pinner: String,
    /// Its idempotency key.
    pub key: Key,
    /// The name of its kind.
    pub kind: String,
    /// The pin, by its internal id.
    pub pin: u32,
    /// By which channel.
    pub channel: ChannelKind,
    /// When (ms, UTC).
    pub at_ms: u64,
    /// Notifications of the week for this pinner, with those that are planned or sent already.
    pub volume: u8,
    /// `R(u, k)` of that volume.
    pub value: f64,
    /// What this plan adds for the pinner, per notification.
    pub uplift: f64,
    /// The uplift that the last one within the budget has.
    pub threshold: f32,
    /// The chance that it is opened, as it was drawn or expected.
    pub open_rate: f64,
}

/// Who would get what, when and by which channel; and why not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plan {
    /// First moment of the week (ms, UTC).
    pub week_ms: u64,
    /// Pinners that were looked at.
    pub pinners: usize,
    /// Candidates that were looked at: as many as are planned and refused.
    pub candidates: usize,
    /// Notifications that may be sent.
    pub budget: u64,
    /// Notifications that the allocation gave out; those of them without a fitting moment are refused below.
    pub allocated: u64,
    /// Return per notification at which the budget is used; 0 where it is not.
    pub threshold: f32,
    /// Sum of the returns of the week as allocated.
    pub value: f64,
    /// The same if nothing more was sent.
    pub baseline: f64,
    /// No allocation within the budget has a higher sum.
    pub bound: f64,
    /// How many pinners get how many, from none on.
    pub by_volume: Vec<usize>,
    /// How many go by which channel.
    pub by_channel: BTreeMap<ChannelKind, usize>,
    /// How many candidates were refused for which reason.
    pub refused: BTreeMap<Refusal, usize>,
    /// What would be sent, by moment.
    pub planned: Vec<Planned>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { pinners, candidates, budget, allocated, threshold, .. } = self;
        writeln!(f, "{candidates} candidates for {pinners} pinners, {} would be sent", self.planned.len())?;
        writeln!(f, "budget {budget}, allocated {allocated}, threshold {threshold:.5}")?;
        writeln!(f, "returns {:.1}, {:.1} without, at most {:.1}", self.value, self.baseline, self.bound)?;
        for (volume, pinners) in self.by_volume.iter().enumerate() {
            writeln!(f, "  {volume} a week: {pinners} pinners")?;
        }
        for (channel, count) in &self.by_channel {
            writeln!(f, "  by {channel}: {count}")?;
        }
        for (refusal, count) in &self.refused {
            writeln!(f, "  not sent, {refusal}: {count}")?;
        }
        for planned in self.planned.iter().take(SHOWN_MAX) {
            let Planned { pinner, kind, pin, channel, at_ms, value, uplift, .. } = planned;
            writeln!(f, "{at_ms} {channel} {kind} of pin {pin} to {pinner}: value {value:.4}, uplift {uplift:.4}")?;
        }
        let more = self.planned.len().saturating_sub(SHOWN_MAX);
        if more > 0 { writeln!(f, "… and {more} more") } else { Ok(()) }
    }
}
