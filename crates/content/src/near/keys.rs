//! Keys under which pictures that may be near-duplicates meet.
//!
//! A crop of a picture looks like a window of it, and two crops of one picture have windows that look alike. So each
//! picture has a handful of windows; what each looks like (coarse lumas relative to their contrast, coarser chroma) is
//! projected onto random lines that are cut into stretches (Datar et al., *Locality-sensitive hashing scheme based on
//! p-stable distributions*, 2004). Some such stretches together are a key.

use std::sync::LazyLock;

use domain::{Rng, hash64};

use super::align::Warp;
use super::signature::{CHROMA_SIDE, Grids, LUMA_SIDE};

/// From where to where windows reach, in sides of the picture, across and down alike.
const REACHES: [(f32, f32); 4] = [(0.0, 1.0), (0.0, 0.88), (0.12, 1.0), (0.06, 0.94)];
/// How many windows a picture has; the one of this number stands for no window but the embedding.
const WINDOWS: usize = REACHES.len() * REACHES.len();
/// Keys of a window.
const TABLES: usize = 4;
/// Lines whose stretches make a key.
const LINES: usize = 10;
/// Length of a stretch.
const STRETCH: f32 = 0.8;
/// How much a step of chroma counts beside lumas that have norm 1 together.
const CHROMA_WEIGHT: f32 = 0.012;
/// Cells across and down of a window's lumas and of its chroma.
const LUMA_PARTS: usize = 5;
const CHROMA_PARTS: usize = 2;
const LUMA_DIM: usize = LUMA_PARTS * LUMA_PARTS;
const DIM: usize = LUMA_DIM + 2 * CHROMA_PARTS * CHROMA_PARTS;
/// Keys of an embedding, and signs that make one.
pub(super) const EMBEDDING_TABLES: usize = 4;
const EMBEDDING_SIGNS: usize = 14;

/// A key and the window that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) hash: u32,
    pub(super) window: u8,
}

/// How window `one` of a picture, if it looks like window `other` of another, lays that picture over the other.
pub(super) fn warp_between(one: u8, other: u8) -> Warp {
    let mut warp = Warp::NONE;
    for axis in 0..2 {
        let reach = |window: u8| {
            let window = usize::from(window).min(WINDOWS - 1);
            REACHES[if axis == 0 { window % REACHES.len() } else { window / REACHES.len() }]
        };
        let ((from, to), (other_from, other_to)) = (reach(one), reach(other));
        let stretch = (other_to - other_from) / (to - from);
        warp.grow[axis] = stretch - 1.0;
        warp.shift[axis] = other_from + (0.5 - from) * stretch - 0.5;
    }
    warp
}

/// Fixed numbers, made once.
struct Tables {
    luma_parts: Vec<[f32; LUMA_SIDE]>,
    chroma_parts: Vec<[f32; CHROMA_SIDE]>,
    lines: Vec<[f32; DIM]>,
    starts: Vec<f32>,
}

static FIXED: LazyLock<Tables> = LazyLock::new(|| {
    let mut rng = Rng::new(11);
    Tables {
        luma_parts: REACHES.iter().flat_map(|&reach| parts::<LUMA_SIDE>(reach, LUMA_PARTS)).collect(),
        chroma_parts: REACHES.iter().flat_map(|&reach| parts::<CHROMA_SIDE>(reach, CHROMA_PARTS)).collect(),
        lines: (0..LINES * TABLES).map(|_| std::array::from_fn(|_| rng.normal() / STRETCH)).collect(),
        starts: (0..LINES * TABLES).map(|_| rng.uniform()).collect(),
    }
});

/// How much each of `N` cells counts in the mean of each part of a reach.
fn parts<const N: usize>((from, to): (f32, f32), parts: usize) -> Vec<[f32; N]> {
    let wide = (to - from) * N as f32 / parts as f32;
    let part = |i: usize| {
        let start = from * N as f32 + i as f32 * wide;
        std::array::from_fn(|cell| {
            let covered = (start + wide).min(cell as f32 + 1.0) - start.max(cell as f32);
            covered.max(0.0) / wide
        })
    };
    (0..parts).map(part).collect()
}

