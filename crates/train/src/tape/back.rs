//! The way back along the tape.

use super::{Engine, Factor, Node, Normed, Op, Place, Tape, Var};

/// Gradients of a tape.
pub(crate) struct Back<B> {
    /// Per weight matrix; none where the tape did not use it.
    weights: Vec<Option<B>>,
    values: Vec<Option<B>>,
}

impl<B> Back<B> {
    /// The gradient of a value; none when none reached it.
    pub(crate) fn take(&mut self, var: Var) -> Option<B> {
        self.values[var.0].take()
    }

    /// The gradients of the weights, on the host; an empty list where the tape did not use one.
    pub(crate) fn dense<E: Engine<Buffer = B>>(self, engine: &E) -> Vec<Vec<f32>> {
        let used: Vec<bool> = self.weights.iter().map(Option::is_some).collect();
        let mut found = engine.download_all(self.weights.into_iter().flatten().collect()).into_iter();
        used.into_iter().map(|used| if used { found.next().unwrap_or_default() } else { Vec::new() }).collect()
    }
}

/// The gradient in a slot, zeros when there is none yet.
fn filled<'a, E: Engine>(engine: &E, slot: &'a mut Option<E::Buffer>, len: usize) -> &'a mut E::Buffer {
    slot.get_or_insert_with(|| engine.zeros(len))
}

