//! The inverse of a large symmetric positive definite matrix, in place.

use models::{Operand, matmul};
use rayon::prelude::*;

/// Rows eliminated at once.
const BLOCK: usize = 128;

/// Replaces the symmetric positive definite `n` × `n` matrix by minus its inverse, symmetric as well.
///
/// The sweep operator (Goodnight, 1979) by blocks. With pivot block K, `D = A[K,K]⁻¹` and `W = A[·,K] D`, one step is
/// `A[i,j] -= W[i] A[j,K]ᵀ`, `A[i,K] = W[i]`, `A[K,K] = −D`. Only the lower triangle is worked on, so that it takes n³
/// operations, as many as Cholesky's way; like there, no pivoting is needed. Nothing but one panel is allocated.
/// `progress` is told how many of how many blocks are done; false from it ends the work, and then the answer is false.
pub(super) fn negated_inverse(matrix: &mut [f32], n: usize, progress: &dyn Fn(usize, usize) -> bool) -> bool {
    let blocks = n.div_ceil(BLOCK);
    for block in 0..blocks {
        if !progress(block, blocks) {
            return false;
        }
        sweep(matrix, n, block * BLOCK);
    }
    mirror(matrix, n);
    progress(blocks, blocks)
}

/// One step with the pivot block that begins at row `first`.
fn sweep(matrix: &mut [f32], n: usize, first: usize) {
    let width = BLOCK.min(n - first);
    let panel = column_panel(matrix, n, first, width);
    let pivot = inverted(&panel[first * width..][..width * width], width);
    let pivot_view = Operand::new(&pivot, width, width, width);
    let mut scaled = vec![0.0; n * width];
    scaled.par_chunks_mut(BLOCK * width).zip(panel.par_chunks(BLOCK * width)).for_each(|(scaled, rows)| {
        matmul(scaled, width, Operand::new(rows, rows.len() / width, width, width), pivot_view, 0.0, 1.0);
    });
    matrix.par_chunks_mut(BLOCK * n).enumerate().for_each(|(block, rows)| {
        let (top, height) = (block * BLOCK, rows.len() / n);
        if top == first {
            return pivot_rows(rows, n, first, &scaled, &pivot);
        }
        let scaled = &scaled[top * width..][..height * width];
        let left = Operand::new(scaled, height, width, width);
        let right = Operand::new(&panel, top + height, width, width).transposed();
        matmul(rows, n, left, right, 1.0, -1.0);
        if top > first {
            for (row, scaled) in rows.chunks_exact_mut(n).zip(scaled.chunks_exact(width)) {
                row[first..first + width].copy_from_slice(scaled);
            }
        }
    });
}

/// The columns `first..first + width` of the whole matrix, read from its lower triangle.
fn column_panel(matrix: &[f32], n: usize, first: usize, width: usize) -> Vec<f32> {
    let mut panel = vec![0.0; n * width];
    for (row, entries) in panel.chunks_exact_mut(width).enumerate() {
        if row >= first {
            entries.copy_from_slice(&matrix[row * n + first..][..width]);
        } else {
            entries.iter_mut().enumerate().for_each(|(col, entry)| *entry = matrix[(first + col) * n + row]);
        }
    }
    panel
}

/// The pivot block's own rows after the step: `Wᵀ` to the left of the diagonal, `−D` on it.
fn pivot_rows(rows: &mut [f32], n: usize, first: usize, scaled: &[f32], pivot: &[f32]) {
    let width = rows.len() / n;
    for (at, row) in rows.chunks_exact_mut(n).enumerate() {
        row[..first].iter_mut().enumerate().for_each(|(col, entry)| *entry = scaled[col * width + at]);
        let pivots = &pivot[at * width..][..width];
        row[first..first + width].iter_mut().zip(pivots).for_each(|(entry, pivot)| *entry = -pivot);
    }
}

/// The inverse of a small symmetric positive definite matrix, by Gauss and Jordan in double precision.
fn inverted(matrix: &[f32], n: usize) -> Vec<f32> {
    let mut a: Vec<f64> = matrix.iter().copied().map(f64::from).collect();
    for k in 0..n {
        let pivot = 1.0 / a[k * n + k];
        let pivots: Vec<f64> = a[k * n..][..n].iter().map(|x| x * pivot).collect();
        for i in (0..n).filter(|&i| i != k) {
            let factor = a[i * n + k];
            let row = &mut a[i * n..][..n];
            row.iter_mut().zip(&pivots).for_each(|(x, p)| *x -= factor * p);
            row[k] = -factor * pivot;
        }
        a[k * n..][..n].copy_from_slice(&pivots);
        a[k * n + k] = pivot;
    }
    a.into_iter().map(|x| x as f32).collect()
}

/// Copies the lower triangle onto the upper one, tile by tile.
fn mirror(matrix: &mut [f32], n: usize) {
    const TILE: usize = 32;
    for top in (0..n).step_by(TILE) {
        for left in (0..=top).step_by(TILE) {
            for row in top..(top + TILE).min(n) {
                for col in left..(left + TILE).min(row) {
                    matrix[col * n + row] = matrix[row * n + col];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let mut rng = Rng::new(8);
        for n in [1, 5, BLOCK, 3 * BLOCK + 17] {
            let factor: Vec<f32> = (0..n * n).map(|_| rng.normal() / (n as f32).sqrt()).collect();
            let view = Operand::new(&factor, n, n, n);
            let mut matrix = vec![0.0; n * n];
            matmul(&mut matrix, n, view, view.transposed(), 0.0, 1.0);
            (0..n).for_each(|i| matrix[i * n + i] += 0.5);
            let mut inverse = matrix.clone();
            assert!(negated_inverse(&mut inverse, n, &|done, all| done <= all));
            let mut product = vec![0.0; n * n];
            matmul(&mut product, n, Operand::new(&matrix, n, n, n), Operand::new(&inverse, n, n, n), 0.0, -1.0);
            for (at, &entry) in product.iter().enumerate() {
                let one = f32::from(u8::from(at / n == at % n));
                assert!((entry - one).abs() < 1e-4, "n = {n}, entry {at}: {entry}");
            }
        }
    }
}
