//! The arithmetic of the forward pass. Each kernel is written once in plain Rust over fixed-size tiles and compiled
//! twice: for any machine, and for AVX2 with fused multiply-add, chosen at run time.

use crate::Matrix;

/// A function whose body is compiled twice: for any machine, and for AVX2 with fused multiply-add, chosen at run time.
/// `FUSED` says in the body for which; [`fma`] follows it.
#[macro_export]
macro_rules! kernel {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? { $($body:tt)* }) => {
        $(#[$doc])*
        #[inline]
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn body<const FUSED: bool>($($arg: $type),*) $(-> $out)? { $($body)* }
            #[cfg(target_arch = "x86_64")]
            if $crate::fast() {
                #[target_feature(enable = "avx2,fma")]
                unsafe fn wide($($arg: $type),*) $(-> $out)? { body::<true>($($arg),*) }
                // SAFETY: AVX2 and FMA were detected; the body itself is safe code.
                return unsafe { wide($($arg),*) };
            }
            body::<false>($($arg),*)
        }
    };
}

/// Rows and columns of the tile that stays in registers.
const TILE_ROWS: usize = 4;
const TILE_COLS: usize = 16;

/// `out[rows, w.cols] += x[rows, w.rows] · w`.
pub(crate) fn matmul_add(x: &[f32], w: &Matrix, out: &mut [f32]) {
    dispatch(x, w, out, fast());
}

/// `out[rows, w.cols] = x · w`.
pub(crate) fn matmul(x: &[f32], w: &Matrix, out: &mut [f32]) {
    out.fill(0.0);
    matmul_add(x, w, out);
}

/// Whether this machine has AVX2 and FMA.
#[inline]
pub fn fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

fn dispatch(x: &[f32], w: &Matrix, out: &mut [f32], fast: bool) {
    #[cfg(target_arch = "x86_64")]
    if fast {
        // SAFETY: `fast` is true only where AVX2 and FMA were detected; the body itself is safe code.
        unsafe { matmul_avx2(x, w, out) };
        return;
    }
    let _ = fast;
    matmul_body::<false>(x, w, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn matmul_avx2(x: &[f32], w: &Matrix, out: &mut [f32]) {
    matmul_body::<true>(x, w, out);
}

/// `a · b + c`; fused only where the machine does it in one instruction.
#[inline(always)]
pub fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn matmul_body<const FUSED: bool>(x: &[f32], w: &Matrix, out: &mut [f32]) {
    if w.rows == 0 || w.cols == 0 {
        return;
    }
    let rows = out.len() / w.cols;
    debug_assert_eq!(x.len(), rows * w.rows);
    let mut row = 0;
    while row + TILE_ROWS <= rows {
        let x = &x[row * w.rows..][..TILE_ROWS * w.rows];
        strip::<TILE_ROWS, FUSED>(x, w, &mut out[row * w.cols..][..TILE_ROWS * w.cols]);
        row += TILE_ROWS;
    }
    while row < rows {
        strip::<1, FUSED>(&x[row * w.rows..][..w.rows], w, &mut out[row * w.cols..][..w.cols]);
        row += 1;
    }
}

/// `ROWS` rows of the product.
#[inline(always)]
fn strip<const ROWS: usize, const FUSED: bool>(x: &[f32], w: &Matrix, out: &mut [f32]) {
    let wide = w.cols - w.cols % TILE_COLS;
    for col in (0..wide).step_by(TILE_COLS) {
        let mut tile = [[0.0f32; TILE_COLS]; ROWS];
        for (k, w_row) in w.values.chunks_exact(w.cols).enumerate() {
            let w_row: &[f32; TILE_COLS] = w_row[col..col + TILE_COLS].try_into().expect("invariant: a whole tile");
            for r in 0..ROWS {
                let factor = x[r * w.rows + k];
                for j in 0..TILE_COLS {
                    tile[r][j] = fma::<FUSED>(factor, w_row[j], tile[r][j]);
                }
            }
        }
        for (r, sums) in tile.iter().enumerate() {
            let out = &mut out[r * w.cols + col..][..TILE_COLS];
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        }
    }
    for col in wide..w.cols {
        for r in 0..ROWS {
            let column = w.values[col..].iter().step_by(w.cols);
            let sum = x[r * w.rows..][..w.rows].iter().zip(column).fold(0.0, |sum, (x, w)| fma::<FUSED>(*x, *w, sum));
            out[r * w.cols + col] += sum;
        }
    }
}

kernel! {
    /// `x[i] = exp(x[i] - shift)` in place; returns the sum. Relative error below 3e-7; under -87 it is about 1e-38.
    pub fn exp_sum(x: &mut [f32], shift: f32) -> f32 {
        exp_sum_body::<FUSED>(x, shift)
    }
}

#[inline(always)]
fn exp_sum_body<const FUSED: bool>(x: &mut [f32], shift: f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    let mut chunks = x.chunks_exact_mut(8);
    for chunk in &mut chunks {
        for lane in 0..8 {
            chunk[lane] = exp::<FUSED>(chunk[lane] - shift);
            lanes[lane] += chunk[lane];
        }
    }
    let mut sum = lanes.iter().sum::<f32>();
    for x in chunks.into_remainder() {
        *x = exp::<FUSED>(*x - shift);
        sum += *x;
    }
    sum
}

/// eˣ without branches, so that it vectorises: x = n · ln 2 + r, a polynomial for eʳ, n into the exponent.
#[inline(always)]
fn exp<const FUSED: bool>(x: f32) -> f32 {
    /// Adding it rounds to an integer that then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = fma::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FUSED>(-n, LN2_LOW, fma::<FUSED>(-n, LN2_HIGH, x));
    let mut p = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = fma::<FUSED>(p, r, factor);
    }
    p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// Inner product, in 8 lanes so that it vectorises and adds in the same order on every machine.
#[inline]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks_a.zip(chunks_b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// `out += weight · x`.
#[inline]
pub(crate) fn add_scaled(weight: f32, x: &[f32], out: &mut [f32]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out += weight * x);
}

/// Divides by the root mean square and multiplies by `gain`, row by row, into `out`.
pub(crate) fn rms_norm(x: &[f32], gain: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks_exact(gain.len()).zip(out.chunks_exact_mut(gain.len())) {
        let scale = 1.0 / (dot(x, x) / x.len() as f32 + NORM_EPSILON).sqrt();
        for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
            *out = x * scale * gain;
        }
    }
}

