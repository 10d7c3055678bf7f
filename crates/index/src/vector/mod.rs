//! Vectors of pins and which of them have the largest inner products with a query.
//!
//! ```text
//! upsert ─► live part (grows) ─┐                  ┌─ part: lists of rows around centres ─ blocks of 16 rows
//!                              ├─ Compaction ─►   │  upper 4 bits of the codes are scanned, lower 8 bits of what
//! base part (packed, mapped) ──┘   beside the     │  passes are read, the best are told with the query unrounded
//!                                  readers        └─ 108 bytes a pin of 64 dimensions, all told
//! ```
//!
//! * `kernel`: sums of products of small integers. * `row`, `query`: vectors as codes. * `geometry`: centres.
//! * `part`, `held`: rows by list, and which of them count. * `search`: one search. * `plan`: which kind of search a
//!   filter wants. * `pull`: more and more of the best. * `compact`: parts into one. * `file`: the snapshot.

mod compact;
mod file;
mod geometry;
mod held;
mod kernel;
mod part;
mod plan;
mod pull;
mod query;
mod row;
mod search;
mod tail;

pub use compact::{Compacted, Compaction, Replaced};
pub use plan::{Found, Marked, Plan, Want};
pub use pull::Pull;

use crate::error::IndexError;
use domain::{PinId, Rng};
use geometry::Geometry;
use held::Held;
use kernel::{Kernel, ROWS};
use part::Part;
use row::Row;
use std::sync::Arc;

/// Most pin ids one index holds.
pub const PINS_MAX: usize = 1 << 24;

/// The least rows of which lists are learned; fewer are scanned as one.
const ROWS_TO_LEARN: usize = 4_096;

/// Lists per root of the rows.
const LISTS_PER_ROOT: f64 = 1.5;

/// Rows that the live part may have beside the base, and the part of the base that it may be.
const LIVE_ROWS: usize = 32_768;
const LIVE_SHARE: usize = 8;

/// Vectors that are asked of memory before the first of them is read.
const READ_AT_ONCE: usize = 16;

/// Where no row is.
const NOWHERE: u32 = u32::MAX;

/// Places are a part's tag in the upper two bits and a row in the rest.
const ROW_BITS: u32 = 30;

/// One vector per pin of one embedding space, searched by inner product.
///
/// Vectors are kept as codes of 12 bits around the nearest of learned centres (about 10⁻⁴ of their length is lost).
/// There is one writer (`&mut self`); a [`Compaction`] works beside it and the readers.
#[derive(Clone, Debug)]
pub struct VectorIndex {
    dim: usize,
    space: u32,
    kernel: Kernel,
    /// Usually the base, one that is being compacted, and the live one, which is last. All of one geometry but for a
    /// short while after lists were learned.
    held: Vec<Tagged>,
    /// Where each pin's row is.
    places: Vec<u32>,
    len: usize,
    /// Rows in the part whose geometry was learned last.
    learned_rows: usize,
    /// Counts the times that parts came or went.
    version: u64,
    /// Pins that changed since a compaction began.
    meanwhile: Option<Vec<PinId>>,
}

/// A part and the tag that places know it by.
#[derive(Clone, Debug)]
struct Tagged {
    tag: u32,
    held: Held,
}

impl VectorIndex {
    /// An empty index for vectors of `dim` numbers of embedding space `space`.
    pub fn new(dim: usize, space: u32) -> VectorIndex {
        let live = Tagged { tag: 0, held: Held::loose(Arc::new(Geometry::flat(dim))) };
        VectorIndex {
            dim,
            space,
            kernel: Kernel::detect(),
            held: vec![live],
            places: Vec::new(),
            len: 0,
            learned_rows: 0,
            version: 0,
            meanwhile: None,
        }
    }

    /// An index of many vectors at once: `rows` holds `dim` numbers for each of `pins`; the last of a pin counts.
    pub fn build(dim: usize, space: u32, pins: &[PinId], rows: &[f32], seed: u64) -> Result<VectorIndex, IndexError> {
        let mut index = VectorIndex::new(dim, space);
        if pins.len() >= ROWS_TO_LEARN {
            let kernel = index.kernel;
            let geometry = Geometry::learn(dim, lists_for(pins.len()), rows, kernel, &mut Rng::new(seed));
            index.held = vec![Tagged { tag: 0, held: Held::loose(Arc::new(geometry)) }];
            index.learned_rows = pins.len();
        }
        for (pins, rows) in pins.chunks(BULK).zip(rows.chunks(BULK * dim.max(1))) {
            index.upsert_all(space, pins, rows)?;
        }
        let compacted = index.begin_compaction(seed).map(Compaction::run);
        compacted.into_iter().for_each(|compacted| drop(index.publish(compacted)));
        Ok(index)
    }

    /// Sets the vector of `pin`, a vector of embedding space `space`.
    pub fn upsert(&mut self, space: u32, pin: PinId, vector: &[f32]) -> Result<(), IndexError> {
        self.upsert_all(space, &[pin], vector)
    }

