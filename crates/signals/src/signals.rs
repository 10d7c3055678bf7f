//! The state of all pinners and pins.

use crate::counters::{Dense, Hashed};
use crate::pinner::PinnerState;
use crate::popular::Popular;
use crate::{Horizon, Shown, Tally};
use domain::{Act, Action, BoardId, PinId, PinnerId, Surface, hash64};

/// Most pairs of query and pin in each of two generations.
const QUERY_PINS_MAX: usize = 1 << 17;

/// What an act is about besides its pin; numbers of the catalogue, as far as they are known when the act is counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// Who made the pin.
    pub creator: Option<u32>,
    /// What the pin is about.
    pub topics: &'a [u32],
    /// The query it was found with, as [`query_key`] makes it.
    pub query: Option<u64>,
}

/// The number of a query: the same for the same words in any case.
pub fn query_key(query: &str) -> u64 {
    query.trim().chars().flat_map(char::to_lowercase).fold(7, |key, letter| hash64(key ^ u64::from(letter)))
}

/// All that is known right now of all pinners and pins, as columns over their dense ids. Grows to the ids it is given.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    pub(crate) pinners: Vec<Option<Box<PinnerState>>>,
    pub(crate) counters: Counters,
    pub(crate) popular: Popular,
}

/// How often what happened, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) pins: Dense,
    pub(crate) creators: Dense,
    pub(crate) topics: Dense,
    pub(crate) pinners: Dense,
    pub(crate) surfaces: Dense,
    pub(crate) query_pins: Hashed,
}

impl Counters {
    fn add(&mut self, pinner: PinnerId, act: &Act, about: &About<'_>) {
        self.pins.add(act.pin.0, act);
        self.pinners.add(pinner.0, act);
        self.surfaces.add(u32::from(act.surface.code()), act);
        about.creator.iter().for_each(|&creator| self.creators.add(creator, act));
        about.topics.iter().for_each(|&topic| self.topics.add(topic, act));
        about.query.iter().for_each(|&query| self.query_pins.add(pair(query, act.pin), act, QUERY_PINS_MAX));
    }

    /// The counts by dense number.
    pub(crate) fn dense(&self) -> [&Dense; 5] {
        [&self.pins, &self.creators, &self.topics, &self.pinners, &self.surfaces]
    }
}

fn pair(query: u64, pin: PinId) -> u64 {
    hash64(query ^ hash64(u64::from(pin.0)))
}

impl Signals {
    /// Nothing is known yet.
    pub fn new() -> Signals {
        Signals::default()
    }

    /// Takes in one act: positive, negative or an impression, in any order of time. A value that is not a number is
    /// not known.
    pub fn apply(&mut self, pinner: PinnerId, act: &Act, about: &About<'_>) {
        self.counters.add(pinner, act, about);
        self.popular.add(act.pin, act.action, act.ts_ms);
        let value = if act.value.is_finite() { act.value.max(0.0) } else { 0.0 };
        self.slot(pinner).get_or_insert_default().apply(&Act { value, ..*act });
    }

    /// The pinner's last positive acts in order of time, newest last, at most [`crate::SEQUENCE_MAX`]. An action done
    /// again to the same pin stands where it was done last.
    pub fn history(&self, pinner: PinnerId) -> &[Act] {
        self.state(pinner).map_or(&[], |state| &state.history)
    }

    /// Pins that the pinner liked before those acts, in order of time, newest last, at most [`crate::LIFELONG_MAX`].
    pub fn lifelong(&self, pinner: PinnerId) -> &[Shown] {
        self.state(pinner).map_or(&[], |state| &state.lifelong)
    }

    /// The pinner's last negative acts likewise, at most [`crate::NEGATIVES_MAX`].
    pub fn negatives(&self, pinner: PinnerId) -> &[Act] {
        self.state(pinner).map_or(&[], |state| &state.negatives)
    }

    /// What the pinner was shown lately, newest last, at most [`crate::SHOWN_MAX`] impressions; ties by pin.
    pub fn shown(&self, pinner: PinnerId) -> &[Shown] {
        self.state(pinner).map_or(&[], |state| &state.shown)
    }

    /// Whether the pin was lately shown to the pinner, or they acted on it.
    pub fn seen(&self, pinner: PinnerId, pin: PinId) -> bool {
        self.state(pinner).is_some_and(|state| state.seen.has(pin.0))
    }

    /// Whether the pinner saved the pin.
    pub fn saved(&self, pinner: PinnerId, pin: PinId) -> bool {
        self.state(pinner).is_some_and(|state| state.saved.has(pin.0))
    }

    /// How many pins the pinner has saved and how many they have seen, about: a pin that is known from two generations
    /// counts twice.
    pub fn known(&self, pinner: PinnerId) -> (usize, usize) {
        self.state(pinner).map_or((0, 0), |state| (state.saved.len(), state.seen.len()))
    }

    /// Whether the pinner hid or reported the pin.
    pub fn hidden(&self, pinner: PinnerId, pin: PinId) -> bool {
        self.state(pinner).is_some_and(|state| state.hidden.has(pin.0))
    }

    /// Boards that the pinner saved to, the one used last at the end, at most [`crate::BOARDS_MAX`].
    pub fn boards_of(&self, pinner: PinnerId) -> &[BoardId] {
        self.state(pinner).map_or(&[], |state| &state.boards)
    }

    /// What happened to a pin, as of `now_ms`.
    pub fn pin(&self, pin: PinId, now_ms: u64) -> Tally {
        self.counters.pins.read(pin.0, now_ms)
    }

    /// What happened to pins of a creator (its number in the catalogue).
    pub fn creator(&self, creator: u32, now_ms: u64) -> Tally {
        self.counters.creators.read(creator, now_ms)
    }

    /// What happened to pins of a topic (its number in the catalogue).
    pub fn topic(&self, topic: u32, now_ms: u64) -> Tally {
        self.counters.topics.read(topic, now_ms)
    }

    /// What a pinner did and was shown.
    pub fn pinner(&self, pinner: PinnerId, now_ms: u64) -> Tally {
        self.counters.pinners.read(pinner.0, now_ms)
    }

    /// What happened on a surface.
    pub fn surface(&self, surface: Surface, now_ms: u64) -> Tally {
        self.counters.surfaces.read(u32::from(surface.code()), now_ms)
    }

    /// What happened to a pin when it was found with a query: [`Horizon::Ever`] only.
    pub fn query_pin(&self, query: u64, pin: PinId, now_ms: u64) -> Tally {
        self.counters.query_pins.read(pair(query, pin), now_ms)
    }

    /// How often `action` (an impression or the act of a head) ever happened to the pin.
    pub fn total(&self, pin: PinId, action: Action) -> u32 {
        self.pin(pin, 0).count(action, Horizon::Ever) as u32
    }

    /// The `k` most popular pins (at most [`crate::POPULAR_MAX`]), best first, ties by id, with their weighted count of
    /// positive acts that decays with a half-life of a week. Always up to date, one pass over `k` entries.
    pub fn popular(&self, now_ms: u64, k: usize) -> Vec<(PinId, f32)> {
        self.popular.best(now_ms, k)
    }

    fn state(&self, pinner: PinnerId) -> Option<&PinnerState> {
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
