//! Sliding spectrum decomposition (Huang et al., KDD 2021): how little a pin is like the latest picks.
//!
//! A pin's share of its own is `‖v⊥‖`: what is left of its unit vector without its projection on the vectors of the
//! picks in the window. It is 1 for a pin that is like none of them and 0 for one that they make up.
//!
//! Published is the greedy `argmax r + γ ‖v⊥‖` with modified Gram-Schmidt on a circular queue: each pick takes its
//! direction out of all vectors, and gives it back when it leaves. That direction is the pick without the picks before
//! it, so that of two like pins in the window the second takes out next to nothing, and is forgotten when the first
//! leaves. Here nothing is carried from place to place but cosines: with `c` those of a pin to the picks and `G` those
//! of the picks to each other, `‖v⊥‖² = 1 − cᵀ G⁻¹ c`, by a Cholesky factor of `G` made anew for each place. So it is
//! exact for every window and does not drift. It costs about as much, `O(N·T·(d + w²/2))` for N pins, T places, d
//! dimensions and a window of w, and less in practice: a share is at most 1, so that whoever looks for the best pin can
//! stop where utility plus γ is less than that of one already found, and only blocks of rows before that are computed.

use super::kernel::{self, BLOCK, LANES, Table, WINDOW_MAX};
use crate::features::dot;
use std::ops::Range;

/// What each pick has of its own that no other pin has, squared: keeps `G` regular where pins are the same. A pin that
/// is the same as a pick has a share of 0.03 for it.
pub(super) const RIDGE: f64 = 1e-3;

/// A vector of unit length per row, or zeros where none is known.
pub(super) struct Vectors {
    width: usize,
    values: Vec<f32>,
    known: Vec<bool>,
}

impl Vectors {
    /// Rows without any vector, which may be put there.
    pub(super) fn none(dim: usize, rows: usize) -> Vectors {
        let width = dim.next_multiple_of(LANES);
        Vectors { width, values: vec![0.0; rows * width], known: vec![false; rows] }
    }

    /// Puts a vector of any length; one of next to none is as none.
    pub(super) fn put(&mut self, row: usize, vector: &[f32]) {
        let length = dot(vector, vector).sqrt();
        if length > 1e-6 {
            let into = &mut self.values[row * self.width..];
            let scale = 1.0 / length;
            into.iter_mut().zip(vector).for_each(|(into, value)| *into = value * scale);
            self.known[row] = true;
        }
    }

    /// How many rows have a vector.
    pub(super) fn count(&self) -> usize {
        self.known.iter().filter(|known| **known).count()
    }

    fn row(&self, row: usize) -> &[f32] {
        self.rows(row..row + 1)
    }

    fn rows(&self, rows: Range<usize>) -> &[f32] {
        &self.values[rows.start * self.width..rows.end * self.width]
    }
}

/// The latest picks, and how blocks of rows lie to them.
pub(super) struct Window<'a> {
    vectors: &'a Vectors,
    /// Picks that shares are about.
    size: usize,
    picks: Vec<usize>,
    /// Cosines of the latest picks with each other; the pick of number `n` has slot `n % WINDOW_MAX`.
    gram: Table,
    /// The Cholesky factor of those of the window, oldest first, with the inverse of its diagonal.
    factor: Table,
    blocks: Vec<Block>,
    /// The mean share of the rows that were looked at last.
    mean: f32,
}

/// Sixteen rows.
#[derive(Clone)]
struct Block {
    /// Cosines with the pick in each slot.
    cosines: [[f32; BLOCK]; WINDOW_MAX],
    /// How many picks they know of.
    picks: usize,
}

