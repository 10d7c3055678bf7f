//! A row: a vector as 12-bit codes of what its list's centre leaves over.

use super::kernel::{Kernel, LINE_DIMS, Line, Scale};
use super::query::{Query, nearest, width};

/// Stands for a place without a pin.
pub(super) const NOBODY: u32 = u32::MAX;

/// The code of zero, and the largest distance from it.
const MIDDLE: i32 = 2_048;
const REACH: f32 = 2_047.0;

/// The middle of what lower parts may be.
const LOWER_MIDDLE: f32 = 127.5;

/// What an upper part counts in lower parts.
const UPPER: i32 = 256;

/// A coded vector: `value ≈ centre + scale · (code − 2048)`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) codes: Vec<u16>,
    pub(super) scale: Scale,
}

impl Row {
    /// Codes `vector − centre` (both unpadded).
    pub(super) fn encode(vector: &[f32], centre: &[f32]) -> Row {
        let rest = |(value, centre): (&f32, &f32)| value - centre;
        let largest = vector.iter().zip(centre).map(rest).fold(0.0f32, |largest, rest| largest.max(rest.abs()));
        let scale = Scale::at_least(largest / REACH);
        let per = if largest > 0.0 { 1.0 / scale.get() } else { 0.0 };
        let mut codes = vec![MIDDLE as u16; width(vector.len())];
        for (code, pair) in codes.iter_mut().zip(vector.iter().zip(centre)) {
            *code = (nearest(rest(pair) * per) + MIDDLE).clamp(0, 4_095) as u16;
        }
        Row { codes, scale }
    }

    /// What was coded, or near it.
    pub(super) fn decode<'a>(&'a self, centre: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let value = |(centre, &code): (&f32, &u16)| centre + self.scale.get() * (i32::from(code) - MIDDLE) as f32;
        centre.iter().zip(&self.codes).map(value)
    }
}

/// Lines of a block: the upper parts of its codes.
pub(super) fn block_lines(width: usize) -> usize {
    width / LINE_DIMS
}

/// Writes a row into place `slot` of a block, and its lower part into `lower` (a byte a number).
pub(super) fn put(block: &mut [Line], lower: &mut [u8], slot: usize, row: &Row) {
    for (line, codes) in block.iter_mut().zip(row.codes.chunks_exact(LINE_DIMS)) {
        for at in 0..LINE_DIMS / 2 {
            line.0[slot * 4 + at] = ((codes[at] >> 8) | (codes[at + LINE_DIMS / 2] >> 8 << 4)) as u8;
        }
    }
    lower.iter_mut().zip(&row.codes).for_each(|(lower, &code)| *lower = code as u8);
}

/// The codes of a row.
pub(super) fn get(block: &[Line], lower: &[u8], scale: Scale, slot: usize) -> Row {
    let mut codes = vec![0; lower.len()];
    each_code(block, lower, slot, |at, code| codes[at] = code as u16);
    Row { codes, scale }
}

/// What a row coded, or near it, into `into` (unpadded).
pub(super) fn read(coded: Coded, centre: &[f32], into: &mut [f32]) {
    let step = coded.scale.get();
    let lines = coded.block.iter().zip(coded.lower.as_chunks::<LINE_DIMS>().0);
    for ((line, lower), (into, centre)) in lines.zip(into.chunks_mut(LINE_DIMS).zip(centre.chunks(LINE_DIMS))) {
        let upper: &[u8; LINE_DIMS / 2] =
            line.0[coded.slot * 4..].first_chunk().expect("invariant: a line has its slots");
        let codes: [i32; LINE_DIMS] = std::array::from_fn(|at| {
            let (byte, shift) = (upper[at % (LINE_DIMS / 2)], if at < LINE_DIMS / 2 { 0 } else { 4 });
            i32::from(byte >> shift & 15) << 8 | i32::from(lower[at])
        });
        for ((value, centre), code) in into.iter_mut().zip(centre).zip(codes) {
            *value = centre + step * (code - MIDDLE) as f32;
        }
    }
}

/// Where the codes of one row lie.
#[derive(Clone, Copy)]
pub(super) struct Coded<'a> {
    pub(super) block: &'a [Line],
    pub(super) slot: usize,
    pub(super) lower: &'a [u8],
    pub(super) scale: Scale,
}

