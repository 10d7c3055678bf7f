//! Laying one picture over another: which stretch and shift makes them most alike.
//!
//! Gauss-Newton steps on the squared difference of lumas (Lucas and Kanade, *An iterative image registration
//! technique*, 1981) over a stretch and a shift along each side, and a gain and an offset of luma: six unknowns. First
//! on grids of half the size, which say cheaply that two pictures have nothing to do with one another.

use super::signature::{Grids, LUMA_SIDE};

/// Where a picture lies in another: its place `x` (0 to 1) is `x + shift + grow · (x − ½)` of that; across, down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warp {
    pub(super) shift: [f32; 2],
    pub(super) grow: [f32; 2],
}

/// A warp, and what makes the other's lumas those of the picture.
#[derive(Clone, Copy, Debug)]
struct Fit {
    warp: Warp,
    gain: f32,
    offset: f32,
}

const HALF: usize = LUMA_SIDE / 2;
/// Steps on the small grids, and on the full ones.
const STEPS_MAX: [usize; 2] = [7, 5];
/// A step that moves less than this is the last.
const MOVED_MIN: f32 = 0.002;
/// Farther than this a step is not believed.
const MOVED_MAX: f32 = 0.1;
const SHIFT_MAX: f32 = 0.25;
const GROW_MAX: f32 = 0.35;
const GAIN_RANGE: (f32, f32) = (0.4, 2.5);
/// Correlation on the small grids below which the full ones are not looked at.
const SMALL_CORRELATION_MIN: f32 = 0.9;
const UNKNOWNS: usize = 6;

impl Warp {
    /// No shift and no stretch.
    pub(super) const NONE: Warp = Warp { shift: [0.0; 2], grow: [0.0; 2] };

    fn apply(&self, axis: usize, x: f32) -> f32 {
        x + self.shift[axis] + self.grow[axis] * (x - 0.5)
    }

    fn is_believed(&self) -> bool {
        self.shift.iter().all(|shift| shift.abs() <= SHIFT_MAX) && self.grow.iter().all(|grow| grow.abs() <= GROW_MAX)
    }
}

/// The warp near `start` that makes `b` most like `a`, if there is one. Two blank pictures
/// have nothing that could be laid upon something: they are taken as they lie.
pub(super) fn align(a: &Aligned, b: &Aligned, start: Warp) -> Option<Warp> {
    if a.grids.is_blank() && b.grids.is_blank() {
        return Some(Warp::NONE);
    }
    let fit = Fit { warp: start, gain: 1.0, offset: 0.0 };
    let fit = descend::<HALF>(&a.half, &b.half, fit, STEPS_MAX[0])?;
    if correlation::<HALF>(&a.half, &b.half, &fit.warp) < SMALL_CORRELATION_MIN {
        return None;
    }
    descend::<LUMA_SIDE>(&a.grids.luma, &b.grids.luma, fit, STEPS_MAX[1]).map(|fit| fit.warp)
}

/// Grids that are ready to be laid over others.
#[derive(Clone, Debug)]
pub(super) struct Aligned {
    pub(super) grids: Grids,
    half: [f32; HALF * HALF],
}

impl Aligned {
    pub(super) fn new(grids: Grids) -> Aligned {
        let mut half = [0.0; HALF * HALF];
        for (i, luma) in grids.luma.iter().enumerate() {
            half[i / LUMA_SIDE / 2 * HALF + i % LUMA_SIDE / 2] += luma / 4.0;
        }
        Aligned { grids, half }
    }
}

fn descend<const N: usize>(a: &[f32], b: &[f32], mut fit: Fit, steps_max: usize) -> Option<Fit> {
    for _ in 0..steps_max {
        let moved = solve(&equations::<N>(a, b, &fit))?;
        for (axis, pair) in moved[..4].chunks_exact(2).enumerate() {
            fit.warp.shift[axis] += pair[0].clamp(-MOVED_MAX, MOVED_MAX);
            fit.warp.grow[axis] += pair[1].clamp(-MOVED_MAX, MOVED_MAX);
        }
        fit.gain = (fit.gain + moved[4]).clamp(GAIN_RANGE.0, GAIN_RANGE.1);
        fit.offset += moved[5];
        if !fit.warp.is_believed() {
            return None;
        }
        if moved[..4].iter().all(|moved| moved.abs() < MOVED_MIN) {
            break;
        }
    }
    Some(fit)
}

/// A place between the centres of two neighbouring cells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) cell: usize,
    pub(super) part: f32,
    /// 1 where the place lies in the grid, else 0.
    pub(super) weight: f32,
}

