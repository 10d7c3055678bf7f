//! What a tape asks of the device that it computes on.

use models::{Grid, Matrix};

use super::{Bags, Sight, Standard, conv, standard};
use crate::softmax::{Loss, Scored};

/// Kernels over buffers of numbers; a matrix is its rows one after the other, `cols` wide. What ends in `_to` adds to
/// what is there. A device that fails unwinds with its error; [`crate::learner::Learner::step`] catches it.
pub(crate) trait Engine: Sync {
    /// Numbers on the device.
    type Buffer: Send + Sync;
    /// Lists of weighted rows on the device.
    type Bags: Send + Sync;
    /// Who sees whom, on the device.
    type Sight: Send + Sync;

    /// In how many parts a step is computed at once, of those that are wanted.
    fn shards(&self, wanted: usize) -> usize;
    /// From the host.
    fn upload(&self, numbers: Vec<f32>) -> Self::Buffer;
    /// See [`Engine::upload`].
    fn bags(&self, bags: Bags) -> Self::Bags;
    /// See [`Engine::upload`].
    fn sight(&self, sight: Sight) -> Self::Sight;
    /// To the host.
    fn download(&self, x: &Self::Buffer) -> Vec<f32>;
    /// All of these to the host.
    fn download_all(&self, buffers: Vec<Self::Buffer>) -> Vec<Vec<f32>>;
    /// A buffer of zeros.
    fn zeros(&self, len: usize) -> Self::Buffer;
    /// The same numbers again.
    fn copy(&self, x: &Self::Buffer) -> Self::Buffer;
    /// How many numbers there are.
    fn len(&self, x: &Self::Buffer) -> usize;

