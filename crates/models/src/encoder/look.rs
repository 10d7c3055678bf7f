//! What a picture tower reads of a picture: edges by place and direction, and colours by place.
//!
//! Nothing of it is learned. Edges are told by histograms of directions (Dalal and Triggs, CVPR 2005): fine ones of
//! 6 × 6 pixels side by side, and coarse ones of 12 × 12 that overlap by half. Learned layers behind it see at once
//! what layers of a convolution take many passes to find.

use std::f32::consts::TAU;

/// Numbers of a pixel.
pub const COLOURS: usize = 3;
/// Directions of edges, all around: which side is the light one says something too.
const DIRECTIONS: usize = 16;
/// Side of a cell of edges (pixels).
const CELL: usize = 6;
/// Side of a cell of colours (pixels).
const SPOT: usize = 4;
/// Parts of each colour axis in histograms.
const PARTS: usize = 4;
/// Histograms along a side.
const QUARTERS: usize = 2;
/// Least amount of all three colours of what counts as white ground.
const WHITE: f32 = 0.92;

/// How many numbers [`look`] gives for pictures of this side.
pub fn look_dim(side: usize) -> usize {
    let (fine, coarse, spots) = (side / CELL, (side / 2 - CELL) / (CELL / 2) + 1, side / SPOT);
    (fine * fine + coarse * coarse) * DIRECTIONS + spots * spots * (COLOURS + 1) + QUARTERS * QUARTERS * PARTS.pow(3)
}

/// The look of a picture: `pixels` are rows of RGB from 0 to 1, `side × side` of them; about as many numbers lie below
/// 0 as above it.
pub fn look(pixels: &[f32], side: usize, out: &mut Vec<f32>) {
    edges(pixels, side, CELL, out);
    let half = halved(pixels, side);
    edges(&half, side / 2, CELL / 2, out);
    spots(pixels, side, out);
    colours(pixels, side, out);
}

/// Histograms of the directions of edges in cells that begin every `step` pixels, each relative to what is around it.
fn edges(pixels: &[f32], side: usize, step: usize, out: &mut Vec<f32>) {
    let cells = (side - CELL) / step + 1;
    let mut parts = vec![[0.0f32; DIRECTIONS]; (side / step).pow(2)];
    let along = side / step;
    for y in 0..side.min(along * step) {
        for x in 0..side.min(along * step) {
            let (dx, dy) = strongest(pixels, side, x, y);
            let strength = dx.hypot(dy);
            if strength > 0.0 {
                let turn = (dy.atan2(dx) / TAU).rem_euclid(1.0) * DIRECTIONS as f32;
                let (low, share) = (turn as usize % DIRECTIONS, turn.fract());
                let part = &mut parts[y / step * along + x / step];
                part[low] += strength * (1.0 - share);
                part[(low + 1) % DIRECTIONS] += strength * share;
            }
        }
    }
    // A cell is made of the parts that it covers.
    let (covered, area) = (CELL / step, (CELL * CELL) as f32);
    let cell = |row: usize, column: usize| {
        let mut sum = [0.0f32; DIRECTIONS];
        for part in (0..covered * covered).map(|i| (row + i / covered) * along + column + i % covered) {
            sum.iter_mut().zip(&parts[part]).for_each(|(sum, part)| *sum += part / area);
        }
        sum
    };
    let all: Vec<[f32; DIRECTIONS]> = (0..cells * cells).map(|i| cell(i / cells, i % cells)).collect();
    let energy: Vec<f32> = all.iter().map(|cell| cell.iter().map(|value| value * value).sum()).collect();
    let inside = |at: usize, by: usize| (at + by).saturating_sub(1).min(cells - 1);
    for (i, cell) in all.iter().enumerate() {
        let around = (0..9).map(|n| energy[inside(i / cells, n / 3) * cells + inside(i % cells, n % 3)]).sum::<f32>();
        let scale = 1.0 / ((around / 9.0).sqrt() + 0.02);
        out.extend(cell.iter().map(|value| ((value * scale).min(0.6) - 0.2) * 4.0));
    }
}

/// The gradient of the colour that changes most here.
fn strongest(pixels: &[f32], side: usize, x: usize, y: usize) -> (f32, f32) {
    let at = |x: usize, y: usize, colour: usize| pixels[(y * side + x) * COLOURS + colour];
    let (left, right) = (x.saturating_sub(1), (x + 1).min(side - 1));
    let (up, down) = (y.saturating_sub(1), (y + 1).min(side - 1));
    let mut best = (0.0f32, 0.0f32);
    for colour in 0..COLOURS {
        let (dx, dy) = (at(right, y, colour) - at(left, y, colour), at(x, down, colour) - at(x, up, colour));
        if dx * dx + dy * dy > best.0 * best.0 + best.1 * best.1 {
            best = (dx, dy);
        }
    }
    best
}

