//! Soft spacing: pins that share something cost the more the nearer they come after each other.

use super::kernel::WINDOW_MAX;
use domain::DiversityParams;

/// What pins can share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Set {
    Creator,
    Topic,
    NearDuplicate,
    Source,
}

impl Set {
    pub(super) const ALL: [Set; 4] = [Set::Creator, Set::Topic, Set::NearDuplicate, Set::Source];
}

/// Bits of a row's memory of one set.
const BITS: u32 = WINDOW_MAX as u32;

/// Every set's bits moved on by a place, without the lowest, into which the next set's highest was moved.
const LATER: u64 = 0xFFFE_FFFE_FFFE_FFFE;

/// `λ · Σ 1/d` for each set, over the places `d` within its window where the pick shares it with a row.
pub(super) struct Spacing {
    /// Which of the latest picks share each set with each row: 16 bits a set, the latest pick's lowest.
    recent: Vec<u64>,
    costs: [Costs; Set::ALL.len()],
}

/// What bits of a memory cost, by its halves.
struct Costs([[f32; 256]; 2]);

impl Costs {
    fn of(cost: f32, window: usize) -> Costs {
        let of_bit = |bit: usize| if bit < window { cost / (bit + 1) as f32 } else { 0.0 };
        let of_byte = |byte: usize, first: usize| {
            (0..8).filter(|bit| byte >> bit & 1 == 1).map(|bit| of_bit(first + bit)).sum::<f32>()
        };
        Costs([0, 8].map(|first| std::array::from_fn(|byte| of_byte(byte, first))))
    }

    fn at(&self, memory: u64) -> f32 {
        self.0[0][memory as usize & 0xFF] + self.0[1][memory as usize >> 8 & 0xFF]
    }

    /// Whether a neighbour costs anything.
    fn count(&self) -> bool {
        self.at(1) > 0.0
    }
}

impl Spacing {
    /// Before any pick; costs count `variety` times.
    pub(super) fn new(params: &DiversityParams, variety: f32, rows: usize) -> Spacing {
        let sets = [&params.creator, &params.topic, &params.near_duplicate, &params.source];
        Spacing { recent: vec![0; rows], costs: sets.map(|set| Costs::of(set.cost * variety, set.window)) }
    }

    /// Whether anything is to be marked for a set.
    pub(super) fn counts(&self, set: Set) -> bool {
        self.costs[set as usize].count()
    }

    /// There is a new pick, of which nothing is marked yet.
    pub(super) fn next(&mut self) {
        self.recent.iter_mut().for_each(|recent| *recent = *recent << 1 & LATER);
    }

    /// The row shares a set with the pick so many picks ago, from 1.
    pub(super) fn mark(&mut self, set: Set, row: usize, ago: usize) {
        self.recent[row] |= 1 << (BITS * set as u32 + ago as u32 - 1);
    }

    /// What placing the row next costs for one set.
    fn cost(&self, set: Set, row: usize) -> f32 {
        self.costs[set as usize].at(self.recent[row] >> (BITS * set as u32))
    }

    /// What placing the row next costs, by set.
    pub(super) fn costs(&self, row: usize) -> [f32; Set::ALL.len()] {
        match self.recent[row] {
            0 => [0.0; Set::ALL.len()],
            _ => Set::ALL.map(|set| self.cost(set, row)),
        }
    }

    /// What placing the row next costs.
    pub(super) fn total(&self, row: usize) -> f32 {
        self.costs(row).iter().sum()
    }
}
