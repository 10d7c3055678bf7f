//! A tape of matrix operations with their gradients, on one thread: what training computes on a CPU.
//!
//! Every value is a matrix of rows. An operation writes its value and notes what it read; [`Tape::backward`] walks the
//! notes from the end and adds up gradients, of values that ask for them and of the weights. Operations are as large
//! as the model's parts (a whole attention over ragged histories is one), so that little is written that is not
//! needed and nothing is padded.

mod attend;
mod back;
mod kernels;
#[cfg(test)]
mod tests;

use domain::hash64;
use models::{Matrix, Operand, matmul};
use std::sync::Arc;

pub(crate) use attend::{Look, NOBODY, Sight};

/// A value on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Var(usize);

/// Weighted rows of a table that are summed, a list per row of the result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bags {
    /// Where each list ends.
    pub(crate) ends: Vec<u32>,
    /// Rows of the table and their weights.
    pub(crate) entries: Vec<(u32, f32)>,
}

impl Bags {
    /// Adds a list.
    pub(crate) fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        self.entries.extend(entries);
        self.ends.push(self.entries.len() as u32);
    }

    fn lists(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.entries[start as usize..end as usize])
    }
}

enum Op {
    Input,
    Linear {
        x: Var,
        weight: usize,
        bias: Option<usize>,
    },
    Bag {
        table: usize,
        bags: Arc<Bags>,
    },
    Add {
        a: Var,
        b: Var,
    },
    Mul {
        a: Var,
        b: Var,
    },
    /// Rows of `x` times a column of `by`.
    Scale {
        x: Var,
        by: Var,
        column: usize,
    },
    Silu {
        x: Var,
    },
    /// Softmax over the numbers of a row that stand `groups` apart.
    Softmax {
        x: Var,
        groups: usize,
    },
    /// Rows of another length.
    Reshape {
        x: Var,
    },
    /// Sum of the parts of each row.
    Fold {
        x: Var,
    },
    /// Neighbouring columns.
    Columns {
        x: Var,
        from: usize,
    },
    Rms {
        x: Var,
        gain: Option<usize>,
        scales: Vec<f32>,
    },
    Unit {
        x: Var,
        scales: Vec<f32>,
    },
    Concat {
        parts: Vec<Var>,
    },
    Stack {
        parts: Vec<Var>,
    },
    Slice {
        x: Var,
        from: usize,
    },
    Gather {
        x: Var,
        rows: Arc<Vec<u32>>,
    },
    Drop {
        x: Var,
        kept: Vec<u8>,
        scale: f32,
    },
    Attend {
        queries: Var,
        keys: Var,
        bias: usize,
        heads: usize,
        sight: Arc<Sight>,
        shares: Vec<f32>,
    },
}

struct Node {
    rows: usize,
    cols: usize,
    value: Vec<f32>,
    op: Op,
    /// Whether a gradient must flow through here.
    wanted: bool,
}

/// See the module.
pub(crate) struct Tape<'w> {
    weights: &'w [Matrix],
    nodes: Vec<Node>,
}

