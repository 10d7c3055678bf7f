//! Candidates through the trunk: each attends to the history, to what was asked and to itself, and to nobody else.

use crate::kernel::{add_scaled, dot, fit, matmul, matmul_add, max, repeat, rms_norm, silu};
use crate::trunk::Memory;
use crate::{BlockPart, Model, Part, UserState};
use domain::PinId;

/// Candidates that are encoded at once: their rows stay in the nearest cache.
const BLOCK: usize = 48;

/// Buffers of encoding candidates, kept between requests.
#[derive(Clone, Debug, Default)]
pub struct CandidateScratch {
    ids: Vec<f32>,
    x: Vec<f32>,
    normed: Vec<f32>,
    queries: Vec<f32>,
    keys_values: Vec<f32>,
    query: Vec<f32>,
    scores: Vec<f32>,
    mixed: Vec<f32>,
    out: Vec<f32>,
    hidden: Vec<f32>,
}

/// What the trunk reads of candidates, in columns.
#[derive(Clone, Copy, Debug)]
pub struct CandidatePins<'a> {
    /// The pins.
    pub pins: &'a [PinId],
    /// `pins × content_dim`; rows of zeros where there is no content.
    pub content: &'a [f32],
}

impl Model {
    /// Encodes candidates for a pinner and a question: a row of `2 · dim` each, the encoded candidate (normalised),
    /// then the user vector times the candidate's own. A row depends on its own candidate only. `state` is that of
    /// [`Model::encode_for_candidates`]; `out` is cleared first.
    pub fn encode_candidates(
        &self,
        state: &UserState,
        candidates: CandidatePins,
        s: &mut CandidateScratch,
        out: &mut Vec<f32>,
    ) {
        let (d, width) = (self.config.dim, self.config.content_dim);
        fit(out, candidates.pins.len() * 2 * d);
        for (block, out) in out.chunks_mut(BLOCK * 2 * d).enumerate() {
            let first = block * BLOCK;
            let pins = &candidates.pins[first..first + out.len() / (2 * d)];
            let content = &candidates.content[first * width..(first + pins.len()) * width];
            self.encode_block(state, CandidatePins { pins, content }, s, out);
        }
    }

    fn encode_block(&self, state: &UserState, block: CandidatePins, s: &mut CandidateScratch, out: &mut [f32]) {
        let (d, w) = (self.config.dim, &self.weights);
        self.embed_candidates(block, s, &state.vector, out);
        for (number, memory) in state.memories.iter().enumerate() {
            let at = |part| w.block(number, part);
            let rows = block.pins.len();
            rms_norm(&s.x, &at(BlockPart::Norm).values, fit(&mut s.normed, rows * d));
            matmul(&s.normed, at(BlockPart::Query), fit(&mut s.queries, rows * d));
            matmul(&s.normed, at(BlockPart::KeyValue), fit(&mut s.keys_values, rows * 2 * d));
            fit(&mut s.mixed, rows * d);
            for head in 0..self.config.heads {
                self.attend_block(number, head, memory, rows, s);
            }
            matmul_add(&s.mixed, at(BlockPart::Out), &mut s.x);
            rms_norm(&s.x, &at(BlockPart::HiddenNorm).values, fit(&mut s.normed, rows * d));
            repeat(&at(BlockPart::UpBias).values, rows, &mut s.hidden);
            matmul_add(&s.normed, at(BlockPart::Up), &mut s.hidden);
            silu(&mut s.hidden);
            matmul_add(&s.hidden, at(BlockPart::Down), &mut s.x);
        }
        rms_norm(&s.x, &w.part(Part::CandidateNorm).values, fit(&mut s.normed, block.pins.len() * d));
        for (out, encoded) in out.chunks_exact_mut(2 * d).zip(s.normed.chunks_exact(d)) {
            out[..d].copy_from_slice(encoded);
        }
    }

    /// The candidates' rows of the stream; and into the second half of `out` the user vector times the candidate's own.
    fn embed_candidates(&self, block: CandidatePins, s: &mut CandidateScratch, user: &[f32], out: &mut [f32]) {
        let (d, width, w) = (self.config.dim, self.config.content_dim, &self.weights);
        let rows = block.pins.len();
        fit(&mut s.ids, rows * d);
        repeat(&w.part(Part::Candidate).values, rows, &mut s.x);
        for (i, &pin) in block.pins.iter().enumerate() {
            self.ids.add(pin, 1.0, &mut s.ids[i * d..][..d]);
            if block.content[i * width..][..width].iter().all(|value| *value == 0.0) {
                add_scaled(1.0, &w.part(Part::TokenMissing).values, &mut s.x[i * d..][..d]);
            }
        }
        matmul_add(&s.ids, w.part(Part::TokenId), &mut s.x);
        matmul_add(block.content, w.part(Part::TokenContent), &mut s.x);
        matmul_add(block.content, w.part(Part::Content), &mut s.ids);
        for (out, own) in out.chunks_exact_mut(2 * d).zip(s.ids.chunks_exact(d)) {
            out[d..].iter_mut().zip(own).zip(user).for_each(|((out, own), user)| *out = own * user);
        }
    }

    /// One head of a block of candidates over the history, what was asked, and themselves.
    fn attend_block(&self, number: usize, head: usize, memory: &Memory, rows: usize, s: &mut CandidateScratch) {
        let d = self.config.dim;
        let width = d / self.config.heads;
        let (keys, values) = (&memory.keys[head], &memory.values[head]);
        let scale = 1.0 / (width as f32).sqrt();
        let itself_bias = self.weights.block(number, BlockPart::Distance).row(head)[0];
        s.query.clear();
        (0..rows).for_each(|row| s.query.extend_from_slice(&s.queries[row * d + head * width..][..width]));
        s.query.iter_mut().for_each(|value| *value *= scale);
        // The last column of the memory is what was asked; one more is the candidate itself.
        let seen = keys.cols;
        repeat(&memory.bias[head], rows, &mut s.scores);
        matmul_add(&s.query, keys, &mut s.scores);
        fit(&mut s.out, rows * width);
        for row in 0..rows {
            let scores = &mut s.scores[row * seen..][..seen];
            let own = &s.keys_values[row * 2 * d..][..2 * d];
            let itself = dot(&s.query[row * width..][..width], &own[head * width..][..width]) + itself_bias;
            let share = itself_share(scores, itself);
            add_scaled(share, &own[d + head * width..][..width], &mut s.out[row * width..][..width]);
        }
        matmul_add(&s.scores, values, &mut s.out);
        for (row, out) in s.out.chunks_exact(width).enumerate() {
            s.mixed[row * d + head * width..][..width].copy_from_slice(out);
        }
    }
}

/// Softmax over `scores` and one more; returns the share of that one.
fn itself_share(scores: &mut [f32], itself: f32) -> f32 {
    let top = max(scores, itself);
    let own = (itself - top).exp();
    let scale = 1.0 / (crate::kernel::exp_sum(scores, top) + own);
    scores.iter_mut().for_each(|score| *score *= scale);
    own * scale
}
