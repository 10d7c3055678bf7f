//! Which pins matter to a pin, for training: neighbourhoods by short walks (PinSage's importance neighbourhood: Ying et
//! al., KDD 2018).

use crate::Graph;
use crate::best::keep_best;
use crate::excluded::Excluded;
use crate::sort::sort_keys;
use crate::steps::{Plan, Rules, Share, Walks, of_all};
use domain::PinId;

/// Most steps of one pin.
const STEPS_MAX: u32 = 1 << 16;
/// Pins whose walks go on together.
const BATCH: usize = 256;

/// Settings of neighbour sampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleConfig {
    /// Steps from each pin, at most 2¹⁶.
    pub steps: u32,
    /// Chance that a walk goes on after a step; else it starts again.
    pub continue_chance: f32,
    /// Seed of all draws.
    pub seed: u64,
}

impl Default for SampleConfig {
    /// 1,000 steps in walks of two on average.
    fn default() -> Self {
        SampleConfig { steps: 1_000, continue_chance: 0.5, seed: 0 }
    }
}

/// The `k` pins that walks from `pin` visit most, best first, ties by id, each with its part of the visits of these
/// `k`: the weights sum to 1.
pub fn sample_neighbours(graph: &Graph, pin: PinId, k: usize, config: &SampleConfig) -> Vec<(PinId, f32)> {
    sample_all(graph, &[pin], k, config).pop().unwrap_or_default()
}

/// [`sample_neighbours`] of many pins at once, which is several times as quick. What a pin gets depends on the graph,
/// the pin and the settings, not on the others.
pub fn sample_all(graph: &Graph, pins: &[PinId], k: usize, config: &SampleConfig) -> Vec<Vec<(PinId, f32)>> {
    let mut sampled = Vec::with_capacity(pins.len());
    let (mut log, mut spare) = (Vec::new(), Vec::new());
    for batch in pins.chunks(BATCH) {
        let steps = config.steps.min(STEPS_MAX);
        let shares: Vec<Share> =
            batch.iter().map(|pin| Share { pin: pin.0, place: graph.base.pins.place(pin.0), steps }).collect();
        let (to_boards, to_pins, excluded) = (graph.to_boards(), graph.to_pins(), &Excluded::default());
        let rules = Rules {
            to_boards,
            to_pins,
            excluded,
            shares: &shares,
            go_on: of_all(config.continue_chance),
            seed: config.seed,
        };
        log.clear();
        let note = |pin: u32, share: u32| log.push(u64::from(share) << 32 | u64::from(pin));
        Walks::new(rules).run(&Plan::whole(&shares), note);
        sort_keys(&mut log, &mut spare, u32::BITS + BATCH.ilog2());
        let mut visits = log.chunk_by(|a, b| a >> 32 == b >> 32).peekable();
        for (share, &pin) in batch.iter().enumerate() {
            let of_share = visits.next_if(|visits| visits[0] >> 32 == share as u64);
            sampled.push(most_visited(graph, of_share.unwrap_or_default(), pin, k));
        }
    }
    sampled
}

/// The `k` most visited pins of a pin's sorted visits.
fn most_visited(graph: &Graph, visits: &[u64], from: PinId, k: usize) -> Vec<(PinId, f32)> {
    let counted =
        visits.chunk_by(|a, b| a == b).map(|same| (PinId(graph.base.pins.id(same[0] as u32)), same.len() as f32));
    let mut found: Vec<(PinId, f32)> = counted.filter(|&(pin, _)| pin != from).collect();
    keep_best(&mut found, k);
    let total: f32 = found.iter().map(|(_, visits)| visits).sum();
    found.iter_mut().for_each(|(_, visits)| *visits /= total);
    found
}
