//! Columns brought to mean 0 and variance 1 over all rows (Ioffe and Szegedy, ICML 2015).

use models::{fma, kernel};

/// Keeps columns that do not vary finite.
const EPSILON: f64 = 1e-5;
/// Rows that are summed in single precision.
const BLOCK: usize = 256;

/// What was found of each column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standard {
    pub(crate) mean: Vec<f32>,
    /// One over the root of the variance.
    pub(crate) scale: Vec<f32>,
}

/// Standardised rows plus `bias`.
pub(super) fn forward(x: &[f32], bias: &[f32]) -> (Vec<f32>, Standard) {
    let (cols, rows) = (bias.len(), (x.len() / bias.len()).max(1) as f64);
    let mean: Vec<f32> = columns(x, x, &vec![0.0; cols], |x, _, _, sums| ones(x, sums));
    let mean: Vec<f32> = mean.into_iter().map(|sum| (f64::from(sum) / rows) as f32).collect();
    let squares = columns(x, x, &mean, |x, _, mean, sums| deviations(x, mean, sums));
    let scale = squares.into_iter().map(|sum| (1.0 / (f64::from(sum) / rows + EPSILON).sqrt()) as f32).collect();
    let standard = Standard { mean, scale };
    let mut out = x.to_vec();
    out.chunks_exact_mut(cols).for_each(|row| place(row, &standard.mean, &standard.scale, bias));
    (out, standard)
}

/// The gradient of what went in, and that of the bias.
pub(super) fn backward(x: &[f32], standard: &Standard, gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (cols, rows) = (standard.mean.len(), (x.len() / standard.mean.len()).max(1) as f32);
    let bias = columns(gradient, x, &standard.mean, |gradient, _, _, sums| ones(gradient, sums));
    let mut along = columns(gradient, x, &standard.mean, products);
    along.iter_mut().zip(&standard.scale).for_each(|(along, scale)| *along *= scale * scale / rows);
    let level: Vec<f32> = bias.iter().map(|sum| sum / rows).collect();
    let mut out = gradient.to_vec();
    for (out, x) in out.chunks_exact_mut(cols).zip(x.chunks_exact(cols)) {
        back(out, x, &standard.mean, &along);
        lower(out, &level, &standard.scale);
    }
    (out, bias)
}

/// Sums over rows, column by column: in blocks, so that many rows do not cost digits.
fn columns(a: &[f32], b: &[f32], mean: &[f32], add: impl Fn(&[f32], &[f32], &[f32], &mut [f32])) -> Vec<f32> {
    let cols = mean.len();
    let mut sums = vec![0.0f64; cols];
    for (a, b) in a.chunks(BLOCK * cols).zip(b.chunks(BLOCK * cols)) {
        let mut block = vec![0.0f32; cols];
        a.chunks_exact(cols).zip(b.chunks_exact(cols)).for_each(|(a, b)| add(a, b, mean, &mut block));
        sums.iter_mut().zip(&block).for_each(|(sum, block)| *sum += f64::from(*block));
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

kernel! {
    fn ones(x: &[f32], sums: &mut [f32]) {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
    }
}

kernel! {
    fn deviations(x: &[f32], mean: &[f32], sums: &mut [f32]) {
        for ((sum, x), mean) in sums.iter_mut().zip(x).zip(mean) {
            *sum = fma::<FUSED>(x - mean, x - mean, *sum);
        }
    }
}

kernel! {
    fn products(gradient: &[f32], x: &[f32], mean: &[f32], sums: &mut [f32]) {
        for (((sum, gradient), x), mean) in sums.iter_mut().zip(gradient).zip(x).zip(mean) {
            *sum = fma::<FUSED>(*gradient, x - mean, *sum);
        }
    }
}

kernel! {
    fn place(row: &mut [f32], mean: &[f32], scale: &[f32], bias: &[f32]) {
        for (((value, mean), scale), bias) in row.iter_mut().zip(mean).zip(scale).zip(bias) {
            *value = fma::<FUSED>(*value - mean, *scale, *bias);
        }
    }
}

kernel! {
    fn back(out: &mut [f32], x: &[f32], mean: &[f32], along: &[f32]) {
        for (((out, x), mean), along) in out.iter_mut().zip(x).zip(mean).zip(along) {
            *out = fma::<FUSED>(mean - x, *along, *out);
        }
    }
}

kernel! {
    fn lower(out: &mut [f32], level: &[f32], scale: &[f32]) {
        out.iter_mut().zip(level).zip(scale).for_each(|((out, level), scale)| *out = (*out - level) * scale);
    }
}
