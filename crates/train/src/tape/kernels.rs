//! Loops of the tape.

use models::{NORM_EPSILON, UNIT_EPSILON, fma, kernel};

/// Scores are made for so many keys at once.
pub(super) const TILE: usize = 16;

kernel! {
    /// `out[j] = Σ query[c] · turned[c][j]` for the first `count` keys; `out` grows to `stride`.
    pub(super) fn scores(query: &[f32], turned: &[f32], stride: usize, count: usize, out: &mut Vec<f32>) {
        out.clear();
        out.resize(stride, 0.0);
        let mut from = 0;
        while from < count {
            let mut sums = [0.0f32; TILE];
            for (c, &factor) in query.iter().enumerate() {
                let row = &turned[c * stride + from..][..TILE];
                for j in 0..TILE {
                    sums[j] = fma::<FUSED>(factor, row[j], sums[j]);
                }
            }
            out[from..from + TILE].copy_from_slice(&sums);
            from += TILE;
        }
    }
}

kernel! {
    /// `out += Σ shares[j] · rows[j][offset..]`.
    pub(super) fn mix(shares: &[f32], rows: &[f32], stride: usize, offset: usize, out: &mut [f32]) {
        let (tiles, tail) = out.as_chunks_mut::<TILE>();
        let done = tiles.len() * TILE;
        for (t, tile) in tiles.iter_mut().enumerate() {
            let mut sums = *tile;
            for (j, &share) in shares.iter().enumerate() {
                let row = &rows[j * stride + offset + t * TILE..][..TILE];
                for c in 0..TILE {
                    sums[c] = fma::<FUSED>(share, row[c], sums[c]);
                }
            }
            *tile = sums;
        }
        if tail.is_empty() {
            return;
        }
        for (j, &share) in shares.iter().enumerate() {
            let row = &rows[j * stride + offset + done..][..tail.len()];
            tail.iter_mut().zip(row).for_each(|(sum, value)| *sum = fma::<FUSED>(share, *value, *sum));
        }
    }
}

kernel! {
    /// `rows[j][offset..] += shares[j] · x`.
    pub(super) fn spread(shares: &[f32], x: &[f32], rows: &mut [f32], stride: usize, offset: usize) {
        for (j, &share) in shares.iter().enumerate() {
            let row = &mut rows[j * stride + offset..][..x.len()];
            row.iter_mut().zip(x).for_each(|(sum, value)| *sum = fma::<FUSED>(share, *value, *sum));
        }
    }
}

kernel! {
    /// `a · b` in 8 lanes.
    pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0.0f32; 8];
        let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..8 {
                lanes[lane] = fma::<FUSED>(a[lane], b[lane], lanes[lane]);
            }
        }
        lanes.iter().sum::<f32>() + a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum::<f32>()
    }
}

kernel! {
    /// `out += weight · x`.
    pub(super) fn add_scaled(weight: f32, x: &[f32], out: &mut [f32]) {
        out.iter_mut().zip(x).for_each(|(out, x)| *out = fma::<FUSED>(weight, *x, *out));
    }
}

kernel! {
    /// `out += a ⊙ b`.
    pub(super) fn add_product(a: &[f32], b: &[f32], out: &mut [f32]) {
        out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = fma::<FUSED>(*a, *b, *out));
    }
}

/// `a + b`.
pub(super) fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    debug_assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// `a ⊙ b`.
pub(super) fn product(a: &[f32], b: &[f32]) -> Vec<f32> {
    debug_assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// The way back of `x · sigmoid(x)`.
pub(super) fn silu_back(x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut out = x.to_vec();
    models::sigmoid(&mut out);
    for ((out, x), gradient) in out.iter_mut().zip(x).zip(gradient) {
        *out = gradient * *out * (1.0 + x * (1.0 - *out));
    }
    out
}

/// Rows over their root mean squares, times a gain; and one over each root mean square.
pub(super) fn rms(x: &[f32], cols: usize, gain: Option<&[f32]>) -> (Vec<f32>, Vec<f32>) {
    let mut out = vec![0.0; x.len()];
    let mut scales = Vec::with_capacity(x.len() / cols.max(1));
    for (row, out) in x.chunks_exact(cols).zip(out.chunks_exact_mut(cols)) {
        let scale = 1.0 / (dot(row, row) / cols as f32 + NORM_EPSILON).sqrt();
        scales.push(scale);
        match gain {
            Some(gain) => out.iter_mut().zip(row).zip(gain).for_each(|((out, x), gain)| *out = x * scale * gain),
            None => out.iter_mut().zip(row).for_each(|(out, x)| *out = x * scale),
        }
    }
    (out, scales)
}

/// Rows over their lengths; and one over each length.
pub(super) fn unit(x: &[f32], cols: usize) -> (Vec<f32>, Vec<f32>) {
    let mut out = vec![0.0; x.len()];
    let mut scales = Vec::with_capacity(x.len() / cols.max(1));
    for (row, out) in x.chunks_exact(cols).zip(out.chunks_exact_mut(cols)) {
        let scale = 1.0 / (dot(row, row) + UNIT_EPSILON).sqrt();
        scales.push(scale);
        out.iter_mut().zip(row).for_each(|(out, x)| *out = x * scale);
    }
    (out, scales)
}

kernel! {
    /// The way back of [`rms`] for one row: `out += scale · (g - x · scale² · mean(g ⊙ x))` with `g` the gradient times
    /// the gain.
    pub(super) fn rms_back(x: &[f32], scale: f32, gradient: &[f32], out: &mut [f32]) {
        let cols = x.len() as f32;
        let mut lanes = [0.0f32; 8];
        let ((xs, x_tail), (gs, g_tail)) = (x.as_chunks::<8>(), gradient.as_chunks::<8>());
        for (x, g) in xs.iter().zip(gs) {
            for lane in 0..8 {
                lanes[lane] = fma::<FUSED>(x[lane], g[lane], lanes[lane]);
            }
        }
        let along = lanes.iter().sum::<f32>() + x_tail.iter().zip(g_tail).map(|(x, g)| x * g).sum::<f32>();
        let pull = -along * scale * scale * scale / cols;
        for ((out, x), g) in out.iter_mut().zip(x).zip(gradient) {
            *out += fma::<FUSED>(scale, *g, pull * x);
        }
    }
}