impl<'w> Tape<'w> {
    /// An empty tape over weights.
    pub(crate) fn new(weights: &'w [Matrix]) -> Tape<'w> {
        Tape { weights, nodes: Vec::with_capacity(128) }
    }

    /// The value of `var`, row by row.
    pub(crate) fn value(&self, var: Var) -> &[f32] {
        &self.nodes[var.0].value
    }

    /// Rows and columns of `var`.
    pub(crate) fn shape(&self, var: Var) -> (usize, usize) {
        (self.nodes[var.0].rows, self.nodes[var.0].cols)
    }

    fn push(&mut self, cols: usize, value: Vec<f32>, op: Op, wanted: bool) -> Var {
        let rows = value.len().checked_div(cols).unwrap_or(0);
        debug_assert_eq!(rows * cols, value.len());
        self.nodes.push(Node { rows, cols, value, op, wanted });
        Var(self.nodes.len() - 1)
    }

    fn wants(&self, var: Var) -> bool {
        self.nodes[var.0].wanted
    }

    /// Numbers from outside, without a gradient.
    pub(crate) fn input(&mut self, cols: usize, values: Vec<f32>) -> Var {
        self.push(cols, values, Op::Input, false)
    }

    /// Numbers from outside whose gradient is asked for.
    pub(crate) fn leaf(&mut self, cols: usize, values: Vec<f32>) -> Var {
        self.push(cols, values, Op::Input, true)
    }

    /// `x · W (+ bias)`.
    pub(crate) fn linear(&mut self, x: Var, weight: usize, bias: Option<usize>) -> Var {
        let (rows, inner) = self.shape(x);
        let matrix = &self.weights[weight];
        assert_eq!(inner, matrix.rows, "invariant: layers fit together");
        let cols = matrix.cols;
        let mut value = match bias {
            Some(bias) => self.weights[bias].values.repeat(rows),
            None => vec![0.0; rows * cols],
        };
        if rows > 0 && cols > 0 && inner > 0 {
            let alpha = f32::from(u8::from(bias.is_some()));
            let (lhs, rhs) = (Operand::new(self.value(x), rows, inner, inner), operand(matrix));
            matmul(&mut value, cols, lhs, rhs, alpha, 1.0);
        }
        self.push(cols, value, Op::Linear { x, weight, bias }, true)
    }

    /// Sums of weighted rows of a weight matrix.
    pub(crate) fn bag(&mut self, table: usize, bags: Arc<Bags>) -> Var {
        let matrix = &self.weights[table];
        let mut value = vec![0.0; bags.ends.len() * matrix.cols];
        for (list, out) in bags.lists().zip(value.chunks_exact_mut(matrix.cols)) {
            for &(row, weight) in list {
                kernels::add_scaled(weight, matrix.row(row as usize), out);
            }
        }
        let cols = matrix.cols;
        self.push(cols, value, Op::Bag { table, bags }, true)
    }

    /// `a + b`.
    pub(crate) fn add(&mut self, a: Var, b: Var) -> Var {
        let value = kernels::sum(self.value(a), self.value(b));
        let (cols, wanted) = (self.shape(a).1, self.wants(a) || self.wants(b));
        self.push(cols, value, Op::Add { a, b }, wanted)
    }

    /// `a ⊙ b`.
    pub(crate) fn mul(&mut self, a: Var, b: Var) -> Var {
        let value = kernels::product(self.value(a), self.value(b));
        let (cols, wanted) = (self.shape(a).1, self.wants(a) || self.wants(b));
        self.push(cols, value, Op::Mul { a, b }, wanted)
    }

    /// Each row of `x` times that row's number in a column of `by`.
    pub(crate) fn scale(&mut self, x: Var, by: Var, column: usize) -> Var {
        let (cols, width) = (self.shape(x).1, self.shape(by).1);
        let mut value = self.value(x).to_vec();
        let factors = self.value(by)[column..].iter().step_by(width);
        value.chunks_exact_mut(cols).zip(factors).for_each(|(row, f)| row.iter_mut().for_each(|v| *v *= f));
        let wanted = self.wants(x) || self.wants(by);
        self.push(cols, value, Op::Scale { x, by, column }, wanted)
    }

    /// `x · sigmoid(x)`.
    pub(crate) fn silu(&mut self, x: Var) -> Var {
        let mut value = self.value(x).to_vec();
        models::silu(&mut value);
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        self.push(cols, value, Op::Silu { x }, wanted)
    }

    /// Softmax over the numbers of each row that stand `groups` apart: `groups` of them.
    pub(crate) fn softmax(&mut self, x: Var, groups: usize) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let mut value = self.value(x).to_vec();
        for row in value.chunks_exact_mut(cols) {
            for group in 0..groups {
                let mut shares: Vec<f32> = row[group..].iter().step_by(groups).copied().collect();
                models::softmax(&mut shares);
                row[group..].iter_mut().step_by(groups).zip(shares).for_each(|(value, share)| *value = share);
            }
        }
        self.push(cols, value, Op::Softmax { x, groups }, wanted)
    }

    /// The same numbers in rows of `cols`.
    pub(crate) fn reshape(&mut self, x: Var, cols: usize) -> Var {
        let (value, wanted) = (self.value(x).to_vec(), self.wants(x));
        self.push(cols, value, Op::Reshape { x }, wanted)
    }

    /// Each row cut into parts of `cols` numbers, which are added up.
    pub(crate) fn fold(&mut self, x: Var, cols: usize) -> Var {
        let (width, wanted) = (self.shape(x).1, self.wants(x));
        let mut value = vec![0.0; self.shape(x).0 * cols];
        for (row, out) in self.value(x).chunks_exact(width).zip(value.chunks_exact_mut(cols)) {
            row.chunks_exact(cols).for_each(|part| kernels::add_scaled(1.0, part, out));
        }
        self.push(cols, value, Op::Fold { x }, wanted)
    }

