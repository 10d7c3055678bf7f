//! Topics of pins from nothing but the graph, for the entropy of boards.

use domain::{BoardId, PinId, Rng};
use graph::Graph;

/// Numbers of a pin's vector.
const WIDTH: usize = 32;
pub(crate) const TOPICS: usize = 32;
/// Passes that smooth vectors over boards, and that move topics' centres.
const PASSES: usize = 4;

/// A row of [`TOPICS`] parts a pin, one of which is 1: random vectors, smoothed over boards so that pins that share
/// many are alike, and parted around seeded centres.
pub(crate) fn topics(graph: &Graph) -> Vec<f32> {
    let mut rng = Rng::new(1);
    let mut pins: Vec<[f32; WIDTH]> = (0..graph.pins()).map(|_| std::array::from_fn(|_| rng.uniform() - 0.5)).collect();
    for _ in 0..PASSES {
        let boards: Vec<[f32; WIDTH]> = (0..graph.boards())
            .map(|board| sum(graph.pins_of(BoardId(board)).map(|pin| &pins[pin.index()])))
            .map(|sum| unit(sum, &[0.0; WIDTH]))
            .collect();
        pins = (0..graph.pins())
            .map(|pin| sum(graph.boards_of(PinId(pin)).map(|board| &boards[board.index()])))
            .map(|sum| unit(sum, &[0.0; WIDTH]))
            .collect();
        // What all pins have in common says nothing of topics.
        let common = sum(pins.iter()).map(|sum| sum / pins.len() as f32);
        pins.iter_mut().for_each(|pin| *pin = unit(*pin, &common));
    }
    let mut centres: Vec<[f32; WIDTH]> = (0..TOPICS).map(|_| pins[rng.below(graph.pins()) as usize]).collect();
    let nearest = |centres: &[[f32; WIDTH]], pin: &[f32; WIDTH]| {
        let near = |centre: &[f32; WIDTH]| centre.iter().zip(pin).map(|(a, b)| a * b).sum::<f32>();
        (0..TOPICS).max_by(|&a, &b| near(&centres[a]).total_cmp(&near(&centres[b]))).unwrap_or(0)
    };
    for _ in 0..PASSES {
        let mut sums = vec![[0.0; WIDTH]; TOPICS];
        for pin in &pins {
            let sum = &mut sums[nearest(&centres, pin)];
            sum.iter_mut().zip(pin).for_each(|(sum, part)| *sum += part);
        }
        centres = sums.into_iter().map(|sum| unit(sum, &[0.0; WIDTH])).collect();
    }
    let row = |pin: &[f32; WIDTH]| {
        let topic = nearest(&centres, pin);
        (0..TOPICS).map(move |other| f32::from(u8::from(other == topic)))
    };
    pins.iter().flat_map(row).collect()
}

fn sum<'a>(rows: impl Iterator<Item = &'a [f32; WIDTH]>) -> [f32; WIDTH] {
    rows.fold([0.0; WIDTH], |sum, row| std::array::from_fn(|at| sum[at] + row[at]))
}

/// The direction from `origin`; nothing where there is none.
fn unit(row: [f32; WIDTH], origin: &[f32; WIDTH]) -> [f32; WIDTH] {
    let row: [f32; WIDTH] = std::array::from_fn(|at| row[at] - origin[at]);
    let length = row.iter().map(|part| part * part).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    row.map(|part| part / length)
}