    /// Sets the vectors of `pins`: `rows` holds `dim` numbers for each. Nothing is taken when one of them is refused.
    pub fn upsert_all(&mut self, space: u32, pins: &[PinId], rows: &[f32]) -> Result<(), IndexError> {
        let vectors = || rows.chunks(self.dim.max(1));
        if rows.len() != pins.len() * self.dim {
            return Err(IndexError::Dimension { expected: pins.len() * self.dim, got: rows.len() });
        }
        vectors().try_for_each(|vector| self.check(space, vector))?;
        if let Some(pin) = pins.iter().find(|pin| pin.index() >= PINS_MAX) {
            return Err(IndexError::TooManyPins { pin: pin.0, max: PINS_MAX });
        }
        let geometry = self.live().held.part.geometry.clone();
        let homes = geometry.homes(vectors(), self.kernel);
        for ((&pin, vector), home) in pins.iter().zip(rows.chunks(self.dim.max(1))).zip(homes) {
            let row = Row::encode(vector, geometry.centre(home as usize));
            self.put(pin, home as usize, &row);
        }
        Ok(())
    }

    fn put(&mut self, pin: PinId, list: usize, row: &Row) {
        self.remove(pin);
        if self.places.len() <= pin.index() {
            self.places.resize(pin.index() + 1, NOWHERE);
        }
        let live = self.held.last_mut().expect("invariant: there is a live part");
        let at = live.held.push(list, row, pin);
        self.places[pin.index()] = live.tag << ROW_BITS | at as u32;
        self.len += 1;
    }

    /// Takes the vector of `pin` away, if there is one.
    pub fn remove(&mut self, pin: PinId) {
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile.push(pin);
        }
        let Some(place) = self.places.get_mut(pin.index()).filter(|place| **place != NOWHERE) else { return };
        let (tag, row) = split(std::mem::replace(place, NOWHERE));
        if let Some(known) = self.held.iter_mut().find(|known| known.tag == tag) {
            known.held.bury(row);
        }
        self.len -= 1;
    }

    /// The vector of `pin`, `dim` numbers, as near as it is kept.
    pub fn vector(&self, pin: PinId) -> Option<Vec<f32>> {
        let mut vector = vec![0.0; self.dim];
        self.read(pin, &mut vector).then_some(vector)
    }

    /// Writes the vector of `pin` into `into`, `dim` numbers; whether there is one.
    pub fn read(&self, pin: PinId, into: &mut [f32]) -> bool {
        self.found(pin).map(|(part, row)| read(part, row, into)).is_some()
    }

    /// Gives the vectors of those of `pins` that have one, with their places in the list. They lie far apart: the
    /// processor waits for many at once.
    pub fn read_all(&self, pins: &[PinId], mut each: impl FnMut(usize, &[f32])) {
        let mut vector = vec![0.0; self.dim];
        for (block, pins) in pins.chunks(READ_AT_ONCE).enumerate() {
            let mut found = [None; READ_AT_ONCE];
            found.iter_mut().zip(pins).for_each(|(found, &pin)| *found = self.found(pin));
            found.iter().flatten().for_each(|(part, row)| part.view().prefetch_row(*row));
            for (at, (part, row)) in found.into_iter().enumerate().filter_map(|(at, found)| Some((at, found?))) {
                read(part, row, &mut vector);
                each(block * READ_AT_ONCE + at, &vector);
            }
        }
    }

    fn found(&self, pin: PinId) -> Option<(&Part, usize)> {
        let (tag, row) = self.place(pin)?;
        let known = self.held.iter().find(|known| known.tag == tag)?;
        Some((&known.held.part, row))
    }

    fn place(&self, pin: PinId) -> Option<(u32, usize)> {
        self.places.get(pin.index()).filter(|place| **place != NOWHERE).map(|&place| split(place))
    }

    fn live(&self) -> &Tagged {
        self.held.last().expect("invariant: there is a live part")
    }

    /// The pins that have a vector, by id.
    pub fn pins(&self) -> impl Iterator<Item = PinId> {
        (0u32..).zip(&self.places).filter(|(_, place)| **place != NOWHERE).map(|(pin, _)| PinId(pin))
    }

    /// How many pins have a vector.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no pin has a vector.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The embedding space that the vectors belong to.
    pub fn space(&self) -> u32 {
        self.space
    }

    /// Counts the times that parts came or went: what was [marked](VectorIndex::mark) before is of no use after.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Numbers per vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Bytes in memory, or in the mapped snapshot that it reads.
    pub fn bytes(&self) -> usize {
        let parts = self.held.iter().map(|known| known.held.part.bytes() + known.held.alive.len() * 2);
        parts.sum::<usize>() + self.places.len() * 4
    }

    fn check(&self, space: u32, vector: &[f32]) -> Result<(), IndexError> {
        if space != self.space {
            return Err(IndexError::Space { expected: self.space, got: space });
        }
        if vector.len() != self.dim {
            return Err(IndexError::Dimension { expected: self.dim, got: vector.len() });
        }
        vector.iter().position(|x| !x.is_finite()).map_or(Ok(()), |at| Err(IndexError::NotFinite { at }))
    }
}

/// Vectors whose lists are looked up together.
const BULK: usize = 1_024;

/// How many lists so many rows are cut into.
fn lists_for(rows: usize) -> usize {
    (((rows as f64).sqrt() * LISTS_PER_ROOT) as usize).next_multiple_of(ROWS)
}

fn read(part: &Part, row: usize, into: &mut [f32]) {
    row::read(part.view().coded(row), part.geometry.centre(part.list_of(row)), into);
}

fn split(place: u32) -> (u32, usize) {
    (place >> ROW_BITS, (place & ((1 << ROW_BITS) - 1)) as usize)
}

#[cfg(test)]
mod tests;