    /// Each row over its root mean square, times a gain if there is one.
    pub(crate) fn rms(&mut self, x: Var, gain: Option<usize>) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let gains = gain.map(|gain| &self.weights[gain].values[..]);
        let (value, scales) = kernels::rms(self.value(x), cols, gains);
        self.push(cols, value, Op::Rms { x, gain, scales }, wanted || gain.is_some())
    }

    /// Each row over its length.
    pub(crate) fn unit(&mut self, x: Var) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let (value, scales) = kernels::unit(self.value(x), cols);
        self.push(cols, value, Op::Unit { x, scales }, wanted)
    }

    /// The columns of all parts, side by side.
    pub(crate) fn concat(&mut self, parts: &[Var]) -> Var {
        let rows = self.shape(parts[0]).0;
        let cols = parts.iter().map(|&part| self.shape(part).1).sum();
        let mut value = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            for &part in parts {
                let width = self.shape(part).1;
                value.extend_from_slice(&self.value(part)[row * width..][..width]);
            }
        }
        let wanted = parts.iter().any(|&part| self.wants(part));
        self.push(cols, value, Op::Concat { parts: parts.to_vec() }, wanted)
    }

    /// `count` columns of `x`.
    pub(crate) fn columns(&mut self, x: Var, from: usize, count: usize) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let value = self.value(x).chunks_exact(cols).flat_map(|row| &row[from..from + count]).copied().collect();
        self.push(count, value, Op::Columns { x, from }, wanted)
    }

    /// The rows of all parts, one part after the other.
    pub(crate) fn stack(&mut self, parts: &[Var]) -> Var {
        let cols = self.shape(parts[0]).1;
        let value = parts.iter().flat_map(|&part| self.value(part)).copied().collect();
        let wanted = parts.iter().any(|&part| self.wants(part));
        self.push(cols, value, Op::Stack { parts: parts.to_vec() }, wanted)
    }

    /// `count` rows of `x`.
    pub(crate) fn slice(&mut self, x: Var, from: usize, count: usize) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let value = self.value(x)[from * cols..(from + count) * cols].to_vec();
        self.push(cols, value, Op::Slice { x, from }, wanted)
    }

    /// Rows of `x`, by number; repeats allowed.
    pub(crate) fn gather(&mut self, x: Var, rows: Arc<Vec<u32>>) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let from = self.value(x);
        let value = rows.iter().flat_map(|&row| &from[row as usize * cols..][..cols]).copied().collect();
        self.push(cols, value, Op::Gather { x, rows }, wanted)
    }

    /// Zeroes a `share` of the numbers, drawn by `seed`, and scales the others up, so that the mean stays.
    pub(crate) fn drop(&mut self, x: Var, share: f32, seed: u64) -> Var {
        if share <= 0.0 {
            return x;
        }
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let limit = (share * 256.0).round().clamp(0.0, 255.0) as u8;
        let scale = 256.0 / (256.0 - f32::from(limit));
        let kept = mask(self.value(x).len(), limit, seed);
        let value = kernels::masked(self.value(x), &kept, scale);
        self.push(cols, value, Op::Drop { x, kept, scale }, wanted)
    }

    /// Attention: each row of `queries` over the keys that `sight` lets it see, in `heads` parts. A row of `keys` holds
    /// the key, as wide as a query, and then the value; `bias` is a weight matrix of a row per head and a column per
    /// bucket of distance.
    pub(crate) fn attend(&mut self, queries: Var, keys: Var, bias: usize, heads: usize, sight: Arc<Sight>) -> Var {
        let width = self.shape(queries).1;
        let wide = self.shape(keys).1 - width;
        let wanted = self.wants(queries) || self.wants(keys);
        let input = attend::Input {
            queries: self.value(queries),
            keys: self.value(keys),
            width,
            value_width: wide,
            bias: &self.weights[bias],
            heads,
        };
        let (value, shares) = attend::forward(&input, &sight);
        self.push(wide, value, Op::Attend { queries, keys, bias, heads, sight, shares }, wanted)
    }
}

fn operand(matrix: &Matrix) -> Operand<'_> {
    Operand::new(&matrix.values, matrix.rows, matrix.cols, matrix.cols)
}

/// A byte per number, 1 is kept; of 256 numbers `limit` are not.
fn mask(len: usize, limit: u8, seed: u64) -> Vec<u8> {
    let mut kept = Vec::with_capacity(len + 8);
    let mut draw = 0;
    while kept.len() < len {
        kept.extend(hash64(seed ^ (draw << 1)).to_le_bytes().map(|byte| u8::from(byte >= limit)));
        draw += 1;
    }
    kept.truncate(len);
    kept
}
