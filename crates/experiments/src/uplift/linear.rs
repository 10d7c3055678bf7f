use serde::{Deserialize, Serialize};

/// A plane: intercept and a weight per column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Plane {
    pub(super) intercept: f64,
    pub(super) weights: Vec<f64>,
}

impl Plane {
    pub(super) fn at(&self, row: &[f64]) -> f64 {
        self.intercept + self.weights.iter().zip(row).map(|(weight, value)| weight * value).sum::<f64>()
    }

    /// Least squares with a ridge: minimises Σ (y − scale · plane(x))² + penalty · |weights|², the intercept free.
    /// `rows` are (x, scale, y).
    pub(super) fn ridge<'a>(rows: impl Iterator<Item = (&'a [f64], f64, f64)>, columns: usize, penalty: f64) -> Plane {
        let size = columns + 1;
        let (mut matrix, mut right) = (vec![0.0; size * size], vec![0.0; size]);
        let mut scaled = vec![0.0; size];
        for (x, scale, y) in rows {
            scaled[0] = scale;
            scaled[1..].iter_mut().zip(x).for_each(|(at, value)| *at = scale * value);
            for (i, value) in scaled.iter().enumerate() {
                right[i] += value * y;
                matrix[i * size..i * size + i + 1].iter_mut().zip(&scaled).for_each(|(at, other)| *at += value * other);
            }
        }
        // Columns that repeat each other still have one answer.
        let floor = 1e-9 * matrix[0].max(1e-300);
        (0..size).for_each(|i| matrix[i * size + i] += floor + if i == 0 { 0.0 } else { penalty });
        let mut solved = cholesky(matrix, right, size);
        Plane { intercept: solved.remove(0), weights: solved }
    }
}

/// Solves a symmetric positive system whose lower half is given, row by row.
fn cholesky(mut matrix: Vec<f64>, mut right: Vec<f64>, size: usize) -> Vec<f64> {
    for i in 0..size {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let left = matrix[i * size + j] - dot;
            matrix[i * size + j] = if i == j { left.max(1e-300).sqrt() } else { left / matrix[j * size + j] };
        }
        let dot: f64 = (0..i).map(|k| matrix[i * size + k] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * size + i];
    }
    for i in (0..size).rev() {
        let dot: f64 = (i + 1..size).map(|k| matrix[k * size + i] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * size + i];
    }
    right
}
