//! A part with what changes about it: which of its rows count, which are marked.

use super::geometry::Geometry;
use super::kernel::ROWS;
use super::part::Part;
use super::row::{NOBODY, Row};
use domain::PinId;
use std::sync::Arc;

/// Rows of a part and which of them count.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) part: Arc<Part>,
    /// A bit per row, by block: whether it is its pin's vector.
    pub(super) alive: Vec<u16>,
    /// How many rows count.
    pub(super) count: usize,
    /// How many rows there are.
    pub(super) rows: usize,
}

impl Held {
    /// Without rows, to be filled.
    pub(super) fn loose(geometry: Arc<Geometry>) -> Held {
        Held { part: Arc::new(Part::loose(geometry)), alive: Vec::new(), count: 0, rows: 0 }
    }

    /// All rows of a part.
    pub(super) fn all(part: Arc<Part>) -> Held {
        let view = part.view();
        let bits = |block: usize| {
            let bit = |(slot, &pin): (usize, &u32)| u16::from(pin != NOBODY) << slot;
            view.pins[block].iter().enumerate().map(bit).sum()
        };
        let alive: Vec<u16> = (0..part.len()).map(bits).collect();
        let count = alive.iter().map(|bits| bits.count_ones() as usize).sum();
        Held { part, alive, count, rows: count }
    }

    /// Appends a row to a list; where it lies.
    pub(super) fn push(&mut self, list: usize, row: &Row, pin: PinId) -> usize {
        let at = Arc::make_mut(&mut self.part).push(list, row, pin);
        self.alive.resize(self.part.len(), 0);
        self.alive[at / ROWS] |= 1 << (at % ROWS);
        self.count += 1;
        self.rows += 1;
        at
    }

    /// The row counts no more.
    pub(super) fn bury(&mut self, row: usize) {
        self.count -= usize::from(self.is_alive(row));
        self.alive[row / ROWS] &= !(1 << (row % ROWS));
    }

    pub(super) fn is_alive(&self, row: usize) -> bool {
        self.alive[row / ROWS] >> (row % ROWS) & 1 == 1
    }
}

/// Rows of a part that pass a filter.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// A bit per row, by block.
    rows: Vec<u16>,
    /// Marked rows of each list.
    pub(super) sizes: Vec<u32>,
}

impl Marks {
    pub(super) fn none(part: &Part) -> Marks {
        Marks { rows: vec![0; part.len()], sizes: vec![0; part.geometry.lists] }
    }

    pub(super) fn mark(&mut self, part: &Part, row: usize) {
        self.rows[row / ROWS] |= 1 << (row % ROWS);
        self.sizes[part.list_of(row)] += 1;
    }

    /// The marks of a block; none for one that is newer than they are.
    #[inline]
    pub(super) fn of(&self, block: usize) -> u16 {
        self.rows.get(block).copied().unwrap_or(0)
    }
}
