//! A query as the kernels want it.

use super::kernel::{LANES, LINE_DIMS, by_nibbles};

/// Spread of the lower part of a code around its middle: a uniform draw of 0 to 255.
const LOWER_SPREAD: f32 = 73.9;

/// Fine steps per step: what rounding leaves over is at most half a step.
const FINE: f32 = 250.0;

/// Numbers per row, padded.
pub(super) fn width(dim: usize) -> usize {
    dim.max(1).next_multiple_of(LANES)
}

/// A query vector and its 8-bit numbers: `value ≈ code · step`.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// As given, padded with zeros.
    values: Vec<f32>,
    pub(super) codes: Vec<i8>,
    /// The same in the order of [`by_nibbles`].
    pub(super) codes_by_nibbles: Vec<i8>,
    pub(super) step: f32,
    /// Sum of the codes.
    pub(super) total: i32,
    /// What the codes leave over: `value ≈ code · step + fine · fine_step`.
    pub(super) fine: Vec<i8>,
    pub(super) fine_by_nibbles: Vec<i8>,
    pub(super) fine_step: f32,
    pub(super) fine_total: i32,
    /// Euclidean length.
    pub(super) norm: f32,
    /// What the unknown lower parts of a row add up to, give or take (standard deviation, before `step` and scale).
    pub(super) lower_spread: f32,
}

/// Rounds a vector to 8-bit numbers, `value ≈ code · step`; codes after the vector's end are 0. The step and the sum of
/// the codes.
pub(super) fn round(vector: &[f32], codes: &mut [i8]) -> (f32, i32) {
    let largest = vector.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let step = largest / 127.0;
    let per = if step > 0.0 { 1.0 / step } else { 0.0 };
    let mut total = 0;
    codes.fill(0);
    for (code, value) in codes.iter_mut().zip(vector) {
        *code = nearest(value * per) as i8;
        total += i32::from(*code);
    }
    (step, total)
}

impl Query {
    pub(super) fn new(vector: &[f32]) -> Query {
        let mut values = vec![0.0; width(vector.len())];
        values[..vector.len()].copy_from_slice(vector);
        let mut codes = vec![0; values.len()];
        let (step, total) = round(vector, &mut codes);
        let per = if step > 0.0 { 1.0 / step } else { 0.0 };
        let (fine_step, fine_per) = (step / FINE, per * FINE);
        let fine = |(value, &code): (&f32, &i8)| nearest((value - f32::from(code) * step) * fine_per) as i8;
        let fine: Vec<i8> = values.iter().zip(&codes).map(fine).collect();
        let fine_total = fine.iter().map(|&code| i32::from(code)).sum();
        let square: i32 = codes.iter().map(|&code| i32::from(code) * i32::from(code)).sum();
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        let lower_spread = LOWER_SPREAD * (square as f32).sqrt();
        Query {
            codes_by_nibbles: by_nibbles(&codes),
            fine_by_nibbles: by_nibbles(&fine),
            values,
            codes,
            step,
            total,
            fine,
            fine_step,
            fine_total,
            norm,
            lower_spread,
        }
    }

    /// The inner product with a vector of the query's unpadded length. Eight sums side by side, so that it is quick and
    /// the same everywhere.
    pub(super) fn dot(&self, vector: &[f32]) -> f32 {
        let mut lanes = [0.0f32; LINE_DIMS];
        let (whole, rest) = vector.as_chunks::<LINE_DIMS>();
        let (values, _) = self.values.as_chunks::<LINE_DIMS>();
        for (a, b) in whole.iter().zip(values) {
            (0..LINE_DIMS).for_each(|lane| lanes[lane] += a[lane] * b[lane]);
        }
        let tail: f32 = rest.iter().zip(&self.values[whole.len() * LINE_DIMS..]).map(|(a, b)| a * b).sum();
        lanes.iter().sum::<f32>() + tail
    }
}

/// The nearest whole number; halves go away from zero. Quicker than `round` where the processor is not known.
#[inline]
pub(super) fn nearest(number: f32) -> i32 {
    (number + 0.5f32.copysign(number)) as i32
}
