//! The same forward pass as in `models`, as a burn graph, so that it can be differentiated.

use burn::tensor::{Device, Tensor, TensorData, activation};
use models::{BlockPart, ModelConfig, NORM_EPSILON, Part, UNIT_EPSILON, Weights, distance_bucket};
use models::{CONDITION_FACTS, DISTANCES, TOKEN_FACTS};

/// Added to scores that must not count.
const MASKED: f32 = -1e9;

/// The dense weights as leaves of a graph, in the order of the list.
pub(crate) struct Leaves(pub(crate) Vec<Tensor<2>>);

impl Leaves {
    pub(crate) fn new(weights: &Weights, device: &Device) -> Leaves {
        let leaf = |matrix: &models::Matrix| tensor(matrix.values.clone(), [matrix.rows, matrix.cols], device);
        let leaves = weights.matrices().iter().map(|matrix| leaf(matrix).set_require_grad(device.is_autodiff()));
        Leaves(leaves.collect())
    }

    fn part(&self, part: Part) -> Tensor<2> {
        self.0[part as usize].clone()
    }

    fn block(&self, block: usize, part: BlockPart) -> Tensor<2> {
        self.0[Weights::block_index(block, part)].clone()
    }
}

pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The values of a tensor of floats.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("invariant: made from floats")
}

/// What the trunk reads: `pinners` histories of `length` tokens (padded at the end) with `questions` questions each.
#[derive(Default)]
pub(crate) struct TrunkInput {
    pub(crate) pinners: usize,
    pub(crate) length: usize,
    pub(crate) questions: usize,
    /// `pinners · length × dim`
    pub(crate) ids: Vec<f32>,
    /// `pinners · length × content_dim`
    pub(crate) content: Vec<f32>,
    /// `pinners · length`: 1 where there is no content.
    pub(crate) missing: Vec<f32>,
    /// `pinners · length` rows of the fact table, 4 each.
    pub(crate) facts: Vec<[usize; 4]>,
    /// `pinners · questions × dim`
    pub(crate) subject_ids: Vec<f32>,
    /// `pinners · questions × content_dim`
    pub(crate) subject_content: Vec<f32>,
    /// `pinners · questions` rows of the condition's fact table, 3 each.
    pub(crate) condition_facts: Vec<[usize; 3]>,
    /// `pinners · questions`: tokens before the question.
    pub(crate) prefix: Vec<usize>,
}

/// User vectors and the leaves whose gradients go back to the id table.
pub(crate) struct Users {
    pub(crate) vectors: Tensor<2>,
    pub(crate) ids: Tensor<2>,
    pub(crate) subject_ids: Tensor<2>,
}

struct Dims {
    b: usize,
    l: usize,
    k: usize,
    d: usize,
    heads: usize,
}

fn one_hot<const N: usize>(rows: &[[usize; N]], width: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0; rows.len() * width];
    for (i, row) in rows.iter().enumerate() {
        row.iter().for_each(|&fact| values[i * width + fact] += 1.0);
    }
    tensor(values, [rows.len(), width], device)
}

/// Divides each row by its root mean square; the gain is folded into the next matrix by [`gained`].
fn rms<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let mean = x.clone().square().mean_dim(D - 1);
    x / (mean + NORM_EPSILON).sqrt()
}

/// `diag(gain) · w`.
fn gained(gain: Tensor<2>, w: Tensor<2>) -> Tensor<2> {
    w * gain.transpose()
}

pub(crate) fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = (x.clone().square().sum_dim(1) + UNIT_EPSILON).sqrt();
    x / length
}

fn heads(x: Tensor<2>, rows: usize, s: &Dims) -> Tensor<4> {
    x.reshape([s.b, rows, s.heads, s.d / s.heads]).swap_dims(1, 2)
}

fn hidden(x: Tensor<2>, up: Tensor<2>, bias: Tensor<2>, down: Tensor<2>) -> Tensor<2> {
    activation::silu(x.matmul(up) + bias).matmul(down)
}

