//! The dense weights: one list of matrices whose order and shapes follow from the configuration. The kernels, the
//! training graph, the optimiser and the weights file all walk the same list.

use domain::{HEAD_COUNT, Rng, Surface};

use crate::token::{CONDITION_FACTS, DISTANCES, TOKEN_FACTS};
use crate::{ModelConfig, ModelError};

/// A row-major matrix. A layer computes `y = x · W`, so rows are inputs and columns outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Inputs.
    pub rows: usize,
    /// Outputs.
    pub cols: usize,
    /// `rows × cols` values.
    pub values: Vec<f32>,
}

/// The matrices outside the blocks, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Part {
    /// Content → the space that pins and pinners share. `[content_dim, dim]`
    Content,
    /// Id row → token. `[dim, dim]`
    TokenId,
    /// Content → token. `[content_dim, dim]`
    TokenContent,
    /// Added to a token whose pin has no content. `[1, dim]`
    TokenMissing,
    /// Action, surface, dwell and gap → token. `[TOKEN_FACTS, dim]`
    TokenFacts,
    /// Mean id row of the subject → condition token. `[dim, dim]`
    ConditionId,
    /// Content of the subject → condition token. `[content_dim, dim]`
    ConditionContent,
    /// Surface, kind, gap and reach → condition token. `[CONDITION_FACTS, dim]`
    ConditionFacts,
    /// Read-out attention over the history: keys from tokens. `[dim, dim]`
    PoolKey,
    /// Read-out attention over the history: query from the encoded condition. `[dim, dim]`
    PoolQuery,
    /// Read-out attention over the history: bias by distance. `[1, DISTANCES]`
    PoolDistance,
    /// Norm before the retrieval head. `[1, dim]`
    UserNorm,
    /// Weight of the pooled history and of the subject. `[dim, 2]`
    Gates,
    /// `[1, 2]`
    GatesBias,
    /// Retrieval head. `[dim, hidden]`
    UserUp,
    /// `[1, hidden]`
    UserUpBias,
    /// `[hidden, dim]`
    UserDown,
    /// Pooled graph neighbours → pin vector. `[dim, dim]`
    PinNeighbours,
    /// Pin tower over own and neighbours' vectors. `[2 · dim, hidden]`
    PinUp,
    /// `[1, hidden]`
    PinUpBias,
    /// `[hidden, dim]`
    PinDown,
    /// Logarithm of the softmax scale (inverse temperature). `[1, 1]`
    LogScale,
    /// What a candidate's token has in the place of what was done: it is not known yet. `[1, dim]`
    Candidate,
    /// Norm of an encoded candidate. `[1, dim]`
    CandidateNorm,
    /// Encoded candidate, and user vector times the candidate's own: what will be done. `[2 · dim, HEAD_COUNT]`
    Deed,
    /// The same by surface. `[surfaces, HEAD_COUNT]`
    DeedBias,
}

/// The matrices of a block, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum BlockPart {
    /// Norm before attention. `[1, dim]`
    Norm,
    /// `[dim, dim]`
    Query,
    /// `[dim, 2 · dim]`
    KeyValue,
    /// Attention bias by distance; the last column is of what was asked. `[heads, DISTANCES + 1]`
    Distance,
    /// `[dim, dim]`
    Out,
    /// Norm before the hidden layer. `[1, dim]`
    HiddenNorm,
    /// `[dim, hidden]`
    Up,
    /// `[1, hidden]`
    UpBias,
    /// `[hidden, dim]`
    Down,
}

const PARTS: usize = Part::DeedBias as usize + 1;
const BLOCK_PARTS: usize = BlockPart::Down as usize + 1;

/// How a matrix starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Start {
    Zero,
    Constant(f32),
    /// `scale` times the unit matrix.
    Unit(f32),
    /// Normal with variance `scale² / rows`.
    Normal(f32),
}

/// A matrix of a list, before it has numbers.
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    start: Start,
}

pub(crate) fn shape(name: impl Into<String>, rows: usize, cols: usize, start: Start) -> Shape {
    Shape { name: name.into(), rows, cols, start }
}

