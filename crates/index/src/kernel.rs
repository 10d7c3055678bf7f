//! Inner products of one query with many rows.
//!
//! Both paths add the same products in the same order and round after each operation (no fused multiply-add), so that
//! an answer does not depend on the processor.

/// Rows and queries are padded with zeros to a multiple of this.
pub(crate) const LANES: usize = 8;

/// Rows scored at once.
const ROWS: usize = 4;

/// Inner products of `query` with each row of `rows`, written to `out`.
///
/// `query` is `stride` long, a multiple of [`LANES`]; `rows` holds `out.len()` rows of `stride`.
pub(crate) fn scores(query: &[f32], rows: &[f32], out: &mut [f32]) {
    let stride = query.len();
    assert!(stride.is_multiple_of(LANES) && rows.len() == stride * out.len(), "invariant: rows are padded");
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just detected; the lengths were just checked.
        unsafe { avx2::scores(query, rows, out) };
        return;
    }
    portable(query, rows, out);
}

/// The same without vector instructions.
fn portable(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for (score, row) in out.iter_mut().zip(rows.chunks_exact(query.len().max(1))) {
        let mut lanes = [0.0f32; LANES];
        for (q, r) in query.chunks_exact(LANES).zip(row.chunks_exact(LANES)) {
            for lane in 0..LANES {
                lanes[lane] += q[lane] * r[lane];
            }
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        *score = ((a + b) + (c + d)) + ((e + f) + (g + h));
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{LANES, ROWS};
    use std::arch::x86_64::*;

    /// # Safety
    /// The processor must have AVX2, `query.len()` must be a multiple of [`LANES`] and `rows` must hold `out.len()`
    /// rows of that length.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn scores(query: &[f32], rows: &[f32], out: &mut [f32]) {
        let stride = query.len();
        let whole = out.len() - out.len() % ROWS;
        for row in (0..whole).step_by(ROWS) {
            // SAFETY: rows `row..row + 4` lie inside `rows`, their scores inside `out`.
            unsafe {
                let sums = four(query, rows.as_ptr().add(row * stride), stride);
                _mm_storeu_ps(out.as_mut_ptr().add(row), sums);
            }
        }
        super::portable(query, &rows[whole * stride..], &mut out[whole..]);
    }

    /// Inner products with four rows that lie `stride` apart from `rows` on.
    ///
    /// # Safety
    /// As above; `rows` must point at `4 * stride` numbers.
    #[target_feature(enable = "avx2")]
    #[inline]
    unsafe fn four(query: &[f32], rows: *const f32, stride: usize) -> __m128 {
        let mut sums = [_mm256_setzero_ps(); ROWS];
        for at in (0..stride).step_by(LANES) {
            // SAFETY: `at + 8 <= stride`, which is the length of the query and of each row.
            unsafe {
                let q = _mm256_loadu_ps(query.as_ptr().add(at));
                for (i, sum) in sums.iter_mut().enumerate() {
                    let r = _mm256_loadu_ps(rows.add(i * stride + at));
                    *sum = _mm256_add_ps(*sum, _mm256_mul_ps(q, r));
                }
            }
        }
        let pairs = _mm256_hadd_ps(_mm256_hadd_ps(sums[0], sums[1]), _mm256_hadd_ps(sums[2], sums[3]));
        _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps::<1>(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_paths_agree_to_the_last_bit() {
        let mut rng = domain::Rng::new(5);
        for (stride, count) in [(8, 1), (16, 3), (64, 4), (64, 257), (104, 30), (256, 9)] {
            let query: Vec<f32> = (0..stride).map(|_| rng.normal()).collect();
            let rows: Vec<f32> = (0..stride * count).map(|_| rng.normal()).collect();
            let (mut fast, mut plain) = (vec![0.0; count], vec![0.0; count]);
            scores(&query, &rows, &mut fast);
            portable(&query, &rows, &mut plain);
            assert_eq!(fast, plain);
            let exact: f64 = (0..stride).map(|i| f64::from(query[i]) * f64::from(rows[i])).sum();
            assert!((exact - f64::from(plain[0])).abs() < 1e-4);
        }
    }
}
