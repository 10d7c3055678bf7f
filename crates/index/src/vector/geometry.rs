//! How a space is cut into lists: centres, and which one a vector belongs to.

use super::kernel::{Kernel, Line, ROWS};
use super::query::{self, Query, nearest, width};
use bytemuck::{Pod, Zeroable};
use domain::{Column, Rng};

/// Passes over the sample.
const PASSES: usize = 8;

/// Vectors looked at per list when centres are learned.
const SAMPLE_PER_LIST: usize = 40;

/// Vectors that a list's spread counts as if they were like those of all lists.
const LIKE_THE_OTHERS: f32 = 4.0;

/// Queries scored side by side.
const SIDE_BY_SIDE: usize = 4;

/// The code of zero in 7 bits.
const MIDDLE: i32 = 64;

/// How far vectors lie around their centre, as variances: along the line from zero through it they lie closer, since
/// learned vectors are of about one length.
///
/// A query's score varies among them by `across · |query|² + along · score of the centre²`.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Spread {
    /// Per direction square to that line.
    across: f32,
    /// What that line has more (less, as a rule), over the centre's squared length.
    along: f32,
}

impl Spread {
    /// Of one list around zero.
    const FLAT: Spread = Spread { across: 1.0, along: 0.0 };

    /// The standard deviation of a query's scores around `score`, that of the centre; `norm` is the query's length.
    #[inline]
    pub(super) fn of(self, norm: f32, score: f32) -> f32 {
        (self.across * (norm * norm) + self.along * (score * score)).max(0.0).sqrt()
    }
}

/// The lists of a space.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    pub(super) dim: usize,
    pub(super) lists: usize,
    /// `lists` rows of `dim` numbers.
    pub(super) centres: Column<f32>,
    /// How far the vectors of each list lie around its centre.
    pub(super) spreads: Column<Spread>,
    /// The centres in 7 bits, in blocks; the last one is filled up.
    coarse: Vec<Line>,
    /// Numbers per code.
    coarse_step: f32,
    /// Half the squared length of each centre; infinite for those that fill up the last block.
    half_squares: Vec<f32>,
}

impl Geometry {
    /// One list around zero: for few vectors.
    pub(super) fn flat(dim: usize) -> Geometry {
        Geometry::new(dim, vec![0.0; dim].into(), vec![Spread::FLAT].into())
    }

    /// From centres and spreads, as they were learned.
    pub(super) fn new(dim: usize, centres: Column<f32>, spreads: Column<Spread>) -> Geometry {
        let (coarse, coarse_step) = coarsen(dim, &centres);
        let square = |centre: &[f32]| centre.iter().map(|value| value * value).sum::<f32>() / 2.0;
        let mut half_squares: Vec<f32> = centres.chunks_exact(dim.max(1)).map(square).collect();
        half_squares.resize(spreads.len().next_multiple_of(ROWS), f32::INFINITY);
        Geometry { dim, lists: spreads.len(), centres, spreads, coarse, coarse_step, half_squares }
    }

    pub(super) fn centre(&self, list: usize) -> &[f32] {
        &self.centres[list * self.dim..][..self.dim]
    }

    /// Learns `lists` centres (at most as many as there are rows) from rows of `dim` numbers: Lloyd's algorithm on a
    /// sample.
    pub(super) fn learn(dim: usize, lists: usize, rows: &[f32], kernel: Kernel, rng: &mut Rng) -> Geometry {
        let row = |at: u32| &rows[at as usize * dim..][..dim];
        let mut sample: Vec<u32> = (0..(rows.len() / dim) as u32).collect();
        rng.shuffle(&mut sample);
        sample.truncate(lists * SAMPLE_PER_LIST);
        let centres: Vec<f32> = sample[..lists].iter().flat_map(|&at| row(at)).copied().collect();
        let mut geometry = Geometry::new(dim, centres.into(), vec![Spread::FLAT; lists].into());
        for _ in 0..PASSES {
            let homes = geometry.homes(sample.iter().map(|&at| row(at)), kernel);
            let rows = || sample.iter().map(|&at| row(at)).zip(homes.iter().copied());
            geometry = geometry.centred(rows(), |_| row(sample[rng.below(sample.len() as u32) as usize]));
        }
        let homes = geometry.homes(sample.iter().map(|&at| row(at)), kernel);
        geometry.measure(sample.iter().map(|&at| row(at)).zip(homes));
        geometry
    }

