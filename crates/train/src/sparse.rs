//! Everything that is linear in the id table, outside autograd: gathering id vectors, pooling them, and the way back of
//! their gradients to the rows, which row-wise Adagrad then moves. Only rows that a step touches cost anything.

use domain::PinId;
use models::IdTable;

const UNTOUCHED: u32 = u32::MAX;

/// The pins that a step touches, with their id vectors and gradients.
pub(crate) struct Touched {
    dim: usize,
    pins: Vec<PinId>,
    /// Place of a pin in `pins`, per pin.
    place: Vec<u32>,
    /// `pins × dim`
    vectors: Vec<f32>,
    /// `pins × dim`
    gradients: Vec<f32>,
}

impl Touched {
    /// Room for the pins `0..pins`.
    pub(crate) fn new(pins: usize, dim: usize) -> Touched {
        Touched { dim, pins: Vec::new(), place: vec![UNTOUCHED; pins], vectors: Vec::new(), gradients: Vec::new() }
    }

    /// Forgets the step before and gathers the id vectors of `pins` (repeats allowed). Dropped pins have none.
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
        for buffer in [&mut self.vectors, &mut self.gradients] {
            buffer.clear();
            buffer.resize(self.pins.len() * self.dim, 0.0);
        }
        for (pin, vector) in self.pins.iter().zip(self.vectors.chunks_exact_mut(self.dim)) {
            ids.add(*pin, 1.0, vector);
        }
    }

    /// Adds the mean id vector of `pins` to `out`, as [`IdTable::add_mean`] does.
    pub(crate) fn add_mean(&self, pins: &[PinId], out: &mut [f32]) {
        let weight = 1.0 / pins.len().max(1) as f32;
        for place in pins.iter().map(|pin| self.place[pin.index()]).filter(|&place| place != UNTOUCHED) {
            let vector = &self.vectors[place as usize * self.dim..][..self.dim];
            out.iter_mut().zip(vector).for_each(|(out, value)| *out += weight * value);
        }
    }

    /// The way back of [`Touched::add_mean`].
    pub(crate) fn back(&mut self, pins: &[PinId], gradient: &[f32]) {
        let weight = 1.0 / pins.len().max(1) as f32;
        for place in pins.iter().map(|pin| self.place[pin.index()]).filter(|&place| place != UNTOUCHED) {
            let sum = &mut self.gradients[place as usize * self.dim..][..self.dim];
            sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * value);
        }
    }
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

    /// Moves the rows of the touched pins against their gradients; gradients of pins that share a row add up.
    pub(crate) fn step(&mut self, ids: &mut IdTable, touched: &Touched, rate: f32) {
        let dim = touched.dim;
        let mut uses: Vec<(u32, u32)> = Vec::with_capacity(2 * touched.pins.len());
        for (place, pin) in touched.pins.iter().enumerate() {
            uses.extend(ids.rows_of(*pin).into_iter().flatten().map(|row| (row as u32, place as u32)));
        }
        uses.sort_unstable();
        let mut gradient = vec![0.0; dim];
        for same in uses.chunk_by(|a, b| a.0 == b.0) {
            gradient.fill(0.0);
            for &(_, place) in same {
                let part = &touched.gradients[place as usize * dim..][..dim];
                gradient.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
            let row = same[0].0 as usize;
            self.sums[row] += gradient.iter().map(|value| value * value).sum::<f32>() / dim as f32;
            let step = rate / (self.sums[row].sqrt() + 1e-10);
            let values = &mut ids.rows_mut().values[row * dim..][..dim];
            values.iter_mut().zip(&gradient).for_each(|(value, gradient)| *value -= step * gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_transpose() {
        let mut ids = IdTable::new(64, 2);
        ids.rows_mut().values.iter_mut().enumerate().for_each(|(i, value)| *value = i as f32);
        (0..4).for_each(|pin| ids.know(PinId(pin)));
        let mut touched = Touched::new(6, 2);
        let pins = [PinId(0), PinId(2), PinId(5)];
        touched.gather(&ids, (0..6).map(PinId), |pin| pin == PinId(1));
        let (mut pooled, mut truth) = ([0.0; 2], [0.0; 2]);
        touched.add_mean(&pins, &mut pooled);
        ids.add_mean(&pins, &mut truth);
        assert_eq!(pooled, truth, "unknown pins count in the mean as zeros");
        touched.back(&pins, &[3.0, 6.0]);
        touched.back(&[PinId(1)], &[9.0, 9.0]);
        assert_eq!(touched.gradients, [1.0, 2.0, 1.0, 2.0, 0.0, 0.0], "of pins 0, 2 and 3; pin 1 was dropped");
    }

    #[test]
    fn only_touched_rows_move_and_the_first_step_has_the_length_of_the_rate() {
        let mut ids = IdTable::new(1 << 12, 2);
        (0..4).for_each(|pin| ids.know(PinId(pin)));
        let mut touched = Touched::new(4, 2);
        touched.gather(&ids, [PinId(3), PinId(3)].into_iter(), |_| false);
        touched.back(&[PinId(3)], &[5.0, 5.0]);
        RowAdagrad::new(1 << 12).step(&mut ids, &touched, 0.1);
        let mut moved = [0.0; 2];
        ids.add(PinId(3), 1.0, &mut moved);
        assert!(moved.iter().all(|value| (value + 0.2).abs() < 1e-6), "two rows of -0.1 each: {moved:?}");
        assert_eq!(ids.rows().values.iter().filter(|value| **value != 0.0).count(), 4);
    }
}
