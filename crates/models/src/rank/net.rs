//! The forward pass of the ranking head, in blocks of rows that stay in the nearest cache.

use super::parts::{EXPERT, MASK, PHI};
use super::{CROSSES, EXPERTS, MASKS, OUTS, RankInput, RankPart, Ranker};
use crate::FEATURE_COUNT;
use crate::kernel::{BAG, bag, matmul, matmul_add, rms_norm, silu, softmax};

/// Rows that are computed at once.
const BLOCK: usize = 32;

/// Buffers of a ranking, kept between requests.
#[derive(Clone, Debug)]
pub struct RankScratch {
    outs: Vec<f32>,
    pinner: [f32; BAG],
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

impl Default for RankScratch {
    fn default() -> Self {
        let [outs, phi, raw, x, crossed, low, mask, masked, both, experts, read] = std::array::from_fn(|_| Vec::new());
        let (bag, table) = (Vec::new(), Vec::new());
        let pinner = [0.0; BAG];
        RankScratch { outs, pinner, bag, table, phi, raw, x, crossed, low, mask, masked, both, experts, read }
    }
}

fn fit(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.clear();
    buffer.resize(len, 0.0);
    buffer
}

fn repeat(row: &[f32], rows: usize, buffer: &mut Vec<f32>) {
    buffer.clear();
    (0..rows).for_each(|_| buffer.extend_from_slice(row));
}

impl Ranker {
    /// Before calibration: `rows × OUTS`.
    pub fn outs<'a>(&self, input: RankInput, s: &'a mut RankScratch) -> &'a [f32] {
        let rows = input.features.len() / FEATURE_COUNT;
        let gates = self.gates(usize::from(input.surface.code()));
        fit(&mut s.outs, rows * OUTS);
        s.pinner = [0.0; BAG];
        self.add_traits(input.traits.pinner(), &mut s.bag, &mut s.pinner);
        for first in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - first);
            let features = &input.features[first * FEATURE_COUNT..(first + count) * FEATURE_COUNT];
            let encoded = match input.encoded {
                [] => &[],
                encoded => &encoded[first * self.encoded..(first + count) * self.encoded],
            };
            self.block(RankInput { features, encoded, ..input }, count, &gates, first, s);
        }
        &s.outs
    }

    /// Gates of a surface, expert by expert; over the experts they sum to one for each of [`OUTS`].
    fn gates(&self, surface: usize) -> Vec<f32> {
        let logits = self.part(RankPart::Gates).row(surface);
        let mut gates = vec![0.0; EXPERTS * OUTS];
        for out in 0..OUTS {
            let mut shares: [f32; EXPERTS] = std::array::from_fn(|expert| logits[expert * OUTS + out]);
            softmax(&mut shares);
            shares.iter().enumerate().for_each(|(expert, share)| gates[expert * OUTS + out] = *share);
        }
        gates
    }

    /// Adds the mean of rows of the table of traits.
    fn add_traits(&self, rows: &[u32], entries: &mut Vec<(u32, f32)>, sum: &mut [f32; BAG]) {
        entries.clear();
        entries.extend(rows.iter().map(|&row| (row, 1.0 / rows.len() as f32)));
        bag(self.part(RankPart::Traits), entries, sum);
    }

    fn block(&self, input: RankInput, rows: usize, gates: &[f32], first: usize, s: &mut RankScratch) {
        let width = self.encoded + PHI;
        self.embed(input, rows, first, s);
        rms_norm(&s.raw, &self.part(RankPart::Gain).values, fit(&mut s.x, rows * width));
        self.cross(rows, s);
        fit(&mut s.both, rows * (width + MASKS * MASK));
        for block in 0..MASKS {
            self.mask(block, rows, s);
        }
        for row in 0..rows {
            let to = &mut s.both[row * (width + MASKS * MASK)..][..width];
            to.copy_from_slice(&s.crossed[row * width..][..width]);
        }
        repeat(&self.part(RankPart::ExpertBias).values, rows, &mut s.experts);
        matmul_add(&s.both, self.part(RankPart::Expert), &mut s.experts);
        silu(&mut s.experts);
        // Experts one after the other are rows of their own for what is read of any of them.
        matmul(&s.experts, self.part(RankPart::Read), fit(&mut s.read, rows * EXPERTS * OUTS));
        let bias = self.part(RankPart::Bias).row(usize::from(input.surface.code()));
        for row in 0..rows {
            let out = &mut s.outs[(first + row) * OUTS..][..OUTS];
            let table = &s.table[row][PHI..][..OUTS];
            out.iter_mut().zip(bias).zip(table).for_each(|((out, bias), table)| *out = bias + table);
            let read = &s.read[row * EXPERTS * OUTS..][..EXPERTS * OUTS];
            for (read, gates) in read.chunks_exact(OUTS).zip(gates.chunks_exact(OUTS)) {
                out.iter_mut().zip(read).zip(gates).for_each(|((out, read), gate)| *out += gate * read);
            }
        }
        debug_assert_eq!(s.experts.len(), rows * EXPERTS * EXPERT);
    }

    /// Features and traits into `table` and `phi`, and beside the trunk's view into `raw`.
    fn embed(&self, input: RankInput, rows: usize, first: usize, s: &mut RankScratch) {
        let (table, width) = (self.part(RankPart::Table), self.encoded + PHI);
        s.table.clear();
        s.table.resize(rows, s.pinner);
        fit(&mut s.phi, rows * PHI);
        fit(&mut s.raw, rows * width);
        let standard = self.part(RankPart::Standard);
        for row in 0..rows {
            let sum = &mut s.table[row];
            self.add_traits(input.traits.pin(first + row), &mut s.bag, sum);
            let features = &input.features[row * FEATURE_COUNT..][..FEATURE_COUNT];
            s.bag.clear();
            s.bag.extend(features.iter().enumerate().flat_map(|(feature, &value)| self.knots(feature, value)));
            bag(table, &s.bag, sum);
            s.phi[row * PHI..][..PHI].copy_from_slice(&sum[..PHI]);
            let raw = &mut s.raw[row * width..][..width];
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
