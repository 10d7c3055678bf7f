//! The way back along the tape.

use super::{Bags, Node, Op, Tape, Var, attend, kernels, operand};
use models::{Operand, matmul};

/// Gradients of a tape.
pub(crate) struct Back {
    /// Per weight matrix; empty where the tape did not use it.
    pub(crate) weights: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
}

impl Back {
    /// The gradient of a value; empty when none reached it.
    pub(crate) fn of(&self, var: Var) -> &[f32] {
        &self.values[var.0]
    }

    fn add(&mut self, var: Var, wanted: bool, part: Vec<f32>) {
        if !wanted {
            return;
        }
        let slot = &mut self.values[var.0];
        if slot.is_empty() {
            *slot = part;
        } else {
            slot.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
        }
    }

    /// The gradient of a value, zeros when none reached it yet.
    fn slot(&mut self, var: Var, len: usize) -> &mut [f32] {
        let slot = &mut self.values[var.0];
        if slot.is_empty() {
            slot.resize(len, 0.0);
        }
        slot
    }

    fn weight(&mut self, weight: usize, len: usize) -> &mut [f32] {
        let slot = &mut self.weights[weight];
        if slot.is_empty() {
            slot.resize(len, 0.0);
        }
        slot
    }
}

impl Tape<'_> {
    /// Gradients of `Σ seed · value` over `seeds`.
    pub(crate) fn backward(&self, seeds: Vec<(Var, Vec<f32>)>) -> Back {
        let mut back =
            Back { weights: vec![Vec::new(); self.weights.len()], values: vec![Vec::new(); self.nodes.len()] };
        for (var, seed) in seeds {
            debug_assert_eq!(seed.len(), self.value(var).len());
            back.add(var, true, seed);
        }
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            if !node.wanted || back.values[at].is_empty() || matches!(node.op, Op::Input) {
                continue;
            }
            let gradient = std::mem::take(&mut back.values[at]);
            self.step(at, gradient, &mut back);
        }
        back
    }

    fn step(&self, at: usize, gradient: Vec<f32>, back: &mut Back) {
        let node = &self.nodes[at];
        let cols = node.cols;
        match &node.op {
            Op::Input => {}
            Op::Linear { x, weight, bias } => self.linear_back(*x, *weight, *bias, &gradient, back),
            Op::Bag { table, bags } => self.bag_back(*table, bags, &gradient, back),
            Op::Add { a, b } => {
                if self.wants(*a) && self.wants(*b) {
                    back.add(*a, true, gradient.clone());
                    back.add(*b, true, gradient);
                } else {
                    let one = if self.wants(*a) { *a } else { *b };
                    back.add(one, true, gradient);
                }
            }
            Op::Mul { a, b } => {
                for (to, other) in [(*a, *b), (*b, *a)] {
                    if self.wants(to) {
                        kernels::add_product(&gradient, self.value(other), back.slot(to, gradient.len()));
                    }
                }
            }
            Op::Scale { x, by, column } => self.scale_back(*x, *by, *column, &gradient, back),
            Op::Silu { x } => {
                let part = kernels::silu_back(self.value(*x), &gradient);
                back.add(*x, self.wants(*x), part);
            }
            Op::Softmax { x, groups } => {
                let mut part = gradient;
                for (part, share) in part.chunks_exact_mut(cols).zip(node.value.chunks_exact(cols)) {
                    for group in 0..*groups {
                        let shares = || share[group..].iter().step_by(*groups);
                        let mean: f32 = part[group..].iter().step_by(*groups).zip(shares()).map(|(a, b)| a * b).sum();
                        let part = part[group..].iter_mut().step_by(*groups);
                        part.zip(shares()).for_each(|(part, share)| *part = share * (*part - mean));
                    }
                }
                back.add(*x, self.wants(*x), part);
            }
            Op::Reshape { x } => back.add(*x, self.wants(*x), gradient),
            Op::Fold { x } => {
                let parts = self.shape(*x).1 / cols;
                let part = gradient.chunks_exact(cols).flat_map(|row| row.repeat(parts)).collect();
                back.add(*x, self.wants(*x), part);
            }
            Op::Rms { x, gain, scales } => self.rms_back(*x, *gain, scales, gradient, back),
            Op::Unit { x, scales } => {
                let out = back.slot(*x, gradient.len());
                let rows = gradient.chunks_exact(cols).zip(node.value.chunks_exact(cols));
                for (((gradient, value), scale), out) in rows.zip(scales).zip(out.chunks_exact_mut(cols)) {
                    let along = kernels::dot(gradient, value);
                    kernels::add_scaled(*scale, gradient, out);
                    kernels::add_scaled(-along * scale, value, out);
                }
            }
            Op::Concat { .. } | Op::Stack { .. } | Op::Columns { .. } | Op::Slice { .. } | Op::Gather { .. } => {
                self.move_back(node, &gradient, back);
            }
            Op::Drop { x, kept, scale } => {
                back.add(*x, self.wants(*x), kernels::masked(&gradient, kept, *scale));
            }
            Op::Attend { .. } => self.attend_back(node, &gradient, back),
        }
    }

    /// The way back of what only moves numbers.
    fn move_back(&self, node: &Node, gradient: &[f32], back: &mut Back) {
        let cols = node.cols;
        match &node.op {
            Op::Concat { parts } => {
                let mut from = 0;
                for &part in parts {
                    let width = self.shape(part).1;
                    let own = gradient.chunks_exact(cols).flat_map(|row| &row[from..from + width]).copied();
                    back.add(part, self.wants(part), own.collect());
                    from += width;
                }
            }
            Op::Stack { parts } => {
                let mut rest = gradient;
                for &part in parts {
                    let (own, others) = rest.split_at(self.value(part).len());
                    back.add(part, self.wants(part), own.to_vec());
                    rest = others;
                }
            }
            Op::Slice { x, from } => {
                let out = &mut back.slot(*x, self.value(*x).len())[from * cols..][..gradient.len()];
                kernels::add_scaled(1.0, gradient, out);
            }
            Op::Columns { x, from } => {
                let width = self.shape(*x).1;
                let out = back.slot(*x, self.value(*x).len());
                for (gradient, out) in gradient.chunks_exact(cols).zip(out.chunks_exact_mut(width)) {
                    out[*from..from + cols].iter_mut().zip(gradient).for_each(|(sum, part)| *sum += part);
                }
            }
            Op::Gather { x, rows } => {
                let out = back.slot(*x, self.value(*x).len());
                for (gradient, &row) in gradient.chunks_exact(cols).zip(rows.iter()) {
                    kernels::add_scaled(1.0, gradient, &mut out[row as usize * cols..][..cols]);
                }
            }
            _ => {}
        }
    }

    fn attend_back(&self, node: &Node, gradient: &[f32], back: &mut Back) {
        let Op::Attend { queries, keys, bias, heads, sight, shares } = &node.op else { return };
        let width = self.shape(*queries).1;
        let input = attend::Input {
            queries: self.value(*queries),
            keys: self.value(*keys),
            width,
            value_width: node.cols,
            bias: &self.weights[*bias],
            heads: *heads,
        };
        let found = attend::backward(&input, sight, shares, gradient);
        kernels::add_scaled(1.0, &found.bias, back.weight(*bias, found.bias.len()));
        back.add(*queries, self.wants(*queries), found.queries);
        back.add(*keys, self.wants(*keys), found.keys);
    }

    fn linear_back(&self, x: Var, weight: usize, bias: Option<usize>, gradient: &[f32], back: &mut Back) {
        let matrix = &self.weights[weight];
        let (rows, inner) = self.shape(x);
        let cols = matrix.cols;
        if let Some(bias) = bias {
            let sums = back.weight(bias, cols);
            gradient.chunks_exact(cols).for_each(|row| kernels::add_scaled(1.0, row, sums));
        }
        if rows == 0 {
            return;
        }
        let out = Operand::new(gradient, rows, cols, cols);
        let lhs = Operand::new(self.value(x), rows, inner, inner).transposed();
        matmul(back.weight(weight, matrix.values.len()), cols, lhs, out, 1.0, 1.0);
        if self.wants(x) {
            let alpha = f32::from(u8::from(!back.values[x.0].is_empty()));
            let slot = back.slot(x, rows * inner);
            matmul(slot, inner, out, operand(matrix).transposed(), alpha, 1.0);
        }
    }

    fn bag_back(&self, table: usize, bags: &Bags, gradient: &[f32], back: &mut Back) {
        let cols = self.weights[table].cols;
        let sums = back.weight(table, self.weights[table].values.len());
        for (list, gradient) in bags.lists().zip(gradient.chunks_exact(cols)) {
            for &(row, weight) in list {
                kernels::add_scaled(weight, gradient, &mut sums[row as usize * cols..][..cols]);
            }
        }
    }

    fn scale_back(&self, x: Var, by: Var, column: usize, gradient: &[f32], back: &mut Back) {
        let (cols, width) = (self.shape(x).1, self.shape(by).1);
        let factors = || self.value(by)[column..].iter().step_by(width);
        if self.wants(x) {
            let out = back.slot(x, gradient.len()).chunks_exact_mut(cols);
            for ((gradient, factor), out) in gradient.chunks_exact(cols).zip(factors()).zip(out) {
                kernels::add_scaled(*factor, gradient, out);
            }
        }
        if self.wants(by) {
            let rows = gradient.chunks_exact(cols).zip(self.value(x).chunks_exact(cols));
            let parts: Vec<f32> = rows.map(|(gradient, x)| kernels::dot(gradient, x)).collect();
            let out = back.slot(by, self.value(by).len());
            out[column..].iter_mut().step_by(width).zip(parts).for_each(|(sum, part)| *sum += part);
        }
    }

    fn rms_back(&self, x: Var, gain: Option<usize>, scales: &[f32], mut gradient: Vec<f32>, back: &mut Back) {
        let cols = self.shape(x).1;
        let rows = self.value(x).chunks_exact(cols);
        if let Some(gain) = gain {
            let gains = &self.weights[gain].values;
            let sums = back.weight(gain, cols);
            for ((gradient, x), scale) in gradient.chunks_exact_mut(cols).zip(rows.clone()).zip(scales) {
                for (((sum, gradient), x), gain) in sums.iter_mut().zip(gradient).zip(x).zip(gains) {
                    *sum += *gradient * x * scale;
                    *gradient *= gain;
                }
            }
        }
        if self.wants(x) {
            let out = back.slot(x, gradient.len()).chunks_exact_mut(cols);
            for (((x, scale), gradient), out) in rows.zip(scales).zip(gradient.chunks_exact(cols)).zip(out) {
                kernels::rms_back(x, *scale, gradient, out);
            }
        }
    }
}
