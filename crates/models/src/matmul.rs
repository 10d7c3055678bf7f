//! Products of dense matrices, for the few places that need large ones.

use gemm::{Parallelism, gemm};

/// A matrix that is read: entry `(row, col)` is `values[row * row_stride + col * col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Operand<'a> {
    /// The `rows` × `cols` matrix whose rows lie `stride` apart in `values`.
    ///
    /// # Panics
    /// When `values` is too short or `stride` less than `cols`.
    pub fn new(values: &'a [f32], rows: usize, cols: usize, stride: usize) -> Operand<'a> {
        assert!(holds(values.len(), rows, cols, stride), "a {rows} x {cols} matrix needs more numbers");
        Operand { values, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// Its transpose.
    #[must_use]
    pub fn transposed(self) -> Operand<'a> {
        let Operand { values, rows, cols, row_stride, col_stride } = self;
        Operand { values, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }
}

fn holds(len: usize, rows: usize, cols: usize, stride: usize) -> bool {
    stride >= cols && (rows == 0 || (rows - 1) * stride + cols <= len)
}

/// `dst = alpha · dst + beta · lhs · rhs` on one thread, where the rows of `dst` lie `stride` apart. With `alpha` 0
/// the old contents of `dst` do not matter.
///
/// # Panics
/// When the shapes do not fit together.
pub fn matmul(dst: &mut [f32], stride: usize, lhs: Operand, rhs: Operand, alpha: f32, beta: f32) {
    let (rows, inner, cols) = (lhs.rows, lhs.cols, rhs.cols);
    assert!(inner == rhs.rows, "{rows} x {inner} times {} x {cols}", rhs.rows);
    assert!(holds(dst.len(), rows, cols, stride), "the product of {rows} x {cols} needs more room");
    let step = |stride: usize| isize::try_from(stride).expect("invariant: strides are shorter than memory");
    // SAFETY: both operands and `dst` hold every entry that their shapes and strides reach (checked on creation and
    // above), and `dst` is borrowed exclusively, so it overlaps neither.
    unsafe {
        gemm(
            rows,
            cols,
            inner,
            dst.as_mut_ptr(),
            1,
            step(stride),
            alpha != 0.0,
            lhs.values.as_ptr(),
            step(lhs.col_stride),
            step(lhs.row_stride),
            rhs.values.as_ptr(),
            step(rhs.col_stride),
            step(rhs.row_stride),
            alpha,
            beta,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_equals_the_sum_of_products() {
        let (rows, inner, cols, stride) = (7, 5, 9, 11);
        let mut rng = domain::Rng::new(1);
        let mut random = |count: usize| (0..count).map(|_| rng.normal()).collect::<Vec<f32>>();
        let (lhs, rhs, before) = (random(rows * inner), random(cols * inner), random(rows * stride));
        let mut dst = before.clone();
        let rhs_view = Operand::new(&rhs, cols, inner, inner).transposed();
        matmul(&mut dst, stride, Operand::new(&lhs, rows, inner, inner), rhs_view, 1.0, -2.0);
        for row in 0..rows {
            for col in 0..stride {
                let sum: f32 = (0..inner).map(|i| lhs[row * inner + i] * rhs[col.min(cols - 1) * inner + i]).sum();
                let expected = before[row * stride + col] - if col < cols { 2.0 * sum } else { 0.0 };
                assert!((dst[row * stride + col] - expected).abs() < 1e-4, "{row} {col}");
            }
        }
    }
}
