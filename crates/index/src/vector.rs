//! Vectors of pins and the exact scan over them.

use crate::error::IndexError;
use crate::kernel::{self, LANES};
use crate::top::Top;
use domain::PinId;

/// Most pin ids one index holds: memory is `dim · 4` bytes for each id up to the largest.
pub const PINS_MAX: usize = 1 << 24;

/// Rows scored between two looks at the threshold: their scores stay in the first-level cache.
const BLOCK: usize = 256;

/// One vector per pin of one embedding space, searched exactly by inner product.
///
/// A pin's row is its id: vectors lie in one block in the order of ids, and a removed pin leaves a hole that its next
/// vector fills.
#[derive(Clone, Debug)]
pub struct VectorIndex {
    dim: usize,
    space: u32,
    /// Numbers per row: `dim` rounded up to whole lanes, the rest is zero.
    stride: usize,
    rows: Vec<f32>,
    alive: Vec<bool>,
    len: usize,
}

impl VectorIndex {
    /// An empty index for vectors of `dim` numbers of embedding space `space`.
    pub fn new(dim: usize, space: u32) -> VectorIndex {
        let stride = dim.max(1).next_multiple_of(LANES);
        VectorIndex { dim, space, stride, rows: Vec::new(), alive: Vec::new(), len: 0 }
    }

    /// Makes room for the pins `0..pins` at once, so that loading them does not move the block.
    pub fn reserve(&mut self, pins: usize) {
        let more = pins.min(PINS_MAX).saturating_sub(self.alive.len());
        self.rows.reserve(more * self.stride);
        self.alive.reserve(more);
    }

    /// Sets the vector of `pin`, a vector of embedding space `space`.
    pub fn upsert(&mut self, space: u32, pin: PinId, vector: &[f32]) -> Result<(), IndexError> {
        self.check(space, vector)?;
        let row = pin.index();
        if row >= PINS_MAX {
            return Err(IndexError::TooManyPins { pin: pin.0, max: PINS_MAX });
        }
        if row >= self.alive.len() {
            self.alive.resize(row + 1, false);
            self.rows.resize((row + 1) * self.stride, 0.0);
        }
        self.len += usize::from(!self.alive[row]);
        self.alive[row] = true;
        self.rows[row * self.stride..][..self.dim].copy_from_slice(vector);
        Ok(())
    }

    /// Takes the vector of `pin` away, if there is one.
    pub fn remove(&mut self, pin: PinId) {
        if let Some(alive) = self.alive.get_mut(pin.index()) {
            self.len -= usize::from(*alive);
            *alive = false;
        }
    }

    /// The `k` pins with the largest inner product with `query` (a vector of embedding space `space`) among those
    /// that `keep` wants, best first, equal ones by id. Exact.
    pub fn search(
        &self,
        space: u32,
        query: &[f32],
        k: usize,
        keep: Option<&dyn Fn(PinId) -> bool>,
    ) -> Result<Vec<(PinId, f32)>, IndexError> {
        self.check(space, query)?;
        let k = k.min(self.len);
        if k == 0 {
            return Ok(Vec::new());
        }
        let mut padded = vec![0.0; self.stride];
        padded[..self.dim].copy_from_slice(query);
        let mut top = Top::new(k);
        let mut scores = [0.0; BLOCK];
        for (block, rows) in self.rows.chunks(BLOCK * self.stride).enumerate() {
            let first = block * BLOCK;
            let scores = &mut scores[..rows.len() / self.stride];
            kernel::scores(&padded, rows, scores);
            self.offer_block(first, scores, keep, &mut top);
        }
        Ok(top.into_best())
    }

    /// Rows come in the order of ids, so an equal score loses against those that are there: `>` is exact.
    fn offer_block(&self, first: usize, scores: &[f32], keep: Option<&dyn Fn(PinId) -> bool>, top: &mut Top) {
        for (i, &score) in scores.iter().enumerate() {
            if score > top.threshold() && self.alive[first + i] {
                let pin = PinId((first + i) as u32);
                if keep.is_none_or(|keep| keep(pin)) {
                    top.offer(pin, score);
                }
            }
        }
    }

