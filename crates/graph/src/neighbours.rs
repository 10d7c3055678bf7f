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
    let (to_boards, to_pins) = (graph.to_boards(), graph.to_pins());
    let place = graph.base.pins.place(pin.0);
    let total: u64 = to_boards.list(place).map(|board| u64::from(to_pins.degree(board))).sum();
    let stride = total.div_ceil(ENTRIES_MAX).max(1);
    let mut entries = entries(graph, place, stride, &mut Rng::new(hash64(seed) ^ u64::from(pin.0)));
    entries.sort_unstable();
    let degree = f64::from(graph.degree(pin));
    let cosine = |other: u32, shared: usize| {
        (shared as f64 * stride as f64 / (degree * f64::from(to_boards.degree(other))).sqrt()) as f32
    };
    let same = entries.chunk_by(|a, b| a == b).filter(|same| same[0] != place);
    let mut found: Vec<(PinId, f32)> =
        same.map(|same| (PinId(graph.base.pins.id(same[0])), cosine(same[0], same.len()))).collect();
    keep_best(&mut found, k);
    found
}

/// The places of the pins of a pin's boards, once per shared board: one of each `stride`, at a random place among them.
fn entries(graph: &Graph, place: u32, stride: u64, rng: &mut Rng) -> Vec<u32> {
    let mut entries = Vec::new();
    let (mut before, mut block) = (0u64, 0u64);
    let mut next = u64::from(rng.below(stride as u32));
    let to_pins = graph.to_pins();
    for board in graph.to_boards().list(place) {
        while let Some(entry) = to_pins.get(board, next - before) {
            entries.push(entry);
            block += stride;
            next = block + u64::from(rng.below(stride as u32));
        }
        before += u64::from(to_pins.degree(board));
    }
    entries
}
