//! Pinners who live: tastes drift, topics are tired of and missed, patience runs out, who was bored comes less often.
//!
//! Everything is a function of the world's seed, of the state in [`Life`] and of what was shown. All constants stand in
//! the file of what they rule, and were chosen for plausibility, not for an outcome. What the parts are modelled on:
//!
//! * **drift** (`drift.rs`): each taste moves around where it was planted and comes and goes in strength, in weeks;
//! * **appetite** (`appetite.rs`): seeing pins of a topic adds to a trace that fades in days and divides what further
//!   ones are worth (linear satiation: Leqi, Kilinc-Karzan, Lipton and Montgomery, Rebounding Bandits, NeurIPS 2021);
//!   the same look right after itself is worth less, a topic that was missed is worth more;
//! * **position bias** ([`World::examination`]) decides what is looked at, **patience** (`visit.rs`) how far
//!   one scrolls;
//! * **return** (`return.rs`): hours follow time zone and habit, the chance of a visit follows what visits were worth;
//! * **notifications** (`notified.rs`): a good one is opened, too many tire, and who is tired unsubscribes.
//!
//! The **true value** of a pin to a pinner at a moment is `chance of a save as of today × appetite × fit` (fit: how
//! well it answers what is looked for; a pin that was seen before is worth a tenth). The true value of a visit is the
//! sum over the pins that were looked at. The **best** a page could have been is judged on the state in which it was
//! asked for: a greedy slate of as many pins as were scrolled past, by the same value, of all pins that exist
//! (`best.rs`). Regret is what it would have been worth minus what the shown page was worth, both expected over what
//! is looked at. The greedy slate thinks of this page only, not of tomorrow.

mod appetite;
mod best;
mod drift;
mod notified;
mod r#return;
mod visit;

pub use notified::Response;
pub use visit::{Visit, VisitTruth, Want};

use appetite::Appetite;
use domain::Rng;

use crate::plant::World;

/// What changes in a pinner: some 200 bytes, and four for each pin that they looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    appetite: Appetite,
    /// Pins that they scroll past in a usual visit.
    patience: f32,
    /// How much they expect of a visit, 0 to 1.
    attachment: f32,
    /// Notifications that they are tired of, and when that was (ms, UTC).
    fatigue: f32,
    fatigue_ms: u64,
    subscribed: bool,
    /// Pins that they looked at, sorted.
    known: Vec<u32>,
}

/// How attached a pinner is who has seen nothing yet.
const ATTACHMENT: f32 = 0.5;
/// Pins that a pinner scrolls past in a usual visit: the median, and how far pinners are apart (of the logarithm).
const PATIENCE: (f32, f32) = (30.0, 0.4);
/// How much the worth of missed topics rises at most, by pinner.
const NEED_MAX: f32 = 0.4;
/// Most pins that are remembered; of a fuller memory, half is forgotten.
const KNOWN_MAX: usize = 8_192;

impl Life {
    /// A pinner who has just joined, by their number.
    pub fn new(world: &World, pinner: u32) -> Life {
        let mut rng = Rng::new(world.seed_of(25, u64::from(pinner)));
        Life {
            appetite: Appetite::new(NEED_MAX * rng.uniform()),
            patience: PATIENCE.0 * (PATIENCE.1 * rng.normal()).exp(),
            attachment: ATTACHMENT,
            fatigue: 0.0,
            fatigue_ms: 0,
            subscribed: true,
            known: Vec::new(),
        }
    }

    /// How much they expect of a visit, 0 to 1: it decides how often they come.
    pub fn attachment(&self) -> f32 {
        self.attachment
    }

    /// Whether they looked at the pin before.
    pub fn knows(&self, pin: u32) -> bool {
        self.known.binary_search(&pin).is_ok()
    }

    fn learn(&mut self, pin: u32) {
        if let Err(place) = self.known.binary_search(&pin) {
            self.known.insert(place, pin);
        }
        if self.known.len() > KNOWN_MAX {
            let mut place = 0;
            self.known.retain(|_| (place += 1, place % 2 == 0).1);
        }
    }
}

impl World {
    /// Everybody's state at the beginning, by number; those who have not joined yet are among them.
    pub fn lives(&self) -> Vec<Life> {
        (0..self.pinners.len() as u32).map(|pinner| Life::new(self, pinner)).collect()
    }
}

#[cfg(test)]
mod tests;
