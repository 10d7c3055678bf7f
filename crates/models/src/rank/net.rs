//! The forward pass of the ranking head, in blocks of rows that stay in the nearest cache.

use super::parts::{EXPERT, MASK, PHI};
use super::{CROSSES, EXPERTS, MASKS, OUTS, RankInput, RankPart, Ranker};
use crate::FEATURE_COUNT;
use crate::kernel::{BAG, bag, fit, matmul, matmul_add, repeat, rms_norm, silu, softmax};
use domain::Surface;
use std::ops::Range;

/// Rows that are computed at once.
const BLOCK: usize = 48;

/// Buffers of a ranking, kept between requests.
#[derive(Clone, Debug, Default)]
pub struct RankScratch {
    outs: Vec<f32>,
    bag: Vec<(u32, f32)>,
    table: Vec<[f32; BAG]>,
    phi: Vec<f32>,
    raw: Vec<f32>,
    x: Vec<f32>,
    crossed: Vec<f32>,
    low: Vec<f32>,
    mask: Vec<f32>,
    masked: Vec<f32>,
    both: Vec<f32>,
    experts: Vec<f32>,
    read: Vec<f32>,
}

/// What is the same for all rows of a request.
struct Shared {
    /// Expert by expert; over the experts they sum to one for each of [`OUTS`].
    gates: [[f32; OUTS]; EXPERTS],
    /// What the pinner's traits add, and the features that are the same in all rows.
    table: [f32; BAG],
    /// The other features.
    varying: Vec<usize>,
}