pub(crate) fn users(leaves: &Leaves, input: TrunkInput, config: &ModelConfig, device: &Device) -> Users {
    let s = Dims { b: input.pinners, l: input.length, k: input.questions, d: config.dim, heads: config.heads };
    let ids = tensor(input.ids, [s.b * s.l, s.d], device).set_require_grad(device.is_autodiff());
    let subject_ids = tensor(input.subject_ids, [s.b * s.k, s.d], device).set_require_grad(device.is_autodiff());
    let mut x = ids.clone().matmul(leaves.part(Part::TokenId))
        + one_hot(&input.facts, TOKEN_FACTS, device).matmul(leaves.part(Part::TokenFacts));
    let mut own = ids.clone();
    let mut subject = subject_ids.clone();
    let mut c = subject_ids.clone().matmul(leaves.part(Part::ConditionId))
        + one_hot(&input.condition_facts, CONDITION_FACTS, device).matmul(leaves.part(Part::ConditionFacts));
    x = x + tensor(input.missing, [s.b * s.l, 1], device).matmul(leaves.part(Part::TokenMissing));
    if config.content_dim > 0 {
        let content = tensor(input.content, [s.b * s.l, config.content_dim], device);
        let asked = tensor(input.subject_content, [s.b * s.k, config.content_dim], device);
        x = x + content.clone().matmul(leaves.part(Part::TokenContent));
        own = own + content.matmul(leaves.part(Part::Content));
        c = c + asked.clone().matmul(leaves.part(Part::ConditionContent));
        subject = subject + asked.matmul(leaves.part(Part::Content));
    }
    let pool_keys = x.clone().matmul(leaves.part(Part::PoolKey));
    let masks = Masks::new(&input.prefix, &s, device);
    for block in 0..config.layers {
        let last = block + 1 == config.layers;
        (x, c) = attend(leaves, block, x, c, &masks, &s, last);
        let up = gained(leaves.block(block, BlockPart::HiddenNorm), leaves.block(block, BlockPart::Up));
        let (bias, down) = (leaves.block(block, BlockPart::UpBias), leaves.block(block, BlockPart::Down));
        if !last {
            x = x.clone() + hidden(rms(x), up.clone(), bias.clone(), down.clone());
        }
        c = c.clone() + hidden(rms(c), up, bias, down);
    }
    let vectors = read_out(leaves, c, own, subject, pool_keys, &masks, &s);
    Users { vectors, ids, subject_ids }
}

/// What does not depend on weights: who may look at whom, and how far away they are.
struct Masks {
    /// `1, 1, l, l`
    causal: Tensor<4>,
    /// `l · l × DISTANCES`
    apart: Tensor<2>,
    /// `b, 1, k, l`
    before: Tensor<4>,
    /// `b · k · l × DISTANCES`
    ago: Tensor<2>,
    /// `b, k, 1`: 1 where there is a history.
    some: Tensor<3>,
}

impl Masks {
    fn new(prefix: &[usize], s: &Dims, device: &Device) -> Masks {
        let mut causal = vec![0.0; s.l * s.l];
        let mut apart = vec![0.0; s.l * s.l * DISTANCES];
        for i in 0..s.l {
            for j in 0..s.l {
                if j > i {
                    causal[i * s.l + j] = MASKED;
                } else {
                    apart[(i * s.l + j) * DISTANCES + distance_bucket(i - j)] = 1.0;
                }
            }
        }
        let mut before = vec![0.0; prefix.len() * s.l];
        let mut ago = vec![0.0; prefix.len() * s.l * DISTANCES];
        for (q, &prefix) in prefix.iter().enumerate() {
            for j in 0..s.l {
                if j >= prefix {
                    before[q * s.l + j] = MASKED;
                } else {
                    ago[(q * s.l + j) * DISTANCES + distance_bucket(prefix - j)] = 1.0;
                }
            }
        }
        let some = prefix.iter().map(|&prefix| f32::from(u8::from(prefix > 0))).collect();
        Masks {
            causal: tensor(causal, [1, 1, s.l, s.l], device),
            apart: tensor(apart, [s.l * s.l, DISTANCES], device),
            before: tensor(before, [s.b, 1, s.k, s.l], device),
            ago: tensor(ago, [prefix.len() * s.l, DISTANCES], device),
            some: tensor(some, [s.b, s.k, 1], device),
        }
    }
}

