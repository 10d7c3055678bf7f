//! The tables that walks count in.

use crate::Graph;
use domain::{BoardId, PinId};

/// Added to the visits of the starts, which are not looked for: no rule for stopping ever meets it.
const START: u32 = 1 << 31;

/// Tables that are used again from walk to walk: 12 bytes a pin, a bit a board and 4 bytes a step.
#[derive(Clone, Debug, Default)]
pub struct WalkScratch {
    /// Visits per pin, from all starts. Between walks all tables are zero.
    pub(crate) visits: Vec<u32>,
    /// The pins stepped onto, in order. Between walks it is empty.
    pub(crate) log: Vec<u32>,
    /// Visits per pin from the start that is being scored.
    from_one: Vec<u32>,
    scores: Vec<f32>,
    /// A bit per board that may not be stepped onto.
    excluded: Vec<u64>,
}

impl WalkScratch {
    /// Makes the tables fit the graph and notes the boards that may not be stepped onto.
    pub(crate) fn open(&mut self, graph: &Graph, excluded: &[BoardId]) {
        let (pins, words) = (graph.pins() as usize, (graph.boards() as usize).div_ceil(64));
        self.visits.resize(pins.max(self.visits.len()), 0);
        self.from_one.resize(pins.max(self.from_one.len()), 0);
        self.scores.resize(pins.max(self.scores.len()), 0.0);
        self.excluded.resize(words.max(self.excluded.len()), 0);
        for board in excluded {
            if let Some(word) = self.excluded.get_mut(board.index() / 64) {
                *word |= 1 << (board.0 % 64);
            }
        }
    }

    #[inline]
    pub(crate) fn is_excluded(&self, board: u32) -> bool {
        self.excluded.get(board as usize / 64).is_some_and(|word| word >> (board % 64) & 1 == 1)
    }

    /// Marks a pin that the walks start from.
    pub(crate) fn mark(&mut self, start: u32) {
        self.visits[start as usize] = START;
    }

    /// Turns the log into scores: visits, or with `boost` the squared sum of each start's square root of visits.
    pub(crate) fn score(&mut self, legs: &mut [Leg], boost: bool) {
        if !boost {
            self.log.iter().for_each(|&pin| self.scores[pin as usize] += 1.0);
            return;
        }
        legs.sort_by_key(|leg| leg.start);
        for of_start in legs.chunk_by(|a, b| a.start == b.start) {
            for leg in of_start {
                self.log[leg.log.clone()].iter().for_each(|&pin| self.from_one[pin as usize] += 1);
            }
            for leg in of_start {
                for &pin in &self.log[leg.log.clone()] {
                    let visits = std::mem::take(&mut self.from_one[pin as usize]);
                    self.scores[pin as usize] += (visits as f32).sqrt();
                }
            }
        }
    }

    /// The visited pins and their scores, without the starts; clears all tables.
    pub(crate) fn close(&mut self, starts: impl Iterator<Item = u32>, excluded: &[BoardId]) -> Vec<(PinId, f32)> {
        let mut found = Vec::new();
        for pin in self.log.drain(..) {
            let score = std::mem::take(&mut self.scores[pin as usize]);
            if score > 0.0 && self.visits[pin as usize] < START {
                found.push((PinId(pin), score));
                self.visits[pin as usize] = 0;
            }
        }
        starts.for_each(|pin| self.visits[pin as usize] = 0);
        for board in excluded {
            if let Some(word) = self.excluded.get_mut(board.index() / 64) {
                *word = 0;
            }
        }
        found
    }
}

/// A part of the log: steps of walks from one start.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    pub(crate) start: u32,
    pub(crate) log: std::ops::Range<usize>,
}
