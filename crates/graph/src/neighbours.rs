//! Pins that lie on the same boards as a pin.

use crate::Graph;
use crate::best::keep_best;
use domain::{PinId, Rng, hash64};

/// Most entries of boards looked at for one pin.
const ENTRIES_MAX: u64 = 200_000;

/// The `k` pins that share most boards with `pin`, best first: cosine of their sets of boards, ties by id. Exact as
/// long as the pin's boards hold at most 200,000 pins together; of more, that many are drawn (seeded), evenly over the
/// boards, and the cosine is an estimate.
pub fn neighbours(graph: &Graph, pin: PinId, k: usize, seed: u64) -> Vec<(PinId, f32)> {
    let total: u64 = graph.boards_at(pin.0).iter().map(|&board| graph.pins_at(board).len() as u64).sum();
    let stride = total.div_ceil(ENTRIES_MAX).max(1);
    let mut entries = entries(graph, pin, stride, &mut Rng::new(hash64(seed) ^ u64::from(pin.0)));
    entries.sort_unstable();
    let degree = f64::from(graph.degree(pin));
    let cosine = |other: u32, shared: usize| {
        (shared as f64 * stride as f64 / (degree * f64::from(graph.degree(PinId(other)))).sqrt()) as f32
    };
    let same = entries.chunk_by(|a, b| a == b).filter(|same| same[0] != pin.0);
    let mut found: Vec<(PinId, f32)> = same.map(|same| (PinId(same[0]), cosine(same[0], same.len()))).collect();
    keep_best(&mut found, k);
    found
}

/// The pins of the pin's boards, once per shared board: one of each `stride`, at a random place among them.
fn entries(graph: &Graph, pin: PinId, stride: u64, rng: &mut Rng) -> Vec<u32> {
    let mut entries = Vec::new();
    let (mut before, mut block) = (0u64, 0u64);
    let mut next = u64::from(rng.below(stride as u32));
    for &board in graph.boards_at(pin.0) {
        let pins = graph.pins_at(board);
        while let Some(&entry) = pins.get((next - before) as usize) {
            entries.push(entry);
            block += stride;
            next = block + u64::from(rng.below(stride as u32));
        }
        before += pins.len() as u64;
    }
    entries
}
