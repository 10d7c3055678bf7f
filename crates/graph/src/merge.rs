//! Packing the overlay into the rows beside the readers.

use crate::Graph;
use crate::direction::Direction;
use crate::graph::{Base, Since};
use crate::order::Order;
use crate::rows::Rows;
use std::sync::Arc;

/// A merge that has been planned: it shares the graph's rows and has a copy of the edges that came since.
#[derive(Debug)]
pub struct Merge {
    base: Arc<Base>,
    edges: Vec<(u32, u32)>,
}

/// A merge that has been done, to be published.
#[derive(Debug)]
pub struct Merged {
    from: Arc<Base>,
    pub(crate) base: Base,
    /// How many of the edges that had come since are in it.
    edges: usize,
}

/// What a published merge has replaced. Dropping it frees much memory: let go of the graph's lock first.
#[must_use = "dropped under the graph's lock it keeps everybody waiting"]
#[derive(Debug)]
pub struct Replaced {
    _base: Arc<Base>,
    _since: Since,
}

impl Graph {
    /// Plans to pack what came since into the rows: cheap, so the lock of a shared graph is held briefly. Then
    /// [`Merge::run`] works without the graph, on whatever thread, and [`Graph::publish`] swaps the rows.
    pub fn merge(&self) -> Merge {
        Merge { base: Arc::clone(&self.base), edges: self.since.edges.clone() }
    }

    /// Takes the merged rows. Edges that came after the plan stay in the overlay; they are all that is worked on. A
    /// merge of rows that have been replaced since is not taken: nothing changes, `None`.
    pub fn publish(&mut self, merged: Merged) -> Option<Replaced> {
        if !Arc::ptr_eq(&self.base, &merged.from) {
            return None;
        }
        let old = std::mem::take(self);
        self.base = Arc::new(merged.base);
        for &(pin, board) in &old.since.edges[merged.edges..] {
            self.since.push(&self.base, pin, board);
        }
        Some(Replaced { _base: old.base, _since: old.since })
    }
}

impl Merge {
    /// Does the work: a pass over all edges each way, and memory for a second copy of the rows.
    pub fn run(self) -> Merged {
        let (old, mut since) = (&*self.base, Since::default());
        self.edges.iter().for_each(|&(pin, board)| since.push(old, pin, board));
        let to_boards = Direction::new(old.to_boards.view(), &since.pins);
        let to_pins = Direction::new(old.to_pins.view(), &since.boards);
        let nodes = |rows: &Rows, new: usize| rows.nodes().max(new as u32);
        let pins = nodes(&old.to_boards, since.pins.nodes());
        let boards = nodes(&old.to_pins, since.boards.nodes());
        let pins = Order::new(pins, |pin| to_boards.degree(old.pins.place(pin)));
        let boards = Order::new(boards, |board| to_pins.degree(old.boards.place(board)));
        let count = old.to_pins.len() as usize + self.edges.len();
        let boards_of = |pin: u32| to_boards.list(old.pins.place(pin)).map(|place| old.boards.id(place));
        let pins_of = |board: u32| to_pins.list(old.boards.place(board)).map(|place| old.pins.id(place));
        let to_boards = Rows::new(&pins, &boards, boards_of, count);
        let to_pins = Rows::new(&boards, &pins, pins_of, count);
        let base = Base { to_boards, to_pins, pins, boards };
        Merged { edges: self.edges.len(), from: self.base, base }
    }
}