/// Where the centres of a picture's cells come to lie in the other's grid.
pub(super) fn places<const N: usize>(warp: &Warp, axis: usize) -> [Place; N] {
    std::array::from_fn(|i| {
        let at = warp.apply(axis, centre::<N>(i)) * N as f32 - 0.5;
        // Half a cell outside of the outermost centres still counts as these.
        let weight = if (-0.5..=N as f32 - 0.5).contains(&at) { 1.0 } else { 0.0 };
        let at = at.clamp(0.0, N as f32 - 1.001);
        Place { cell: at as usize, part: at - at.floor(), weight }
    })
}

/// The centre of a row's or column's cells, 0 to 1.
fn centre<const N: usize>(i: usize) -> f32 {
    (i as f32 + 0.5) / N as f32
}

/// A grid's value at a place, and how it changes along both sides (a cell).
pub(super) fn value<const N: usize>(grid: &[f32], across: Place, down: Place) -> [f32; 3] {
    let at = |dx: usize, dy: usize| grid[(down.cell + dy) * N + across.cell + dx];
    let (upper, lower) = (at(1, 0) - at(0, 0), at(1, 1) - at(0, 1));
    let (above, below) = (at(0, 0) + upper * across.part, at(0, 1) + lower * across.part);
    [above + (below - above) * down.part, upper + (lower - upper) * down.part, below - above]
}

/// The normal equations of one step: the lower half of a matrix, and what stands right of it.
struct Equations {
    matrix: [[f32; UNKNOWNS]; UNKNOWNS],
    right: [f32; UNKNOWNS],
}

fn equations<const N: usize>(a: &[f32], b: &[f32], fit: &Fit) -> Equations {
    let mut sums = Equations { matrix: [[0.0; UNKNOWNS]; UNKNOWNS], right: [0.0; UNKNOWNS] };
    let (columns, rows) = (places::<N>(&fit.warp, 0), places::<N>(&fit.warp, 1));
    let slope = fit.gain * N as f32;
    for (y, &row) in rows.iter().enumerate().filter(|(_, row)| row.weight > 0.0) {
        for (x, &column) in columns.iter().enumerate().filter(|(_, column)| column.weight > 0.0) {
            let [value, across, down] = value::<N>(b, column, row);
            let (across, down) = (slope * across, slope * down);
            let (u, v) = (centre::<N>(x) - 0.5, centre::<N>(y) - 0.5);
            let slopes = [across, across * u, down, down * v, value, 1.0];
            let rest = a[y * N + x] - fit.gain * value - fit.offset;
            for j in 0..UNKNOWNS {
                sums.right[j] += slopes[j] * rest;
                for k in 0..=j {
                    sums.matrix[j][k] += slopes[j] * slopes[k];
                }
            }
        }
    }
    sums
}

/// Cholesky's way, a little damped; nothing when the picture does not say enough.
fn solve(equations: &Equations) -> Option<[f32; UNKNOWNS]> {
    const DAMPING: f32 = 1e-3;
    let (mut m, mut r) = (equations.matrix, equations.right);
    for j in 0..UNKNOWNS {
        m[j][j] += DAMPING * (1.0 + m[j][j]);
        for k in 0..=j {
            let rest = m[j][k] - (0..k).map(|i| m[j][i] * m[k][i]).sum::<f32>();
            m[j][k] = if j > k { rest / m[k][k] } else { Some(rest).filter(|&rest| rest > 1e-6)?.sqrt() };
        }
    }
    for j in 0..UNKNOWNS {
        r[j] = (r[j] - (0..j).map(|i| m[j][i] * r[i]).sum::<f32>()) / m[j][j];
    }
    for j in (0..UNKNOWNS).rev() {
        r[j] = (r[j] - (j + 1..UNKNOWNS).map(|i| m[i][j] * r[i]).sum::<f32>()) / m[j][j];
    }
    Some(r)
}

/// Pearson's correlation of two grids where they overlap.
fn correlation<const N: usize>(a: &[f32], b: &[f32], warp: &Warp) -> f32 {
    let (columns, rows) = (places::<N>(warp, 0), places::<N>(warp, 1));
    let mut sums = [0.0f32; 6];
    for (y, &row) in rows.iter().enumerate() {
        for (x, &column) in columns.iter().enumerate() {
            let weight = row.weight * column.weight;
            let (one, other) = (weight * a[y * N + x], weight * value::<N>(b, column, row)[0]);
            let terms = [weight, one, other, one * one, other * other, one * other];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
    }
    let [count, one, other, ones, others, both] = sums;
    let count = count.max(1.0);
    let spread = ((ones - one * one / count) * (others - other * other / count)).max(1e-9).sqrt();
    (both - one * other / count) / spread
}