impl Coded<'_> {
    /// The score by all codes and by the query unrounded; `base` is that of the centre.
    pub(super) fn exact(&self, kernel: Kernel, query: &Query, base: f32) -> f32 {
        let coarse = self.sum(kernel, &query.codes_by_nibbles, &query.codes) - MIDDLE * query.total;
        base + self.scale.get() * query.step * coarse as f32 + self.fine(kernel, query)
    }

    /// What the rounding of the query leaves out of the score.
    pub(super) fn fine(&self, kernel: Kernel, query: &Query) -> f32 {
        let fine = self.sum(kernel, &query.fine_by_nibbles, &query.fine) - MIDDLE * query.fine_total;
        self.scale.get() * query.fine_step * fine as f32
    }

    fn sum(&self, kernel: Kernel, by_nibbles: &[i8], in_order: &[i8]) -> i32 {
        let mut gathered = [0; GATHERED];
        let mut sum = 0;
        for (part, lines) in self.block.chunks(GATHERED / 4).enumerate() {
            let upper = &mut gathered[..lines.len() * 4];
            for (four, line) in upper.as_chunks_mut::<4>().0.iter_mut().zip(lines) {
                four.copy_from_slice(&line.0[self.slot * 4..self.slot * 4 + 4]);
            }
            let first = part * GATHERED * 2;
            let numbers = first..first + lines.len() * LINE_DIMS;
            let upper = kernel.upper(&by_nibbles[numbers.clone()], upper);
            sum += UPPER * upper + kernel.lower(&in_order[numbers.clone()], &self.lower[numbers]);
        }
        sum
    }
}

/// Upper parts of a row that are gathered together (bytes).
const GATHERED: usize = 512;

#[inline]
fn each_code(block: &[Line], lower: &[u8], slot: usize, mut take: impl FnMut(usize, i32)) {
    for (group, (line, lower)) in block.iter().zip(lower.as_chunks::<LINE_DIMS>().0).enumerate() {
        for at in 0..LINE_DIMS / 2 {
            let (byte, first) = (i32::from(line.0[slot * 4 + at]), group * LINE_DIMS + at);
            take(first, (byte & 15) << 8 | i32::from(lower[at]));
            take(first + LINE_DIMS / 2, (byte >> 4) << 8 | i32::from(lower[at + LINE_DIMS / 2]));
        }
    }
}

/// The bar that a scan compares with: rows whose score may reach `floor` if their lower parts lie at most `deviations`
/// standard deviations above the middle. `base` is the query's inner product with the centre.
pub(super) fn bar(query: &Query, base: f32, floor: f32, deviations: f32) -> super::kernel::Bar {
    let middle = (LOWER_MIDDLE - MIDDLE as f32) * query.total as f32;
    let lift = query.step * (middle + deviations * query.lower_spread);
    super::kernel::Bar { base, step: UPPER as f32 * query.step, lift, floor }
}

/// The score of a row from its two sums.
#[inline]
pub(super) fn score(query: &Query, base: f32, scale: Scale, upper: i32, lower: i32) -> f32 {
    base + scale.get() * query.step * (UPPER * upper + lower - MIDDLE * query.total) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn a_row_comes_back_from_its_block_and_is_told_as_it_is() {
        let mut rng = Rng::new(1);
        for dim in [5, 32, 64, 100, 2_100] {
            let mut vector = |spread: f32| (0..dim).map(|_| rng.normal() * spread).collect::<Vec<f32>>();
            let (centre, near) = (vector(1.0), vector(0.3));
            let vector: Vec<f32> = centre.iter().zip(&near).map(|(a, b)| a + b).collect();
            let row = Row::encode(&vector, &centre);
            let width = width(dim);
            let (mut block, mut lower) = (vec![Line([0; 64]); block_lines(width)], vec![0; width]);
            put(&mut block, &mut lower, 7, &row);
            let back = get(&block, &lower, row.scale, 7);
            assert_eq!(back.codes, row.codes);
            let mut read_back = vec![0.0; dim];
            read(Coded { block: &block, slot: 7, lower: &lower, scale: row.scale }, &centre, &mut read_back);
            assert_eq!(read_back, back.decode(&centre).collect::<Vec<f32>>());
            let worst = back.decode(&centre).zip(&vector).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= row.scale.get() * 0.51, "{worst} {:?}", row.scale);
            let query = Query::new(&vector);
            let base = query.dot(&centre);
            let exact = query.dot(&vector);
            for kernel in Kernel::all() {
                let coded = Coded { block: &block, slot: 7, lower: &lower, scale: row.scale };
                let told = coded.exact(kernel, &query, base);
                assert!((told - exact).abs() < 1e-3 * exact.abs(), "{told} {exact}, {kernel:?}");
            }
        }
    }
}
