//! Where id vectors start: the subspace of the strongest directions in which pinners and pins vary together. Training
//! from there needs a fraction of the epochs that it needs from noise.

use domain::Rng;
use rayon::prelude::*;

use crate::History;

/// Extra directions that make the iteration converge, and how often it goes around.
const EXTRA: usize = 8;
const ROUNDS: usize = 6;

/// Per pin a unit vector of `dim` values (zeros for a pin that nobody acted on): the rows of an orthonormal basis of
/// the top eigenvectors of the degree-normalised co-action matrix, by subspace iteration. `pins × dim`.
pub(crate) fn start(stories: &[History], pins: usize, dim: usize, seed: u64) -> Vec<f32> {
    let lists = lists(stories);
    let lists: Vec<&[u32]> = lists.iter().map(Vec::as_slice).collect();
    let degree = degrees(&lists, pins);
    let mut out = basis(&lists, pins, dim, seed);
    for out in out.chunks_exact_mut(dim) {
        let length = out.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 1e-9 {
            out.iter_mut().for_each(|value| *value /= length);
        }
    }
    for (pin, out) in out.chunks_exact_mut(dim).enumerate() {
        if degree[pin] == 0 {
            out.fill(0.0);
        }
    }
    out
}

/// In how many lists each pin is.
pub(crate) fn degrees(lists: &[&[u32]], pins: usize) -> Vec<u32> {
    let mut degree = vec![0; pins];
    lists.iter().copied().flatten().for_each(|&pin| degree[pin as usize] += 1);
    degree
}

/// Orthonormal columns that span the strongest directions of lists of different pins, degree-normalised: those of
/// `Aᵀ A` with `A = D⁻¹ᐟ² R D⁻¹ᐟ²` (lists × pins). `pins × dim`.
pub(crate) fn basis(lists: &[&[u32]], pins: usize, dim: usize, seed: u64) -> Vec<f32> {
    let root = |degree: u32| 1.0 / (degree.max(1) as f32).sqrt();
    let scale: Vec<f32> = degrees(lists, pins).into_iter().map(root).collect();
    let width = dim + EXTRA;
    let mut rng = Rng::new(seed);
    let mut basis: Vec<f32> = (0..pins * width).map(|_| rng.normal()).collect();
    for _ in 0..ROUNDS {
        orthonormalise(&mut basis, width);
        basis = multiply(lists, &scale, &basis, width);
    }
    orthonormalise(&mut basis, width);
    basis.chunks_exact(width).flat_map(|row| &row[..dim]).copied().collect()
}

fn lists(stories: &[History]) -> Vec<Vec<u32>> {
    let list = |story: &History| {
        let mut pins: Vec<u32> = story.acts.iter().map(|act| act.pin.0).collect();
        pins.sort_unstable();
        pins.dedup();
        pins
    };
    stories.iter().map(list).collect()
}

/// `Aᵀ A x`, by fixed shards of lists.
fn multiply(lists: &[&[u32]], scale: &[f32], x: &[f32], width: usize) -> Vec<f32> {
    const SHARDS: usize = 4;
    let per_shard = lists.len().div_ceil(SHARDS).max(1);
    let parts: Vec<Vec<f32>> = lists
        .par_chunks(per_shard)
        .map(|lists| {
            let mut out = vec![0.0; x.len()];
            let mut mean = vec![0.0; width];
            for list in lists {
                mean.fill(0.0);
                for &pin in *list {
                    let row = &x[pin as usize * width..][..width];
                    mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += scale[pin as usize] * value);
                }
                let share = 1.0 / list.len().max(1) as f32;
                for &pin in *list {
                    let row = &mut out[pin as usize * width..][..width];
                    row.iter_mut().zip(&mean).for_each(|(sum, value)| *sum += share * scale[pin as usize] * value);
                }
            }
            out
        })
        .collect();
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| vec![0.0; x.len()]);
    for part in parts {
        total.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    total
}

/// Modified Gram-Schmidt over the columns.
fn orthonormalise(basis: &mut [f32], width: usize) {
    let rows = basis.len() / width;
    let mut columns: Vec<Vec<f32>> =
        (0..width).map(|col| (0..rows).map(|row| basis[row * width + col]).collect()).collect();
    for col in 0..width {
        let (done, rest) = columns.split_at_mut(col);
        let column = &mut rest[0];
        for other in done.iter() {
            let overlap: f32 = other.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
            column.iter_mut().zip(other).for_each(|(value, other)| *value -= overlap * other);
        }
        let length = column.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-20);
        column.iter_mut().for_each(|value| *value /= length);
    }
    for (col, column) in columns.iter().enumerate() {
        column.iter().enumerate().for_each(|(row, value)| basis[row * width + col] = *value);
    }
}