impl<E: Engine> Tape<'_, E> {
    /// Gradients of `Σ seed · value` over `seeds`.
    pub(crate) fn backward(&self, seeds: Vec<(Var, E::Buffer)>) -> Back<E::Buffer> {
        let none = |count: usize| (0..count).map(|_| None).collect();
        let mut back = Back { weights: none(self.weights.shapes().len()), values: none(self.nodes.len()) };
        for (var, seed) in seeds {
            debug_assert_eq!(self.engine.len(&seed), self.len(var));
            self.give(&mut back, var, seed);
        }
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            if !node.wanted || matches!(node.op, Op::Input) {
                continue;
            }
            if let Some(gradient) = back.values[at].take() {
                self.step(node, gradient, &mut back);
            }
        }
        back
    }

    /// Adds a part of the gradient of `to`, if one is wanted.
    fn give(&self, back: &mut Back<E::Buffer>, to: Var, part: E::Buffer) {
        if self.wants(to) {
            match &mut back.values[to.0] {
                Some(sum) => self.engine.add_to(&part, sum),
                slot => *slot = Some(part),
            }
        }
    }

    /// Where the gradient of `to` adds up, if one is wanted.
    fn slot<'b>(&self, back: &'b mut Back<E::Buffer>, to: Var) -> Option<&'b mut E::Buffer> {
        self.wants(to).then(|| filled(self.engine, &mut back.values[to.0], self.len(to)))
    }

    fn weight_slot<'b>(&self, back: &'b mut Back<E::Buffer>, weight: usize) -> &'b mut E::Buffer {
        let (rows, cols) = self.weights.shape(weight);
        filled(self.engine, &mut back.weights[weight], rows * cols)
    }

    fn step(&self, node: &Node<E>, gradient: E::Buffer, back: &mut Back<E::Buffer>) {
        let (engine, cols) = (self.engine, node.cols);
        match &node.op {
            Op::Input => {}
            Op::Linear { x, weight, bias } => self.linear_back(*x, *weight, *bias, &gradient, back),
            Op::Convolve { .. } | Op::Standardise { .. } => self.picture_back(node, &gradient, back),
            Op::Bag { table, bags } => engine.bag_back_to(&gradient, cols, bags, self.weight_slot(back, *table)),
            Op::Gather { x, bags } => {
                if let Some(to) = self.slot(back, *x) {
                    engine.bag_back_to(&gradient, cols, bags, to);
                }
            }
            Op::Add { a, b } => {
                if self.wants(*a) && self.wants(*b) {
                    self.give(back, *a, engine.copy(&gradient));
                    self.give(back, *b, gradient);
                } else {
                    self.give(back, if self.wants(*a) { *a } else { *b }, gradient);
                }
            }
            Op::Mul { a, b } => {
                for (to, other) in [(*a, *b), (*b, *a)] {
                    if let Some(to) = self.slot(back, to) {
                        engine.mul_to(&gradient, self.value(other), to);
                    }
                }
            }
            Op::Scale { x, by, column } => {
                let (x_cols, width) = (self.shape(*x).1, self.shape(*by).1);
                if let Some(to) = self.slot(back, *x) {
                    engine.scale_to(&gradient, x_cols, self.column(*by, *column), to);
                }
                if let Some(to) = self.slot(back, *by) {
                    engine.dots_to(&gradient, self.value(*x), x_cols, (width, *column), to);
                }
            }
            Op::Silu { x } => self.give(back, *x, engine.silu_back(self.value(*x), &gradient)),
            Op::Softmax { x, groups } => {
                self.give(back, *x, engine.softmax_back(&node.value, &gradient, cols, *groups));
            }
            Op::Reshape { x } => self.give(back, *x, gradient),
            Op::Fold { x } => self.give(back, *x, engine.fold_back(&gradient, self.shape(*x).1, cols)),
            Op::Rms { x, gain, scales } => self.rms_back(*x, *gain, scales, &gradient, back),
            Op::Unit { x, scales } => {
                if let Some(to) = self.slot(back, *x) {
                    engine.unit_back_to((&node.value, scales), &gradient, cols, to);
                }
            }
            Op::Concat { .. } | Op::Stack { .. } | Op::Columns { .. } | Op::Slice { .. } => {
                self.move_back(node, &gradient, back);
            }
            Op::Drop { x, mask } => self.give(back, *x, engine.mul(&gradient, mask)),
            Op::Attend { queries, keys, bias, heads, sight, shares } => {
                let input = self.attention(*queries, *keys, *bias, *heads);
                let found = engine.attend_back(&input, sight, shares, &gradient);
                engine.add_to(&found.bias, self.weight_slot(back, *bias));
                self.give(back, *queries, found.queries);
                self.give(back, *keys, found.keys);
            }
        }
    }

    /// The way back of what is computed of pictures.
    fn picture_back(&self, node: &Node<E>, gradient: &E::Buffer, back: &mut Back<E::Buffer>) {
        let engine = self.engine;
        match &node.op {
            Op::Convolve { x, weight, grid } => {
                let read = (self.value(*x), self.weights.of(*weight));
                let (of_weight, of_x) = engine.convolve_back(read, gradient, *grid, self.wants(*x));
                engine.add_to(&of_weight, self.weight_slot(back, *weight));
                of_x.into_iter().for_each(|of_x| self.give(back, *x, of_x));
            }
            Op::Standardise { x, bias, found } => {
                let [of_x, of_bias] = engine.standardise_back(self.value(*x), found, gradient);
                engine.add_to(&of_bias, self.weight_slot(back, *bias));
                self.give(back, *x, of_x);
            }
            _ => {}
        }
    }

    /// The way back of what only moves numbers.
    fn move_back(&self, node: &Node<E>, gradient: &E::Buffer, back: &mut Back<E::Buffer>) {
        let own = Place::of(node.cols);
        match &node.op {
            Op::Concat { parts } => {
                let mut start = 0;
                for &part in parts {
                    let width = self.shape(part).1;
                    let (from, to) = (Place { start, ..own }, Place::of(width));
                    self.part_back((gradient, from), (part, to), (node.rows, width), back);
                    start += width;
                }
            }
            Op::Stack { parts } => {
                let mut start = 0;
                for &part in parts {
                    let shape = (self.shape(part).0, node.cols);
                    self.part_back((gradient, Place { start, ..own }), (part, own), shape, back);
                    start += self.len(part);
                }
            }
            Op::Slice { x, from } => {
                let to = Place { start: from * node.cols, ..own };
                self.part_back((gradient, own), (*x, to), (node.rows, node.cols), back);
            }
            Op::Columns { x, from } => {
                let to = Place { start: *from, stride: self.shape(*x).1 };
                self.part_back((gradient, own), (*x, to), (node.rows, node.cols), back);
            }
            _ => {}
        }
    }

    fn part_back(
        &self,
        from: (&E::Buffer, Place),
        (to, at): (Var, Place),
        shape: (usize, usize),
        back: &mut Back<E::Buffer>,
    ) {
        let keep = back.values[to.0].is_some();
        if let Some(to) = self.slot(back, to) {
            self.engine.block_to(from, (to, at), shape, keep);
        }
    }

    fn linear_back(
        &self,
        x: Var,
        weight: usize,
        bias: Option<usize>,
        gradient: &E::Buffer,
        back: &mut Back<E::Buffer>,
    ) {
        let ((rows, inner), cols) = (self.shape(x), self.weights.shape(weight).1);
        if let Some(bias) = bias {
            self.engine.sum_rows_to(gradient, cols, self.weight_slot(back, bias));
        }
        if rows == 0 {
            return;
        }
        let out = || Factor::new(gradient, rows, cols);
        let lhs = Factor::new(self.value(x), rows, inner).turned();
        self.engine.matmul(lhs, out(), true, self.weight_slot(back, weight));
        if self.wants(x) {
            let keep = back.values[x.0].is_some();
            let rhs = Factor::new(self.weights.of(weight), inner, cols).turned();
            let to = filled(self.engine, &mut back.values[x.0], rows * inner);
            self.engine.matmul(out(), rhs, keep, to);
        }
    }

    fn rms_back(
        &self,
        x: Var,
        gain: Option<usize>,
        scales: &E::Buffer,
        gradient: &E::Buffer,
        back: &mut Back<E::Buffer>,
    ) {
        let of =
            Normed { x: self.value(x), cols: self.shape(x).1, scales, gain: gain.map(|gain| self.weights.of(gain)) };
        let Back { weights, values } = back;
        let to_gain = gain.map(|gain| filled(self.engine, &mut weights[gain], of.cols));
        let to_x = self.wants(x).then(|| filled(self.engine, &mut values[x.0], self.len(x)));
        self.engine.rms_back_to(of, gradient, to_x, to_gain);
    }
}
