//! The id table, beside the tape: which rows a step's vectors are made of, and row-wise Adagrad, which moves these rows
//! against their gradients. Only rows that a step touches cost anything.

use domain::PinId;
use models::IdTable;
use rayon::prelude::*;

use crate::tape::Bags;

const UNTOUCHED: u32 = u32::MAX;
/// Keeps the step of a row without a gradient finite.
pub(crate) const ADAGRAD_EPSILON: f32 = 1e-10;

/// The pins that a step touches: each has a row in the step's matrix of id vectors.
pub(crate) struct Touched {
    pins: Vec<PinId>,
    /// Place of a pin in `pins`, per pin.
    place: Vec<u32>,
}

impl Touched {
    /// Room for the pins `0..pins`.
    pub(crate) fn new(pins: usize) -> Touched {
        Touched { pins: Vec::new(), place: vec![UNTOUCHED; pins] }
    }

    /// Forgets the step before and takes `pins` (repeats allowed). Dropped pins have no vector.
    pub(crate) fn gather(&mut self, ids: &IdTable, pins: impl Iterator<Item = PinId>, dropped: impl Fn(PinId) -> bool) {
        for pin in self.pins.drain(..) {
            self.place[pin.index()] = UNTOUCHED;
        }
        for pin in pins {
            if self.place[pin.index()] == UNTOUCHED && ids.knows(pin) && !dropped(pin) {
                self.place[pin.index()] = self.pins.len() as u32;
                self.pins.push(pin);
            }
        }
    }

    /// Rows of the id table whose sums are the pins' vectors.
    pub(crate) fn rows(&self, ids: &IdTable) -> Bags {
        let mut bags = Bags::default();
        for pin in &self.pins {
            bags.push(ids.rows_of(*pin).into_iter().flatten().map(|row| (row as u32, 1.0)));
        }
        bags
    }

    /// The rows of the step's matrix whose weighted sum is the mean id vector of `pins`, as [`IdTable::add_mean`] gives
    /// it: who has none counts as zeros.
    pub(crate) fn mean(&self, pins: &[PinId]) -> impl Iterator<Item = (u32, f32)> {
        let weight = 1.0 / pins.len().max(1) as f32;
        let places = pins.iter().map(|pin| self.place[pin.index()]);
        places.filter(|&place| place != UNTOUCHED).map(move |place| (place, weight))
    }
}

/// A row of the id table, and a pin's place in a step's matrix that it is part of.
pub(crate) type Use = (u32, u32);

/// Who uses which rows of the id table, by row.
pub(crate) fn uses(rows: &Bags) -> Vec<Use> {
    let numbered = (0u32..).zip(rows.lists());
    let mut uses: Vec<Use> =
        numbered.flat_map(|(place, list)| list.iter().map(move |entry| (entry.row, place))).collect();
    uses.par_sort_unstable();
    uses
}

/// Row-wise Adagrad: one accumulator per row instead of one per value.
pub(crate) struct RowAdagrad {
    /// Sum of the mean squared gradients of each row.
    pub(crate) sums: Vec<f32>,
}

impl RowAdagrad {
    pub(crate) fn new(rows: usize) -> RowAdagrad {
        RowAdagrad { sums: vec![0.0; rows] }
    }

    /// Moves rows against the gradients of the pins that use them (`pins × dim`); those that share a row add up.
    pub(crate) fn step(&mut self, ids: &mut IdTable, uses: &[Use], gradients: &[f32], rate: f32) {
        let dim = ids.rows().cols;
        let mut gradient = vec![0.0; dim];
        for same in uses.chunk_by(|a, b| a.0 == b.0) {
            gradient.fill(0.0);
            for &(_, place) in same {
                let part = &gradients[place as usize * dim..][..dim];
                gradient.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
            let row = same[0].0 as usize;
            self.sums[row] += gradient.iter().map(|value| value * value).sum::<f32>() / dim as f32;
            let step = rate / (self.sums[row].sqrt() + ADAGRAD_EPSILON);
            let values = &mut ids.rows_mut().values[row * dim..][..dim];
            values.iter_mut().zip(&gradient).for_each(|(value, gradient)| *value -= step * gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Cpu, Engine};

    #[test]
    fn vectors_are_sums_of_rows_and_means_count_whoever_has_none() {
        let mut ids = IdTable::new(64, 2);
        ids.rows_mut().values.iter_mut().enumerate().for_each(|(i, value)| *value = i as f32);
        (0..4).for_each(|pin| ids.know(PinId(pin)));
        let mut touched = Touched::new(6);
        let pins = [PinId(0), PinId(2), PinId(5)];
        touched.gather(&ids, (0..6).map(PinId), |pin| pin == PinId(1));
        let vectors = Cpu.bag(&ids.rows().values, 2, &touched.rows(&ids));
        assert_eq!(vectors.len(), 3 * 2, "of pins 0, 2 and 3; pin 1 was dropped");
        let mut bags = Bags::default();
        bags.push(touched.mean(&pins));
        bags.push(touched.mean(&[PinId(1)]));
        let mut truth = vec![0.0; 4];
        ids.add_mean(&pins, &mut truth);
        assert_eq!(Cpu.bag(&vectors, 2, &bags), truth);
    }

    #[test]
    fn only_touched_rows_move_and_the_first_step_has_the_length_of_the_rate() {
        let mut ids = IdTable::new(1 << 12, 2);
        (0..4).for_each(|pin| ids.know(PinId(pin)));
        let mut touched = Touched::new(4);
        touched.gather(&ids, [PinId(3), PinId(3)].into_iter(), |_| false);
        let uses = uses(&touched.rows(&ids));
        RowAdagrad::new(1 << 12).step(&mut ids, &uses, &[5.0, 5.0], 0.1);
        let mut moved = [0.0; 2];
        ids.add(PinId(3), 1.0, &mut moved);
        assert!(moved.iter().all(|value| (value + 0.2).abs() < 1e-6), "two rows of -0.1 each: {moved:?}");
        assert_eq!(ids.rows().values.iter().filter(|value| **value != 0.0).count(), 4);
    }
}
