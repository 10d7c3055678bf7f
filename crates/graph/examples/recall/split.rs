//! Boards whose pins are partly held out, and how many of those walks find.

use domain::{BoardId, PinId, Rng};
use graph::{Graph, Start, WalkConfig, WalkScratch, walk_with};
use std::collections::BTreeSet;

pub(crate) const DEPTHS: [usize; 3] = [20, 100, 1_000];

/// Pins of boards, apart.
pub(crate) struct Split {
    pub(crate) known: Vec<Vec<u32>>,
    held: Vec<Vec<u32>>,
}

/// What walks found.
pub(crate) struct Found {
    /// For each board that was asked for, the part of its held pins at each depth.
    pub(crate) boards: Vec<[f64; 3]>,
    pub(crate) steps_mean: f64,
}

impl Split {
    /// Holds a seeded fifth of each board's pins back.
    pub(crate) fn new(boards: &[Vec<u32>], seed: u64) -> Split {
        let (mut rng, mut split) = (Rng::new(seed), Split { known: Vec::new(), held: Vec::new() });
        for pins in boards {
            let mut pins = pins.clone();
            rng.shuffle(&mut pins);
            let mut known = pins.split_off(pins.len() / 5);
            known.sort_unstable();
            split.known.push(known);
            split.held.push(pins);
        }
        split
    }

    /// The boards of a text with a board and its pins a line.
    pub(crate) fn boards(text: &str) -> Vec<Vec<u32>> {
        let pins = |line: &str| line.split(' ').skip(1).filter_map(|pin| pin.parse().ok()).collect::<BTreeSet<u32>>();
        text.lines().map(|line| pins(line).into_iter().collect()).collect()
    }

    /// The graph of what is known.
    pub(crate) fn graph(&self) -> Graph {
        let of_board = |(board, pins): (u32, &'_ Vec<u32>)| {
            pins.iter().map(|&pin| (PinId(pin), BoardId(board))).collect::<Vec<_>>()
        };
        Graph::from_passes(0, 0, || (0u32..).zip(&self.known).flat_map(of_board))
    }

    /// Walks for about `boards_max` boards, evenly among all: they start at what is known and never step onto the
    /// board.
    pub(crate) fn ask(&self, graph: &Graph, config: &WalkConfig, boards_max: usize) -> Found {
        let (mut scratch, mut boards, mut steps) = (WalkScratch::default(), Vec::new(), 0.0);
        let stride = self.known.len().div_ceil(boards_max);
        for board in (0..self.known.len()).step_by(stride).filter(|&board| !self.held[board].is_empty()) {
            let start = |&pin: &u32| Start { pin: PinId(pin), weight: 1.0 };
            let starts: Vec<Start> = self.known[board].iter().map(start).collect();
            let walked = walk_with(&mut scratch, graph, &starts, &[BoardId(board as u32)], config, DEPTHS[2]);
            let held = &self.held[board];
            boards.push(DEPTHS.map(|depth| {
                let hits = walked.pins.iter().take(depth).filter(|(pin, _)| held.contains(&pin.0)).count();
                hits as f64 / held.len() as f64
            }));
            steps += f64::from(walked.steps);
        }
        let steps_mean = steps / boards.len() as f64;
        Found { boards, steps_mean }
    }
}

impl Found {
    /// The mean recall at each depth.
    pub(crate) fn recall(&self) -> [f64; 3] {
        [0, 1, 2].map(|depth| mean(self.boards.iter().map(|board| board[depth])))
    }

    /// How much more was found than by others of the same boards: mean and standard error at each depth.
    pub(crate) fn more_than(&self, other: &Found) -> [(f64, f64); 3] {
        [0, 1, 2].map(|depth| {
            let more = || self.boards.iter().zip(&other.boards).map(|(a, b)| a[depth] - b[depth]);
            let middle = mean(more());
            let variance = mean(more().map(|more| (more - middle).powi(2)));
            (middle, (variance / self.boards.len() as f64).sqrt())
        })
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}
