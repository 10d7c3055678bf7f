//! The steps themselves.

use crate::adjacency::NOWHERE;
use crate::scratch::{Leg, WalkScratch};
use crate::{Graph, WalkConfig};
use domain::{Rng, hash64};
use std::hint::select_unpredictable;

/// Walks that step side by side, so that one's wait for memory is another's work.
const SIDE_BY_SIDE: usize = 16;
/// How often a board is drawn anew when it is one that may not be stepped onto.
const DRAWS_MAX: usize = 8;
/// How often it is looked whether to stop early.
const ROUNDS: u64 = 16;
/// 2⁶⁴ by the golden ratio: its multiples are spread as evenly as any.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Takes each start's steps, a part of them per round, and logs them. Whether they stopped early.
pub(crate) fn step_all(
    graph: &Graph,
    shares: &[Share],
    config: &WalkConfig,
    scratch: &mut WalkScratch,
) -> (Vec<Leg>, bool) {
    shares.iter().for_each(|share| scratch.mark(share.pin));
    scratch.log.reserve(shares.iter().map(|share| share.steps as usize).sum());
    let go_on = (f64::from(config.continue_chance).clamp(0.0, 1.0) * u64::MAX as f64) as u64;
    let stop_visits = config.stop_visits.max(1);
    let mut walks = Walks { graph, scratch, rng: Rng::new(config.seed), go_on, stop_visits, reached: 0 };
    let rounds = if config.stop_pins == 0 { 1 } else { ROUNDS };
    let mut places: Vec<u64> = shares.iter().map(|share| hash64(config.seed ^ u64::from(share.pin))).collect();
    let mut legs = Vec::with_capacity(shares.len() * rounds as usize);
    for round in 0..rounds {
        for (share, place) in shares.iter().zip(&mut places) {
            let until = |round: u64| (u64::from(share.steps) * round / rounds) as u32;
            let from = walks.scratch.log.len();
            walks.leg(share.pin, until(round + 1) - until(round), place);
            legs.push(Leg { start: share.pin, log: from..walks.scratch.log.len() });
        }
        if config.stop_pins > 0 && walks.reached >= config.stop_pins && round + 1 < rounds {
            return (legs, true);
        }
    }
    (legs, false)
}

/// How many steps a start gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) pin: u32,
    pub(crate) steps: u32,
}

/// Walks in progress.
struct Walks<'a> {
    graph: &'a Graph,
    scratch: &'a mut WalkScratch,
    rng: Rng,
    /// Chance to go on after a step, of 2⁶⁴.
    go_on: u64,
    stop_visits: u32,
    /// Pins that came to `stop_visits`.
    reached: u32,
}

impl Walks<'_> {
    /// `steps` steps of walks from `start`; each goes back there when it ends.
    fn leg(&mut self, start: u32, steps: u32, place: &mut u64) {
        let side = SIDE_BY_SIDE as u32;
        let mut at = [start; SIDE_BY_SIDE];
        (0..steps / side).for_each(|_| self.step(start, &mut at, place));
        let [mut last, ..] = at;
        (0..steps % side).for_each(|_| self.step(start, std::array::from_mut(&mut last), place));
    }

    /// One step of each walk, in phases that all walks do together, so that their loads do not wait for each other.
    /// First steps are not drawn but spread evenly over the start's boards and their pins (`place` moves on by the
    /// golden ratio), which takes noise out of the scores.
    #[inline]
    fn step<const WALKS: usize>(&mut self, start: u32, at: &mut [u32; WALKS], place: &mut u64) {
        let (mut to, mut chances) = ([NOWHERE; WALKS], [0; WALKS]);
        for walk in 0..WALKS {
            let drawn = self.rng.next_u64();
            let first = at[walk] == start;
            *place = place.wrapping_add(u64::from(first) * GOLDEN);
            chances[walk] = select_unpredictable(first, *place, drawn);
        }
        let (pins, boards) = self.graph.directions();
        for walk in 0..WALKS {
            (to[walk], chances[walk]) = pins.draw(at[walk], chances[walk]);
        }
        to = to.map(|entry| pins.entry(entry));
        for walk in 0..WALKS {
            if self.scratch.is_excluded(to[walk]) {
                to[walk] = self.draw_again(at[walk]);
            }
        }
        for walk in 0..WALKS {
            (to[walk], chances[walk]) = boards.draw(to[walk], chances[walk]);
        }
        to = to.map(|entry| boards.entry(entry));
        for walk in 0..WALKS {
            let Some(visits) = self.scratch.visits.get_mut(to[walk] as usize) else {
                at[walk] = start;
                continue;
            };
            at[walk] = select_unpredictable(chances[walk] < self.go_on, to[walk], start);
            *visits += 1;
            self.reached += u32::from(*visits == self.stop_visits);
            self.scratch.log.push(to[walk]);
        }
    }

    /// A board that may be stepped onto, if a few draws find one.
    #[cold]
    fn draw_again(&mut self, pin: u32) -> u32 {
        for _ in 0..DRAWS_MAX {
            let pins = self.graph.directions().0;
            let board = pins.entry(pins.draw(pin, self.rng.next_u64()).0);
            if !self.scratch.is_excluded(board) {
                return board;
            }
        }
        NOWHERE
    }
}