    /// `to += x`
    fn add_to(&self, x: &Self::Buffer, to: &mut Self::Buffer);
    /// `a + b`
    fn add(&self, a: &Self::Buffer, b: &Self::Buffer) -> Self::Buffer;
    /// `a ⊙ b`
    fn mul(&self, a: &Self::Buffer, b: &Self::Buffer) -> Self::Buffer;
    /// `to += a ⊙ b`
    fn mul_to(&self, a: &Self::Buffer, b: &Self::Buffer, to: &mut Self::Buffer);
    /// `to = lhs · rhs`, plus what is there when `keep`.
    fn matmul(&self, lhs: Factor<Self::Buffer>, rhs: Factor<Self::Buffer>, keep: bool, to: &mut Self::Buffer);
    /// What a convolution of pictures makes; like all of convolutions on the host where a device has nothing faster.
    fn convolve(&self, x: &Self::Buffer, weight: &Self::Buffer, grid: Grid) -> Self::Buffer {
        self.upload(conv::forward(&self.download(x), &self.download(weight), grid))
    }
    /// The way back of [`Engine::convolve`]: gradients of the weight, and of the pictures where it is `wanted`.
    fn convolve_back(
        &self,
        (x, weight): (&Self::Buffer, &Self::Buffer),
        gradient: &Self::Buffer,
        grid: Grid,
        wanted: bool,
    ) -> (Self::Buffer, Option<Self::Buffer>) {
        let [x, weight, gradient] = [x, weight, gradient].map(|buffer| self.download(buffer));
        let (mut to_weight, mut to_x) = (vec![0.0; weight.len()], wanted.then(|| vec![0.0; x.len()]));
        conv::backward((&x, &weight), &gradient, grid, &mut to_weight, to_x.as_deref_mut());
        (self.upload(to_weight), to_x.map(|to_x| self.upload(to_x)))
    }
    /// Standardised columns plus a bias, and what was found of them.
    fn standardise(&self, x: &Self::Buffer, bias: &Self::Buffer) -> (Self::Buffer, Standard) {
        let (value, found) = standard::forward(&self.download(x), &self.download(bias));
        (self.upload(value), found)
    }
    /// The way back of [`Engine::standardise`]: gradients of `x` and of the bias.
    fn standardise_back(&self, x: &Self::Buffer, found: &Standard, gradient: &Self::Buffer) -> [Self::Buffer; 2] {
        let (to_x, to_bias) = standard::backward(&self.download(x), found, &self.download(gradient));
        [self.upload(to_x), self.upload(to_bias)]
    }
    /// A row so many times.
    fn repeat(&self, row: &Self::Buffer, rows: usize) -> Self::Buffer;
    /// The sum of all rows.
    fn sum_rows_to(&self, x: &Self::Buffer, cols: usize, to: &mut Self::Buffer);
    /// Sums of weighted rows of a table.
    fn bag(&self, table: &Self::Buffer, cols: usize, bags: &Self::Bags) -> Self::Buffer;
    /// The way back of [`Engine::bag`].
    fn bag_back_to(&self, gradient: &Self::Buffer, cols: usize, bags: &Self::Bags, to: &mut Self::Buffer);
    /// Each row of `x` times that row's number in a column of `by`.
    fn scale(&self, x: &Self::Buffer, cols: usize, by: Column<Self::Buffer>) -> Self::Buffer;
    /// The way back of [`Engine::scale`] to `x`.
    fn scale_to(&self, gradient: &Self::Buffer, cols: usize, by: Column<Self::Buffer>, to: &mut Self::Buffer);
    /// The way back of [`Engine::scale`] to a column of `width`: inner products of rows.
    fn dots_to(&self, a: &Self::Buffer, b: &Self::Buffer, cols: usize, column: (usize, usize), to: &mut Self::Buffer);
    /// `x · sigmoid(x)`
    fn silu(&self, x: &Self::Buffer) -> Self::Buffer;
    /// The way back of [`Engine::silu`].
    fn silu_back(&self, x: &Self::Buffer, gradient: &Self::Buffer) -> Self::Buffer;
    /// Softmax over the numbers of each row that stand `groups` apart.
    fn softmax(&self, x: &Self::Buffer, cols: usize, groups: usize) -> Self::Buffer;
    /// The way back of [`Engine::softmax`], which gave `shares`.
    fn softmax_back(&self, shares: &Self::Buffer, gradient: &Self::Buffer, cols: usize, groups: usize) -> Self::Buffer;
    /// Sums of the parts of `cols` numbers of each row of `width`.
    fn fold(&self, x: &Self::Buffer, width: usize, cols: usize) -> Self::Buffer;
    /// The way back of [`Engine::fold`].
    fn fold_back(&self, gradient: &Self::Buffer, width: usize, cols: usize) -> Self::Buffer;
    /// Rows over their root mean squares, times a gain; and one over each root mean square.
    fn rms(&self, x: &Self::Buffer, cols: usize, gain: Option<&Self::Buffer>) -> (Self::Buffer, Self::Buffer);
    /// The way back of [`Engine::rms`], which gave `scales`, to `x` where it is wanted, and to a gain.
    fn rms_back_to(
        &self,
        of: Normed<Self::Buffer>,
        gradient: &Self::Buffer,
        to_x: Option<&mut Self::Buffer>,
        to_gain: Option<&mut Self::Buffer>,
    );
    /// Rows over their lengths; and one over each length.
    fn unit(&self, x: &Self::Buffer, cols: usize) -> (Self::Buffer, Self::Buffer);
    /// The way back of [`Engine::unit`], which gave a value and scales: `found`.
    fn unit_back_to(
        &self,
        found: (&Self::Buffer, &Self::Buffer),
        gradient: &Self::Buffer,
        cols: usize,
        to: &mut Self::Buffer,
    );
    /// A block of rows and columns (`shape`) of `from` becomes one of `to`, plus what is there when `keep`.
    fn block_to(&self, from: (&Self::Buffer, Place), to: (&mut Self::Buffer, Place), shape: (usize, usize), keep: bool);
    /// Numbers that are 0 for `limit` of 256, as the seed draws, and `scale` for the others.
    fn mask(&self, len: usize, limit: u8, scale: f32, seed: u64) -> Self::Buffer;
    /// Mixed values, and the shares with which they were seen.
    fn attend(&self, input: &Attend<Self::Buffer>, sight: &Self::Sight) -> (Self::Buffer, Self::Buffer);
    /// The way back of [`Engine::attend`], which gave `shares`.
    fn attend_back(
        &self,
        input: &Attend<Self::Buffer>,
        sight: &Self::Sight,
        shares: &Self::Buffer,
        gradient: &Self::Buffer,
    ) -> Attended<Self::Buffer>;
    /// The loss of what comes next, with its gradients: see [`crate::softmax`].
    fn contrast(&self, users: &Self::Buffer, pins: &Self::Buffer, scored: &Scored) -> Loss<Self::Buffer>;
}

