//! The pin-board graph.

use crate::build::{EDGES_MAX, build};
use crate::csr::Csr;
use crate::direction::Direction;
use crate::order::Order;
use crate::overlay::Overlay;
use crate::rows::Rows;
use domain::{BoardId, PinId};
use std::sync::Arc;

/// Which pins lie on which boards, in both directions; each pair at most once, at most 2³² - 1 of them.
///
/// Packed rows that nobody changes, and an overlay of what came since. In the rows an edge takes as many bytes a
/// direction as the largest id needs and a node takes 8: with 10 M pins, 5 M boards and 100 M edges that is 3.6 bytes
/// an edge and direction. A clone shares the rows.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) base: Arc<Base>,
    pub(crate) since: Since,
}

/// Rows of both directions, in which nodes go by their places.
#[derive(Debug, Default)]
pub(crate) struct Base {
    pub(crate) to_boards: Rows,
    pub(crate) to_pins: Rows,
    pub(crate) pins: Order,
    pub(crate) boards: Order,
}

/// What came since the rows were packed; here, too, nodes go by their places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Since {
    pub(crate) pins: Overlay,
    pub(crate) boards: Overlay,
    /// The edges by id, in the order in which they came.
    pub(crate) edges: Vec<(u32, u32)>,
    /// The most boards that a pin with new edges lies on.
    degree_max: u32,
}

impl Graph {
    /// An empty graph, to be grown with [`Graph::add`].
    pub fn new() -> Graph {
        Graph::default()
    }

    /// A packed graph of at least `pins` pins and `boards` boards. Duplicates are ignored; edges after the first
    /// 2³² - 1 are left out.
    pub fn from_edges(pins: u32, boards: u32, edges: &[(PinId, BoardId)]) -> Graph {
        Graph::from_passes(pins, boards, || edges.iter().copied())
    }

    /// [`Graph::from_edges`] of edges that are read twice instead of kept: besides the graph itself it needs no memory
    /// that grows with them. `edges` must say the same both times.
    pub fn from_passes<E>(pins: u32, boards: u32, edges: impl Fn() -> E) -> Graph
    where
        E: Iterator<Item = (PinId, BoardId)>,
    {
        let (to_boards, to_pins) = build(pins, boards, || edges().map(|(pin, board)| (pin.0, board.0)));
        Graph::from_base(Base::new(to_boards, to_pins))
    }

    pub(crate) fn from_base(base: Base) -> Graph {
        Graph { base: Arc::new(base), since: Since::default() }
    }

    /// Puts a pin on a board; whether that is new. It is seen at once. A full graph takes nothing more.
    pub fn add(&mut self, pin: PinId, board: BoardId) -> bool {
        let full = self.edges() >= EDGES_MAX || pin.0 == u32::MAX || board.0 == u32::MAX;
        if full || self.has(pin, board) || !self.since.has_room(&self.base, pin.0, board.0) {
            return false;
        }
        self.since.push(&self.base, pin.0, board.0);
        true
    }

    /// Whether the pin lies on the board.
    pub fn has(&self, pin: PinId, board: BoardId) -> bool {
        let (boards, pins) = (self.to_boards(), self.to_pins());
        let (pin, board) = (self.base.pins.place(pin.0), self.base.boards.place(board.0));
        if boards.degree(pin) < pins.degree(board) {
            boards.list(pin).any(|on| on == board)
        } else {
            pins.list(board).any(|holds| holds == pin)
        }
    }

    /// On how many boards the pin lies.
    pub fn degree(&self, pin: PinId) -> u32 {
        self.to_boards().degree(self.base.pins.place(pin.0))
    }

    /// The pins of a board, in the order in which they were put there.
    pub fn pins_of(&self, board: BoardId) -> impl ExactSizeIterator<Item = PinId> {
        self.to_pins().list(self.base.boards.place(board.0)).map(|place| PinId(self.base.pins.id(place)))
    }

    /// The boards that hold a pin, in the order in which it was put there.
    pub fn boards_of(&self, pin: PinId) -> impl ExactSizeIterator<Item = BoardId> {
        self.to_boards().list(self.base.pins.place(pin.0)).map(|place| BoardId(self.base.boards.id(place)))
    }

    /// How many pins there are: one more than the largest id.
    pub fn pins(&self) -> u32 {
        (self.base.to_boards.nodes() as usize).max(self.since.pins.nodes()) as u32
    }

    /// How many boards there are: one more than the largest id.
    pub fn boards(&self) -> u32 {
        (self.base.to_pins.nodes() as usize).max(self.since.boards.nodes()) as u32
    }

    /// How many pairs there are.
    pub fn edges(&self) -> u64 {
        u64::from(self.base.to_pins.len()) + self.since.edges.len() as u64
    }

    /// How many of the pairs came since the rows were packed: when they are many, it is time for [`Graph::merge`].
    pub fn edges_since(&self) -> u64 {
        self.since.edges.len() as u64
    }

    /// Bytes of memory (or of a mapped snapshot), all told; of the overlay about.
    pub fn bytes(&self) -> u64 {
        let Base { to_boards, to_pins, pins, boards } = &*self.base;
        let since = self.since.pins.bytes() + self.since.boards.bytes() + self.since.edges.capacity() * 8;
        (to_boards.bytes() + to_pins.bytes() + pins.bytes() + boards.bytes() + since) as u64
    }

    /// The most boards that one pin lies on.
    pub(crate) fn degree_max(&self) -> u32 {
        self.base.to_boards.degree_max().max(self.since.degree_max)
    }

    /// From pins to the boards that hold them.
    #[inline]
    pub(crate) fn to_boards(&self) -> Direction<'_> {
        Direction::new(self.base.to_boards.view(), &self.since.pins)
    }

    /// From boards to their pins.
    #[inline]
    pub(crate) fn to_pins(&self) -> Direction<'_> {
        Direction::new(self.base.to_pins.view(), &self.since.boards)
    }
}

impl Base {
    /// From the lists of both directions by id.
    pub(crate) fn new(to_boards: Csr, to_pins: Csr) -> Base {
        let pins = Order::new(to_boards.nodes(), |pin| to_boards.span(pin).1);
        let boards = Order::new(to_pins.nodes(), |board| to_pins.span(board).1);
        let rows = Rows::new(&pins, &boards, |pin| to_boards.list(pin), to_boards.len());
        // Its memory serves the other direction.
        drop(to_boards);
        let to_pins = Rows::new(&boards, &pins, |board| to_pins.list(board), to_pins.len());
        Base { to_boards: rows, to_pins, pins, boards }
    }
}

impl Since {
    /// Adds an edge between nodes of `base` or new ones that is known to be new.
    pub(crate) fn push(&mut self, base: &Base, pin: u32, board: u32) {
        let (at_pin, at_board) = (base.pins.place(pin), base.boards.place(board));
        self.pins.push(at_pin, at_board);
        self.boards.push(at_board, at_pin);
        self.edges.push((pin, board));
        let degree = base.to_boards.view().span(at_pin).1 + self.pins.span(at_pin).1;
        self.degree_max = self.degree_max.max(degree);
    }

    fn has_room(&self, base: &Base, pin: u32, board: u32) -> bool {
        self.pins.has_room(base.pins.place(pin)) && self.boards.has_room(base.boards.place(board))
    }
}
