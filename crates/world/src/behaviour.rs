//! What a pinner does when they see a pin: the truth that everything else tries to find.

use domain::{Action, Rng, Surface};

use crate::TOPICS;
use crate::plant::World;
use crate::query::{Query, queries};
use crate::taste::dot;

/// What a pinner did with one pin that was shown to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reaction {
    /// Whether they looked at it at all.
    pub examined: bool,
    /// What they did, in order, with the dwell time in ms of close-ups and clicks (0 for the rest).
    pub acts: Vec<(Action, f32)>,
}

const BIAS: f32 = -5.9;
const MATCH: f32 = 6.2;
const QUALITY: f32 = 0.5;
/// How fast eyes get tired: the chance to examine position p is 1 / (1 + TIRED · p).
const TIRED: f32 = 0.045;
/// What is left of an affinity for a pin of a topic near the one that is looked for, and for any other.
const RELATED: f32 = 0.5;
const ASTRAY: f32 = 0.1;

impl World {
    /// The true probability that the pinner saves the pin once they look at it.
    ///
    /// # Panics
    /// When there is no such pinner or pin.
    pub fn affinity(&self, pinner: u32, pin: u32) -> f32 {
        let planted = &self.pins[pin as usize];
        chance(self.likeness(pinner, pin), planted.quality)
    }

    /// The probability that a pin at this position (from 0) is looked at.
    pub fn examination(&self, surface: Surface, position: u16) -> f32 {
        let tired = if surface == Surface::Search { TIRED * 2.0 } else { TIRED };
        1.0 / (1.0 + tired * f32::from(position))
    }

    /// Which part of their affinity a pinner has left for a pin while they look for a topic: all of it when it fits, or
    /// when they look for none.
    pub fn fit(&self, wanted: Option<usize>, pin: u32) -> f32 {
        let topic = self.topic_of(pin);
        match wanted {
            Some(wanted) if wanted == topic => 1.0,
            Some(wanted) if TOPICS[wanted].family == TOPICS[topic].family => RELATED,
            Some(_) => ASTRAY,
            None => 1.0,
        }
    }

    /// Lets the pinner see the pin at this position of a surface, while they look for a topic: that of the words they
    /// typed, or of the pin beside which it is shown. All that is random comes from `rng`.
    pub fn react(
        &self,
        pinner: u32,
        pin: u32,
        (surface, position): (Surface, u16),
        wanted: Option<usize>,
        rng: &mut Rng,
    ) -> Reaction {
        if rng.uniform() >= self.examination(surface, position) {
            return Reaction::default();
        }
        let fit = self.fit(wanted, pin);
        let like = fit * self.affinity(pinner, pin);
        Reaction { examined: true, acts: acts(like, fit, self.likeness(pinner, pin), rng) }
    }

    /// Every search that the world's pinners make, with what is meant.
    pub fn queries(&self) -> Vec<Query> {
        queries()
    }

    /// How near the pin lies to the nearest taste, −1 to 1.
    pub(crate) fn likeness(&self, pinner: u32, pin: u32) -> f32 {
        let point = &self.pins[pin as usize].point;
        let tastes = &self.pinners[pinner as usize].tastes;
        tastes.iter().map(|taste| dot(&taste.point, point)).fold(-1.0, f32::max)
    }
}

/// What is done with a pin that was looked at: `like` is the chance of a save, `fit` how well it answers what is looked
/// for (0 to 1), `likeness` how near it lies to a taste (−1 to 1).
pub(crate) fn acts(like: f32, fit: f32, likeness: f32, rng: &mut Rng) -> Vec<(Action, f32)> {
    let mut acts = Vec::new();
    if rng.uniform() < 0.04 * fit + 0.85 * like {
        acts.push((Action::Closeup, dwell_ms(2_500.0 + 9_000.0 * like, rng)));
        if rng.uniform() < 0.15 + 0.4 * like {
            acts.push(visit(like, rng));
        }
    }
    if rng.uniform() < like {
        acts.push((Action::Save, 0.0));
        if rng.uniform() < 0.08 {
            acts.push((Action::Share, 0.0));
        }
    } else if rng.uniform() < 0.03 * (1.0 - likeness).clamp(0.0, 1.0).powi(2) {
        acts.push((Action::Hide, 0.0));
    }
    acts
}

/// The true chance of a save of a pin of some quality that lies so near to a taste.
pub(crate) fn chance(likeness: f32, quality: f32) -> f32 {
    sigmoid(BIAS + MATCH * likeness + QUALITY * quality)
}

/// A click; a long one when the page behind it holds them for half a minute.
fn visit(like: f32, rng: &mut Rng) -> (Action, f32) {
    const LONG_MS: f32 = 30_000.0;
    let stay_ms = dwell_ms(12_000.0 + 45_000.0 * like, rng);
    (if stay_ms >= LONG_MS { Action::LongClick } else { Action::Click }, stay_ms)
}

/// Log-normal around a median, at most ten minutes.
fn dwell_ms(median_ms: f32, rng: &mut Rng) -> f32 {
    (median_ms * (0.6 * rng.normal()).exp()).min(600_000.0).round()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
