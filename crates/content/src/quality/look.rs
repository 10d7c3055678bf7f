//! What is measured of a picture.

use crate::Picture;

/// Longer side at which sharpness is judged, in pixels; smaller pictures are judged as they are.
const SIDE: u32 = 256;
/// Mean squared gradient (in levels of 256 a pixel) below which there is nothing to be sharp.
const GRADIENT_MIN: f64 = 4.0;

/// What was measured.
pub(super) struct Look {
    /// Nothing where there are no edges.
    pub(super) sharpness: Option<f32>,
    /// Mean lightness, and that of the darkest hundredth of the pixels.
    pub(super) lightness: f32,
    pub(super) darkest: f32,
    pub(super) contrast: f32,
    pub(super) side_px: f32,
    pub(super) aspect: f32,
}

pub(super) fn measure(picture: &Picture) -> Look {
    let (width, height) = (picture.width(), picture.height());
    let scale = (SIDE as f32 / width.max(height) as f32).min(1.0);
    let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let small = picture.scaled(side(width), side(height));
    let luma: Vec<f32> = small.rgb().chunks_exact(3).map(|p| luma([p[0], p[1], p[2]])).collect();
    let (short, long) = (width.min(height) as f32, width.max(height) as f32);
    let mut sorted = luma.clone();
    sorted.sort_by(f32::total_cmp);
    let percentile = |share: f32| sorted.get((sorted.len() as f32 * share) as usize).copied().unwrap_or(0.0) / 255.0;
    Look {
        sharpness: sharpness(&luma, small.width() as usize),
        lightness: luma.iter().sum::<f32>() / luma.len().max(1) as f32 / 255.0,
        darkest: percentile(0.01),
        contrast: percentile(0.99) - percentile(0.01),
        side_px: short,
        aspect: long / short,
    }
}

/// Rec. 601 luma, 0..255.
fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// Variance of the Laplacian (Pech-Pacheco et al. 2000) over the mean squared gradient. The variance alone depends on
/// how much of the picture is background and on its contrast; of the quotient neither is left, only how quickly
/// lightness changes where it changes.
fn sharpness(luma: &[f32], width: usize) -> Option<f32> {
    let rows: Vec<&[f32]> = luma.chunks_exact(width).collect();
    let (mut sum, mut squares, mut gradients, mut count) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for rows in rows.windows(3) {
        let [above, here, below] = rows else { continue };
        for x in 1..width.saturating_sub(1) {
            let laplacian = f64::from(4.0 * here[x] - here[x - 1] - here[x + 1] - above[x] - below[x]);
            let (across, down) = (0.5 * f64::from(here[x + 1] - here[x - 1]), 0.5 * f64::from(below[x] - above[x]));
            sum += laplacian;
            squares += laplacian * laplacian;
            gradients += across * across + down * down;
            count += 1.0;
        }
    }
    let gradient = gradients / count;
    // Nothing to compare in pictures thinner than three pixels: the quotient is not a number there.
    (gradient >= GRADIENT_MIN).then(|| ((squares / count - (sum / count).powi(2)) / gradient) as f32)
}
