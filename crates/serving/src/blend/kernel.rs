//! The arithmetic of shares, over blocks of rows.

use models::{fma, kernel};

/// Longest window (picks).
pub(super) const WINDOW_MAX: usize = 16;

/// Rows that are computed side by side.
pub(super) const BLOCK: usize = 16;

/// Numbers that vectors are padded to.
pub(super) const LANES: usize = 8;

/// A number for two picks of a window.
pub(super) type Table = [[f32; WINDOW_MAX]; WINDOW_MAX];

kernel! {
    /// Inner products of a vector with those of `rows` that are `open`; a row is as long as the vector.
    pub(super) fn products(vector: &[f32], rows: &[f32], open: &[bool], products: &mut [f32; BLOCK]) {
        products_body::<FUSED>(vector, rows, open, products);
    }
}

kernel! {
    /// `1 − ‖L⁻¹ c‖²` for the cosines `c` of the rows of a block with the picks of a window, oldest first. The factor
    /// `L` has the inverse of its diagonal.
    pub(super) fn left(factor: &Table, cosines: &[[f32; BLOCK]]) -> [f32; BLOCK] {
        left_body::<FUSED>(factor, cosines)
    }
}

#[inline(always)]
fn products_body<const FUSED: bool>(vector: &[f32], rows: &[f32], open: &[bool], products: &mut [f32; BLOCK]) {
    let vector = vector.as_chunks::<LANES>().0;
    for (at, row) in rows.as_chunks::<LANES>().0.chunks_exact(vector.len().max(1)).enumerate() {
        if !open[at] {
            continue;
        }
        let mut sums = [0.0f32; LANES];
        for (a, b) in vector.iter().zip(row) {
            for lane in 0..LANES {
                sums[lane] = fma::<FUSED>(a[lane], b[lane], sums[lane]);
            }
        }
        products[at] = sums.iter().sum();
    }
}

#[inline(always)]
fn left_body<const FUSED: bool>(factor: &Table, cosines: &[[f32; BLOCK]]) -> [f32; BLOCK] {
    let mut solved = [[0.0f32; BLOCK]; WINDOW_MAX];
    let mut left = [1.0f32; BLOCK];
    for (at, column) in cosines.iter().enumerate() {
        let mut value = *column;
        for (known, factor) in solved.iter().zip(factor[at]).take(at) {
            for lane in 0..BLOCK {
                value[lane] = fma::<FUSED>(-factor, known[lane], value[lane]);
            }
        }
        for lane in 0..BLOCK {
            value[lane] *= factor[at][at];
            left[lane] = fma::<FUSED>(-value[lane], value[lane], left[lane]);
        }
        solved[at] = value;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn both_builds_agree() {
        let mut rng = Rng::new(2);
        let mut numbers = |count: usize| (0..count).map(|_| rng.normal()).collect::<Vec<f32>>();
        for dim in [0, 8, 24, 64] {
            let (vector, rows) = (numbers(dim), numbers(dim * 5));
            let open = [true, false, true, true, true];
            let (mut plain, mut best) = ([7.0; BLOCK], [7.0; BLOCK]);
            products_body::<false>(&vector, &rows, &open, &mut plain);
            products(&vector, &rows, &open, &mut best);
            assert!(plain.iter().zip(best).all(|(a, b)| (a - b).abs() < 1e-4), "{plain:?} {best:?}");
            assert_eq!(plain[1], 7.0, "no open row");
        }
        let mut factor = Table::default();
        factor.iter_mut().enumerate().for_each(|(at, row)| (row[0], row[at]) = (0.3, 1.1));
        let cosines: Vec<[f32; BLOCK]> = (0..9).map(|_| std::array::from_fn(|_| rng.uniform() * 0.2)).collect();
        let (plain, best) = (left_body::<false>(&factor, &cosines), left(&factor, &cosines));
        assert!(plain.iter().zip(best).all(|(a, b)| (a - b).abs() < 1e-5), "{plain:?} {best:?}");
    }
}
