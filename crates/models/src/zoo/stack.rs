//! Transformer blocks (Vaswani et al., NeurIPS 2017) over texts or pictures of any lengths, side by side.

use super::layer::{Linear, Norm};
use super::settings::StackShape;
use super::tensors::Tensors;
use crate::ModelError;
use crate::kernel::{fit, softmax};
use crate::matmul::{Operand, matmul};

/// How a file names the parts of a block.
pub(super) struct BlockNames {
    /// What all blocks stand under.
    pub(super) blocks: &'static str,
    /// Query, key, value.
    pub(super) reads: [&'static str; 3],
    pub(super) out: &'static str,
    pub(super) attention_norm: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    pub(super) hidden_norm: &'static str,
}

/// Where norms stand, and who sees whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// `x = norm(x + f(x))`: everybody sees everybody.
    NormAfter,
    /// `x = x + f(norm(x))`: everybody sees everybody.
    NormBefore,
    /// The same, and nobody sees what comes later.
    Causal,
}

/// A stack of blocks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    shape: StackShape,
    order: Order,
    blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq)]
struct Block {
    /// Queries, keys and values beside each other.
    reads: Linear,
    out: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    hidden_norm: Norm,
}

/// Rows of several texts or pictures, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// `Σ lengths × width`
    pub(super) x: Vec<f32>,
    pub(super) lengths: Vec<usize>,
}

#[derive(Default)]
struct Scratch {
    normed: Vec<f32>,
    reads: Vec<f32>,
    mixed: Vec<f32>,
    hidden: Vec<f32>,
    scores: Vec<f32>,
}

impl Stack {
    pub(super) fn read(
        from: &Tensors,
        under: &str,
        names: &BlockNames,
        shape: StackShape,
        order: Order,
    ) -> Result<Stack, ModelError> {
        let block = |number: usize| {
            let name = |part: &str| format!("{under}{}.{number}.{part}", names.blocks);
            let linear = |part: &str, inputs: usize, outputs: usize| Linear::read(from, &name(part), inputs, outputs);
            let norm = |part: &str| Norm::read(from, &name(part), shape.width, shape.epsilon);
            let reads = names.reads.map(|part| linear(part, shape.width, shape.width));
            Ok(Block {
                reads: Linear::beside(reads.into_iter().collect::<Result<_, ModelError>>()?),
                out: linear(names.out, shape.width, shape.width)?,
                attention_norm: norm(names.attention_norm)?,
                up: linear(names.up, shape.width, shape.hidden)?,
                down: linear(names.down, shape.hidden, shape.width)?,
                hidden_norm: norm(names.hidden_norm)?,
            })
        };
        Ok(Stack { shape, order, blocks: (0..shape.blocks).map(block).collect::<Result<_, ModelError>>()? })
    }

    pub(super) fn run(&self, rows: &mut Rows) {
        let mut s = Scratch::default();
        for block in &self.blocks {
            self.attend(block, rows, &mut s);
            self.transform(block, &mut rows.x, &mut s);
        }
    }

    fn attend(&self, block: &Block, rows: &mut Rows, s: &mut Scratch) {
        let x = &mut rows.x;
        if self.order == Order::NormAfter {
            block.reads.apply(x, &mut s.reads);
        } else {
            block.attention_norm.apply_to(x, &mut s.normed);
            block.reads.apply(&s.normed, &mut s.reads);
        }
        fit(&mut s.mixed, x.len());
        let mut first = 0;
        for &length in &rows.lengths {
            (0..self.shape.heads).for_each(|head| self.mix(head, first, length, s));
            first += length;
        }
        block.out.add(&s.mixed, x);
        if self.order == Order::NormAfter {
            block.attention_norm.apply(x);
        }
    }

    /// What one head reads in one text or picture: `softmax(q · kᵀ / √width) · v`.
    fn mix(&self, head: usize, first: usize, length: usize, s: &mut Scratch) {
        let (d, width) = (self.shape.width, self.shape.width / self.shape.heads);
        let part = |which: usize| {
            let from = first * 3 * d + which * d + head * width;
            Operand::new(&s.reads[from..], length, width, 3 * d)
        };
        let scores = fit(&mut s.scores, length * length);
        matmul(scores, length, part(0), part(1).transposed(), 0.0, 1.0 / (width as f32).sqrt());
        for (row, scores) in scores.chunks_exact_mut(length).enumerate() {
            let seen = if self.order == Order::Causal { row + 1 } else { length };
            let (seen, later) = scores.split_at_mut(seen);
            softmax(seen);
            later.fill(0.0);
        }
        let scores = Operand::new(scores, length, length, length);
        matmul(&mut s.mixed[first * d + head * width..], d, scores, part(2), 0.0, 1.0);
    }

    fn transform(&self, block: &Block, x: &mut [f32], s: &mut Scratch) {
        if self.order == Order::NormAfter {
            block.up.apply(x, &mut s.hidden);
        } else {
            block.hidden_norm.apply_to(x, &mut s.normed);
            block.up.apply(&s.normed, &mut s.hidden);
        }
        self.shape.act.apply(&mut s.hidden);
        block.down.add(&s.hidden, x);
        if self.order == Order::NormAfter {
            block.hidden_norm.apply(x);
        }
    }
}

impl Rows {
    /// The rows of each text or picture.
    pub(super) fn each(&self, width: usize) -> impl Iterator<Item = &[f32]> {
        let mut rest = self.x.as_slice();
        self.lengths.iter().map(move |length| {
            let (rows, behind) = rest.split_at(length * width);
            rest = behind;
            rows
        })
    }
}
