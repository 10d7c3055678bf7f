//! A tape of matrix operations with their gradients: what training computes, on the device that its [`Engine`] is for.
//!
//! Every value is a matrix of rows. An operation writes its value and notes what it read; [`Tape::backward`] walks the
//! notes from the end and adds up gradients, of values that ask for them and of the weights. Operations are as large
//! as the model's parts (a whole attention over ragged histories is one), so that little is written that is not
//! needed and nothing is padded.

mod attend;
mod back;
mod conv;
mod cpu;
mod engine;
mod kernels;
mod standard;
#[cfg(test)]
mod tests;

use models::Grid;
use std::sync::Arc;

pub(crate) use attend::{Look, NOBODY, Sight};
pub(crate) use cpu::Cpu;
#[cfg(feature = "gpu")]
pub(crate) use engine::Attended;
pub(crate) use engine::{Attend, Column, Engine, Factor, Loaded, Normed, Place};
pub(crate) use standard::Standard;

/// A value on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Var(usize);

/// Weighted rows of a table that are summed, a list per row of the result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bags {
    /// Where each list ends.
    pub(crate) ends: Vec<u32>,
    pub(crate) entries: Vec<Entry>,
}

/// A row of a table, and its weight.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) row: u32,
    pub(crate) weight: f32,
}

impl Bags {
    /// Adds a list.
    pub(crate) fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        self.entries.extend(entries.into_iter().map(|(row, weight)| Entry { row, weight }));
        self.ends.push(self.entries.len() as u32);
    }

    /// Adds the lists of `more`.
    pub(crate) fn append(&mut self, more: &Bags) {
        let first = self.entries.len() as u32;
        self.entries.extend_from_slice(&more.entries);
        self.ends.extend(more.ends.iter().map(|end| first + end));
    }

    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// One after the other.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &[Entry]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.entries[start as usize..end as usize])
    }
}

enum Op<E: Engine> {
    Input,
    Linear {
        x: Var,
        weight: usize,
        bias: Option<usize>,
    },
    /// Pictures, their patches times a weight.
    Convolve {
        x: Var,
        weight: usize,
        grid: Grid,
    },
    /// Columns over all rows, plus a bias.
    Standardise {
        x: Var,
        bias: usize,
        found: Standard,
    },
    /// Weighted rows of a weight matrix.
    Bag {
        table: usize,
        bags: Arc<E::Bags>,
    },
    /// Weighted rows of a value.
    Gather {
        x: Var,
        bags: Arc<E::Bags>,
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
        scales: E::Buffer,
    },
    Unit {
        x: Var,
        scales: E::Buffer,
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
    Drop {
        x: Var,
        mask: E::Buffer,
    },
    Attend {
        queries: Var,
        keys: Var,
        bias: usize,
        heads: usize,
        sight: Arc<E::Sight>,
        shares: E::Buffer,
    },
}

struct Node<E: Engine> {
    rows: usize,
    cols: usize,
    value: E::Buffer,
    op: Op<E>,
    /// Whether a gradient must flow through here.
    wanted: bool,
}

/// See the module.
pub(crate) struct Tape<'w, E: Engine> {
    engine: &'w E,
    weights: &'w Loaded<'w, E::Buffer>,
    nodes: Vec<Node<E>>,
}

impl<'w, E: Engine> Tape<'w, E> {
    /// An empty tape over weights.
    pub(crate) fn new(engine: &'w E, weights: &'w Loaded<'w, E::Buffer>) -> Tape<'w, E> {
        Tape { engine, weights, nodes: Vec::with_capacity(128) }
    }

    /// Where it computes.
    pub(crate) fn engine(&self) -> &'w E {
        self.engine
    }

    /// The value of `var`, row by row.
    pub(crate) fn value(&self, var: Var) -> &E::Buffer {
        &self.nodes[var.0].value
    }

    /// Rows and columns of `var`.
    pub(crate) fn shape(&self, var: Var) -> (usize, usize) {
        (self.nodes[var.0].rows, self.nodes[var.0].cols)
    }

    fn len(&self, var: Var) -> usize {
        self.nodes[var.0].rows * self.nodes[var.0].cols
    }

    fn push(&mut self, cols: usize, value: E::Buffer, op: Op<E>, wanted: bool) -> Var {
        let rows = self.engine.len(&value).checked_div(cols).unwrap_or(0);
        debug_assert_eq!(rows * cols, self.engine.len(&value));
        self.nodes.push(Node { rows, cols, value, op, wanted });
        Var(self.nodes.len() - 1)
    }

    fn wants(&self, var: Var) -> bool {
        self.nodes[var.0].wanted
    }

    /// Numbers from outside, without a gradient.
    pub(crate) fn input(&mut self, cols: usize, values: E::Buffer) -> Var {
        self.push(cols, values, Op::Input, false)
    }