/// The list of matrices of a configuration. Residual branches start at zero, so that an untrained model compares
/// contents and ids, and training begins from there.
fn shapes(config: &ModelConfig) -> Vec<Shape> {
    use Start::{Constant, Normal, Unit, Zero};
    let (d, hidden, content) = (config.dim, config.hidden, config.content_dim);
    let content_start = if content == d { Unit(1.0) } else { Normal(1.0) };
    let mut list = vec![
        shape("content", content, d, content_start),
        shape("token.id", d, d, Unit(1.0)),
        shape("token.content", content, d, content_start),
        shape("token.missing", 1, d, Zero),
        shape("token.facts", TOKEN_FACTS, d, Normal(0.5)),
        shape("condition.id", d, d, Unit(1.0)),
        shape("condition.content", content, d, content_start),
        shape("condition.facts", CONDITION_FACTS, d, Normal(1.0)),
        shape("pool.key", d, d, Normal(1.0)),
        shape("pool.query", d, d, Zero),
        shape("pool.distance", 1, DISTANCES, Zero),
        shape("user.norm", 1, d, Constant(1.0)),
        shape("gates", d, 2, Zero),
        shape("gates.bias", 1, 2, Constant(1.0)),
        shape("user.up", d, hidden, Normal(1.0)),
        shape("user.up_bias", 1, hidden, Zero),
        shape("user.down", hidden, d, Zero),
        shape("pin.neighbours", d, d, Unit(0.5)),
        shape("pin.up", 2 * d, hidden, Normal(1.0)),
        shape("pin.up_bias", 1, hidden, Zero),
        shape("pin.down", hidden, d, Zero),
        shape("log_scale", 1, 1, Constant(2.0)),
        shape("candidate", 1, d, Zero),
        shape("candidate.norm", 1, d, Constant(1.0)),
        shape("deed", 2 * d, HEAD_COUNT, Zero),
        shape("deed.bias", Surface::ALL.len(), HEAD_COUNT, Zero),
    ];
    for block in 0..config.layers {
        let name = |part: &str| format!("block{block}.{part}");
        list.extend([
            shape(name("norm"), 1, d, Constant(1.0)),
            shape(name("query"), d, d, Normal(1.0)),
            shape(name("key_value"), d, 2 * d, Normal(1.0)),
            shape(name("distance"), config.heads, DISTANCES + 1, Zero),
            shape(name("out"), d, d, Zero),
            shape(name("hidden_norm"), 1, d, Constant(1.0)),
            shape(name("up"), d, hidden, Normal(1.0)),
            shape(name("up_bias"), 1, hidden, Zero),
            shape(name("down"), hidden, d, Zero),
        ]);
    }
    list
}

/// All dense weights of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    names: Vec<String>,
    matrices: Vec<Matrix>,
}

impl Weights {
    /// Fresh weights of a checked configuration.
    pub fn new(config: &ModelConfig, seed: u64) -> Weights {
        let (names, matrices) = fresh(shapes(config), &mut Rng::new(seed));
        Weights { names, matrices }
    }

    /// Weights read from a file: `matrices` by name, any order.
    pub(crate) fn from_parts(config: &ModelConfig, mut found: Vec<(String, Matrix)>) -> Result<Weights, ModelError> {
        let mut weights = Weights { names: Vec::new(), matrices: Vec::new() };
        for shape in shapes(config) {
            let matrix = take(&mut found, &shape.name, shape.rows, shape.cols)?;
            weights.names.push(shape.name);
            weights.matrices.push(matrix);
        }
        Ok(weights)
    }

    /// A matrix outside the blocks.
    #[inline]
    pub fn part(&self, part: Part) -> &Matrix {
        &self.matrices[part as usize]
    }

    /// A matrix of a block.
    #[inline]
    pub fn block(&self, block: usize, part: BlockPart) -> &Matrix {
        &self.matrices[Weights::block_index(block, part)]
    }

    /// Position of a block's matrix in the list.
    pub fn block_index(block: usize, part: BlockPart) -> usize {
        PARTS + block * BLOCK_PARTS + part as usize
    }

    /// The names of the matrices, in the order of the list.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The matrices in the order of the list.
    pub fn matrices(&self) -> &[Matrix] {
        &self.matrices
    }

    /// The matrices in the order of the list, to be trained.
    pub fn matrices_mut(&mut self) -> &mut [Matrix] {
        &mut self.matrices
    }
}

/// Takes the matrix `name` out of `found` when it has the shape.
pub(crate) fn take(
    found: &mut Vec<(String, Matrix)>,
    name: &str,
    rows: usize,
    cols: usize,
) -> Result<Matrix, ModelError> {
    let bad = |reason: String| ModelError::Tensor { name: name.into(), reason };
    let place = found.iter().position(|(key, _)| key == name).ok_or_else(|| bad("missing".into()))?;
    let matrix = found.swap_remove(place).1;
    if (matrix.rows, matrix.cols) != (rows, cols) {
        return Err(bad(format!("{} × {} where {rows} × {cols} is needed", matrix.rows, matrix.cols)));
    }
    Ok(matrix)
}

/// Names and fresh matrices of a list.
pub(crate) fn fresh(shapes: Vec<Shape>, rng: &mut Rng) -> (Vec<String>, Vec<Matrix>) {
    let matrices = shapes.iter().map(|shape| start(shape, rng)).collect();
    (shapes.into_iter().map(|shape| shape.name).collect(), matrices)
}

fn start(shape: &Shape, rng: &mut Rng) -> Matrix {
    let mut values = vec![0.0; shape.rows * shape.cols];
    match shape.start {
        Start::Zero => {}
        Start::Constant(value) => values.fill(value),
        Start::Unit(scale) => {
            (0..shape.rows.min(shape.cols)).for_each(|i| values[i * shape.cols + i] = scale);
        }
        Start::Normal(scale) => {
            let deviation = scale / (shape.rows.max(1) as f32).sqrt();
            values.iter_mut().for_each(|value| *value = deviation * rng.normal());
        }
    }
    Matrix { rows: shape.rows, cols: shape.cols, values }
}

impl Matrix {
    /// One row.
    #[inline]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.cols..][..self.cols]
    }
}
