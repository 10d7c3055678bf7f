//! k-means: the same centres for the same vectors and seed, however many threads.
//!
//! Started far apart (k-means++, Arthur and Vassilvitskii 2007, the best of a few draws each time) on a sample; whole
//! passes (Lloyd) where the vectors are few, small batches (Sculley 2010) where they are many.

use domain::Rng;
use models::{Operand, matmul};
use rayon::prelude::*;

use crate::ContentError;

/// More vectors than these are learned of in batches.
const WHOLE_MAX: usize = 200_000;
/// Vectors on which the start is chosen, for each centre and at most.
const START_PER_CENTRE: usize = 32;
const START_MAX: usize = 20_000;
/// Draws of which the best is kept: one alone puts two of every few dozen starts into one cluster.
const DRAWS: usize = 4;
/// Vectors of a batch.
const BATCH: usize = 10_000;
/// Batches: more than a million vectors are looked at.
const BATCHES: usize = 150;
/// Most whole passes.
const ROUNDS_MAX: usize = 30;
/// A pass that moves no more than this share of the vectors is the last.
const MOVED_MIN: f32 = 0.002;
/// Vectors that one thread takes at a time.
const CHUNK: usize = 1_024;

/// What centres are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Means; the nearest is the one at the least distance.
    Plain,
    /// Means of unit length; the nearest is the one at the least angle.
    Sphere,
}

/// Centres of clusters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Centres {
    dim: usize,
    values: Vec<f32>,
    /// Half of the squared length of each.
    halves: Vec<f32>,
}

impl Centres {
    /// Rows of `dim` numbers; one at least.
    pub(crate) fn new(values: Vec<f32>, dim: usize) -> Centres {
        let halves = values.chunks_exact(dim.max(1)).map(|centre| 0.5 * dot(centre, centre)).collect();
        Centres { dim, values, halves }
    }

