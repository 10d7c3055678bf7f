//! A seeded pin-board graph with power laws and topics, and pinners who walk on it.

use anyhow::{Context, Result};
use domain::{BoardId, PinId, Rng, hash64};
use graph::{Graph, Start};
use serde::Deserialize;

/// The workload that is always at hand: 100 M edges between 10 M pins and 5 M boards.
const LARGE: &str = include_str!("../../../../../../bench/workloads/walks-100m.toml");

/// What the graph is like.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    /// Pins.
    pub(super) pins: u32,
    /// Boards.
    pub(super) boards: u32,
    /// Edges drawn; a pin that is drawn twice for a board counts once.
    pub(super) edges: u64,
    /// Popularity of the pin of rank r is as r to minus this, below 1.
    pin_exponent: f64,
    /// The same for sizes of boards.
    board_exponent: f64,
    /// Topics; each board has one, and each pin.
    topics: u32,
    /// Part of a board's pins that are of its topic.
    coherence: f64,
    /// Seed of all that.
    seed: u64,
}

impl Workload {
    /// 100 M edges.
    pub(super) fn large() -> Result<Workload> {
        toml::from_str(LARGE).context("the workload walks-100m is odd")
    }

    /// The same shape with a part of the nodes and edges.
    pub(super) fn scaled(self, part: f64) -> Workload {
        let of = |count: f64| (count * part).ceil();
        Workload {
            pins: of(self.pins.into()) as u32,
            boards: of(self.boards.into()) as u32,
            edges: of(self.edges as f64) as u64,
            topics: of(self.topics.into()) as u32,
            ..self
        }
    }

    /// Its edges, board by board; ids say nothing of rank or topic.
    pub(super) fn edges(self) -> impl Iterator<Item = (PinId, BoardId)> {
        let (pins, boards) = (Spread::new(self.pins, self.seed), Spread::new(self.boards, self.seed));
        (0..self.boards).flat_map(move |board| {
            let mut rng = Rng::new(hash64(self.seed) ^ u64::from(board));
            let topic = rng.below(self.topics);
            let pin = move |_| (PinId(pins.place(self.pin(topic, &mut rng))), BoardId(board));
            (0..self.size(boards.place(board))).map(pin)
        })
    }

    /// How many pins are drawn for the board of a rank.
    fn size(self, rank: u32) -> u64 {
        let part = (f64::from(rank) + 0.5) / f64::from(self.boards);
        let mean = self.edges as f64 / f64::from(self.boards);
        (mean * (1.0 - self.board_exponent) * part.powf(-self.board_exponent)).round().max(1.0) as u64
    }

    /// The rank of a drawn pin: among those of the topic, or among all.
    fn pin(self, topic: u32, rng: &mut Rng) -> u32 {
        let unit = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64;
        let part = unit(rng.next_u64()).powf(1.0 / (1.0 - self.pin_exponent));
        if unit(rng.next_u64()) < self.coherence {
            (part * f64::from(self.pins / self.topics)) as u32 * self.topics + topic
        } else {
            (part * f64::from(self.pins)) as u32
        }
    }

    /// What pinner number `pinner` likes and owns: up to ten pins of each of three boards.
    pub(super) fn pinner(self, graph: &Graph, pinner: u64) -> (Vec<Start>, Vec<BoardId>) {
        let mut rng = Rng::new(hash64(self.seed ^ hash64(pinner)));
        let (mut starts, mut own) = (Vec::new(), Vec::new());
        while own.len() < 3 {
            let board = BoardId(rng.below(graph.boards()));
            if graph.pins_of(board).len() >= 10 {
                starts.extend(graph.pins_of(board).take(10).map(|pin| Start { pin, weight: 1.0 }));
                own.push(board);
            }
        }
        (starts, own)
    }
}

/// A place for each number: one to one, and far from that of the next number.
#[derive(Clone, Copy)]
struct Spread {
    count: u64,
    factor: u64,
    shift: u64,
}

impl Spread {
    fn new(count: u32, seed: u64) -> Spread {
        let (count, mut factor) = (u64::from(count), 0x9E37_79B1 % u64::from(count).max(2));
        while greatest_common_divisor(factor, count) != 1 {
            factor += 1;
        }
        Spread { count, factor, shift: hash64(seed) % count }
    }

    fn place(self, number: u32) -> u32 {
        ((u64::from(number) * self.factor + self.shift) % self.count) as u32
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
