//! What a picture looks like: where its edges are and which way they run, and the colours of figure and ground.
//!
//! The picture is stretched to 48 × 48. Each pixel's strongest gradient (over lightness and both colour axes) gives an
//! edge with a strength `m` (the square root of its length) and a direction θ; `m`, `m·cos 2θ` and `m·sin 2θ` are three
//! maps that do not care which side of an edge is the light one. A cosine transform keeps the coarsest shapes of the
//! maps, relative to the mean edge strength, as JPEG keeps the coarsest shapes of a block. What differs from the border
//! of the picture is figure, the rest is ground; each has a mean colour in OKLab.

use crate::Picture;
use crate::colour::oklab;

/// Side of the square on which pictures are looked at (pixels).
const SIDE: usize = 48;
/// Side of the maps that are transformed (cells of 4 × 4 pixels).
const CELLS: usize = 12;
/// Which of a map's waves are kept: those with fewer than so many half waves in both directions together.
const WAVES: [usize; 3] = [4, 4, 3];
/// How many numbers a look has.
pub(crate) const LOOK_DIM: usize = 32;
/// Edges, then figure colour, ground colour and business.
const EDGES_DIM: usize = 25;

/// How far the colours count against the edges.
const COLOUR_WEIGHT: f32 = 2.0;
/// The ground says less than the figure.
const GROUND_WEIGHT: f32 = 0.6;
/// OKLab's colour axes are short; they count double.
const CHROMA_WEIGHT: f32 = 2.0;
/// Distance from the border's colour at which a pixel is mostly figure.
const FIGURE_DISTANCE: f32 = 0.12;
/// Mean edge strength below which a picture counts as empty.
const EDGE_MIN: f32 = 0.02;

/// The look of a picture, not normalised.
pub(crate) fn look(picture: &Picture) -> [f32; LOOK_DIM] {
    let small = picture.scaled(SIDE as u32, SIDE as u32);
    let pixels: Vec<[f32; 3]> = small.rgb().chunks_exact(3).map(|p| oklab([p[0], p[1], p[2]])).collect();
    let maps = edge_maps(&pixels);
    let mean_edge = maps[0].iter().sum::<f32>() / maps[0].len() as f32;
    let mut look = [0.0; LOOK_DIM];
    let edges = WAVES.iter().zip(&maps).enumerate().flat_map(|(number, (&waves, map))| {
        // The first map's mean is what the rest is measured by.
        transform(map, waves).into_iter().skip(usize::from(number == 0))
    });
    let scale = 1.0 / (mean_edge.max(EDGE_MIN) * CELLS as f32);
    look.iter_mut().zip(edges).for_each(|(slot, wave)| *slot = wave * scale);
    shorten(&mut look[..EDGES_DIM]);
    let [figure, ground] = figure_and_ground(&pixels);
    for axis in 0..3 {
        let weight = COLOUR_WEIGHT * if axis == 0 { 1.0 } else { CHROMA_WEIGHT };
        let middle = if axis == 0 { 0.65 } else { 0.0 };
        look[EDGES_DIM + axis] = weight * (figure[axis] - middle);
        look[EDGES_DIM + 3 + axis] = weight * GROUND_WEIGHT * (ground[axis] - middle);
    }
    look[EDGES_DIM + 6] = (mean_edge - 0.2) * 2.0;
    look
}

/// Brings the edges to unit length, so that they count the same in every picture.
fn shorten(edges: &mut [f32]) {
    let norm = edges.iter().map(|value| value * value).sum::<f32>().sqrt();
    if norm > 1e-6 {
        edges.iter_mut().for_each(|value| *value /= norm);
    }
}

/// Strength, and strength times cosine and sine of twice the direction, as mean of each cell.
fn edge_maps(pixels: &[[f32; 3]]) -> [Vec<f32>; 3] {
    const CELL: usize = SIDE / CELLS;
    let mut maps = [(); 3].map(|()| vec![0.0; CELLS * CELLS]);
    let share = 1.0 / (CELL * CELL) as f32;
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (dx, dy) = strongest(pixels, x, y);
            let length = dx.hypot(dy);
            if length > 0.0 {
                let strength = length.sqrt() * share;
                let cell = y / CELL * CELLS + x / CELL;
                maps[0][cell] += strength;
                maps[1][cell] += strength * (dx * dx - dy * dy) / (length * length);
                maps[2][cell] += strength * 2.0 * dx * dy / (length * length);
            }
        }
    }
    maps
}

/// The gradient of the axis of OKLab that changes most here.
fn strongest(pixels: &[[f32; 3]], x: usize, y: usize) -> (f32, f32) {
    let at = |x: usize, y: usize, axis: usize| pixels[y * SIDE + x][axis];
    let inside = |place: usize| place > 0 && place + 1 < SIDE;
    let mut best = (0.0f32, 0.0f32);
    for axis in 0..3 {
        let weight = if axis == 0 { 1.0 } else { CHROMA_WEIGHT };
        let dx = if inside(x) { weight * (at(x + 1, y, axis) - at(x - 1, y, axis)) } else { 0.0 };
        let dy = if inside(y) { weight * (at(x, y + 1, axis) - at(x, y - 1, axis)) } else { 0.0 };
        if dx * dx + dy * dy > best.0 * best.0 + best.1 * best.1 {
            best = (dx, dy);
        }
    }
    best
}

/// The coarsest waves of a map (orthonormal cosine transform), row by row of the triangle that is kept.
fn transform(map: &[f32], waves: usize) -> Vec<f32> {
    let wave = |k: usize, i: usize| {
        let norm = if k == 0 { 1.0 } else { std::f32::consts::SQRT_2 } / (CELLS as f32).sqrt();
        norm * (std::f32::consts::PI * (i as f32 + 0.5) * k as f32 / CELLS as f32).cos()
    };
    let mut kept = Vec::new();
    for down in 0..waves {
        for across in 0..waves - down {
            let value = map.iter().enumerate().map(|(i, cell)| cell * wave(down, i / CELLS) * wave(across, i % CELLS));
            kept.push(value.sum());
        }
    }
    kept
}

/// Mean colours of what differs from the picture's border, and of what does not.
fn figure_and_ground(pixels: &[[f32; 3]]) -> [[f32; 3]; 2] {
    let border = [0, 1, 2].map(|axis| median(border_of(pixels).map(|pixel| pixel[axis]).collect()));
    let mut sums = [[0.0f32; 3]; 2];
    let mut weights = [1e-3f32; 2];
    sums.iter_mut().for_each(|sum| *sum = border.map(|value| value * 1e-3));
    for pixel in pixels {
        let gap =
            |axis: usize| (pixel[axis] - border[axis]).powi(2) * if axis == 0 { 1.0 } else { CHROMA_WEIGHT.powi(2) };
        let figure = 1.0 - (-(gap(0) + gap(1) + gap(2)) / FIGURE_DISTANCE.powi(2)).exp();
        for (part, weight) in [figure, 1.0 - figure].into_iter().enumerate() {
            weights[part] += weight;
            (0..3).for_each(|axis| sums[part][axis] += weight * pixel[axis]);
        }
    }
    [0, 1].map(|part| sums[part].map(|sum| sum / weights[part]))
}

fn border_of(pixels: &[[f32; 3]]) -> impl Iterator<Item = &[f32; 3]> {
    let is_edge = |place: usize| place == 0 || place == SIDE - 1;
    let is_border = move |i: usize| is_edge(i / SIDE) || is_edge(i % SIDE);
    pixels.iter().enumerate().filter(move |(i, _)| is_border(*i)).map(|(_, pixel)| pixel)
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
