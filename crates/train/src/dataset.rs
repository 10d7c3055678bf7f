use std::collections::HashSet;

use domain::{Act, ActionSet, HEAD_COUNT, PinId, PinnerId, Surface};

use crate::TrainError;

/// What a pinner did.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Who.
    pub pinner: PinnerId,
    /// What, in any order; only positive acts are learned from.
    pub acts: Vec<Act>,
    /// What they were shown, in any order, and what came of it.
    pub shown: Vec<Shown>,
}

/// A pin that a pinner was shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// When (ms, UTC); what came of it may carry the same moment, and is not known before.
    pub ts_ms: u64,
    /// Which pin.
    pub pin: PinId,
    /// Where.
    pub surface: Surface,
    /// What was done to it then; empty when nothing was.
    pub done: ActionSet,
}

/// What a model is learned from. Pins are `0..pins`.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// How many pins the catalogue has.
    pub pins: usize,
    /// Width of content vectors; 0 when there are none.
    pub content_dim: usize,
    /// Version of the content embedding space.
    pub content_space: u32,
    /// `pins × content_dim`; a row of zeros is a pin without content.
    pub content: Vec<f32>,
    /// Per pin the pins saved together with it, best first; may be empty as a whole.
    pub neighbours: Vec<Vec<PinId>>,
    /// Per pin numbers of its topics; may be empty as a whole.
    pub topics: Vec<Box<[u32]>>,
    /// Per pinner what they did.
    pub histories: Vec<History>,
    /// When each head's act was first seen anywhere (ms, UTC), in the order of [`domain::HEADS`]: what was shown before
    /// says nothing of it.
    pub known_from_ms: [u64; HEAD_COUNT],
}

impl Dataset {
    /// A pin's content vector; empty when it has none.
    #[inline]
    pub fn content_of(&self, pin: PinId) -> &[f32] {
        let row = self.content.get(pin.index() * self.content_dim..(pin.index() + 1) * self.content_dim);
        row.filter(|row| row.iter().any(|value| *value != 0.0)).unwrap_or(&[])
    }

    /// A pin's neighbours, at most `count`.
    #[inline]
    pub fn neighbours_of(&self, pin: PinId, count: usize) -> &[PinId] {
        let all = self.neighbours.get(pin.index()).map_or(&[][..], Vec::as_slice);
        &all[..all.len().min(count)]
    }

    /// Numbers of a pin's topics.
    #[inline]
    pub fn topics_of(&self, pin: PinId) -> &[u32] {
        self.topics.get(pin.index()).map_or(&[], |topics| topics)
    }

    /// Whether the parts fit together.
    pub fn check(&self) -> Result<(), TrainError> {
        let bad = |reason: String| Err(TrainError::Data(reason));
        if self.content.len() != self.pins * self.content_dim {
            let (found, dim) = (self.content.len(), self.content_dim);
            return bad(format!("{found} content values for {} pins of width {dim}", self.pins));
        }
        if self.content.iter().any(|value| !value.is_finite()) {
            return bad("a content value is not a finite number".into());
        }
        if !self.neighbours.is_empty() && self.neighbours.len() != self.pins {
            return bad(format!("neighbours of {} pins, but there are {}", self.neighbours.len(), self.pins));
        }
        if !self.topics.is_empty() && self.topics.len() != self.pins {
            return bad(format!("topics of {} pins, but there are {}", self.topics.len(), self.pins));
        }
        let acted = self.histories.iter().flat_map(|history| &history.acts).map(|act| act.pin);
        let shown = self.histories.iter().flat_map(|history| &history.shown).map(|shown| shown.pin);
        let near = self.neighbours.iter().flatten().copied();
        match acted.chain(shown).chain(near).find(|pin| pin.index() >= self.pins) {
            Some(pin) => bad(format!("pin {} is named, but there are {} pins", pin.0, self.pins)),
            None => Ok(()),
        }
    }

    /// Per pinner the acts that teach something: positive, each pin and action once (the first time), in order of time.
    pub(crate) fn stories(&self) -> Vec<History> {
        let mut stories: Vec<History> = self.histories.iter().map(story).collect();
        stories.sort_by_key(|story| story.pinner);
        stories
    }
}

fn story(history: &History) -> History {
    let mut acts: Vec<Act> = history.acts.iter().filter(|act| act.action.is_positive()).copied().collect();
    acts.sort_by_key(|act| act.ts_ms);
    let mut known = HashSet::new();
    acts.retain(|act| known.insert((act.pin, act.action)));
    let mut shown = history.shown.clone();
    shown.sort_by_key(|shown| (shown.ts_ms, shown.surface));
    History { pinner: history.pinner, acts, shown }
}