    /// The centres of rows with their lists; a list without rows starts anew.
    fn centred<'a>(
        &self,
        rows: impl Iterator<Item = (&'a [f32], u32)>,
        mut anew: impl FnMut(usize) -> &'a [f32],
    ) -> Geometry {
        let (mut sums, mut sizes) = (vec![0.0f64; self.centres.len()], vec![0u32; self.lists]);
        for (row, list) in rows {
            sizes[list as usize] += 1;
            let sum = &mut sums[list as usize * self.dim..][..self.dim];
            sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        let mut centres = Vec::with_capacity(sums.len());
        for (list, &size) in sizes.iter().enumerate() {
            match size {
                0 => centres.extend_from_slice(anew(list)),
                _ => {
                    centres.extend(sums[list * self.dim..][..self.dim].iter().map(|sum| (sum / f64::from(size)) as f32))
                }
            }
        }
        Geometry::new(self.dim, centres.into(), self.spreads.clone())
    }

    /// Sets the spreads from rows and their lists.
    fn measure<'a>(&mut self, rows: impl Iterator<Item = (&'a [f32], u32)>) {
        let mut rests = vec![Rests::default(); self.lists];
        for (row, list) in rows {
            let (centre, square) = (self.centre(list as usize), 2.0 * self.half_squares[list as usize]);
            let rest = || row.iter().zip(centre).map(|(a, b)| a - b);
            let along = rest().zip(centre).map(|(a, b)| a * b).sum::<f32>().powi(2) / square.max(f32::MIN_POSITIVE);
            rests[list as usize].add(rest().map(|rest| rest * rest).sum(), along, 1.0);
        }
        let mut usual = Rests::default();
        rests.iter().for_each(|rests| usual.add(rests.all, rests.along, rests.count));
        let share = LIKE_THE_OTHERS / usual.count.max(1.0);
        rests.iter_mut().for_each(|rests| rests.add(usual.all * share, usual.along * share, LIKE_THE_OTHERS));
        let spread = |(rests, half): (&Rests, &f32)| rests.spread(self.dim, 2.0 * half);
        self.spreads = rests.iter().zip(&self.half_squares).map(spread).collect::<Vec<Spread>>().into();
    }

    /// The list of each vector: that of the nearest centre, by coarse codes.
    pub(super) fn homes<'a>(&self, mut vectors: impl Iterator<Item = &'a [f32]>, kernel: Kernel) -> Vec<u32> {
        let mut homes = Vec::with_capacity(vectors.size_hint().0);
        let mut sums = vec![vec![0; self.padded()]; SIDE_BY_SIDE];
        let mut codes = vec![vec![0; width(self.dim)]; SIDE_BY_SIDE];
        loop {
            let mut rounded = [(0.0, 0); SIDE_BY_SIDE];
            let mut count = 0;
            for vector in vectors.by_ref().take(SIDE_BY_SIDE) {
                rounded[count] = query::round(vector, &mut codes[count]);
                count += 1;
            }
            if count == 0 {
                return homes;
            }
            let ([a, b, c, d], [p, q, r, s]) = (&mut sums[..], &codes[..]) else {
                unreachable!("invariant: four rows of sums and of codes")
            };
            kernel.whole([p, q, r, s], &self.coarse, [a, b, c, d]);
            homes.extend(rounded[..count].iter().zip(&sums).map(|(&(step, total), sums)| {
                kernel.largest(sums, &self.half_squares, MIDDLE * total, step * self.coarse_step)
            }));
        }
    }

    /// Lists, filled up to whole blocks.
    fn padded(&self) -> usize {
        self.lists.next_multiple_of(ROWS)
    }

    /// Inner products of a query with all centres, by coarse codes. `sums` is room to work in.
    pub(super) fn scores(&self, query: &Query, kernel: Kernel, sums: &mut Vec<i32>, scores: &mut Vec<f32>) {
        sums.resize(self.padded(), 0);
        kernel.whole([&query.codes], &self.coarse, [sums]);
        let (step, less) = (query.step * self.coarse_step, MIDDLE * query.total);
        scores.clear();
        scores.extend(sums[..self.lists].iter().map(|&sum| (sum - less) as f32 * step));
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        (self.centres.len() + 2 * self.spreads.len() + self.half_squares.len()) * 4
            + self.coarse.len() * size_of::<Line>()
    }
}

/// What rows are away from their centre: sums of squares, and of those along the line through it.
#[derive(Clone, Copy, Debug, Default)]
struct Rests {
    all: f32,
    along: f32,
    count: f32,
}

impl Rests {
    fn add(&mut self, all: f32, along: f32, count: f32) {
        (self.all, self.along, self.count) = (self.all + all, self.along + along, self.count + count);
    }

    fn spread(&self, dim: usize, square: f32) -> Spread {
        let across = (self.all - self.along).max(0.0) / self.count / (dim.max(2) - 1) as f32;
        let more = self.along / self.count - across;
        Spread { across, along: if square > 0.0 { more / square } else { 0.0 } }
    }
}

/// Centres in 7 bits around 64, in blocks.
fn coarsen(dim: usize, centres: &[f32]) -> (Vec<Line>, f32) {
    let largest = centres.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let step = largest / (MIDDLE - 1) as f32;
    let per = if step > 0.0 { 1.0 / step } else { 0.0 };
    let lines = width(dim) / 4;
    let lists = centres.len().checked_div(dim).unwrap_or(1);
    let mut coarse = vec![Line([MIDDLE as u8; 64]); lists.div_ceil(ROWS) * lines];
    for (list, centre) in centres.chunks_exact(dim.max(1)).enumerate() {
        for (at, value) in centre.iter().enumerate() {
            let code = (nearest(value * per) + MIDDLE).clamp(0, 127) as u8;
            coarse[list / ROWS * lines + at / 4].0[list % ROWS * 4 + at % 4] = code;
        }
    }
    (coarse, step)
}