/// Half as large.
fn halved(pixels: &[f32], side: usize) -> Vec<f32> {
    let (half, row) = (side / 2, side * COLOURS);
    let mut small = Vec::with_capacity(half * half * COLOURS);
    for place in 0..half * half {
        let at = place / half * 2 * row + place % half * 2 * COLOURS;
        small.extend(
            (at..at + COLOURS)
                .map(|i| 0.25 * (pixels[i] + pixels[i + COLOURS] + pixels[i + row] + pixels[i + row + COLOURS])),
        );
    }
    small
}

/// Mean colour and share of white of each spot.
fn spots(pixels: &[f32], side: usize, out: &mut Vec<f32>) {
    let along = side / SPOT;
    let mut sums = vec![[0.0f32; COLOURS + 1]; along * along];
    for (i, pixel) in pixels.as_chunks::<COLOURS>().0.iter().enumerate() {
        let (y, x) = (i / side / SPOT, i % side / SPOT);
        let sum = &mut sums[y.min(along - 1) * along + x.min(along - 1)];
        sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        sum[COLOURS] += f32::from(is_white(pixel));
    }
    let area = (SPOT * SPOT) as f32;
    out.extend(sums.iter().flatten().map(|sum| (sum / area - 0.5) * 3.0));
}

/// How much of each quarter has which colour, white ground aside.
fn colours(pixels: &[f32], side: usize, out: &mut Vec<f32>) {
    let mut counts = [[0.0f32; PARTS.pow(3)]; QUARTERS * QUARTERS];
    for (i, pixel) in pixels.as_chunks::<COLOURS>().0.iter().enumerate().filter(|(_, pixel)| !is_white(pixel)) {
        let part = |value: f32| ((value * PARTS as f32) as usize).min(PARTS - 1);
        let colour = pixel.iter().fold(0, |sum, &value| sum * PARTS + part(value));
        counts[i / side * QUARTERS / side * QUARTERS + i % side * QUARTERS / side][colour] += 1.0;
    }
    let area = (side * side / (QUARTERS * QUARTERS)) as f32;
    out.extend(counts.iter().flatten().map(|count| 4.0 * (count / area).sqrt()));
}

fn is_white(pixel: &[f32; COLOURS]) -> bool {
    pixel.iter().all(|&value| value > WHITE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 48;

    fn told(pixels: impl Fn(usize, usize) -> [f32; 3]) -> Vec<f32> {
        let pixels: Vec<f32> = (0..SIDE * SIDE).flat_map(|i| pixels(i / SIDE, i % SIDE)).collect();
        let mut out = Vec::new();
        look(&pixels, SIDE, &mut out);
        assert_eq!(out.len(), look_dim(SIDE));
        assert!(out.iter().all(|value| value.is_finite()));
        out
    }

    #[test]
    fn edges_are_told_by_place_and_direction() {
        let nothing = told(|_, _| [0.4; 3]);
        assert!(nothing[..8 * 8 * DIRECTIONS].iter().all(|&value| value == -0.8));
        // Light on the right from column 21 on: the direction is 0, in the fourth cell of each row.
        let upright = told(|_, x| [if x > 20 { 0.9 } else { 0.1 }; 3]);
        for row in 0..8 {
            for column in 0..8 {
                let cell = &upright[(row * 8 + column) * DIRECTIONS..][..DIRECTIONS];
                assert_eq!(cell[0] > 0.5, column == 3, "row {row}, column {column}: {cell:?}");
                assert!(cell[1..].iter().all(|&value| value == -0.8), "{cell:?}");
            }
        }
    }

    #[test]
    fn colours_are_told_by_place_and_white_is_ground() {
        let red_left = told(|_, x| if x < 24 { [0.9, 0.1, 0.1] } else { [1.0; 3] });
        let spots = &red_left[red_left.len() - 4 * 64 - 12 * 12 * 4..];
        let near = |a: &[f32], b: [f32; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near(&spots[..4], [1.2, -1.2, -1.2, -1.5]), "{:?}", &spots[..4]);
        assert!(near(&spots[11 * 4..12 * 4], [1.5, 1.5, 1.5, 1.5]), "{:?}", &spots[44..48]);
        let histograms = &red_left[red_left.len() - 4 * 64..];
        let seen: Vec<usize> = (0..4 * 64).filter(|&i| histograms[i] > 0.0).collect();
        assert_eq!(seen, [3 * 16, 2 * 64 + 3 * 16], "red in both quarters on the left");
        assert!((histograms[48] - 4.0).abs() < 1e-4);
    }
}