    /// The vector of `pin`, `dim` numbers.
    pub fn vector(&self, pin: PinId) -> Option<&[f32]> {
        let row = pin.index();
        self.alive.get(row)?.then(|| &self.rows[row * self.stride..][..self.dim])
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

    /// Numbers per vector.
    pub fn dim(&self) -> usize {
        self.dim
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    fn random(rng: &mut Rng, dim: usize) -> Vec<f32> {
        (0..dim).map(|_| rng.normal()).collect()
    }

    fn filled(pins: u32, dim: usize, seed: u64) -> VectorIndex {
        let mut rng = Rng::new(seed);
        let mut index = VectorIndex::new(dim, 4);
        (0..pins).for_each(|pin| index.upsert(4, PinId(pin), &random(&mut rng, dim)).expect("a good vector"));
        index
    }

    #[test]
    fn the_answer_is_that_of_sorting_everything() {
        let dim = 20;
        let mut index = filled(1_500, dim, 1);
        (0..1_500).step_by(7).for_each(|pin| index.remove(PinId(pin)));
        let query = random(&mut Rng::new(2), dim);
        let odd = |pin: PinId| pin.0 % 2 == 1;
        let mut all: Vec<(PinId, f32)> = (0..1_500)
            .map(PinId)
            .filter(|&pin| odd(pin))
            .filter_map(|pin| Some((pin, index.vector(pin)?.iter().zip(&query).map(|(a, b)| a * b).sum())))
            .collect();
        all.sort_by(|a: &(PinId, f32), b| b.1.total_cmp(&a.1));
        for k in [1, 10, 300, 5_000] {
            let found = index.search(4, &query, k, Some(&odd)).expect("a good query");
            assert_eq!(found.len(), k.min(all.len()));
            for (found, expected) in found.iter().zip(&all) {
                assert_eq!(found.0, expected.0);
                assert!((found.1 - expected.1).abs() < 1e-4);
            }
        }
        assert_eq!(index.len(), 1_500 - 215);
    }

    #[test]
    fn equal_scores_are_ordered_by_id() {
        let mut index = VectorIndex::new(3, 0);
        (0..2_000).for_each(|pin| index.upsert(0, PinId(pin), &[1.0, 0.0, 0.0]).expect("a good vector"));
        let found = index.search(0, &[2.0, 1.0, 1.0], 300, None).expect("a good query");
        assert_eq!(found, (0..300).map(|pin| (PinId(pin), 2.0)).collect::<Vec<_>>());
    }

    #[test]
    fn a_vector_can_be_replaced_removed_and_given_again() {
        let mut index = VectorIndex::new(2, 0);
        index.upsert(0, PinId(5), &[1.0, 2.0]).expect("good");
        index.upsert(0, PinId(5), &[3.0, 4.0]).expect("good");
        assert_eq!((index.len(), index.vector(PinId(5))), (1, Some(&[3.0, 4.0][..])));
        index.remove(PinId(5));
        index.remove(PinId(5));
        index.remove(PinId(u32::MAX));
        assert_eq!((index.len(), index.is_empty(), index.vector(PinId(5))), (0, true, None));
        assert_eq!(index.search(0, &[1.0, 1.0], 9, None).expect("good"), []);
        index.upsert(0, PinId(5), &[1.0, 0.0]).expect("good");
        assert_eq!(index.search(0, &[1.0, 1.0], usize::MAX, None).expect("good"), [(PinId(5), 1.0)]);
        assert_eq!(index.search(0, &[1.0, 1.0], 0, None).expect("good"), []);
        assert_eq!(index.vector(PinId(4)), None, "a hole is not a pin");
    }

    #[test]
    fn other_spaces_dimensions_and_numbers_are_refused() {
        let mut index = filled(3, 2, 9);
        let said = |result: Result<(), IndexError>| result.expect_err("refused").to_string();
        assert_eq!(
            said(index.upsert(5, PinId(0), &[0.0; 2])),
            "vector of embedding space 5, but the index holds space 4"
        );
        assert_eq!(said(index.upsert(4, PinId(0), &[0.0; 3])), "vector of 3 dimensions, but the index holds 2");
        let nan = said(index.upsert(4, PinId(0), &[0.0, f32::NAN]));
        assert_eq!(nan, "dimension 1 of the vector is not a finite number");
        assert!(matches!(index.search(4, &[f32::INFINITY, 0.0], 1, None), Err(IndexError::NotFinite { at: 0 })));
        assert!(matches!(index.search(3, &[0.0, 0.0], 1, None), Err(IndexError::Space { .. })));
        assert!(matches!(index.search(4, &[], 1, None), Err(IndexError::Dimension { .. })));
        let beyond = index.upsert(4, PinId(PINS_MAX as u32), &[0.0; 2]);
        assert!(matches!(beyond, Err(IndexError::TooManyPins { .. })));
        assert_eq!(index.len(), 3);
    }

    #[test]
    fn numbers_that_overflow_do_not_disturb_the_order() {
        let mut index = VectorIndex::new(2, 0);
        index.upsert(0, PinId(0), &[f32::MAX, -f32::MAX]).expect("finite");
        index.upsert(0, PinId(1), &[1.0, 1.0]).expect("finite");
        let found = index.search(0, &[f32::MAX, f32::MAX], 2, None).expect("finite");
        assert_eq!(found[0].0, PinId(1), "a product that is not a number sinks: {found:?}");
    }
}
