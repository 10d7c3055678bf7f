//! The steps themselves.

use crate::direction::{Direction, NO_ENTRY};
use crate::excluded::Excluded;
use crate::packed::NOWHERE;
use domain::hash64;
use std::hint::select_unpredictable;

/// Walks that step side by side, so that one's wait for memory is another's work.
pub(crate) const LANES: usize = 64;
/// How often a board is drawn anew when it is one that may not be stepped onto.
const DRAWS_MAX: usize = 8;
/// 2⁶⁴ by the golden ratio: its multiples are spread as evenly as any.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many steps a start gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    /// The start by id: what is drawn depends on it.
    pub(crate) pin: u32,
    /// And by place.
    pub(crate) place: u32,
    pub(crate) steps: u32,
}

/// Steps of a share that one lane takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) share: u32,
    /// Steps of the share before these.
    pub(crate) first: u32,
    pub(crate) steps: u32,
}

/// Pieces of all lanes, lane by lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) pieces: Vec<Piece>,
    /// Where each lane's pieces end.
    pub(crate) ends: Vec<usize>,
}

impl Plan {
    /// The steps between two of `parts` equal parts, dealt out evenly: each lane takes a slice of them, in the order of
    /// the shares.
    pub(crate) fn part(shares: &[Share], [from, to]: [u64; 2], parts: u64) -> Plan {
        let until = |share: &Share, end: u64| (u64::from(share.steps) * end / parts) as u32;
        let part = |share: &Share| until(share, to) - until(share, from);
        let total: u64 = shares.iter().map(|share| u64::from(part(share))).sum();
        let mut plan = Plan { pieces: Vec::with_capacity(shares.len() + LANES), ends: Vec::with_capacity(LANES) };
        let (mut of_share, mut done, mut taken) = (0, 0, 0);
        for lane in 1..=LANES as u64 {
            let mut wanted = (total * lane / LANES as u64 - taken) as u32;
            taken += u64::from(wanted);
            while wanted > 0 {
                let share = &shares[of_share];
                let steps = wanted.min(part(share) - done);
                if steps > 0 {
                    let first = until(share, from) + done;
                    plan.pieces.push(Piece { share: of_share as u32, first, steps });
                }
                (wanted, done) = (wanted - steps, done + steps);
                if done == part(share) {
                    (of_share, done) = (of_share + 1, 0);
                }
            }
            plan.ends.push(plan.pieces.len());
        }
        plan
    }

    /// The steps of whole shares, dealt out in turn: no share is taken by two lanes, so that what it leads to does not
    /// depend on the others.
    pub(crate) fn whole(shares: &[Share]) -> Plan {
        let mut plan = Plan::default();
        for lane in 0..LANES {
            let of_lane = (lane..shares.len()).step_by(LANES).filter(|&share| shares[share].steps > 0);
            let whole = |share: usize| Piece { share: share as u32, first: 0, steps: shares[share].steps };
            plan.pieces.extend(of_lane.map(whole));
            plan.ends.push(plan.pieces.len());
        }
        plan
    }
}

/// What all walks keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) to_boards: Direction<'a>,
    pub(crate) to_pins: Direction<'a>,
    pub(crate) excluded: &'a Excluded,
    pub(crate) shares: &'a [Share],
    /// Chance to go on after a step, of 2⁶⁴.
    pub(crate) go_on: u64,
    pub(crate) seed: u64,
}

/// A chance as a part of 2⁶⁴.
pub(crate) fn of_all(chance: f32) -> u64 {
    (f64::from(chance).clamp(0.0, 1.0) * u64::MAX as f64) as u64
}

/// Walks in progress.
pub(crate) struct Walks<'a> {
    rules: Rules<'a>,
    at: [u32; LANES],
    lanes: [Lane; LANES],
    /// Where each share's first steps have come to, see [`Walks::draw_chances`].
    places: Vec<u64>,
}

/// Whose steps a lane is taking.
#[derive(Clone, Copy, Debug)]
struct Lane {
    start: u32,
    share: u32,
    /// Steps left of its piece.
    left: u32,
    /// The next piece.
    next: usize,
    /// Hashed for each step: draws depend on seed, start and step alone.
    draws: u64,
}

