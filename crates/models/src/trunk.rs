//! The forward pass from a history and what is asked of it to user vectors.

use crate::kernel::{add_scaled, dot, fit, matmul, matmul_add, normalise, repeat, rms_norm, silu, softmax};
use crate::token::{DISTANCES, distance_bucket};
use crate::{BlockPart, Condition, Matrix, Model, Part, Token};

/// Buffers of one encoding, kept between requests. `n` tokens and `c` conditions make `n + c` rows.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// Ids of tokens, `n × dim`.
    ids: Vec<f32>,
    /// Contents of tokens, `n × content_dim`.
    content: Vec<f32>,
    /// Tokens in the space of pins, `n × dim`.
    own: Vec<f32>,
    /// Keys of the read-out, `n × dim`.
    pool_keys: Vec<f32>,
    /// Subjects in the space of pins, `c × dim`.
    subjects: Vec<f32>,
    /// The residual stream, `(n + c) × dim`.
    x: Vec<f32>,
    /// Normalised rows, `(n + c) × dim`.
    normed: Vec<f32>,
    queries: Vec<f32>,
    keys_values: Vec<f32>,
    mixed: Vec<f32>,
    hidden: Vec<f32>,
    scores: Vec<f32>,
}

/// What candidates attend to in one block: keys (a column per row of the history, then what was asked) and values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// Per head `width × rows`.
    pub(crate) keys: Vec<Matrix>,
    /// Per head `rows × width`.
    pub(crate) values: Vec<Matrix>,
    /// Per head what its distance from the end adds to the score of each row.
    pub(crate) bias: Vec<Vec<f32>>,
}

/// A user vector per condition, of which there is at least one, each as if it were the only one; and into `memories`,
/// if they are wanted, what candidates attend to in each block under the first condition.
pub(crate) fn encode(
    model: &Model,
    history: &[Token],
    conditions: &[Condition],
    s: &mut Scratch,
    mut memories: Option<&mut Vec<Memory>>,
) -> Vec<Vec<f32>> {
    let history = &history[history.len().saturating_sub(model.config.history_max)..];
    embed_history(model, history, s);
    matmul(&s.x, model.weights.part(Part::PoolKey), fit(&mut s.pool_keys, history.len() * model.config.dim));
    let (d, n) = (model.config.dim, history.len());
    s.subjects.clear();
    conditions.iter().for_each(|condition| embed_condition(model, condition, s));
    for block in 0..model.config.layers {
        // Of the last block only the conditions' rows are read.
        let first = if block + 1 == model.config.layers { n } else { 0 };
        attend(model, block, n, first, s);
        if let Some(memories) = &mut memories {
            let distance = model.weights.block(block, BlockPart::Distance);
            memories.push(Memory::of(&s.keys_values[..(n + 1) * 2 * d], d, distance));
        }
        transform(model, block, first, s);
    }
    (0..conditions.len()).map(|at| read_out(model, n, at, s)).collect()
}

impl Memory {
    fn of(keys_values: &[f32], d: usize, distance: &Matrix) -> Memory {
        let (rows, width) = (keys_values.len() / (2 * d), d / distance.rows);
        let mut memory = Memory::default();
        // The last row is what was asked.
        let buckets = (1..rows).rev().map(distance_bucket).chain([DISTANCES]);
        for head in 0..distance.rows {
            memory.bias.push(buckets.clone().map(|bucket| distance.row(head)[bucket]).collect());
            let mut keys = Matrix { rows: width, cols: rows, values: vec![0.0; width * rows] };
            let mut values = Vec::with_capacity(rows * width);
            for (row, kv) in keys_values.chunks_exact(2 * d).enumerate() {
                let key = &kv[head * width..][..width];
                key.iter().enumerate().for_each(|(col, key)| keys.values[col * rows + row] = *key);
                values.extend_from_slice(&kv[d + head * width..][..width]);
            }
            memory.keys.push(keys);
            memory.values.push(Matrix { rows, cols: width, values });
        }
        memory
    }
}

fn embed_history(model: &Model, history: &[Token], s: &mut Scratch) {
    let (d, width, w) = (model.config.dim, model.config.content_dim, &model.weights);
    fit(&mut s.ids, history.len() * d);
    fit(&mut s.content, history.len() * width);
    fit(&mut s.x, history.len() * d);
    for (i, token) in history.iter().enumerate() {
        model.ids.add(token.pin, 1.0, &mut s.ids[i * d..][..d]);
        let x = &mut s.x[i * d..][..d];
        for row in token.facts() {
            add_scaled(1.0, w.part(Part::TokenFacts).row(row), x);
        }
        if token.content.len() == width && width > 0 {
            s.content[i * width..][..width].copy_from_slice(token.content);
        } else {
            add_scaled(1.0, &w.part(Part::TokenMissing).values, x);
        }
    }
    matmul_add(&s.ids, w.part(Part::TokenId), &mut s.x);
    matmul_add(&s.content, w.part(Part::TokenContent), &mut s.x);
    s.own.clone_from(&s.ids);
    matmul_add(&s.content, w.part(Part::Content), &mut s.own);
}

