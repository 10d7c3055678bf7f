//! The policy of slots for exploration, and with what chance it picks what it picks.

use domain::{Rng, hash64};

/// Draws pins for slots. Given the slate so far, a slot takes
///
/// - with chance `any`: each row of the whole ranking that may be placed, equally likely;
/// - else: each row that exploration offered, equally likely; or the best row, where none is left.
pub(super) struct Explorer {
    rng: Rng,
    every: usize,
    any: f32,
}

/// What a slot takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drawn {
    pub(super) row: usize,
    /// The chance that this row had.
    pub(super) propensity: f32,
}

impl Explorer {
    /// A function of the request's seed; every so many places are a slot, none for 0.
    pub(super) fn new(seed: u64, every: usize, any: f32) -> Explorer {
        Explorer { rng: Rng::new(hash64(seed ^ 0x0D1C_E5EE)), every, any }
    }

    /// Whether the place (from 0) is a slot.
    pub(super) fn is_slot(&self, place: usize) -> bool {
        self.every > 0 && (place + 1).is_multiple_of(self.every)
    }

    /// Draws for a slot. `all` are the rows that may be placed, `offered` those of them that exploration offered, and
    /// `best` is what would be placed were it no slot.
    pub(super) fn draw(&mut self, best: usize, all: &[usize], offered: &[usize]) -> Drawn {
        if all.is_empty() {
            return Drawn { row: best, propensity: 1.0 };
        }
        let from_all = self.rng.uniform() < self.any;
        let row = match (from_all, offered) {
            (true, _) => self.one_of(all),
            (false, []) => best,
            (false, offered) => self.one_of(offered),
        };
        let chance = |rows: &[usize]| if rows.contains(&row) { 1.0 / rows.len() as f32 } else { 0.0 };
        let other = if offered.is_empty() { chance(&[best]) } else { chance(offered) };
        Drawn { row, propensity: self.any * chance(all) + (1.0 - self.any) * other }
    }

    fn one_of(&mut self, rows: &[usize]) -> usize {
        rows[self.rng.below(rows.len() as u32) as usize]
    }
}
