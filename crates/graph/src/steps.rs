//! The steps themselves.

use crate::scratch::{Leg, WalkScratch};
use crate::{Graph, WalkConfig};
use domain::Rng;

/// Walks that step side by side, so that one's wait for memory is another's work.
const SIDE_BY_SIDE: usize = 8;
/// How often a board is drawn anew when it is one that may not be stepped onto.
const DRAWS_MAX: usize = 8;
/// How often it is looked whether to stop early.
const ROUNDS: u64 = 16;
const NOWHERE: u32 = u32::MAX;

/// Takes each start's steps, a part of them per round, and logs them. Whether they stopped early.
pub(crate) fn step_all(
    graph: &Graph,
    shares: &[(u32, u32)],
    config: &WalkConfig,
    scratch: &mut WalkScratch,
) -> (Vec<Leg>, bool) {
    shares.iter().for_each(|&(start, _)| scratch.mark(start));
    scratch.log.reserve(shares.iter().map(|share| share.1 as usize).sum());
    let go_on = (f64::from(config.continue_chance).clamp(0.0, 1.0) * u64::MAX as f64) as u64;
    let stop_visits = config.stop_visits.max(1);
    let mut walks = Walks { graph, scratch, rng: Rng::new(config.seed), go_on, stop_visits, reached: 0 };
    let rounds = if config.stop_pins == 0 { 1 } else { ROUNDS };
    let mut legs = Vec::with_capacity(shares.len() * rounds as usize);
    for round in 0..rounds {
        for &(start, steps) in shares {
            let until = |round: u64| (u64::from(steps) * round / rounds) as u32;
            let from = walks.scratch.log.len();
            walks.leg(start, until(round + 1) - until(round));
            legs.push(Leg { start, log: from..walks.scratch.log.len() });
        }
        if config.stop_pins > 0 && walks.reached >= config.stop_pins && round + 1 < rounds {
            return (legs, true);
        }
    }
    (legs, false)
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
    fn leg(&mut self, start: u32, steps: u32) {
        let side = SIDE_BY_SIDE as u32;
        let mut at = [start; SIDE_BY_SIDE];
        (0..steps / side).for_each(|_| self.step(start, &mut at));
        let [mut last, ..] = at;
        (0..steps % side).for_each(|_| self.step(start, std::array::from_mut(&mut last)));
    }

    /// One step of each walk. First all boards are drawn and then all pins, so that the loads do not wait for each other.
    #[inline]
    fn step<const WALKS: usize>(&mut self, start: u32, at: &mut [u32; WALKS]) {
        let (mut boards, mut chances) = ([NOWHERE; WALKS], [0; WALKS]);
        for walk in 0..WALKS {
            (boards[walk], chances[walk]) = draw(self.graph.boards_at(at[walk]), self.rng.next_u64());
        }
        for walk in 0..WALKS {
            if self.scratch.is_excluded(boards[walk]) {
                boards[walk] = self.draw_again(at[walk]);
            }
        }
        for walk in 0..WALKS {
            let (pin, chance) = draw(self.graph.pins_at(boards[walk]), chances[walk]);
            at[walk] = if chance < self.go_on && pin != NOWHERE { pin } else { start };
            if let Some(visits) = self.scratch.visits.get_mut(pin as usize) {
                *visits += 1;
                self.reached += u32::from(*visits == self.stop_visits);
                self.scratch.log.push(pin);
            }
        }
    }

    /// A board that may be stepped onto, if a few draws find one.
    #[cold]
    fn draw_again(&mut self, pin: u32) -> u32 {
        for _ in 0..DRAWS_MAX {
            let (board, _) = draw(self.graph.boards_at(pin), self.rng.next_u64());
            if !self.scratch.is_excluded(board) {
                return board;
            }
        }
        NOWHERE
    }
}

/// One of a list's entries by a uniform chance, and the chance left over: uniform again, for the next draw.
#[inline]
fn draw(list: &[u32], chance: u64) -> (u32, u64) {
    let wide = u128::from(chance) * list.len() as u128;
    (list.get((wide >> 64) as usize).copied().unwrap_or(NOWHERE), wide as u64)
}