impl<'a> Window<'a> {
    /// An empty window of at most `size` picks, `1..=WINDOW_MAX`.
    pub(super) fn new(vectors: &'a Vectors, size: usize) -> Window<'a> {
        let block = Block { cosines: [[0.0; BLOCK]; WINDOW_MAX], picks: 0 };
        Window {
            vectors,
            size: size.clamp(1, WINDOW_MAX),
            picks: Vec::new(),
            gram: Table::default(),
            factor: Table::default(),
            blocks: vec![block; vectors.known.len().div_ceil(BLOCK)],
            mean: 1.0,
        }
    }

    /// Takes a pick in; the oldest leaves when there are too many.
    pub(super) fn push(&mut self, pick: usize) {
        let slot = self.picks.len() % WINDOW_MAX;
        for (number, &other) in self.picks.iter().enumerate().rev().take(self.size - 1) {
            let cosine = dot(self.vectors.row(pick), self.vectors.row(other));
            self.gram[slot][number % WINDOW_MAX] = cosine;
            self.gram[number % WINDOW_MAX][slot] = cosine;
        }
        self.gram[slot][slot] = f32::from(u8::from(self.vectors.known[pick]));
        self.picks.push(pick);
        self.factor();
    }

    /// Computes the share of its own of each open row of a block. One without a vector is neither like the picks nor
    /// unlike them: it has the mean of those in its block that have one, or of the block that was looked at before, and
    /// takes nothing from others when it is picked. Tells what is new since the block was last looked at: for each open
    /// row its cosine with a pick, and how many picks ago that was (from 1).
    pub(super) fn look(
        &mut self,
        block: usize,
        open: &[bool],
        shares: &mut [f32],
        mut tell: impl FnMut(usize, usize, f32),
    ) {
        let rows = block * BLOCK..open.len().min((block + 1) * BLOCK);
        let (known, picks) = (self.blocks[block].picks, self.picks.len());
        for number in known.max(picks.saturating_sub(WINDOW_MAX))..picks {
            let pick = self.vectors.row(self.picks[number]);
            let cosines = &mut self.blocks[block].cosines[number % WINDOW_MAX];
            kernel::products(pick, self.vectors.rows(rows.clone()), &open[rows.clone()], cosines);
            for row in rows.clone().filter(|&row| open[row]) {
                tell(row, picks - number, cosines[row % BLOCK]);
            }
        }
        self.blocks[block].picks = picks;
        let left = self.left(block);
        let (mut sum, mut count) = (0.0, 0.0f32);
        for row in rows.clone().filter(|&row| open[row] && self.vectors.known[row]) {
            shares[row] = left[row % BLOCK].max(0.0).sqrt();
            (sum, count) = (sum + shares[row], count + 1.0);
        }
        self.mean = if count > 0.0 { sum / count } else { self.mean };
        rows.filter(|&row| open[row] && !self.vectors.known[row]).for_each(|row| shares[row] = self.mean);
    }

    /// `1 − cᵀ G⁻¹ c` of the rows of a block.
    fn left(&self, block: usize) -> [f32; BLOCK] {
        let mut cosines = [[0.0; BLOCK]; WINDOW_MAX];
        let cosines = &mut cosines[..self.filled()];
        for (at, column) in cosines.iter_mut().enumerate() {
            *column = self.blocks[block].cosines[self.slot(at)];
        }
        kernel::left(&self.factor, cosines)
    }

    fn factor(&mut self) {
        let mut exact = [[0.0f64; WINDOW_MAX]; WINDOW_MAX];
        for row in 0..self.filled() {
            for col in 0..=row {
                let known: f64 = (0..col).map(|k| exact[row][k] * exact[col][k]).sum();
                let rest = f64::from(self.gram[self.slot(row)][self.slot(col)]) - known;
                exact[row][col] = match row == col {
                    true => (rest + RIDGE).max(RIDGE * 0.5).sqrt(),
                    false => rest / exact[col][col],
                };
                self.factor[row][col] = if row == col { 1.0 / exact[row][row] } else { exact[row][col] } as f32;
            }
        }
    }

    /// Picks in the window.
    fn filled(&self) -> usize {
        self.picks.len().min(self.size)
    }

    /// The slot of a pick of the window, 0 being the oldest.
    fn slot(&self, at: usize) -> usize {
        (self.picks.len() - self.filled() + at) % WINDOW_MAX
    }
}

/// Sliding spectrum decomposition by itself: the rows of a slate of at most `places`, each with the largest
/// `relevance + gamma · ‖v⊥‖` of those that are left. Rows come by relevance, best first, with vectors of `dim` numbers
/// one after the other.
pub fn ssd(relevance: &[f32], vectors: &[f32], dim: usize, gamma: f32, window: usize, places: usize) -> Vec<usize> {
    let mut known = Vectors::none(dim, relevance.len());
    (0..relevance.len()).for_each(|row| known.put(row, &vectors[row * dim..][..dim]));
    let mut window = Window::new(&known, window);
    let (mut open, mut shares) = (vec![true; relevance.len()], vec![0.0; relevance.len()]);
    let mut slate = Vec::with_capacity(places.min(relevance.len()));
    while slate.len() < places.min(relevance.len()) {
        let mut best: Option<(usize, f32)> = None;
        for (block, rows) in blocks(&open) {
            if best.is_some_and(|(_, most)| relevance[rows.start] + gamma <= most) {
                break;
            }
            window.look(block, &open, &mut shares, |_, _, _| ());
            for row in rows.filter(|&row| open[row]) {
                let worth = relevance[row] + gamma * shares[row];
                best = if best.is_none_or(|(_, most)| worth > most) { Some((row, worth)) } else { best };
            }
        }
        let Some((pick, _)) = best else { break };
        open[pick] = false;
        window.push(pick);
        slate.push(pick);
    }
    slate
}

/// Blocks with an open row, and their rows from the first open one on.
pub(super) fn blocks(open: &[bool]) -> impl Iterator<Item = (usize, Range<usize>)> {
    open.chunks(BLOCK).enumerate().filter_map(|(block, rows)| {
        let first = rows.iter().position(|open| *open)?;
        Some((block, block * BLOCK + first..block * BLOCK + rows.len()))
    })
}