/// Attention of tokens over earlier tokens, and of questions over the tokens before them and themselves.
fn attend(
    leaves: &Leaves,
    block: usize,
    x: Tensor<2>,
    c: Tensor<2>,
    masks: &Masks,
    s: &Dims,
    last: bool,
) -> (Tensor<2>, Tensor<2>) {
    let gain = leaves.block(block, BlockPart::Norm);
    let wq = gained(gain.clone(), leaves.block(block, BlockPart::Query));
    let wkv = gained(gain, leaves.block(block, BlockPart::KeyValue));
    let out = leaves.block(block, BlockPart::Out);
    let distance = leaves.block(block, BlockPart::Distance).transpose();
    let scale = 1.0 / ((s.d / s.heads) as f32).sqrt();
    let (xn, cn) = (rms(x.clone()), rms(c.clone()));
    let kv = xn.clone().matmul(wkv.clone());
    let keys = heads(kv.clone().narrow(1, 0, s.d), s.l, s).swap_dims(2, 3);
    let values = heads(kv.narrow(1, s.d, s.d), s.l, s);
    let own_kv = cn.clone().matmul(wkv);
    let own_keys = heads(own_kv.clone().narrow(1, 0, s.d), s.k, s);
    let own_values = heads(own_kv.narrow(1, s.d, s.d), s.k, s);

    let asked = heads(cn.matmul(wq.clone()), s.k, s);
    let ago = masks.ago.clone().matmul(distance.clone()).reshape([s.b, s.k, s.l, s.heads]).permute([0, 3, 1, 2]);
    let over = asked.clone().matmul(keys.clone()) * scale + ago + masks.before.clone();
    let here = (asked * own_keys).sum_dim(3) * scale + distance.clone().narrow(0, 0, 1).reshape([1, s.heads, 1, 1]);
    let share = activation::softmax(Tensor::cat(vec![over, here], 3), 3);
    let mixed = share.clone().narrow(3, 0, s.l).matmul(values.clone()) + own_values * share.narrow(3, s.l, 1);
    let c = c + mixed.swap_dims(1, 2).reshape([s.b * s.k, s.d]).matmul(out.clone());
    if last {
        return (x, c);
    }
    let asked = heads(xn.matmul(wq), s.l, s);
    let apart = masks.apart.clone().matmul(distance).reshape([1, s.l, s.l, s.heads]).permute([0, 3, 1, 2]);
    let scores = asked.matmul(keys) * scale + (apart + masks.causal.clone());
    let mixed = activation::softmax(scores, 3).matmul(values);
    (x + mixed.swap_dims(1, 2).reshape([s.b * s.l, s.d]).matmul(out), c)
}

fn read_out(
    leaves: &Leaves,
    c: Tensor<2>,
    own: Tensor<2>,
    subject: Tensor<2>,
    pool_keys: Tensor<2>,
    masks: &Masks,
    s: &Dims,
) -> Tensor<2> {
    let gain = leaves.part(Part::UserNorm);
    let h = rms(c);
    let gates = h.clone().matmul(gained(gain.clone(), leaves.part(Part::Gates))) + leaves.part(Part::GatesBias);
    let query = h.clone().matmul(gained(gain.clone(), leaves.part(Part::PoolQuery))).reshape([s.b, s.k, s.d]);
    let ago = masks.ago.clone().matmul(leaves.part(Part::PoolDistance).transpose()).reshape([s.b, s.k, s.l]);
    let keys = pool_keys.reshape([s.b, s.l, s.d]).swap_dims(1, 2);
    let before = masks.before.clone().reshape([s.b, s.k, s.l]);
    let scores = query.matmul(keys) * (1.0 / (s.d as f32).sqrt()) + ago + before;
    let share = activation::softmax(scores, 2) * masks.some.clone();
    let pooled = share.matmul(own.reshape([s.b, s.l, s.d])).reshape([s.b * s.k, s.d]);
    let up = gained(gain, leaves.part(Part::UserUp));
    let deep = hidden(h, up, leaves.part(Part::UserUpBias), leaves.part(Part::UserDown));
    let user = pooled * gates.clone().narrow(1, 0, 1) + subject * gates.narrow(1, 1, 1) + deep;
    unit(user)
}

/// What the pin tower reads, a row per pin.
pub(crate) struct PinRows {
    pub(crate) rows: usize,
    /// `rows × dim`
    pub(crate) ids: Vec<f32>,
    /// `rows × dim`: mean id of the neighbours.
    pub(crate) pooled: Vec<f32>,
    /// `rows × content_dim`
    pub(crate) content: Vec<f32>,
}

/// Pin vectors and the leaves whose gradients go back to the id table.
pub(crate) struct Pins {
    pub(crate) vectors: Tensor<2>,
    pub(crate) ids: Tensor<2>,
    pub(crate) pooled: Tensor<2>,
}

pub(crate) fn pins(leaves: &Leaves, input: PinRows, config: &ModelConfig, device: &Device) -> Pins {
    let (rows, d) = (input.rows, config.dim);
    let ids = tensor(input.ids, [rows, d], device).set_require_grad(device.is_autodiff());
    let pooled = tensor(input.pooled, [rows, d], device).set_require_grad(device.is_autodiff());
    let mut own = ids.clone();
    if config.content_dim > 0 {
        own = own + tensor(input.content, [rows, config.content_dim], device).matmul(leaves.part(Part::Content));
    }
    let both = Tensor::cat(vec![own.clone(), pooled.clone()], 1);
    let deep = hidden(both, leaves.part(Part::PinUp), leaves.part(Part::PinUpBias), leaves.part(Part::PinDown));
    let vectors = unit(own + pooled.clone().matmul(leaves.part(Part::PinNeighbours)) + deep);
    Pins { vectors, ids, pooled }
}