/// Appends a condition's row to the stream, and its subject.
fn embed_condition(model: &Model, condition: &Condition, s: &mut Scratch) {
    let (d, w) = (model.config.dim, &model.weights);
    let pins = &condition.pins[..condition.pins.len().min(model.config.pool_max)];
    let at = s.subjects.len();
    s.subjects.resize(at + d, 0.0);
    let subject = &mut s.subjects[at..];
    model.ids.add_mean(pins, subject);
    let start = s.x.len();
    s.x.resize(start + d, 0.0);
    let x = &mut s.x[start..];
    for row in condition.facts() {
        add_scaled(1.0, w.part(Part::ConditionFacts).row(row), x);
    }
    matmul_add(subject, w.part(Part::ConditionId), x);
    if condition.content.len() == model.config.content_dim {
        matmul_add(condition.content, w.part(Part::ConditionContent), x);
        matmul_add(condition.content, w.part(Part::Content), subject);
    }
}

/// `x += attention(norm(x))` for the rows from `first`, of which those from `n` are conditions.
fn attend(model: &Model, block: usize, n: usize, first: usize, s: &mut Scratch) {
    let (d, w) = (model.config.dim, &model.weights);
    let rows = s.x.len() / d;
    rms_norm(&s.x, &w.block(block, BlockPart::Norm).values, fit(&mut s.normed, rows * d));
    let wanted = rows - first;
    matmul(&s.normed[first * d..], w.block(block, BlockPart::Query), fit(&mut s.queries, wanted * d));
    matmul(&s.normed, w.block(block, BlockPart::KeyValue), fit(&mut s.keys_values, rows * 2 * d));
    fit(&mut s.mixed, wanted * d);
    let width = d / model.config.heads;
    for head in 0..model.config.heads {
        let bias = w.block(block, BlockPart::Distance).row(head);
        for row in first..rows {
            let place = (row - first) * d + head * width;
            attend_row(s, (row, n), place, head * width, width, bias, d);
        }
    }
    matmul_add(&s.mixed, w.block(block, BlockPart::Out), &mut s.x[first * d..]);
}

/// One query of one head over the rows of the history up to its own, and itself: conditions, behind the `n` rows of the
/// history, do not see each other.
fn attend_row(
    s: &mut Scratch,
    (row, n): (usize, usize),
    place: usize,
    offset: usize,
    width: usize,
    bias: &[f32],
    d: usize,
) {
    let query = &s.queries[place..][..width];
    let scale = 1.0 / (width as f32).sqrt();
    let before = row.min(n);
    let scores = fit(&mut s.scores, before + 1);
    let rows = || (0..before).chain([row]).enumerate();
    for (at, j) in rows() {
        let key = &s.keys_values[j * 2 * d + offset..][..width];
        scores[at] = dot(query, key) * scale + bias[distance_bucket(before - at)];
    }
    softmax(scores);
    let mixed = &mut s.mixed[place..][..width];
    for (at, j) in rows() {
        add_scaled(scores[at], &s.keys_values[j * 2 * d + d + offset..][..width], mixed);
    }
}

/// `x += hidden layer(norm(x))` for the rows from `first`.
fn transform(model: &Model, block: usize, first: usize, s: &mut Scratch) {
    let (d, w) = (model.config.dim, &model.weights);
    let x = &mut s.x[first * d..];
    let rows = x.len() / d;
    rms_norm(x, &w.block(block, BlockPart::HiddenNorm).values, fit(&mut s.normed, rows * d));
    repeat(&w.block(block, BlockPart::UpBias).values, rows, &mut s.hidden);
    matmul_add(&s.normed, w.block(block, BlockPart::Up), &mut s.hidden);
    silu(&mut s.hidden);
    matmul_add(&s.hidden, w.block(block, BlockPart::Down), x);
}