/// Means of all parts of all reaches: row by row, `parts.len()` each.
fn pooled<const N: usize>(grid: &[f32], parts: &[[f32; N]]) -> Vec<f32> {
    let mut rows = vec![[0.0f32; N]; parts.len()];
    for (row, weights) in rows.iter_mut().zip(parts) {
        for (line, weight) in grid.chunks_exact(N).zip(weights) {
            row.iter_mut().zip(line).for_each(|(sum, cell)| *sum += weight * cell);
        }
    }
    let mean = |row: &[f32; N], weights: &[f32; N]| row.iter().zip(weights).map(|(cell, weight)| cell * weight).sum();
    rows.iter().flat_map(|row| parts.iter().map(move |weights| mean(row, weights))).collect()
}

/// The keys of a picture's windows, each once, in ascending order.
pub(super) fn window_keys(grids: &Grids) -> Vec<Key> {
    let luma = pooled(&grids.luma, &FIXED.luma_parts);
    let chroma = grids.chroma.each_ref().map(|grid| pooled(grid, &FIXED.chroma_parts));
    let mut keys = Vec::with_capacity(WINDOWS * TABLES);
    for window in 0..WINDOWS {
        let look = look(&luma, &chroma, window);
        let mut lines = FIXED.lines.iter().zip(&FIXED.starts);
        for table in 0..TABLES as u64 {
            let hash = lines.by_ref().take(LINES).fold(hash64(table + 1), |hash, (line, start)| {
                let place = line.iter().zip(&look).map(|(a, b)| a * b).sum::<f32>() + start;
                hash64(hash ^ u64::from(place.floor() as i32 as u32))
            });
            keys.push(Key { hash: hash as u32, window: window as u8 });
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What a window looks like.
fn look(luma: &[f32], chroma: &[Vec<f32>; 2], window: usize) -> [f32; DIM] {
    /// Less contrast than this (in standard deviations of the picture) is not made more.
    const NORM_MIN: f32 = 0.2;
    let (across, down) = (window % REACHES.len(), window / REACHES.len());
    let mut look = [0.0; DIM];
    let lumas = block(luma, across, down, LUMA_PARTS);
    look.iter_mut().zip(lumas).for_each(|(slot, luma)| *slot = luma);
    let mean = look[..LUMA_DIM].iter().sum::<f32>() / LUMA_DIM as f32;
    look[..LUMA_DIM].iter_mut().for_each(|luma| *luma -= mean);
    let norm = look[..LUMA_DIM].iter().map(|luma| luma * luma).sum::<f32>().sqrt().max(NORM_MIN);
    look[..LUMA_DIM].iter_mut().for_each(|luma| *luma /= norm);
    let chromas = chroma.iter().flat_map(|grid| block(grid, across, down, CHROMA_PARTS));
    look[LUMA_DIM..].iter_mut().zip(chromas).for_each(|(slot, chroma)| *slot = CHROMA_WEIGHT * chroma);
    look
}

/// A window's cells among the means of all parts.
fn block(means: &[f32], across: usize, down: usize, parts: usize) -> impl Iterator<Item = f32> {
    let stride = REACHES.len() * parts;
    let rows = means.chunks_exact(stride).skip(down * parts).take(parts);
    rows.flat_map(move |row| &row[across * parts..(across + 1) * parts]).copied()
}

/// The keys of an embedding: on which side of random planes it lies (Charikar, 2002).
pub(super) fn embedding_keys(embedding: &[f32]) -> Vec<Key> {
    let mut sums = [0.0f32; EMBEDDING_TABLES * EMBEDDING_SIGNS];
    for (axis, value) in embedding.iter().enumerate() {
        let signs = hash64(0x6e65_6172 ^ ((axis as u64) << 32));
        for (plane, sum) in sums.iter_mut().enumerate() {
            *sum += if signs >> plane & 1 == 1 { *value } else { -value };
        }
    }
    let tables = sums.chunks_exact(EMBEDDING_SIGNS).zip(0u64..).filter(|_| !embedding.is_empty());
    let keys = tables.map(|(sums, table)| {
        let signs = sums.iter().fold(0u64, |signs, &sum| signs << 1 | u64::from(sum > 0.0));
        embedding_key(hash64(!table << 32 ^ signs) as u32)
    });
    keys.collect()
}

/// The key of an embedding that has this hash.
pub(super) fn embedding_key(hash: u32) -> Key {
    Key { hash, window: WINDOWS as u8 }
}
