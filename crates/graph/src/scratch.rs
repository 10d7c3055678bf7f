//! What walks log and count in.

use crate::best::{keep_best, keep_ties};
use crate::excluded::Excluded;
use crate::log::Log;
use crate::steps::Share;
use crate::{Graph, WalkConfig};
use domain::PinId;

/// Degrees whose discount is remembered.
const DISCOUNTS: usize = 1_024;
/// Up to about so many boards the popularity discount hardly counts: so few say little about a pin.
const FEW_BOARDS: f32 = 10.0;

/// Memory that is used again from walk to walk: 24 bytes a step. It does not grow with the graph.
#[derive(Clone, Debug, Default)]
pub struct WalkScratch {
    pub(crate) log: Log,
    pub(crate) excluded: Excluded,
    /// Places and scores.
    scored: Vec<(u32, f32)>,
    discounts: Discounts,
}

impl WalkScratch {
    /// Turns the log into scores and gives the `k` best pins: visits, or with `boost` the squared sum of each share's
    /// square root of visits, divided by the discount for popular pins; without the shares' own pins.
    pub(crate) fn best(&mut self, graph: &Graph, shares: &[Share], config: &WalkConfig, k: usize) -> Vec<(PinId, f32)> {
        self.log.sort();
        self.discounts.fill(config.popularity_discount);
        let to_boards = graph.to_boards();
        let mut starts: Vec<u32> = shares.iter().map(|share| share.place).collect();
        starts.sort_unstable();
        let mut starts = starts.into_iter().peekable();
        self.scored.clear();
        for (place, visits) in self.log.pins() {
            while starts.next_if(|&start| start < place).is_some() {}
            if starts.peek() != Some(&place) {
                let score = if config.boost { boosted(visits) } else { visits.len() as f32 };
                self.scored.push((place, score * self.discounts.of(to_boards.degree(place))));
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

/// `(Σ √visits)²` over the shares of a pin's sorted visits.
fn boosted(visits: &[u64]) -> f32 {
    if let [_] = visits {
        return 1.0;
    }
    let sum: f32 = visits.chunk_by(|a, b| a == b).map(|of_share| (of_share.len() as f32).sqrt()).sum();
    sum * sum
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
