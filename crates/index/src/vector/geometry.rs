//! How a space is cut into lists: centres, and which one a vector belongs to.

use super::kernel::{Kernel, Line, ROWS};
use super::query::{Query, nearest, width};
use domain::{Column, Rng};

/// Passes over the sample.
const PASSES: usize = 8;

/// Vectors looked at per list when centres are learned.
const SAMPLE_PER_LIST: usize = 40;

/// Vectors that a list's spread counts as if they were like those of all lists.
const LIKE_THE_OTHERS: f64 = 4.0;

/// Queries scored side by side.
const SIDE_BY_SIDE: usize = 4;

/// The code of zero in 7 bits.
const MIDDLE: i32 = 64;

/// The lists of a space.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    pub(super) dim: usize,
    pub(super) lists: usize,
    /// `lists` rows of `dim` numbers.
    pub(super) centres: Column<f32>,
    /// How far scores of a list's vectors lie around that of its centre, per unit of the query's length (standard
    /// deviation).
    pub(super) spreads: Column<f32>,
    /// The centres in 7 bits, in blocks; the last one is filled up.
    coarse: Vec<Line>,
    /// Numbers per code.
    coarse_step: f32,
    /// Half the squared length of each centre.
    half_squares: Vec<f32>,
}

impl Geometry {
    /// One list around zero: for few vectors.
    pub(super) fn flat(dim: usize) -> Geometry {
        Geometry::new(dim, vec![0.0; dim].into(), vec![1.0].into())
    }

    /// From centres and spreads, as they were learned.
    pub(super) fn new(dim: usize, centres: Column<f32>, spreads: Column<f32>) -> Geometry {
        let (coarse, coarse_step) = coarsen(dim, &centres);
        let square = |centre: &[f32]| centre.iter().map(|value| value * value).sum::<f32>() / 2.0;
        let half_squares = centres.chunks_exact(dim.max(1)).map(square).collect();
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
        let mut geometry = Geometry::new(dim, centres.into(), vec![1.0; lists].into());
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
        let mut rests = vec![(0.0f64, 0.0f64); self.lists];
        for (row, list) in rows {
            let rest: f32 = row.iter().zip(self.centre(list as usize)).map(|(a, b)| (a - b).powi(2)).sum();
            let (sum, count) = rests[list as usize];
            rests[list as usize] = (sum + f64::from(rest), count + 1.0);
        }
        let all = rests.iter().fold((0.0, 0.0), |all, rest| (all.0 + rest.0, all.1 + rest.1));
        let usual = LIKE_THE_OTHERS * all.0 / f64::max(all.1, 1.0);
        let spread = |&(sum, count): &(f64, f64)| {
            ((sum + usual) / (count + LIKE_THE_OTHERS) / self.dim.max(1) as f64).sqrt() as f32
        };
        self.spreads = rests.iter().map(spread).collect::<Vec<f32>>().into();
    }

    /// The list of each vector: that of the nearest centre, by coarse codes.
    pub(super) fn homes<'a>(&self, vectors: impl Iterator<Item = &'a [f32]>, kernel: Kernel) -> Vec<u32> {
        let mut vectors = vectors.map(Query::new).peekable();
        let mut homes = Vec::new();
        let mut sums = vec![vec![0; self.padded()]; SIDE_BY_SIDE];
        while vectors.peek().is_some() {
            let some: Vec<Query> = vectors.by_ref().take(SIDE_BY_SIDE).collect();
            let codes: [&[i8]; SIDE_BY_SIDE] = std::array::from_fn(|at| &some[at.min(some.len() - 1)].codes[..]);
            let [a, b, c, d] = &mut sums[..] else { unreachable!("invariant: four rows of sums") };
            kernel.whole(codes, &self.coarse, [a, b, c, d]);
            homes.extend(some.iter().zip(&sums).map(|(query, sums)| self.nearest(query, sums)));
        }
        homes
    }

    fn nearest(&self, query: &Query, sums: &[i32]) -> u32 {
        let (step, less) = (query.step * self.coarse_step, MIDDLE * query.total);
        let mut best = (f32::NEG_INFINITY, 0);
        for (list, (&sum, &half)) in sums.iter().zip(&self.half_squares).enumerate() {
            let score = (sum - less) as f32 * step - half;
            if score > best.0 {
                best = (score, list as u32);
            }
        }
        best.1
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
        (self.centres.len() + self.spreads.len() + self.half_squares.len()) * 4 + self.coarse.len() * size_of::<Line>()
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
