//! The arithmetic of the forward pass. Each kernel is written once in plain Rust over fixed-size tiles and compiled
//! twice: for any machine, and for AVX2 with fused multiply-add, chosen at run time.

use crate::Matrix;
use std::ops::Range;

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

/// What a machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Plain,
    Avx2,
    Avx512,
}

impl Width {
    /// The widest that there is here.
    #[inline]
    pub(crate) fn here() -> Width {
        #[cfg(target_arch = "x86_64")]
        if fast() {
            return if is_x86_feature_detected!("avx512f") { Width::Avx512 } else { Width::Avx2 };
        }
        Width::Plain
    }
}

/// `out[rows, w.cols] += x[rows, w.rows] · w`.
pub(crate) fn matmul_add(x: &[f32], w: &Matrix, out: &mut [f32]) {
    dispatch(x, w, out, Width::here());
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

fn dispatch(x: &[f32], w: &Matrix, out: &mut [f32], width: Width) {
    match width {
        // SAFETY: these are chosen only where the features were detected; the body itself is safe code.
        #[cfg(target_arch = "x86_64")]
        Width::Avx512 => unsafe { matmul_avx512(x, w, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Width::Avx2 => unsafe { matmul_avx2(x, w, out) },
        _ => matmul_body::<4, 16, false>(x, w, out),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn matmul_avx512(x: &[f32], w: &Matrix, out: &mut [f32]) {
    matmul_body::<8, 32, true>(x, w, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn matmul_avx2(x: &[f32], w: &Matrix, out: &mut [f32]) {
    matmul_body::<6, 16, true>(x, w, out);
}

/// `a · b + c`; fused only where the machine does it in one instruction.
#[inline(always)]
pub fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Columns of the tiles at the right edge, and of those before it where a machine's own are wider.
const EDGE: usize = 8;
const MIDDLE: usize = 16;

/// In tiles of `ROWS` × `COLS` sums that stay in registers. Each sum is added up in the same order in every tile.
#[inline(always)]
fn matmul_body<const ROWS: usize, const COLS: usize, const FUSED: bool>(x: &[f32], w: &Matrix, out: &mut [f32]) {
    const { assert!(ROWS.is_multiple_of(2), "rows that are left come in pairs, then alone") };
    if w.rows == 0 || w.cols == 0 {
        return;
    }
    debug_assert_eq!(x.len() / w.rows, out.len() / w.cols);
    let rows = out.len() / w.cols;
    let whole = rows - rows % ROWS;
    let pairs = rows - rows % 2;
    strips::<ROWS, COLS, FUSED>(x, w, out, 0..whole);
    strips::<2, COLS, FUSED>(x, w, out, whole..pairs);
    strips::<1, COLS, FUSED>(x, w, out, pairs..rows);
}

/// `ROWS` rows at a time of the product.
#[inline(always)]
fn strips<const ROWS: usize, const COLS: usize, const FUSED: bool>(
    x: &[f32],
    w: &Matrix,
    out: &mut [f32],
    rows: Range<usize>,
) {
    let (x, out) = (&x[rows.start * w.rows..rows.end * w.rows], &mut out[rows.start * w.cols..rows.end * w.cols]);
    // Loops, not `for_each`: a closure would be compiled for machines without fused multiply-add.
    for (x, out) in x.chunks_exact(ROWS * w.rows).zip(out.chunks_exact_mut(ROWS * w.cols)) {
        let mut col = 0;
        while col + COLS <= w.cols {
            tile::<ROWS, COLS, FUSED>(x, w, out, col, 0);
            col += COLS;
        }
        while COLS > MIDDLE && col + MIDDLE <= w.cols {
            tile::<ROWS, MIDDLE, FUSED>(x, w, out, col, 0);
            col += MIDDLE;
        }
        while col < w.cols && w.cols >= EDGE {
            // The last one begins where a whole one still fits, and leaves out what was told.
            let from = col.min(w.cols - EDGE);
            tile::<ROWS, EDGE, FUSED>(x, w, out, from, col - from);
            col = from + EDGE;
        }
        for col in col..w.cols {
            tile::<ROWS, 1, FUSED>(x, w, out, col, 0);
        }
    }
}

/// `COLS` columns of the product from one on; the first `told` of them are not added.
#[inline(always)]
fn tile<const ROWS: usize, const COLS: usize, const FUSED: bool>(
    x: &[f32],
    w: &Matrix,
    out: &mut [f32],
    col: usize,
    told: usize,
) {
    let mut sums = [[0.0f32; COLS]; ROWS];
    let inner = w.rows;
    let x: [&[f32]; ROWS] = std::array::from_fn(|r| &x[r * inner..][..inner]);
    for (k, row) in (0..inner).zip(w.values.chunks_exact(w.cols)) {
        // An array, or else the sums of narrow tiles go to memory and back.
        let Some(&part) = row[col..].first_chunk::<COLS>() else { return };
        for r in 0..ROWS {
            let factor = x[r][k];
            for j in 0..COLS {
                sums[r][j] = fma::<FUSED>(factor, part[j], sums[r][j]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let out = &mut out[r * w.cols + col + told..r * w.cols + col + COLS];
        out.iter_mut().zip(&sums[told..]).for_each(|(out, sum)| *out += sum);
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
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
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

kernel! {
    /// `out += Σ weight · row of the table`, of a table whose rows are [`BAG`] wide.
    pub(crate) fn bag(table: &Matrix, rows: &[(u32, f32)], out: &mut [f32; BAG]) {
        let mut sums = *out;
        for &(row, weight) in rows {
            let row = &table.values[row as usize * BAG..][..BAG];
            let row: &[f32; BAG] = row.try_into().expect("invariant: a whole row");
            for lane in 0..BAG {
                sums[lane] = fma::<FUSED>(weight, row[lane], sums[lane]);
            }
        }
        *out = sums;
    }
}

kernel! {
    /// The largest of `x` and `least`.
    pub(crate) fn max(x: &[f32], least: f32) -> f32 {
        let mut lanes = [least; 8];
        let (chunks, rest) = x.as_chunks::<8>();
        for chunk in chunks {
            for lane in 0..8 {
                lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
            }
        }
        lanes.iter().chain(rest).copied().fold(least, f32::max)
    }
}

/// Width of a table of bags: a whole number of registers.
pub(crate) const BAG: usize = 80;

/// A zeroed buffer of `len` values.
pub(crate) fn fit(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.clear();
    buffer.resize(len, 0.0);
    buffer
}

/// A buffer of a row, `rows` times.
pub(crate) fn repeat(row: &[f32], rows: usize, buffer: &mut Vec<f32>) {
    buffer.clear();
    (0..rows).for_each(|_| buffer.extend_from_slice(row));
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
    let top = max(x, f32::NEG_INFINITY);
    let scale = 1.0 / exp_sum(x, top);
    x.iter_mut().for_each(|x| *x *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn all_builds_of_the_product_agree_with_the_definition() {
        let mut rng = Rng::new(1);
        for (rows, inner, cols) in
            [(1, 1, 1), (1, 64, 64), (5, 33, 17), (21, 64, 128), (9, 9, 57), (4, 20, 6), (3, 7, 0), (3, 0, 8)]
        {
            let x: Vec<f32> = (0..rows * inner).map(|_| rng.normal()).collect();
            let w = Matrix { rows: inner, cols, values: (0..inner * cols).map(|_| rng.normal()).collect() };
            let truth = |r: usize, c: usize| -> f64 {
                (0..inner).map(|k| f64::from(x[r * inner + k]) * f64::from(w.values[k * cols + c])).sum::<f64>() + 1.0
            };
            for width in [Width::Plain, if fast() { Width::Avx2 } else { Width::Plain }, Width::here()] {
                let mut out = vec![1.0; rows * cols];
                dispatch(&x, &w, &mut out, width);
                for (i, out) in out.iter().enumerate() {
                    let difference = (f64::from(*out) - truth(i / cols, i % cols)).abs();
                    assert!(difference < 1e-4, "{rows}×{inner}×{cols} {width:?}: {difference}");
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
