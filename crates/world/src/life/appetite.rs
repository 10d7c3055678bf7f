//! What a pinner is tired of, and what they miss.

use crate::TOPICS;
use crate::plant::{DAY_MS, World};

/// Days until half of a topic's satiation is gone.
const FADES_DAYS: f32 = 3.0;
/// Pins of a topic after which a further one is worth 1/e. Who comes daily and sees 40 pins keeps two thirds
/// of the worth
/// where they are of four topics, and a quarter where they are of one.
const FULL: f32 = 150.0;
/// What a pin adds to the satiation of the other topics of its family.
const SPILL: f32 = 0.2;
/// What is left of a pin's worth for each pin of the same look among the latest.
const SAME_LOOK: f32 = 0.98;
/// How many of the latest pins are remembered by their look.
const LATEST: usize = 24;
/// Pins of a topic after which 1/e of the need for it is left.
const ENOUGH: f32 = 5.0;
/// No look.
const NONE: u16 = u16::MAX;

/// What a pinner has had of each topic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Appetite {
    /// Satiation by topic, in pins, as of `at_ms`.
    had: [f32; TOPICS.len()],
    at_ms: u64,
    /// Looks of the latest pins.
    latest: [u16; LATEST],
    next: u8,
    /// How much they want what was missed, 0 to 1.
    need: f32,
}

impl Appetite {
    pub(super) fn new(need: f32) -> Appetite {
        Appetite { had: [0.0; TOPICS.len()], at_ms: 0, latest: [NONE; LATEST], next: 0, need }
    }

    /// Lets time pass until `at_ms`.
    pub(super) fn wait(&mut self, at_ms: u64) {
        let days = at_ms.saturating_sub(self.at_ms) as f32 / DAY_MS as f32;
        let left = (-days / FADES_DAYS).exp2();
        self.had.iter_mut().for_each(|had| *had *= left);
        self.at_ms = self.at_ms.max(at_ms);
    }

    /// A pin of a topic and a look is seen, with a weight from 0 to 1.
    pub(super) fn see(&mut self, topic: usize, look: u16, weight: f32) {
        for (other, had) in self.had.iter_mut().enumerate() {
            if other == topic {
                *had += weight;
            } else if TOPICS[other].family == TOPICS[topic].family {
                *had += SPILL * weight;
            }
        }
        if weight >= 0.5 {
            self.latest[usize::from(self.next) % LATEST] = look;
            self.next = self.next.wrapping_add(1) % LATEST as u8;
        }
    }

    /// What a pin of each topic is worth now, against one that is neither tired of nor missed.
    pub(super) fn of_topics(&self) -> [f32; TOPICS.len()] {
        std::array::from_fn(|topic| self.of_topic(topic))
    }

    /// The same of one topic.
    pub(super) fn of_topic(&self, topic: usize) -> f32 {
        let had = self.had[topic];
        (-had / FULL).exp() * (1.0 + self.need * (-had / ENOUGH).exp())
    }

    /// What the look of a pin leaves of its worth.
    pub(super) fn of_look(&self, look: u16) -> f32 {
        let same = self.latest.iter().filter(|&&latest| latest == look).count();
        SAME_LOOK.powi(same as i32)
    }

    /// Satiation of a topic, in pins.
    #[cfg(test)]
    pub(super) fn had(&self, topic: usize) -> f32 {
        self.had[topic]
    }
}

impl World {
    /// The look of a pin: what is on it, in which colours.
    pub(super) fn look_of(&self, pin: u32) -> u16 {
        self.topic_of(pin) as u16 * crate::Mood::ALL.len() as u16 + self.mood_of(pin) as u16
    }
}
