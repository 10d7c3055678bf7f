//! The state of all pinners and pins.

use crate::Horizon;
use crate::counters::Counters;
use crate::pinner::PinnerState;
use crate::popular::Popular;
use domain::{Act, Action, BoardId, PinId, PinnerId};

/// All that is known right now of all pinners and pins, as columns over their dense ids. Grows to the ids it is given.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    pub(crate) pinners: Vec<Option<Box<PinnerState>>>,
    pub(crate) counters: Counters,
    pub(crate) popular: Popular,
}

impl Signals {
    /// Nothing is known yet.
    pub fn new() -> Signals {
        Signals::default()
    }

    /// Takes in one act: positive, negative or an impression, in any order of time.
    pub fn apply(&mut self, pinner: PinnerId, act: &Act) {
        let value = if act.value.is_finite() { act.value.max(0.0) } else { 0.0 };
        self.counters.add(act.pin, act.action, act.ts_ms);
        self.popular.add(act.pin, act.action, act.ts_ms);
        self.slot(pinner).get_or_insert_default().apply(&Act { value, ..*act });
    }

    /// The pinner's last positive acts in order of time, newest last, at most [`crate::SEQUENCE_MAX`]. An action done
    /// again to the same pin stands where it was done last.
    pub fn history(&self, pinner: PinnerId) -> &[Act] {
        self.pinner(pinner).map_or(&[], |state| &state.history)
    }

    /// Whether the pin was lately shown to the pinner, or they acted on it.
    pub fn seen(&self, pinner: PinnerId, pin: PinId) -> bool {
        self.pinner(pinner).is_some_and(|state| state.seen.has(pin.0))
    }

    /// Whether the pinner saved the pin.
    pub fn saved(&self, pinner: PinnerId, pin: PinId) -> bool {
        self.pinner(pinner).is_some_and(|state| state.saved.has(pin.0))
    }

    /// How many pins the pinner has saved and how many they have seen, about: a pin that is known from two generations
    /// counts twice.
    pub fn known(&self, pinner: PinnerId) -> (usize, usize) {
        self.pinner(pinner).map_or((0, 0), |state| (state.saved.len(), state.seen.len()))
    }

    /// Whether the pinner hid or reported the pin.
    pub fn hidden(&self, pinner: PinnerId, pin: PinId) -> bool {
        self.pinner(pinner).is_some_and(|state| state.hidden.has(pin.0))
    }

    /// Boards that the pinner saved to, the one used last at the end, at most [`crate::BOARDS_MAX`].
    pub fn boards_of(&self, pinner: PinnerId) -> &[BoardId] {
        self.pinner(pinner).map_or(&[], |state| &state.boards)
    }

    /// How often `action` happened to the pin lately: each act counts `2^(-age / half-life)` at `now_ms`.
    pub fn counter(&self, pin: PinId, action: Action, horizon: Horizon, now_ms: u64) -> f32 {
        self.counters.recent(pin, action, horizon, now_ms)
    }

    /// How often `action` ever happened to the pin.
    pub fn total(&self, pin: PinId, action: Action) -> u32 {
        self.counters.total(pin, action)
    }

    /// The `k` most popular pins (at most [`crate::POPULAR_MAX`]), best first, ties by id, with their weighted count of
    /// positive acts that decays with a half-life of a week. Always up to date, one pass over `k` entries.
    pub fn popular(&self, now_ms: u64, k: usize) -> Vec<(PinId, f32)> {
        self.popular.best(now_ms, k)
    }

    fn pinner(&self, pinner: PinnerId) -> Option<&PinnerState> {
        self.pinners.get(pinner.index())?.as_deref()
    }

    fn slot(&mut self, pinner: PinnerId) -> &mut Option<Box<PinnerState>> {
        if self.pinners.len() <= pinner.index() {
            self.pinners.resize_with(pinner.index() + 1, || None);
        }
        &mut self.pinners[pinner.index()]
    }
}

#[cfg(test)]
mod tests;
