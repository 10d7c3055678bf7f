//! Dropping edges that say little: boards about everything, and most edges of the most saved pins (Pixie).

use crate::Graph;
use crate::csr::Csr;
use crate::graph::Base;
use domain::{BoardId, PinId, hash64};

/// How many edges a node of some degree keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Keep {
    /// All.
    #[default]
    All,
    /// `degree^delta`, at least one.
    Power {
        /// 1 keeps all.
        delta: f32,
    },
    /// `degree^delta` between two bounds; OmniSage's are 0.86, 10 and 10,000.
    Bounded {
        /// 1 keeps all up to `max`.
        delta: f32,
        /// At least so many, where there are as many.
        min: u32,
        /// At most so many.
        max: u32,
    },
}

/// Settings of pruning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PruneConfig {
    /// Boards whose topics have a higher entropy (nats) lose all pins, see [`board_entropy`].
    pub board_entropy_max: f32,
    /// What each pin keeps of its boards.
    pub pins: Keep,
    /// What each board then keeps of its pins.
    pub boards: Keep,
    /// Seed of what is drawn.
    pub seed: u64,
}

impl Default for PruneConfig {
    /// Keeps everything.
    fn default() -> Self {
        PruneConfig { board_entropy_max: f32::INFINITY, pins: Keep::All, boards: Keep::All, seed: 0 }
    }
}

/// How well a pin fits a board that it lies on; NaN fits worst.
pub type Similarity<'a> = &'a dyn Fn(PinId, BoardId) -> f32;

/// The graph without what `config` drops; ids stay, and so does the order of what is left. `entropy` is that of each
/// board (see [`board_entropy`]), 0 past its end. A node keeps the edges that fit best by `similarity`, and without one
/// a uniform draw.
pub fn prune(graph: &Graph, config: &PruneConfig, entropy: &[f32], similarity: Option<Similarity<'_>>) -> Graph {
    let boards_of = |pin: u32| graph.boards_of(PinId(pin)).map(|board| board.0);
    let pins_of = |board: u32| graph.pins_of(BoardId(board)).map(|pin| pin.0);
    let focused = |board: u32| entropy.get(board as usize).is_none_or(|&nats| nats <= config.board_entropy_max);
    let place = |pin: u32, board: u32| place(pin, board, config.seed, similarity);
    let mut places = Vec::new();
    let of_pins: Vec<u64> = (0..graph.pins())
        .map(|pin| {
            let boards = boards_of(pin).filter(|&board| focused(board));
            last_place(config.pins, boards.map(|board| place(pin, board)), &mut places)
        })
        .collect();
    let on_pin = |pin: u32, board: u32| {
        let last = of_pins[pin as usize];
        focused(board) && (last == u64::MAX || place(pin, board) <= last)
    };
    let of_boards: Vec<u64> = (0..graph.boards())
        .map(|board| {
            let pins = pins_of(board).filter(|&pin| on_pin(pin, board));
            last_place(config.boards, pins.map(|pin| place(pin, board)), &mut places)
        })
        .collect();
    let kept = |pin: u32, board: u32| {
        let last = of_boards[board as usize];
        on_pin(pin, board) && (last == u64::MAX || place(pin, board) <= last)
    };
    let boards_kept = |pin: u32| boards_of(pin).filter(move |&board| kept(pin, board));
    let pins_kept = |board: u32| pins_of(board).filter(move |&pin| kept(pin, board));
    let to_boards = Csr::from_lists((0..graph.pins()).map(boards_kept), graph.boards(), 0);
    let to_pins = Csr::from_lists((0..graph.boards()).map(pins_kept), graph.pins(), to_boards.len());
    Graph::from_base(Base::new(to_boards, to_pins))
}

/// The entropy (nats) of each board's topics: of the mean of its pins' distributions. `topics` has a row of `width`
/// parts for each pin; pins past its end have no topic, and boards of such pins alone have entropy 0.
pub fn board_entropy(graph: &Graph, topics: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0f32; width];
    let of_board = |board: u32| {
        mean.fill(0.0);
        for pin in graph.pins_of(BoardId(board)) {
            let row = topics.chunks_exact(width.max(1)).nth(pin.index()).unwrap_or_default();
            mean.iter_mut().zip(row).for_each(|(sum, part)| *sum += part.max(0.0));
        }
        let total: f32 = mean.iter().sum();
        let parts = mean.iter().map(|sum| sum / total).filter(|&part| part > 0.0);
        parts.map(|part| -part * part.ln()).sum()
    };
    (0..graph.boards()).map(of_board).collect()
}

/// Where an edge stands in the order of a node's edges, best first; no two edges stand in the same place but by a
/// collision of hashes.
fn place(pin: u32, board: u32, seed: u64, similarity: Option<Similarity<'_>>) -> u64 {
    let drawn = hash64(hash64(seed) ^ (u64::from(pin) << 32 | u64::from(board)));
    let Some(similarity) = similarity else { return drawn };
    let fit = similarity(PinId(pin), BoardId(board));
    let bits = if fit.is_nan() { f32::NEG_INFINITY.to_bits() } else { fit.to_bits() };
    let ascending = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(!ascending) << 32 | drawn >> 32
}

/// The last place that a node keeps.
fn last_place(keep: Keep, edges: impl Iterator<Item = u64>, places: &mut Vec<u64>) -> u64 {
    if keep == Keep::All {
        return u64::MAX;
    }
    places.clear();
    places.extend(edges);
    let count = keep.of(places.len());
    if count >= places.len() { u64::MAX } else { *places.select_nth_unstable(count - 1).1 }
}

impl Keep {
    /// How many of `degree` edges are kept: none of none.
    fn of(self, degree: usize) -> usize {
        let power = |delta: f32| (degree as f64).powf(delta.into()).round() as usize;
        let kept = match self {
            Keep::All => degree,
            Keep::Power { delta } => power(delta),
            Keep::Bounded { delta, min, max } => power(delta).min(max as usize).max(min as usize),
        };
        kept.max(1).min(degree)
    }
}