    /// Numbers from outside whose gradient is asked for.
    pub(crate) fn leaf(&mut self, cols: usize, values: E::Buffer) -> Var {
        self.push(cols, values, Op::Input, true)
    }

    /// `x · W (+ bias)`.
    pub(crate) fn linear(&mut self, x: Var, weight: usize, bias: Option<usize>) -> Var {
        let (rows, inner) = self.shape(x);
        let (weight_rows, cols) = self.weights.shape(weight);
        assert_eq!(inner, weight_rows, "invariant: layers fit together");
        let mut value = match bias {
            Some(bias) => self.engine.repeat(self.weights.of(bias), rows),
            None => self.engine.zeros(rows * cols),
        };
        if rows > 0 && cols > 0 && inner > 0 {
            let lhs = Factor::new(self.value(x), rows, inner);
            let rhs = Factor::new(self.weights.of(weight), inner, cols);
            self.engine.matmul(lhs, rhs, bias.is_some(), &mut value);
        }
        self.push(cols, value, Op::Linear { x, weight, bias }, true)
    }

    /// A convolution of pictures, whose pixels are the rows of `x`.
    pub(crate) fn convolve(&mut self, x: Var, weight: usize, grid: Grid) -> Var {
        let value = self.engine.convolve(self.value(x), self.weights.of(weight), grid);
        self.push(self.weights.shape(weight).1, value, Op::Convolve { x, weight, grid }, true)
    }

    /// Each column brought to mean 0 and variance 1 over all rows, plus a bias.
    pub(crate) fn standardise(&mut self, x: Var, bias: usize) -> Var {
        let (value, found) = self.engine.standardise(self.value(x), self.weights.of(bias));
        self.push(self.shape(x).1, value, Op::Standardise { x, bias, found }, true)
    }