impl Ranker {
    /// Before calibration: `rows × OUTS`.
    pub fn outs<'a>(&self, input: RankInput, s: &'a mut RankScratch) -> &'a [f32] {
        let rows = input.features.len() / FEATURE_COUNT;
        let shared = self.shared(&input, s);
        fit(&mut s.outs, rows * OUTS);
        for first in (0..rows).step_by(BLOCK) {
            self.block(&input, &shared, first..rows.min(first + BLOCK), s);
        }
        &s.outs
    }

    /// A quarter of the features at least is of the request, and many say nothing of any candidate: they are added up
    /// once.
    fn shared(&self, input: &RankInput, s: &mut RankScratch) -> Shared {
        let mut shared = Shared { gates: self.gates(input.surface), table: [0.0; BAG], varying: Vec::new() };
        self.add_traits(input.traits.pinner(), &mut s.bag, &mut shared.table);
        let rows = input.features.as_chunks::<FEATURE_COUNT>().0;
        let Some(first) = rows.first() else { return shared };
        let mut same = [true; FEATURE_COUNT];
        for row in rows {
            // Bits, so that two that are no numbers are the same too.
            same.iter_mut().zip(row.iter().zip(first)).for_each(|(same, (a, b))| *same &= a.to_bits() == b.to_bits());
        }
        let (same, varying): (Vec<usize>, Vec<usize>) = (0..FEATURE_COUNT).partition(|&feature| same[feature]);
        self.add_features(first, &same, &mut s.bag, &mut shared.table);
        Shared { varying, ..shared }
    }

    /// Adds the rows of the table around some features' values.
    fn add_features(&self, row: &[f32], of: &[usize], entries: &mut Vec<(u32, f32)>, sum: &mut [f32; BAG]) {
        entries.clear();
        entries.extend(of.iter().flat_map(|&feature| self.knots(feature, row[feature])));
        bag(self.part(RankPart::Table), entries, sum);
    }

    fn gates(&self, surface: Surface) -> [[f32; OUTS]; EXPERTS] {
        let logits = self.part(RankPart::Gates).row(usize::from(surface.code()));
        let mut gates = [[0.0; OUTS]; EXPERTS];
        for out in 0..OUTS {
            let mut shares: [f32; EXPERTS] = std::array::from_fn(|expert| logits[expert * OUTS + out]);
            softmax(&mut shares);
            gates.iter_mut().zip(shares).for_each(|(gates, share)| gates[out] = share);
        }
        gates
    }

    /// Adds rows of the table of traits, over the root of their number: a mean of thirty would hear none of them.
    fn add_traits(&self, rows: &[u32], entries: &mut Vec<(u32, f32)>, sum: &mut [f32; BAG]) {
        entries.clear();
        let share = 1.0 / (rows.len() as f32).sqrt();
        entries.extend(rows.iter().map(|&row| (row, share)));
        bag(self.part(RankPart::Traits), entries, sum);
    }

    fn block(&self, input: &RankInput, shared: &Shared, block: Range<usize>, s: &mut RankScratch) {
        let (rows, width) = (block.len(), self.encoded + PHI);
        self.embed(input, shared, block.clone(), s);
        rms_norm(&s.raw, &self.part(RankPart::Gain).values, fit(&mut s.x, rows * width));
        self.cross(rows, s);
        fit(&mut s.both, rows * (width + MASKS * MASK));
        (0..MASKS).for_each(|mask| self.mask(mask, rows, s));
        for (both, crossed) in s.both.chunks_exact_mut(width + MASKS * MASK).zip(s.crossed.chunks_exact(width)) {
            both[..width].copy_from_slice(crossed);
        }
        repeat(&self.part(RankPart::ExpertBias).values, rows, &mut s.experts);
        matmul_add(&s.both, self.part(RankPart::Expert), &mut s.experts);
        silu(&mut s.experts);
        // Experts one after the other are rows of their own for what is read of any of them.
        debug_assert_eq!(s.experts.len(), rows * EXPERTS * EXPERT);
        matmul(&s.experts, self.part(RankPart::Read), fit(&mut s.read, rows * EXPERTS * OUTS));
        let bias = self.part(RankPart::Bias).row(usize::from(input.surface.code()));
        let outs = s.outs[block.start * OUTS..].chunks_exact_mut(OUTS);
        for ((out, table), read) in outs.zip(&s.table).zip(s.read.chunks_exact(EXPERTS * OUTS)) {
            out.iter_mut().zip(bias).zip(&table[PHI..]).for_each(|((out, bias), table)| *out = bias + table);
            for (read, gates) in read.chunks_exact(OUTS).zip(&shared.gates) {
                out.iter_mut().zip(read).zip(gates).for_each(|((out, read), gate)| *out += gate * read);
            }
        }
    }

    /// Features and traits into `table` and `phi`, and beside the trunk's view into `raw`.
    fn embed(&self, input: &RankInput, shared: &Shared, block: Range<usize>, s: &mut RankScratch) {
        let width = self.encoded + PHI;
        s.table.clear();
        s.table.resize(block.len(), shared.table);
        fit(&mut s.phi, block.len() * PHI);
        fit(&mut s.raw, block.len() * width);
        let standard = self.part(RankPart::Standard);
        for (at, row) in block.enumerate() {
            let sum = &mut s.table[at];
            self.add_traits(input.traits.pin(row), &mut s.bag, sum);
            let features = &input.features[row * FEATURE_COUNT..][..FEATURE_COUNT];
            self.add_features(features, &shared.varying, &mut s.bag, sum);
            s.phi[at * PHI..][..PHI].copy_from_slice(&sum[..PHI]);
            let raw = &mut s.raw[at * width..][..width];
            raw[self.encoded..].copy_from_slice(&sum[..PHI]);
            if !input.encoded.is_empty() {
                let encoded = &input.encoded[row * self.encoded..][..self.encoded];
                let (mean, scale) = (standard.row(0), standard.row(1));
                for (col, raw) in raw[..self.encoded].iter_mut().enumerate() {
                    *raw = (encoded[col] - mean[col]) * scale[col];
                }
            }
        }
    }

    fn cross(&self, rows: usize, s: &mut RankScratch) {
        s.crossed.clone_from(&s.x);
        for layer in 0..CROSSES {
            let inner = self.part(RankPart::CrossIn(layer));
            matmul(&s.crossed, inner, fit(&mut s.low, rows * inner.cols));
            repeat(&self.part(RankPart::CrossBias(layer)).values, rows, &mut s.mask);
            matmul_add(&s.low, self.part(RankPart::CrossOut(layer)), &mut s.mask);
            for ((crossed, x), mask) in s.crossed.iter_mut().zip(&s.x).zip(&s.mask) {
                *crossed += x * mask;
            }
        }
    }

    fn mask(&self, block: usize, rows: usize, s: &mut RankScratch) {
        let width = self.encoded + PHI;
        repeat(&self.part(RankPart::MaskUpBias(block)).values, rows, &mut s.low);
        matmul_add(&s.phi, self.part(RankPart::MaskUp(block)), &mut s.low);
        silu(&mut s.low);
        repeat(&self.part(RankPart::MaskDownBias(block)).values, rows, &mut s.mask);
        matmul_add(&s.low, self.part(RankPart::MaskDown(block)), &mut s.mask);
        s.mask.iter_mut().zip(&s.x).for_each(|(mask, x)| *mask *= x);
        matmul(&s.mask, self.part(RankPart::MaskOut(block)), fit(&mut s.masked, rows * MASK));
        rms_norm(&s.masked, &self.part(RankPart::MaskGain(block)).values, fit(&mut s.low, rows * MASK));
        silu(&mut s.low);
        let place = width + block * MASK;
        for row in 0..rows {
            let to = &mut s.both[row * (width + MASKS * MASK) + place..][..MASK];
            to.copy_from_slice(&s.low[row * MASK..][..MASK]);
        }
    }
}
