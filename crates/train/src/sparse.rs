//! Everything that is linear in the id table, outside autograd: gathering id vectors, pooling neighbours, and the way
//! back of their gradients to the rows, which row-wise Adagrad then moves.

use domain::PinId;
use models::IdTable;

/// The pins that a step touches, with their id vectors and gradients.
pub(crate) struct Touched {
    dim: usize,
    pins: Vec<PinId>,
    /// Place of a pin in `pins`, per pin; `u32::MAX` when untouched.
    place: Vec<u32>,
    /// `pins × dim`
    vectors: Vec<f32>,
    gradients: Vec<f32>,
}

impl Touched {
    pub(crate) fn new(pins: usize, dim: usize) -> Touched {
        Touched { dim, pins: Vec::new(), place: vec![u32::MAX; pins], vectors: Vec::new(), gradients: Vec::new() }
    }

    /// Forgets the step before and gathers the id vectors of `pins` (repeats allowed); dropped ones stay zero.
    pub(crate) fn gather(&mut self, ids: &IdTable, pins: impl Iterator<Item = PinId>, dropped: impl Fn(PinId) -> bool) {
        for pin in self.pins.drain(..) {
            self.place[pin.index()] = u32::MAX;
        }
        for pin in pins {
            if self.place[pin.index()] == u32::MAX && ids.knows(pin) && !dropped(pin) {
                self.place[pin.index()] = self.pins.len() as u32;
                self.pins.push(pin);
            }
        }
        self.vectors.clear();
        self.vectors.resize(self.pins.len() * self.dim, 0.0);
        self.gradients.clear();
        self.gradients.resize(self.pins.len() * self.dim, 0.0);
        for (pin, vector) in self.pins.iter().zip(self.vectors.chunks_exact_mut(self.dim)) {
            ids.add(*pin, 1.0, vector);
        }
    }

    /// Adds the mean id vector of `pins` to `out`.
    pub(crate) fn add_mean(&self, pins: &[PinId], out: &mut [f32]) {
        let weight = 1.0 / pins.len().max(1) as f32;
        for pin in pins {
            let place = self.place[pin.index()];
            if place != u32::MAX {
                let vector = &self.vectors[place as usize * self.dim..][..self.dim];
                out.iter_mut().zip(vector).for_each(|(out, value)| *out += weight * value);
            }
        }
    }

    /// The way back of [`Touched::add_mean`].
    pub(crate) fn back(&mut self, pins: &[PinId], gradient: &[f32]) {
        let weight = 1.0 / pins.len().max(1) as f32;
        for pin in pins {
            let place = self.place[pin.index()];
            if place != u32::MAX {
                let sum = &mut self.gradients[place as usize * self.dim..][..self.dim];
                sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
}

/// Row-wise Adagrad: one accumulator per row.
pub(crate) struct RowAdagrad {
    pub(crate) sums: Vec<f32>,
    pub(crate) m: Vec<f32>,
    pub(crate) v: Vec<f32>,
    pub(crate) adam: bool,
    pub(crate) t: i32,
}

impl RowAdagrad {
    pub(crate) fn new(rows: usize, dim: usize, adam: bool) -> RowAdagrad {
        let n = if adam { rows * dim } else { 0 };
        RowAdagrad { sums: vec![0.0; rows], m: vec![0.0; n], v: vec![0.0; rows], adam, t: 0 }
    }

    /// Moves the rows of the touched pins against their gradients.
    pub(crate) fn step(&mut self, ids: &mut IdTable, touched: &Touched, rate: f32, decay: f32) {
        let dim = touched.dim;
        self.t += 1;
        // Rows in the order of the table; gradients of pins that share a row are summed.
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
            let values = &mut ids.rows_mut().values[row * dim..][..dim];
            let square = gradient.iter().map(|value| value * value).sum::<f32>() / dim as f32;
            if self.adam {
                self.v[row] = 0.99 * self.v[row] + 0.01 * square;
                let vh = self.v[row] / (1.0 - 0.99f32.powi(self.t));
                let mh = 1.0 / (1.0 - 0.9f32.powi(self.t));
                let m = &mut self.m[row * dim..][..dim];
                for ((value, gradient), m) in values.iter_mut().zip(&gradient).zip(m) {
                    *m = 0.9 * *m + 0.1 * gradient;
                    *value -= rate * (*m * mh / (vh.sqrt() + 1e-10) + decay * *value);
                }
                continue;
            }
            self.sums[row] += square;
            let step = rate / (self.sums[row].sqrt() + 1e-10);
            for (value, gradient) in values.iter_mut().zip(&gradient) {
                *value -= step * gradient + rate * decay * *value;
            }
        }
    }
}
