//! Features of a lifetime: the pins that a pinner ever liked, looked at from each candidate.
//!
//! A user vector and the last acts are about what a pinner is after; a candidate may be just what they liked a year
//! ago. As in the lifelong part of TransAct V2 (Xia et al., 2025), each candidate looks for the most similar of up to
//! 16,000 pins liked, by whole numbers of 8 bits: here it asks how similar the best ones are, and how long ago that
//! was.

use super::{Row, gap};
use crate::context::Context;
use crate::views::read;
use domain::PinId;
use models::{feature, kernel};
use std::collections::HashSet;
use std::ops::Range;

/// The most similar pins whose mean counts.
const NEAREST: usize = 8;
/// Pins liked that are compared with all candidates before the next: their vectors stay in the nearest cache.
const BLOCK: usize = 128;

/// Vectors of whole numbers, each with its scale.
#[derive(Default)]
struct Vectors {
    dim: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Vectors {
    fn of(dim: usize) -> Vectors {
        Vectors { dim, ..Vectors::default() }
    }

    /// Appends a vector, at unit length; one of next to none gives cosines of 0.
    fn push(&mut self, vector: &[f32]) {
        let length = super::dot(vector, vector).sqrt();
        let most = vector.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        let known = length > 1e-6;
        let scale = if known { 127.0 / most } else { 0.0 };
        self.values.extend(vector.iter().map(|value| (value * scale).round() as i8));
        self.scales.push(if known { most / 127.0 / length } else { 0.0 });
    }

    fn row(&self, row: usize) -> &[i8] {
        &self.values[row * self.dim..][..self.dim]
    }
}

/// The best cosines of a candidate, best first, each with its place among the pins liked.
#[derive(Clone, Copy)]
struct Nearest([(f32, u32); NEAREST]);

impl Nearest {
    fn put(&mut self, cosine: f32, place: u32) {
        let Some(at) = self.0.iter().position(|(known, _)| cosine > *known) else { return };
        self.0[at..].rotate_right(1);
        self.0[at] = (cosine, place);
    }
}

/// Fills in the features of candidates.
pub(super) fn fill_lifelong(rows: &mut [Row], context: &Context, pins: &[PinId]) {
    const BEST: usize = feature("lifelong_best");
    const MEAN: usize = feature("lifelong_mean");
    const GAP: usize = feature("lifelong_gap");
    let now_ms = context.request.now_ms;
    let never = gap(now_ms, None);
    rows.iter_mut().for_each(|row| row[GAP] = never);
    let Some(installed) = &context.installed else { return };
    let liked = liked(context);
    let index = read(&installed.vectors);
    let (mut past, mut past_ms, mut candidates) = (Vectors::of(index.dim()), Vec::new(), Vectors::of(index.dim()));
    let past_pins: Vec<PinId> = liked.iter().map(|(pin, _)| *pin).collect();
    index.read_all(&past_pins, |place, vector| {
        past.push(vector);
        past_ms.push(liked[place].1);
    });
    if past_ms.is_empty() {
        return;
    }
    let mut places = Vec::with_capacity(pins.len());
    index.read_all(pins, |place, vector| {
        candidates.push(vector);
        places.push(place);
    });
    drop(index);
    let half = candidates.scales.len() / 2;
    let found = context
        .cpu
        .beside(|| nearest(&past, &candidates, 0..half), || nearest(&past, &candidates, half..candidates.scales.len()));
    for (place, nearest) in places.into_iter().zip(found.0.into_iter().chain(found.1)) {
        let known = nearest.0.iter().take_while(|(cosine, _)| *cosine > f32::NEG_INFINITY);
        let count = known.clone().count().max(1) as f32;
        rows[place][BEST] = nearest.0[0].0;
        rows[place][MEAN] = known.map(|(cosine, _)| cosine).sum::<f32>() / count;
        rows[place][GAP] = gap(now_ms, Some(past_ms[nearest.0[0].1 as usize]));
    }
}

/// All that the pinner liked, as far as the request may know, with the moments (ms): each pin once, the newest first.
fn liked(context: &Context) -> Vec<(PinId, u64)> {
    let mut lately = HashSet::new();
    let newest = context.history.iter().rev().filter(|act| lately.insert(act.pin));
    let mut liked: Vec<(PinId, u64)> = newest.map(|act| (act.pin, act.ts_ms)).collect();
    if let Some(pinner) = context.known_pinner() {
        let signals = read(&context.views.signals);
        let older = signals.lifelong(pinner).iter().rev().filter(|liked| !lately.contains(&liked.pin));
        liked.extend(older.map(|liked| (liked.pin, u64::from(liked.at_s) * 1_000)));
    }
    liked
}

/// The nearest of `past` for each candidate; of as near ones the first, which was liked last.
fn nearest(past: &Vectors, candidates: &Vectors, of: Range<usize>) -> Vec<Nearest> {
    let mut nearest = vec![Nearest([(f32::NEG_INFINITY, 0); NEAREST]); of.len()];
    for first in (0..past.scales.len()).step_by(BLOCK) {
        let block = first..past.scales.len().min(first + BLOCK);
        for (at, nearest) in of.clone().zip(&mut nearest) {
            let mut products = [0i32; BLOCK];
            let rows = &past.values[block.start * past.dim..block.end * past.dim];
            products_of(candidates.row(at), rows, &mut products);
            for (place, product) in block.clone().zip(products) {
                let cosine = product as f32 * (past.scales[place] * candidates.scales[at]);
                if cosine > nearest.0[NEAREST - 1].0 {
                    nearest.put(cosine, place as u32);
                }
            }
        }
    }
    nearest
}

kernel! {
    /// Inner products of a vector with rows as long as it is.
    fn products_of(vector: &[i8], rows: &[i8], products: &mut [i32; BLOCK]) {
        for (product, row) in products.iter_mut().zip(rows.chunks_exact(vector.len().max(1))) {
            let mut sum = 0;
            for (a, b) in vector.iter().zip(row) {
                sum += i32::from(i16::from(*a) * i16::from(*b));
            }
            *product = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn the_nearest_are_those_of_exact_cosines() {
        let mut rng = Rng::new(1);
        let mut vectors = |count: usize, dim: usize| -> Vec<Vec<f32>> {
            (0..count).map(|_| (0..dim).map(|_| 3.0 * rng.normal()).collect()).collect()
        };
        for (liked, dim) in [(1, 8), (5, 64), (300, 64), (1_000, 24)] {
            let (past, candidates) = (vectors(liked, dim), vectors(9, dim));
            let coded = |rows: &[Vec<f32>]| {
                let mut coded = Vectors::of(dim);
                rows.iter().for_each(|row| coded.push(row));
                coded
            };
            for (candidate, found) in candidates.iter().zip(nearest(&coded(&past), &coded(&candidates), 0..9)) {
                let dot = |a: &[f32], b: &[f32]| super::super::dot(a, b);
                let cosine = |b: &[f32]| dot(candidate, b) / (dot(candidate, candidate) * dot(b, b)).sqrt();
                let mut exact: Vec<f32> = past.iter().map(|row| cosine(row)).collect();
                for (cosine, place) in found.0.iter().take(liked) {
                    assert!((cosine - exact[*place as usize]).abs() < 0.02, "{cosine} {}", exact[*place as usize]);
                }
                exact.sort_by(|a, b| b.total_cmp(a));
                for (found, exact) in found.0.iter().zip(&exact) {
                    assert!((found.0 - exact).abs() < 0.02, "{liked} × {dim}: {} {exact}", found.0);
                }
            }
        }
    }

    #[test]
    fn a_vector_of_nothing_is_like_nothing() {
        let mut past = Vectors::of(4);
        past.push(&[0.0; 4]);
        past.push(&[1.0, 0.0, 0.0, 0.0]);
        let mut candidates = Vectors::of(4);
        candidates.push(&[0.6, 0.8, 0.0, 0.0]);
        let found = nearest(&past, &candidates, 0..1)[0].0;
        assert!((found[0].0 - 0.6).abs() < 0.01 && found[0].1 == 1);
        assert_eq!((found[1].0, found[2].0), (0.0, f32::NEG_INFINITY));
    }
}