/// Keeps norms of zero vectors finite; the training graph uses the same.
pub const NORM_EPSILON: f32 = 1e-6;

/// Scales to unit length; a zero vector stays zero.
pub(crate) fn normalise(x: &mut [f32]) {
    let scale = 1.0 / (dot(x, x) + UNIT_EPSILON).sqrt();
    x.iter_mut().for_each(|x| *x *= scale);
}

/// Keeps the unit length of a zero vector finite; the training graph uses the same.
pub const UNIT_EPSILON: f32 = 1e-12;

kernel! {
    /// `x[i] = 1 / (1 + exp(-x[i]))` in place; relative error below 1e-6.
    pub fn sigmoid(x: &mut [f32]) {
        x.iter_mut().for_each(|x| *x = 1.0 / (1.0 + exp::<FUSED>(-*x)));
    }
}

kernel! {
    /// `x · sigmoid(x)` in place.
    pub fn silu(x: &mut [f32]) {
        x.iter_mut().for_each(|x| *x /= 1.0 + exp::<FUSED>(-*x));
    }
}

/// Softmax in place.
#[inline]
pub fn softmax(x: &mut [f32]) {
    let top = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = 1.0 / exp_sum(x, top);
    x.iter_mut().for_each(|x| *x *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn both_builds_of_the_product_agree_with_the_definition() {
        let mut rng = Rng::new(1);
        for (rows, inner, cols) in [(1, 1, 1), (1, 64, 64), (5, 33, 17), (9, 64, 128), (4, 20, 6), (3, 7, 0), (3, 0, 8)]
        {
            let x: Vec<f32> = (0..rows * inner).map(|_| rng.normal()).collect();
            let w = Matrix { rows: inner, cols, values: (0..inner * cols).map(|_| rng.normal()).collect() };
            let truth = |r: usize, c: usize| -> f64 {
                (0..inner).map(|k| f64::from(x[r * inner + k]) * f64::from(w.values[k * cols + c])).sum::<f64>() + 1.0
            };
            for fast in [false, fast()] {
                let mut out = vec![1.0; rows * cols];
                dispatch(&x, &w, &mut out, fast);
                for (i, out) in out.iter().enumerate() {
                    let difference = (f64::from(*out) - truth(i / cols, i % cols)).abs();
                    assert!(difference < 1e-4, "{rows}×{inner}×{cols} fast {fast}: {difference}");
                }
            }
        }
    }

    #[test]
    fn both_builds_of_exp_are_close_to_the_truth() {
        let xs: Vec<f32> = (-8_700..=880).map(|i| i as f32 * 0.01).collect();
        let (mut plain, mut best) = (xs.clone(), xs.clone());
        let sums = [exp_sum_body::<false>(&mut plain, 1.0), exp_sum(&mut best, 1.0)];
        assert!((sums[0] / sums[1] - 1.0).abs() < 1e-5, "{sums:?}");
        for ((x, plain), best) in xs.iter().zip(plain).zip(best).filter(|((x, _), _)| **x > -80.0) {
            let truth = f64::from(*x - 1.0).exp();
            for found in [plain, best] {
                assert!((f64::from(found) / truth - 1.0).abs() < 1e-6, "exp({x} - 1) = {found}, not {truth}");
            }
        }
    }

    #[test]
    fn gates_are_close_to_the_truth() {
        let xs: Vec<f32> = (-400..=400).map(|step| 0.2 * step as f32).collect();
        let (mut sigmoids, mut silus) = (xs.clone(), xs.clone());
        sigmoid(&mut sigmoids);
        silu(&mut silus);
        for ((x, sigmoid), silu) in xs.iter().zip(sigmoids).zip(silus) {
            let truth = 1.0 / (1.0 + (-f64::from(*x)).exp());
            assert!((f64::from(sigmoid) / truth - 1.0).abs() < 2e-6, "{x}: {sigmoid}");
            assert!(
                (f64::from(silu) - f64::from(*x) * truth).abs() <= 2e-6 * truth * f64::from(x.abs()),
                "{x}: {silu}"
            );
        }
    }

    #[test]
    fn zero_vectors_stay_finite() {
        let mut zero = [0.0; 8];
        normalise(&mut zero);
        assert_eq!(zero, [0.0; 8]);
        let mut out = [1.0; 8];
        rms_norm(&zero, &[1.0; 8], &mut out);
        assert_eq!(out, [0.0; 8]);
    }
}
