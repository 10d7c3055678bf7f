use domain::{PinId, hash64};

use crate::Matrix;

/// The hashed id table: a pin's id vector is the sum of two rows chosen by two hash functions, so that two pins share
/// their whole vector almost never. A pin that was not in training has no id vector: its rows belong to others.
#[derive(Clone, Debug, PartialEq)]
pub struct IdTable {
    rows: Matrix,
    known: Vec<u64>,
}

/// Above the bits of a pin: no pin under one salt looks like another pin under the other.
const SALTS: [u64; 2] = [1 << 32, 2 << 32];

impl IdTable {
    /// A table of zeros that knows no pin.
    pub fn new(rows: usize, dim: usize) -> IdTable {
        IdTable { rows: Matrix { rows, cols: dim, values: vec![0.0; rows * dim] }, known: Vec::new() }
    }

    /// A table from its parts: rows and the bit set of known pins.
    pub fn from_parts(rows: Matrix, known: Vec<u64>) -> IdTable {
        IdTable { rows, known }
    }

    /// Marks a pin as known.
    pub fn know(&mut self, pin: PinId) {
        let word = pin.index() / 64;
        if word >= self.known.len() {
            self.known.resize(word + 1, 0);
        }
        self.known[word] |= 1 << (pin.0 % 64);
    }

    /// Whether the pin was in training.
    #[inline]
    pub fn knows(&self, pin: PinId) -> bool {
        self.known.get(pin.index() / 64).is_some_and(|word| word & (1 << (pin.0 % 64)) != 0)
    }

    /// The two rows of a known pin.
    #[inline]
    pub fn rows_of(&self, pin: PinId) -> Option<[usize; 2]> {
        let count = self.rows.rows as u64;
        self.knows(pin).then(|| SALTS.map(|salt| (hash64(u64::from(pin.0) | salt) % count) as usize))
    }

    /// Adds `weight` times the pin's id vector to `out` (`dim` values); nothing for an unknown pin.
    #[inline]
    pub fn add(&self, pin: PinId, weight: f32, out: &mut [f32]) {
        for row in self.rows_of(pin).into_iter().flatten() {
            let row = &self.rows.values[row * self.rows.cols..][..self.rows.cols];
            out.iter_mut().zip(row).for_each(|(out, value)| *out += weight * value);
        }
    }

    /// Adds the mean id vector of `pins` to `out`: unknown pins count in the mean as zeros.
    pub fn add_mean(&self, pins: &[PinId], out: &mut [f32]) {
        let weight = 1.0 / pins.len().max(1) as f32;
        pins.iter().for_each(|&pin| self.add(pin, weight, out));
    }

    /// The table itself.
    pub fn rows(&self) -> &Matrix {
        &self.rows
    }

    /// The table itself, to be trained.
    pub fn rows_mut(&mut self) -> &mut Matrix {
        &mut self.rows
    }

    /// The bit set of known pins.
    pub fn known(&self) -> &[u64] {
        &self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardly_any_two_pins_share_both_rows() {
        let mut table = IdTable::new(1 << 16, 8);
        let pins = 10_000u32;
        (0..pins).for_each(|pin| table.know(PinId(pin)));
        let mut rows: Vec<[usize; 2]> = (0..pins).filter_map(|pin| table.rows_of(PinId(pin))).collect();
        rows.iter_mut().for_each(|rows| rows.sort_unstable());
        rows.sort_unstable();
        rows.dedup();
        assert!(rows.len() as u32 > pins - 3, "{} different pairs", rows.len());
    }

    #[test]
    fn an_unknown_pin_has_no_vector() {
        let mut table = IdTable::new(64, 8);
        table.rows_mut().values.fill(1.0);
        table.know(PinId(70));
        let (mut known, mut unknown) = ([0.0; 8], [0.0; 8]);
        table.add(PinId(70), 1.0, &mut known);
        table.add(PinId(71), 1.0, &mut unknown);
        assert_eq!((known, unknown), ([2.0; 8], [0.0; 8]));
        table.add_mean(&[PinId(70), PinId(71)], &mut unknown);
        assert_eq!(unknown, [1.0; 8]);
    }
}
