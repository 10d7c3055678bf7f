//! What walks log and count in.

use crate::best::{keep_best, keep_ties};
use crate::excluded::Excluded;
use crate::log::Log;
use crate::steps::Share;
use crate::{Graph, WalkConfig};
use domain::PinId;

/// Degrees whose discount is remembered.
const DISCOUNTS: usize = 1_024;
/// Visits whose powers are remembered.
const VISITS: usize = 256;
/// The least boost: the roots of sums over many starts would be too large for a number.
const BOOST_MIN: f32 = 0.1;
/// Up to about so many boards the popularity discount hardly counts: so few say little about a pin.
const FEW_BOARDS: f32 = 10.0;

/// Memory that is used again from walk to walk: 24 bytes a step. It does not grow with the graph.
#[derive(Clone, Debug, Default)]
pub struct WalkScratch {
    pub(crate) log: Log,
    pub(crate) excluded: Excluded,
    /// Places and scores.
    scored: Vec<(u32, f32)>,
    boosts: Boosts,
    discounts: Discounts,
}

impl WalkScratch {
    /// Turns the log into scores and gives the `k` best pins: boosted visits, divided by the discount for popular pins;
    /// without the shares' own pins.
    pub(crate) fn best(&mut self, graph: &Graph, shares: &[Share], config: &WalkConfig, k: usize) -> Vec<(PinId, f32)> {
        self.log.sort();
        self.boosts.fill(config.boost);
        self.discounts.fill(config.popularity_discount);
        let to_boards = graph.to_boards();
        let mut starts: Vec<u32> = shares.iter().map(|share| share.place).collect();
        starts.sort_unstable();
        let mut starts = starts.into_iter().peekable();
        self.scored.clear();
        for (place, visits) in self.log.pins() {
            while starts.next_if(|&start| start < place).is_some() {}
            if starts.peek() != Some(&place) {
                let score = self.boosts.of(visits) * self.discounts.of(to_boards.degree(place));
                self.scored.push((place, score));
            }
        }
        // Ids are looked up for the best only: each is a read of memory.
        keep_ties(&mut self.scored, k);
        let ids = &graph.base.pins;
        let mut best = self.scored.iter().map(|&(place, score)| (PinId(ids.id(place)), score)).collect();
        keep_best(&mut best, k);
        best
    }
}

/// Visits of a start to the power of the boost.
#[derive(Clone, Debug, Default)]
struct Boosts {
    boost: f32,
    of_visits: Vec<f32>,
}

impl Boosts {
    fn fill(&mut self, boost: f32) {
        let boost = if boost.is_nan() { 1.0 } else { boost.clamp(BOOST_MIN, 1.0) };
        if self.boost.to_bits() != boost.to_bits() {
            self.boost = boost;
            self.of_visits.clear();
            self.of_visits.extend((0..VISITS as u32).map(|visits| (visits as f32).powf(boost)));
        }
    }

    /// `(Σ visits^boost)^(1/boost)` over the shares of a pin's sorted visits.
    #[inline]
    fn of(&self, visits: &[u64]) -> f32 {
        // Most pins are visited once.
        if visits.len() == 1 || self.boost == 1.0 {
            return visits.len() as f32;
        }
        let root = |visits: usize| (visits as f32).powf(self.boost);
        let power = |visits: usize| self.of_visits.get(visits).copied().unwrap_or_else(|| root(visits));
        let sum: f32 = visits.chunk_by(|a, b| a == b).map(|of_share| power(of_share.len())).sum();
        sum.powf(1.0 / self.boost)
    }
}

/// What pins of a degree are multiplied by.
#[derive(Clone, Debug, Default)]
struct Discounts {
    power: f32,
    of_degree: Vec<f32>,
}

impl Discounts {
    fn fill(&mut self, power: f32) {
        if self.power.to_bits() != power.to_bits() || self.of_degree.is_empty() {
            self.power = power;
            self.of_degree.clear();
            self.of_degree.extend((0..DISCOUNTS as u32).map(|degree| discount(degree, power)));
        }
    }

    #[inline]
    fn of(&self, degree: u32) -> f32 {
        self.of_degree.get(degree as usize).copied().unwrap_or_else(|| discount(degree, self.power))
    }
}

fn discount(degree: u32, power: f32) -> f32 {
    (1.0 + degree as f32 / FEW_BOARDS).powf(-power)
}
