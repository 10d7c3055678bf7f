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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Example, Question};
    use crate::rows::{pin_rows, trunk_input};
    use crate::sparse::Touched;
    use crate::{Dataset, History};
    use domain::{Act, Action, BoardId, PinId, PinnerId, Rng, Surface};
    use models::{IdTable, Model, PinInput, Scratch, SubjectKind, tokens};

    const PINS: usize = 40;

    fn data(content_dim: usize, rng: &mut Rng) -> Dataset {
        let mut content: Vec<f32> = (0..PINS * content_dim).map(|_| rng.normal()).collect();
        // Some pins have no content.
        content.iter_mut().take(10 * content_dim).for_each(|value| *value = 0.0);
        let neighbours = (0..PINS).map(|pin| (0..pin % 5).map(|_| PinId(rng.below(PINS as u32))).collect()).collect();
        let act = |i: u32, rng: &mut Rng| Act {
            pin: PinId(rng.below(PINS as u32)),
            board: Some(BoardId(rng.below(2))),
            action: [Action::Save, Action::Click, Action::Closeup][rng.below(3) as usize],
            surface: Surface::ALL[rng.below(5) as usize],
            ts_ms: 1_000_000_000 + u64::from(i) * u64::from(rng.below(100_000_000)),
            value: rng.uniform() * 1e5,
        };
        let history = |length| (0..length).map(|i| act(i, rng)).collect();
        let histories = [1, 5, 18, 40]
            .map(history)
            .into_iter()
            .enumerate()
            .map(|(i, acts)| History { pinner: PinnerId(i as u32), acts });
        Dataset { pins: PINS, content_dim, content_space: 1, content, neighbours, histories: histories.collect() }
    }

    /// A model whose every weight matters.
    fn model(content_dim: usize, layers: usize, rng: &mut Rng) -> Model {
        let config = ModelConfig {
            dim: 16,
            layers,
            hidden: 24,
            content_dim,
            id_rows: 256,
            pool_max: 3,
            ..ModelConfig::default()
        };
        let mut weights = Weights::new(&config, 1);
        weights.matrices_mut().iter_mut().flat_map(|m| &mut m.values).for_each(|value| *value += 0.2 * rng.normal());
        let mut ids = IdTable::new(config.id_rows, config.dim);
        ids.rows_mut().values.iter_mut().for_each(|value| *value = 0.5 * rng.normal());
        (0..PINS as u32).filter(|pin| pin % 7 != 3).for_each(|pin| ids.know(PinId(pin)));
        Model::new("parity".into(), config, weights, ids).expect("a good model")
    }

    fn question(data: &Dataset, prefix: usize, kind: SubjectKind) -> Question {
        let (surface, pins, content) = match kind {
            SubjectKind::None => (Surface::Home, vec![], vec![]),
            SubjectKind::Pin => (Surface::Related, vec![PinId(12)], data.content_of(PinId(12)).to_vec()),
            SubjectKind::Board => (Surface::Board, (9..14).map(PinId).collect(), data.content_of(PinId(20)).to_vec()),
            SubjectKind::Query => (Surface::Search, vec![], data.content_of(PinId(30)).to_vec()),
        };
        let pins: Vec<PinId> = pins.into_iter().take(3).collect();
        Question { prefix, surface, kind, pins, content, gap: (prefix % 12) as u8, targets: vec![] }
    }

    fn examples(data: &Dataset) -> Vec<Example> {
        use SubjectKind::{Board, None, Pin, Query};
        let example = |history: &History| {
            let length = history.acts.len();
            let places = [(length, None), (length / 2, Pin), (0, Pin), (1, Board), (length, Query)];
            let questions = places.map(|(prefix, kind)| question(data, prefix, kind)).to_vec();
            Example { acts: history.acts.clone(), before_ms: Option::None, questions, positives: vec![] }
        };
        data.histories.iter().map(example).collect()
    }

    fn touched(model: &Model) -> Touched {
        let mut touched = Touched::new(PINS, model.dim());
        touched.gather(model.ids(), (0..PINS as u32).map(PinId), |_| false);
        touched
    }

    fn assert_close(ours: &[f32], burns: &[f32], what: &str) {
        assert_eq!(ours.len(), burns.len());
        for (a, b) in ours.iter().zip(burns) {
            assert!((a - b).abs() < 1e-4, "{what}: {a} here, {b} in the graph");
        }
    }

    #[test]
    fn our_kernels_agree_with_the_graph_on_pinners() {
        for (content_dim, layers) in [(0, 1), (8, 2), (16, 3)] {
            let mut rng = Rng::new(11);
            let (data, model) = (data(content_dim, &mut rng), model(content_dim, layers, &mut rng));
            let (examples, device) = (examples(&data), Device::flex());
            let (input, places) = trunk_input(&data, model.config(), &touched(&model), &examples);
            let leaves = Leaves::new(model.weights(), &device);
            let graph = floats(users(&leaves, input, model.config(), &device).vectors);
            let mut scratch = Scratch::default();
            let questions = examples.iter().flat_map(|example| example.questions.iter().map(move |q| (example, q)));
            for ((example, question), place) in questions.zip(places) {
                let history = tokens(&example.acts[..question.prefix], 256, |pin| data.content_of(pin));
                let ours = model.encode(&history, &question.condition(), &mut scratch).vector;
                let name = format!("{:?} after {} of {content_dim}/{layers}", question.kind, question.prefix);
                assert_close(&ours, &graph[place * 16..][..16], &name);
            }
        }
    }

    #[test]
    fn our_kernels_agree_with_the_graph_on_pins() {
        for content_dim in [0, 8, 16] {
            let mut rng = Rng::new(12);
            let (data, model) = (data(content_dim, &mut rng), model(content_dim, 1, &mut rng));
            let (device, all) = (Device::flex(), (0..PINS as u32).map(PinId).collect::<Vec<_>>());
            let rows = pin_rows(&data, model.config(), &touched(&model), &all);
            let graph = floats(pins(&Leaves::new(model.weights(), &device), rows, model.config(), &device).vectors);
            for (pin, graph) in all.iter().zip(graph.chunks_exact(16)) {
                let neighbours = data.neighbours_of(*pin, 100);
                let input = PinInput { pin: *pin, content: data.content_of(*pin), neighbours };
                assert_close(&model.pin_vector(&input), graph, &format!("pin {}", pin.0));
            }
        }
    }
}
