//! The pin-board graph.

use crate::adjacency::Adjacency;
use domain::{BoardId, PinId};
use std::collections::HashSet;

/// Which pins lie on which boards, in both directions; each pair at most once. 8 bytes an edge and 12 a node when
/// compact. At most 2³² edges, room to grow included.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pins: Adjacency,
    boards: Adjacency,
    edges: u64,
    degree_max: u32,
}

impl Graph {
    /// An empty graph, to be grown with [`Graph::add`].
    pub fn new() -> Graph {
        Graph::default()
    }

    /// A compact graph of at least `pins` pins and `boards` boards. Duplicates are ignored; of more than 2³² - 1
    /// different edges the rest is left out.
    pub fn from_edges(pins: u32, boards: u32, edges: &[(PinId, BoardId)]) -> Graph {
        let pairs = unique(edges);
        let most = |of: fn(&(u32, u32)) -> u32| pairs.iter().map(|pair| of(pair) as usize + 1).max().unwrap_or(0);
        let (pin_count, board_count) =
            (most(|pair| pair.0).max(pins as usize), most(|pair| pair.1).max(boards as usize));
        let pin_side = Adjacency::from_edges(pin_count, &pairs, |&pair| pair);
        let board_side = Adjacency::from_edges(board_count, &pairs, |&(pin, board)| (board, pin));
        let degree_max = (0..pin_count as u32).map(|pin| pin_side.of(pin).len() as u32).max().unwrap_or(0);
        Graph { pins: pin_side, boards: board_side, edges: pairs.len() as u64, degree_max }
    }

    /// Puts a pin on a board; whether that is new. A full graph takes nothing more.
    pub fn add(&mut self, pin: PinId, board: BoardId) -> bool {
        if self.has(pin, board) || !self.pins.has_room(pin.0) || !self.boards.has_room(board.0) {
            return false;
        }
        self.pins.push(pin.0, board.0);
        self.boards.push(board.0, pin.0);
        self.edges += 1;
        self.degree_max = self.degree_max.max(self.degree(pin));
        true
    }

    /// Whether the pin lies on the board.
    pub fn has(&self, pin: PinId, board: BoardId) -> bool {
        let (boards, pins) = (self.pins.of(pin.0), self.boards.of(board.0));
        if boards.len() < pins.len() { boards.contains(&board.0) } else { pins.contains(&pin.0) }
    }

    /// Gives back the room that adding edges left unused. Worth calling after many additions.
    pub fn compact(&mut self) {
        self.pins.compact();
        self.boards.compact();
    }

    /// On how many boards the pin lies.
    pub fn degree(&self, pin: PinId) -> u32 {
        self.pins.of(pin.0).len() as u32
    }

    /// The pins of a board, in the order in which they were put there.
    pub fn pins_of(&self, board: BoardId) -> impl ExactSizeIterator<Item = PinId> {
        self.boards.of(board.0).iter().copied().map(PinId)
    }

    /// The boards that hold a pin.
    pub fn boards_of(&self, pin: PinId) -> impl ExactSizeIterator<Item = BoardId> {
        self.pins.of(pin.0).iter().copied().map(BoardId)
    }

    /// How many pins there are: one more than the largest id.
    pub fn pins(&self) -> u32 {
        self.pins.nodes() as u32
    }

    /// How many boards there are: one more than the largest id.
    pub fn boards(&self) -> u32 {
        self.boards.nodes() as u32
    }

    /// How many pairs there are.
    pub fn edges(&self) -> u64 {
        self.edges
    }

    /// The most boards that one pin lies on.
    pub(crate) fn degree_max(&self) -> u32 {
        self.degree_max
    }

    /// From pins to boards, and from boards to pins.
    #[inline]
    pub(crate) fn directions(&self) -> (&Adjacency, &Adjacency) {
        (&self.pins, &self.boards)
    }

    /// The boards of a pin, as numbers.
    #[inline]
    pub(crate) fn boards_at(&self, pin: u32) -> &[u32] {
        self.pins.of(pin)
    }

    /// The pins of a board, as numbers.
    #[inline]
    pub(crate) fn pins_at(&self, board: u32) -> &[u32] {
        self.boards.of(board)
    }
}

/// Each edge once, where it came first.
fn unique(edges: &[(PinId, BoardId)]) -> Vec<(u32, u32)> {
    let mut known = HashSet::with_capacity(edges.len());
    let pairs = edges.iter().map(|&(pin, board)| (pin.0, board.0)).filter(|&pair| known.insert(pair));
    pairs.take(u32::MAX as usize).collect()
}
