//! Main colours of a picture: k-means in OKLab, started far apart, so that the same picture gives the same colours.

use crate::Picture;
use crate::colour::{oklab, srgb};

/// How many main colours a picture has at most.
pub const PALETTE_COLOURS: usize = 5;
/// The picture is judged at no more than this many pixels a side.
const SIDE_MAX: u32 = 48;
const ROUNDS: usize = 8;

/// Up to [`PALETTE_COLOURS`] main colours, most frequent first. A picture of fewer colours gives fewer.
pub fn palette(picture: &Picture) -> Vec<[u8; 3]> {
    let small = picture.scaled(picture.width().min(SIDE_MAX), picture.height().min(SIDE_MAX));
    let pixels: Vec<[f32; 3]> = small.rgb().chunks_exact(3).map(|p| oklab([p[0], p[1], p[2]])).collect();
    let mut centres = far_apart(&pixels);
    let mut counts = Vec::new();
    for _ in 0..ROUNDS {
        (centres, counts) = settle(&pixels, &centres);
    }
    let mut order: Vec<usize> = (0..centres.len()).filter(|&i| counts[i] > 0).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(counts[i]), i));
    order.into_iter().map(|i| srgb(centres[i])).collect()
}

/// First the pixel nearest to the mean, then always the pixel farthest from all chosen ones.
fn far_apart(pixels: &[[f32; 3]]) -> Vec<[f32; 3]> {
    /// Closer colours than this (squared) count as one.
    const SAME: f32 = 0.001;
    let mean = mean_of(pixels.iter(), pixels.len());
    let first = pixels.iter().min_by(|a, b| distance(a, &mean).total_cmp(&distance(b, &mean)));
    let mut centres: Vec<[f32; 3]> = first.into_iter().copied().collect();
    let mut gaps: Vec<f32> = pixels.iter().map(|pixel| distance(pixel, &centres[0])).collect();
    while centres.len() < PALETTE_COLOURS {
        let Some((at, &gap)) = gaps.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) else { break };
        if gap < SAME {
            break;
        }
        let centre = pixels[at];
        centres.push(centre);
        gaps.iter_mut().zip(pixels).for_each(|(gap, pixel)| *gap = gap.min(distance(pixel, &centre)));
    }
    centres
}

/// One round of k-means: new centres and how many pixels each has; a centre without pixels stays.
fn settle(pixels: &[[f32; 3]], centres: &[[f32; 3]]) -> (Vec<[f32; 3]>, Vec<usize>) {
    let mut sums = vec![[0.0f32; 3]; centres.len()];
    let mut counts = vec![0usize; centres.len()];
    for pixel in pixels {
        let nearest = (0..centres.len())
            .min_by(|&a, &b| distance(pixel, &centres[a]).total_cmp(&distance(pixel, &centres[b])))
            .unwrap_or(0);
        counts[nearest] += 1;
        (0..3).for_each(|axis| sums[nearest][axis] += pixel[axis]);
    }
    let moved = (0..centres.len())
        .map(|i| if counts[i] == 0 { centres[i] } else { sums[i].map(|sum| sum / counts[i] as f32) })
        .collect();
    (moved, counts)
}

fn mean_of<'a>(points: impl Iterator<Item = &'a [f32; 3]>, count: usize) -> [f32; 3] {
    let mut sum = [0.0; 3];
    points.for_each(|point| (0..3).for_each(|axis| sum[axis] += point[axis]));
    sum.map(|value| value / count.max(1) as f32)
}

fn distance(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum()
}