/// A factor of a product.
pub(crate) struct Factor<'a, B> {
    pub(crate) values: &'a B,
    /// As it is stored.
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Whether its transpose is meant.
    pub(crate) turned: bool,
}

impl<'a, B> Factor<'a, B> {
    pub(crate) fn new(values: &'a B, rows: usize, cols: usize) -> Factor<'a, B> {
        Factor { values, rows, cols, turned: false }
    }

    pub(crate) fn turned(self) -> Factor<'a, B> {
        Factor { turned: true, ..self }
    }
}

/// One column of a matrix.
pub(crate) struct Column<'a, B> {
    pub(crate) values: &'a B,
    pub(crate) width: usize,
    pub(crate) column: usize,
}

/// What a norm read, and what it found.
pub(crate) struct Normed<'a, B> {
    pub(crate) x: &'a B,
    pub(crate) cols: usize,
    pub(crate) scales: &'a B,
    pub(crate) gain: Option<&'a B>,
}

/// Where a block begins in a matrix, and how far apart its rows are.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) stride: usize,
}

impl Place {
    /// A matrix of so many columns from its first number on.
    pub(crate) fn of(stride: usize) -> Place {
        Place { start: 0, stride }
    }
}

/// What attention reads.
pub(crate) struct Attend<'a, B> {
    pub(crate) queries: &'a B,
    /// A row is a key and a value.
    pub(crate) keys: &'a B,
    /// Width of queries and keys.
    pub(crate) width: usize,
    pub(crate) value_width: usize,
    /// A row per head, `bias_cols` wide.
    pub(crate) bias: &'a B,
    pub(crate) bias_cols: usize,
    pub(crate) heads: usize,
}

/// Gradients of what attention read.
pub(crate) struct Attended<B> {
    pub(crate) queries: B,
    pub(crate) keys: B,
    pub(crate) bias: B,
}

/// Weights where a tape can read them.
pub(crate) struct Loaded<'w, B> {
    shapes: Vec<(usize, usize)>,
    values: Vec<&'w B>,
}

impl<'w, B> Loaded<'w, B> {
    /// The numbers of `matrices`, as the device has them.
    pub(crate) fn new(matrices: &[Matrix], values: impl Iterator<Item = &'w B>) -> Loaded<'w, B> {
        Loaded { shapes: matrices.iter().map(|matrix| (matrix.rows, matrix.cols)).collect(), values: values.collect() }
    }

    /// Rows and columns of each.
    pub(crate) fn shapes(&self) -> impl ExactSizeIterator<Item = (usize, usize)> {
        self.shapes.iter().copied()
    }

    pub(crate) fn shape(&self, weight: usize) -> (usize, usize) {
        self.shapes[weight]
    }

    pub(crate) fn of(&self, weight: usize) -> &'w B {
        self.values[weight]
    }
}

impl<'w> Loaded<'w, Vec<f32>> {
    /// Where they are.
    pub(crate) fn host(matrices: &'w [Matrix]) -> Loaded<'w, Vec<f32>> {
        Loaded::new(matrices, matrices.iter().map(|matrix| &matrix.values))
    }
}