    /// What [`Tape::standardise`] found, each time, in order.
    pub(crate) fn standards(&self) -> impl Iterator<Item = &Standard> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Op::Standardise { found, .. } => Some(found),
            _ => None,
        })
    }

    /// Sums of weighted rows of a weight matrix.
    pub(crate) fn bag(&mut self, table: usize, bags: Arc<E::Bags>) -> Var {
        let cols = self.weights.shape(table).1;
        let value = self.engine.bag(self.weights.of(table), cols, &bags);
        self.push(cols, value, Op::Bag { table, bags }, true)
    }

    /// Sums of weighted rows of `x`.
    pub(crate) fn gather(&mut self, x: Var, bags: Arc<E::Bags>) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let value = self.engine.bag(self.value(x), cols, &bags);
        self.push(cols, value, Op::Gather { x, bags }, wanted)
    }

    /// `a + b`.
    pub(crate) fn add(&mut self, a: Var, b: Var) -> Var {
        let value = self.engine.add(self.value(a), self.value(b));
        let (cols, wanted) = (self.shape(a).1, self.wants(a) || self.wants(b));
        self.push(cols, value, Op::Add { a, b }, wanted)
    }

    /// `a ⊙ b`.
    pub(crate) fn mul(&mut self, a: Var, b: Var) -> Var {
        let value = self.engine.mul(self.value(a), self.value(b));
        let (cols, wanted) = (self.shape(a).1, self.wants(a) || self.wants(b));
        self.push(cols, value, Op::Mul { a, b }, wanted)
    }

    fn column(&self, by: Var, column: usize) -> Column<'_, E::Buffer> {
        Column { values: self.value(by), width: self.shape(by).1, column }
    }

    /// Each row of `x` times that row's number in a column of `by`.
    pub(crate) fn scale(&mut self, x: Var, by: Var, column: usize) -> Var {
        let cols = self.shape(x).1;
        let value = self.engine.scale(self.value(x), cols, self.column(by, column));
        let wanted = self.wants(x) || self.wants(by);
        self.push(cols, value, Op::Scale { x, by, column }, wanted)
    }

    /// `x · sigmoid(x)`.
    pub(crate) fn silu(&mut self, x: Var) -> Var {
        let value = self.engine.silu(self.value(x));
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        self.push(cols, value, Op::Silu { x }, wanted)
    }

    /// Softmax over the numbers of each row that stand `groups` apart: `groups` of them.
    pub(crate) fn softmax(&mut self, x: Var, groups: usize) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let value = self.engine.softmax(self.value(x), cols, groups);
        self.push(cols, value, Op::Softmax { x, groups }, wanted)
    }

    /// The same numbers in rows of `cols`.
    pub(crate) fn reshape(&mut self, x: Var, cols: usize) -> Var {
        let (value, wanted) = (self.engine.copy(self.value(x)), self.wants(x));
        self.push(cols, value, Op::Reshape { x }, wanted)
    }

    /// Each row cut into parts of `cols` numbers, which are added up.
    pub(crate) fn fold(&mut self, x: Var, cols: usize) -> Var {
        let (width, wanted) = (self.shape(x).1, self.wants(x));
        let value = self.engine.fold(self.value(x), width, cols);
        self.push(cols, value, Op::Fold { x }, wanted)
    }

    /// Each row over its root mean square, times a gain if there is one.
    pub(crate) fn rms(&mut self, x: Var, gain: Option<usize>) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let (value, scales) = self.engine.rms(self.value(x), cols, gain.map(|gain| self.weights.of(gain)));
        self.push(cols, value, Op::Rms { x, gain, scales }, wanted || gain.is_some())
    }

    /// Each row over its length.
    pub(crate) fn unit(&mut self, x: Var) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let (value, scales) = self.engine.unit(self.value(x), cols);
        self.push(cols, value, Op::Unit { x, scales }, wanted)
    }

    /// The columns of all parts, side by side.
    pub(crate) fn concat(&mut self, parts: &[Var]) -> Var {
        let rows = self.shape(parts[0]).0;
        let cols = parts.iter().map(|&part| self.shape(part).1).sum();
        let (mut value, mut start) = (self.engine.zeros(rows * cols), 0);
        for &part in parts {
            let width = self.shape(part).1;
            let from = (self.value(part), Place::of(width));
            self.engine.block_to(from, (&mut value, Place { start, stride: cols }), (rows, width), false);
            start += width;
        }
        let wanted = parts.iter().any(|&part| self.wants(part));
        self.push(cols, value, Op::Concat { parts: parts.to_vec() }, wanted)
    }

    /// `count` columns of `x`.
    pub(crate) fn columns(&mut self, x: Var, from: usize, count: usize) -> Var {
        let ((rows, cols), wanted) = (self.shape(x), self.wants(x));
        let value = self.cut((x, Place { start: from, stride: cols }), (rows, count));
        self.push(count, value, Op::Columns { x, from }, wanted)
    }

    /// The rows of all parts, one part after the other.
    pub(crate) fn stack(&mut self, parts: &[Var]) -> Var {
        let cols = self.shape(parts[0]).1;
        let rows: usize = parts.iter().map(|&part| self.shape(part).0).sum();
        let (mut value, mut start) = (self.engine.zeros(rows * cols), 0);
        for &part in parts {
            let from = (self.value(part), Place::of(cols));
            let to = (&mut value, Place { start, stride: cols });
            self.engine.block_to(from, to, (self.shape(part).0, cols), false);
            start += self.len(part);
        }
        let wanted = parts.iter().any(|&part| self.wants(part));
        self.push(cols, value, Op::Stack { parts: parts.to_vec() }, wanted)
    }

    /// `count` rows of `x`.
    pub(crate) fn slice(&mut self, x: Var, from: usize, count: usize) -> Var {
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let value = self.cut((x, Place { start: from * cols, stride: cols }), (count, cols));
        self.push(cols, value, Op::Slice { x, from }, wanted)
    }

    /// A block of `x` on its own.
    fn cut(&self, (x, of): (Var, Place), (rows, cols): (usize, usize)) -> E::Buffer {
        let mut value = self.engine.zeros(rows * cols);
        let to = (&mut value, Place::of(cols));
        self.engine.block_to((self.value(x), of), to, (rows, cols), false);
        value
    }

    /// Zeroes a `share` of the numbers, drawn by `seed`, and scales the others up, so that the mean stays.
    pub(crate) fn drop(&mut self, x: Var, share: f32, seed: u64) -> Var {
        if share <= 0.0 {
            return x;
        }
        let (cols, wanted) = (self.shape(x).1, self.wants(x));
        let limit = (share * 256.0).round().clamp(0.0, 255.0) as u8;
        let mask = self.engine.mask(self.len(x), limit, 256.0 / (256.0 - f32::from(limit)), seed);
        let value = self.engine.mul(self.value(x), &mask);
        self.push(cols, value, Op::Drop { x, mask }, wanted)
    }

    /// Attention: each row of `queries` over the keys that `sight` lets it see, in `heads` parts. A row of `keys` holds
    /// the key, as wide as a query, and then the value; `bias` is a weight matrix of a row per head and a column per
    /// bucket of distance.
    pub(crate) fn attend(&mut self, queries: Var, keys: Var, bias: usize, heads: usize, sight: Arc<E::Sight>) -> Var {
        let wanted = self.wants(queries) || self.wants(keys);
        let input = self.attention(queries, keys, bias, heads);
        let wide = input.value_width;
        let (value, shares) = self.engine.attend(&input, &sight);
        self.push(wide, value, Op::Attend { queries, keys, bias, heads, sight, shares }, wanted)
    }

    fn attention(&self, queries: Var, keys: Var, bias: usize, heads: usize) -> Attend<'_, E::Buffer> {
        let width = self.shape(queries).1;
        Attend {
            queries: self.value(queries),
            keys: self.value(keys),
            width,
            value_width: self.shape(keys).1 - width,
            bias: self.weights.of(bias),
            bias_cols: self.weights.shape(bias).1,
            heads,
        }
    }
}