/// `normalise(gate₀ · pooled history + gate₁ · subject + MLP(h))`, h = the encoded condition of a number.
fn read_out(model: &Model, history: usize, at: usize, s: &mut Scratch) -> Vec<f32> {
    let (d, w) = (model.config.dim, &model.weights);
    let mut h = vec![0.0; d];
    rms_norm(&s.x[(history + at) * d..][..d], &w.part(Part::UserNorm).values, &mut h);
    let mut gates = w.part(Part::GatesBias).values.clone();
    matmul_add(&h, w.part(Part::Gates), &mut gates);
    s.hidden.clone_from(&w.part(Part::UserUpBias).values);
    matmul_add(&h, w.part(Part::UserUp), &mut s.hidden);
    silu(&mut s.hidden);
    let mut user = vec![0.0; d];
    matmul_add(&s.hidden, w.part(Part::UserDown), &mut user);
    add_scaled(gates[1], &s.subjects[at * d..][..d], &mut user);
    if history > 0 {
        matmul(&h, w.part(Part::PoolQuery), fit(&mut s.queries, d));
        let scale = 1.0 / (d as f32).sqrt();
        let bias: &[f32] = &w.part(Part::PoolDistance).values[..DISTANCES];
        let scores = fit(&mut s.scores, history);
        for (j, score) in scores.iter_mut().enumerate() {
            *score = dot(&s.queries, &s.pool_keys[j * d..][..d]) * scale + bias[distance_bucket(history - j)];
        }
        softmax(scores);
        for (j, &score) in scores.iter().enumerate() {
            add_scaled(gates[0] * score, &s.own[j * d..][..d], &mut user);
        }
    }
    normalise(&mut user);
    user
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelConfig, Reach, SubjectKind};
    use domain::{Action, PinId, Surface};

    #[test]
    fn any_history_gives_a_finite_vector_and_scratch_leaves_no_trace() {
        let config = ModelConfig { dim: 16, hidden: 16, content_dim: 8, history_max: 4, ..ModelConfig::default() };
        let model = Model::untrained(config, 1).expect("a good configuration");
        let (good, wide) = ([0.5; 8], [0.5; 9]);
        let token = |pin: u32, content| {
            let surface = Surface::Home;
            Token { pin: PinId(pin), content, action: Action::Save, surface, dwell: 250, gap: 250 }
        };
        let long: Vec<Token> = (0..9).map(|pin| token(pin, &good[..])).collect();
        let home = Condition::home(None, 0, Reach::Next);
        let mut scratch = Scratch::default();
        let encode = |tokens: &[Token], scratch: &mut Scratch| {
            super::encode(&model, tokens, &[home], scratch, None).swap_remove(0)
        };
        let vector = encode(&long, &mut scratch);
        assert!((dot(&vector, &vector) - 1.0).abs() < 1e-5);
        assert_eq!(encode(&long[5..], &mut scratch), vector, "only the newest four are read");
        assert_eq!(encode(&[], &mut scratch), [0.0; 16], "nothing is known and nothing is asked");
        assert_eq!(encode(&[token(1, &wide[..])], &mut scratch), [0.0; 16], "content of another space");
        assert_eq!(encode(&long, &mut scratch), vector);
    }

    #[test]
    fn conditions_asked_together_are_answered_as_if_alone() {
        let config = ModelConfig { dim: 16, hidden: 16, content_dim: 8, layers: 2, ..ModelConfig::default() };
        let mut model = Model::untrained(config, 3).expect("a good shape");
        let mut rng = domain::Rng::new(1);
        model.weights.matrices_mut().iter_mut().flat_map(|m| &mut m.values).for_each(|x| *x += 0.2 * rng.normal());
        let contents: Vec<[f32; 8]> =
            (0..7).map(|pin| std::array::from_fn(|at| ((pin * 8 + at) as f32).sin())).collect();
        let token = |content| {
            let (action, surface) = (Action::Save, Surface::Home);
            Token { pin: PinId(1), content, action, surface, dwell: 1, gap: 2 }
        };
        let history: Vec<Token> = contents[..5].iter().map(|content| token(&content[..])).collect();
        let home = Condition::home(None, 0, Reach::Next);
        let topic = |content| Condition { kind: SubjectKind::Topic, content, ..home };
        let asked = [home, topic(&contents[5]), Condition { reach: Reach::Later, ..home }, topic(&contents[6])];
        let mut scratch = Scratch::default();
        let (mut alone, mut memory, mut memories) = (Vec::new(), Vec::new(), Vec::new());
        for (at, condition) in asked.iter().enumerate() {
            let memories = (at == 0).then_some(&mut memory);
            alone.extend(super::encode(&model, &history, &[*condition], &mut scratch, memories));
        }
        let together = super::encode(&model, &history, &asked, &mut scratch, Some(&mut memories));
        assert_eq!(together, alone);
        assert_eq!(memories, memory);
        assert!(alone.iter().enumerate().all(|(at, vector)| !alone[..at].contains(vector)), "each has its own");
    }
}