impl<'a> Walks<'a> {
    pub(crate) fn new(rules: Rules<'a>) -> Walks<'a> {
        let places = rules.shares.iter().map(|share| hash64(rules.seed ^ u64::from(share.pin))).collect();
        let idle = Lane { start: NOWHERE, share: u32::MAX, left: 0, next: 0, draws: 0 };
        Walks { rules, at: [NOWHERE; LANES], lanes: [idle; LANES], places }
    }

    /// Takes the plan's steps; each walk goes back to its start when it ends. `note` gets each visited pin and the
    /// share that led there.
    pub(crate) fn run(&mut self, plan: &Plan, mut note: impl FnMut(u32, u32)) {
        let mut next = 0;
        let mut most = 0;
        for (lane, &end) in self.lanes.iter_mut().zip(&plan.ends) {
            (lane.left, lane.next) = (0, next);
            most = most.max(plan.pieces[next..end].iter().map(|piece| piece.steps).sum());
            next = end;
        }
        for _ in 0..most {
            self.begin_pieces(plan);
            self.step(&mut note);
        }
    }

    /// Lanes that have done their piece begin the next, or rest.
    #[inline(always)]
    fn begin_pieces(&mut self, plan: &Plan) {
        for lane in 0..LANES {
            while self.lanes[lane].left == 0 {
                self.begin(lane, plan);
            }
            self.lanes[lane].left -= 1;
        }
    }

    #[inline(never)]
    fn begin(&mut self, lane: usize, plan: &Plan) {
        let on = &mut self.lanes[lane];
        let Some(piece) = plan.pieces[..plan.ends[lane]].get(on.next) else {
            *on = Lane { start: NOWHERE, share: u32::MAX, left: u32::MAX, ..*on };
            self.at[lane] = NOWHERE;
            return;
        };
        let Share { pin, place: start, .. } = self.rules.shares[piece.share as usize];
        if on.share != piece.share {
            self.at[lane] = start;
        }
        let of_start = hash64(self.rules.seed ^ hash64(u64::from(pin)));
        let draws = of_start.wrapping_add(u64::from(piece.first).wrapping_mul(GOLDEN));
        *on = Lane { start, share: piece.share, left: piece.steps, next: on.next + 1, draws };
    }

    /// One step of each walk, in phases that all walks do together: what a phase looks at, the one before has asked
    /// memory for.
    #[inline(always)]
    fn step(&mut self, note: &mut impl FnMut(u32, u32)) {
        let Rules { to_boards, to_pins, excluded, go_on, .. } = self.rules;
        let (mut entries, mut to) = ([NO_ENTRY; LANES], [NOWHERE; LANES]);
        let mut chances = self.draw_chances();
        for lane in 0..LANES {
            (entries[lane], chances[lane]) = to_boards.draw(self.at[lane], chances[lane]);
            to_boards.prefetch(entries[lane]);
        }
        for lane in 0..LANES {
            to[lane] = to_boards.entry(entries[lane]);
        }
        if !excluded.is_empty() {
            for lane in 0..LANES {
                if excluded.has(to[lane]) {
                    to[lane] = self.draw_again(self.at[lane], chances[lane]);
                }
            }
        }
        for lane in 0..LANES {
            (entries[lane], chances[lane]) = to_pins.draw(to[lane], chances[lane]);
            to_pins.prefetch(entries[lane]);
        }
        for lane in 0..LANES {
            let pin = to_pins.entry(entries[lane]);
            let on = &self.lanes[lane];
            if pin != NOWHERE {
                note(pin, on.share);
            }
            let goes_on = chances[lane] < go_on && pin != NOWHERE;
            self.at[lane] = select_unpredictable(goes_on, pin, on.start);
        }
    }

    /// A uniform chance for each walk. First steps are not drawn but spread evenly over the start's boards and their
    /// pins (the share's place moves on by the golden ratio), which takes noise out of the scores.
    #[inline(always)]
    fn draw_chances(&mut self) -> [u64; LANES] {
        let mut chances = [0; LANES];
        for (lane, chance) in chances.iter_mut().enumerate() {
            let on = &mut self.lanes[lane];
            let drawn = hash64(on.draws);
            on.draws = on.draws.wrapping_add(GOLDEN);
            let first = self.at[lane] == on.start;
            let Some(place) = self.places.get_mut(on.share as usize) else { continue };
            *place = place.wrapping_add(u64::from(first) * GOLDEN);
            *chance = select_unpredictable(first, *place, drawn);
        }
        chances
    }

    /// A board that may be stepped onto, if a few draws find one.
    #[cold]
    fn draw_again(&self, pin: u32, mut chance: u64) -> u32 {
        let Rules { to_boards, excluded, .. } = self.rules;
        for _ in 0..DRAWS_MAX {
            chance = hash64(chance);
            let board = to_boards.entry(to_boards.draw(pin, chance).0);
            if !excluded.has(board) {
                return board;
            }
        }
        NOWHERE
    }
}