    pub(crate) fn count(&self) -> usize {
        self.halves.len()
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn centre(&self, at: usize) -> &[f32] {
        &self.values[at * self.dim..(at + 1) * self.dim]
    }

    /// The nearest centre and how near it is: the inner product less half of the centre's squared length, which orders
    /// as distance does, and on a sphere as angle.
    pub(crate) fn nearest(&self, vector: &[f32]) -> (usize, f32) {
        let mut best = (0, f32::NEG_INFINITY);
        for (at, (centre, half)) in self.values.chunks_exact(self.dim).zip(&self.halves).enumerate() {
            let near = dot(centre, vector) - half;
            if near > best.1 {
                best = (at, near);
            }
        }
        best
    }

    /// The nearest centres of up to [`CHUNK`] vectors at once, by one product of matrices.
    fn nearest_of(&self, vectors: &[f32]) -> Vec<(usize, f32)> {
        let (rows, count) = (vectors.len() / self.dim, self.count());
        let mut products = vec![0.0f32; rows * count];
        let centres = Operand::new(&self.values, count, self.dim, self.dim).transposed();
        matmul(&mut products, count, Operand::new(vectors, rows, self.dim, self.dim), centres, 0.0, 1.0);
        let nearest = |products: &[f32]| {
            let mut best = (0, f32::NEG_INFINITY);
            for (at, (product, half)) in products.iter().zip(&self.halves).enumerate() {
                if product - half > best.1 {
                    best = (at, product - half);
                }
            }
            best
        };
        products.chunks_exact(count).map(nearest).collect()
    }
}

/// Learns up to `count` centres of rows of `dim` numbers; `vectors` holds one row at least.
pub(crate) fn kmeans(vectors: &[f32], dim: usize, count: usize, space: Space, seed: u64) -> Centres {
    let mut rng = Rng::new(seed);
    let mut centres = start(vectors, dim, count, space, &mut rng);
    if vectors.len() / dim > WHOLE_MAX {
        batches(vectors, dim, &mut centres, space, &mut rng);
    } else {
        passes(vectors, dim, &mut centres, space);
    }
    centres
}

/// Refuses what nothing can be learned of: no rows, rows that are cut, numbers that are none.
pub(crate) fn check(vectors: &[f32], dim: usize) -> Result<(), ContentError> {
    let refuse = |reason: String| Err(ContentError::Vectors { reason });
    if dim == 0 || vectors.is_empty() || !vectors.len().is_multiple_of(dim) {
        return refuse(format!("{} numbers are no rows of {dim}", vectors.len()));
    }
    if !vectors.iter().all(|value| value.is_finite()) {
        return refuse("some numbers are infinite or none".into());
    }
    Ok(())
}

/// The inner product.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Rows far apart: each is drawn with a chance in proportion to its squared distance from those chosen before.
fn start(vectors: &[f32], dim: usize, count: usize, space: Space, rng: &mut Rng) -> Centres {
    let rows = vectors.len() / dim;
    let row = |at: usize| &vectors[at * dim..(at + 1) * dim];
    let sampled = rows.min(count.saturating_mul(START_PER_CENTRE)).min(START_MAX.max(count));
    let sample: Vec<&[f32]> = if sampled == rows {
        vectors.chunks_exact(dim).collect()
    } else {
        (0..sampled).map(|_| row(rng.below(rows as u32) as usize)).collect()
    };
    let first = sample[rng.below(sampled as u32) as usize];
    let mut values = first.to_vec();
    let mut gaps = narrowed(&vec![f32::INFINITY; sampled], &sample, first);
    while values.len() < count * dim {
        let all = sum(&gaps);
        if all.is_nan() || all <= 1e-9 {
            break;
        }
        let draws = (0..DRAWS).map(|_| {
            let mut left = f64::from(rng.uniform()) * all;
            let drawn = gaps.iter().position(|&gap| {
                left -= f64::from(gap);
                left < 0.0
            });
            let drawn = sample[drawn.unwrap_or(sampled - 1)];
            (drawn, narrowed(&gaps, &sample, drawn))
        });
        let Some((best, left)) = draws.min_by(|a, b| sum(&a.1).total_cmp(&sum(&b.1))) else { break };
        values.extend_from_slice(best);
        gaps = left;
    }
    if space == Space::Sphere {
        values.chunks_exact_mut(dim).for_each(to_unit);
    }
    Centres::new(values, dim)
}

/// Squared distances to the nearest start, with one more.
fn narrowed(gaps: &[f32], sample: &[&[f32]], newest: &[f32]) -> Vec<f32> {
    // As inner products, which are quick; what rounding leaves of a vector's distance to itself is nothing.
    let length = dot(newest, newest);
    let apart = |vector: &[f32]| (dot(vector, vector) + length - 2.0 * dot(vector, newest)).max(0.0);
    let rounded = |gap: f32| if gap < 1e-6 * length { 0.0 } else { gap };
    gaps.par_iter().zip(sample).with_min_len(CHUNK).map(|(gap, vector)| gap.min(rounded(apart(vector)))).collect()
}

fn sum(gaps: &[f32]) -> f64 {
    gaps.iter().map(|&gap| f64::from(gap)).sum()
}

/// Whole passes over all vectors until few move.
fn passes(vectors: &[f32], dim: usize, centres: &mut Centres, space: Space) {
    let rows = vectors.len() / dim;
    let mut nearest = vec![(usize::MAX, 0.0f32); rows];
    for _ in 0..ROUNDS_MAX {
        let moved: usize = nearest
            .par_chunks_mut(CHUNK)
            .zip(vectors.par_chunks(CHUNK * dim))
            .map(|(nearest, vectors)| assign(vectors, dim, centres, nearest))
            .sum();
        let (sums, counts) = sums(vectors, dim, &nearest, centres.count());
        *centres = settled(sums, &counts, centres, space);
        refill(vectors, dim, centres, &counts, &mut nearest);
        if moved as f32 <= MOVED_MIN * rows as f32 {
            break;
        }
    }
}

/// The nearest centre of each vector; how many changed.
fn assign(vectors: &[f32], dim: usize, centres: &Centres, nearest: &mut [(usize, f32)]) -> usize {
    let mut moved = 0;
    for ((vector, known), (at, near)) in vectors.chunks_exact(dim).zip(nearest).zip(centres.nearest_of(vectors)) {
        moved += usize::from(at != known.0);
        // Half of the negative squared distance.
        *known = (at, near - 0.5 * dot(vector, vector));
    }
    moved
}

/// Sum and number of the vectors of each centre. In one order, whatever the threads: the sum of floats depends on it.
fn sums(vectors: &[f32], dim: usize, nearest: &[(usize, f32)], count: usize) -> (Vec<f32>, Vec<u32>) {
    let (mut sums, mut counts) = (vec![0.0f32; count * dim], vec![0u32; count]);
    for (vector, &(at, _)) in vectors.chunks_exact(dim).zip(nearest) {
        counts[at] += 1;
        sums[at * dim..(at + 1) * dim].iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
    }
    (sums, counts)
}

/// New centres; one without vectors stays where it was.
fn settled(mut sums: Vec<f32>, counts: &[u32], centres: &Centres, space: Space) -> Centres {
    for (at, sum) in sums.chunks_exact_mut(centres.dim).enumerate() {
        if counts[at] == 0 {
            sum.copy_from_slice(centres.centre(at));
        } else {
            sum.iter_mut().for_each(|value| *value /= counts[at] as f32);
        }
        if space == Space::Sphere {
            to_unit(sum);
        }
    }
    Centres::new(sums, centres.dim)
}

/// Centres without vectors move to the vectors that lie farthest from theirs.
fn refill(vectors: &[f32], dim: usize, centres: &mut Centres, counts: &[u32], nearest: &mut [(usize, f32)]) {
    let empty: Vec<usize> = (0..counts.len()).filter(|&at| counts[at] == 0).collect();
    if empty.is_empty() {
        return;
    }
    let mut far: Vec<usize> = (0..nearest.len()).collect();
    far.sort_by(|&a, &b| nearest[a].1.total_cmp(&nearest[b].1).then(a.cmp(&b)));
    let mut values = std::mem::take(&mut centres.values);
    for (at, row) in empty.into_iter().zip(far).filter(|&(_, row)| nearest[row].1 < -1e-6) {
        values[at * dim..(at + 1) * dim].copy_from_slice(&vectors[row * dim..(row + 1) * dim]);
    }
    *centres = Centres::new(values, dim);
}

/// Small batches: each vector pulls its centre by one over the vectors that the centre has seen.
fn batches(vectors: &[f32], dim: usize, centres: &mut Centres, space: Space, rng: &mut Rng) {
    let rows = vectors.len() / dim;
    let mut seen = vec![1.0f32; centres.count()];
    for _ in 0..BATCHES {
        let drawn = (0..BATCH).map(|_| rng.below(rows as u32) as usize);
        let batch: Vec<f32> = drawn.flat_map(|at| &vectors[at * dim..(at + 1) * dim]).copied().collect();
        let nearest: Vec<(usize, f32)> =
            batch.par_chunks(CHUNK * dim).flat_map_iter(|vectors| centres.nearest_of(vectors)).collect();
        let mut values = std::mem::take(&mut centres.values);
        for (vector, &(at, _)) in batch.chunks_exact(dim).zip(&nearest) {
            seen[at] += 1.0;
            let pull = 1.0 / seen[at];
            let centre = &mut values[at * dim..(at + 1) * dim];
            centre.iter_mut().zip(vector).for_each(|(value, &new)| *value += pull * (new - *value));
        }
        if space == Space::Sphere {
            values.chunks_exact_mut(dim).for_each(to_unit);
        }
        *centres = Centres::new(values, dim);
    }
}

/// Brings a vector to unit length; one without length stays.
pub(crate) fn to_unit(vector: &mut [f32]) {
    let norm = dot(vector, vector).sqrt();
    if norm > 1e-9 {
        vector.iter_mut().for_each(|value| *value /= norm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors around `count` directions.
    fn planted(rows: usize, dim: usize, count: usize, noise: f32, seed: u64) -> (Vec<f32>, Vec<usize>) {
        let mut rng = Rng::new(seed);
        let directions: Vec<f32> = (0..count * dim).map(|_| rng.normal()).collect();
        let of: Vec<usize> = (0..rows).map(|_| rng.below(count as u32) as usize).collect();
        let mut vectors = Vec::with_capacity(rows * dim);
        for &at in &of {
            let mut vector: Vec<f32> =
                directions[at * dim..(at + 1) * dim].iter().map(|value| value + noise * rng.normal()).collect();
            to_unit(&mut vector);
            vectors.extend(vector);
        }
        (vectors, of)
    }

    /// Share of pairs on which two clusterings agree.
    fn agreement(centres: &Centres, vectors: &[f32], of: &[usize]) -> f32 {
        let found: Vec<usize> = vectors.chunks_exact(centres.dim).map(|vector| centres.nearest(vector).0).collect();
        let pairs = (1..of.len()).flat_map(|a| (0..a.min(40)).map(move |b| (a, b)));
        let agree: Vec<bool> = pairs.map(|(a, b)| (found[a] == found[b]) == (of[a] == of[b])).collect();
        agree.iter().filter(|&&agrees| agrees).count() as f32 / agree.len() as f32
    }

    #[test]
    fn planted_clusters_are_found_whatever_the_threads() {
        let (vectors, of) = planted(3_000, 24, 12, 0.2, 5);
        for space in [Space::Plain, Space::Sphere] {
            let centres = kmeans(&vectors, 24, 12, space, 1);
            assert!(agreement(&centres, &vectors, &of) > 0.98);
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
            assert_eq!(alone.install(|| kmeans(&vectors, 24, 12, space, 1)), centres);
        }
    }

    #[test]
    fn batches_find_them_too() {
        let (vectors, of) = planted(210_000, 8, 6, 0.1, 6);
        let centres = kmeans(&vectors, 8, 6, Space::Sphere, 2);
        assert!(agreement(&centres, &vectors, &of) > 0.95, "{}", agreement(&centres, &vectors, &of));
    }

    #[test]
    fn fewer_different_vectors_than_centres_are_fine() {
        let vectors = [[1.0f32, 0.0], [0.0, 1.0], [1.0, 0.0]].concat();
        assert_eq!(kmeans(&vectors, 2, 5, Space::Sphere, 1).count(), 2);
    }
}
