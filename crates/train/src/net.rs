//! The forward pass of `models`, on the tape.

use models::{BlockPart, ModelConfig, Part, Weights};
use std::sync::Arc;

use crate::tape::{Bags, Sight, Tape, Var};

/// What the trunk reads: histories one after the other, then questions.
#[derive(Default)]
pub(crate) struct TrunkInput {
    /// `tokens × dim`
    pub(crate) ids: Vec<f32>,
    /// `tokens × content_dim`
    pub(crate) content: Vec<f32>,
    /// Rows of the token's fact table; and 1 where there is no content.
    pub(crate) facts: Bags,
    pub(crate) missing: Vec<f32>,
    /// `questions × dim`
    pub(crate) subject_ids: Vec<f32>,
    /// `questions × content_dim`
    pub(crate) subject_content: Vec<f32>,
    pub(crate) condition_facts: Bags,
    /// Who sees whom: tokens, then questions.
    pub(crate) sight: Sight,
    /// The tokens that each question reads out.
    pub(crate) pool: Sight,
}

/// User vectors and the leaves whose gradients go back to the id table.
pub(crate) struct Users {
    pub(crate) vectors: Var,
    pub(crate) ids: Var,
    pub(crate) subject_ids: Var,
}

/// Shares of numbers that are zeroed while learning, and the seed that draws them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Dropout {
    pub(crate) share: f32,
    pub(crate) seed: u64,
}

impl Dropout {
    fn apply(&mut self, tape: &mut Tape, x: Var) -> Var {
        self.seed = domain::hash64(self.seed);
        tape.drop(x, self.share, self.seed)
    }
}

fn part(part: Part) -> usize {
    part as usize
}

fn hidden(tape: &mut Tape, x: Var, up: usize, bias: usize, down: usize) -> Var {
    let wide = tape.linear(x, up, Some(bias));
    let wide = tape.silu(wide);
    tape.linear(wide, down, None)
}

pub(crate) fn users(tape: &mut Tape, input: TrunkInput, config: &ModelConfig, mut dropout: Dropout) -> Users {
    let (d, tokens, asked) = (config.dim, input.ids.len() / config.dim, input.subject_ids.len() / config.dim);
    let (ids, subject_ids) = (tape.leaf(d, input.ids), tape.leaf(d, input.subject_ids));
    let facts = tape.bag(part(Part::TokenFacts), Arc::new(input.facts));
    let mut x = tape.linear(ids, part(Part::TokenId), None);
    x = tape.add(x, facts);
    let facts = tape.bag(part(Part::ConditionFacts), Arc::new(input.condition_facts));
    let mut c = tape.linear(subject_ids, part(Part::ConditionId), None);
    c = tape.add(c, facts);
    let (mut own, mut subject) = (ids, subject_ids);
    let missing = tape.input(1, input.missing);
    let missing = tape.linear(missing, part(Part::TokenMissing), None);
    x = tape.add(x, missing);
    if config.content_dim > 0 {
        let content = tape.input(config.content_dim, input.content);
        let asked = tape.input(config.content_dim, input.subject_content);
        for (base, content, to_token) in
            [(&mut own, content, Part::TokenContent), (&mut subject, asked, Part::ConditionContent)]
        {
            let shared = tape.linear(content, part(Part::Content), None);
            *base = tape.add(*base, shared);
            let token = tape.linear(content, part(to_token), None);
            let row = if to_token == Part::TokenContent { &mut x } else { &mut c };
            *row = tape.add(*row, token);
        }
    }
    let pool_keys = tape.linear(x, part(Part::PoolKey), None);
    let x = dropout.apply(tape, x);
    let mut x = tape.stack(&[x, c]);
    let sight = Arc::new(input.sight);
    for block in 0..config.layers {
        let last = block + 1 == config.layers;
        x = attend(tape, block, x, &sight, config, last.then_some((tokens, asked)), &mut dropout);
        x = transform(tape, block, x, &mut dropout);
    }
    let pool_keys = tape.concat(&[pool_keys, own]);
    let vectors = read_out(tape, x, pool_keys, subject, Arc::new(input.pool), &mut dropout);
    Users { vectors, ids, subject_ids }
}

/// `x + attention(norm(x))`; of the last block only the questions' rows are made.
fn attend(
    tape: &mut Tape,
    block: usize,
    x: Var,
    sight: &Arc<Sight>,
    config: &ModelConfig,
    only: Option<(usize, usize)>,
    dropout: &mut Dropout,
) -> Var {
    let at = |part| Weights::block_index(block, part);
    let normed = tape.rms(x, Some(at(BlockPart::Norm)));
    let keys = tape.linear(normed, at(BlockPart::KeyValue), None);
    let (x, normed, sight) = match only {
        None => (x, normed, sight.clone()),
        Some((from, count)) => {
            (tape.slice(x, from, count), tape.slice(normed, from, count), Arc::new(sight.tail(from)))
        }
    };
    let queries = tape.linear(normed, at(BlockPart::Query), None);
    let mixed = tape.attend(queries, keys, at(BlockPart::Distance), config.heads, sight);
    let out = tape.linear(mixed, at(BlockPart::Out), None);
    let out = dropout.apply(tape, out);
    tape.add(x, out)
}

/// `x + hidden layer(norm(x))`.
fn transform(tape: &mut Tape, block: usize, x: Var, dropout: &mut Dropout) -> Var {
    let at = |part| Weights::block_index(block, part);
    let normed = tape.rms(x, Some(at(BlockPart::HiddenNorm)));
    let out = hidden(tape, normed, at(BlockPart::Up), at(BlockPart::UpBias), at(BlockPart::Down));
    let out = dropout.apply(tape, out);
    tape.add(x, out)
}

/// `normalise(gate₀ · pooled history + gate₁ · subject + MLP(h))`, h = the encoded question.
fn read_out(tape: &mut Tape, c: Var, keys: Var, subject: Var, pool: Arc<Sight>, dropout: &mut Dropout) -> Var {
    let h = tape.rms(c, Some(part(Part::UserNorm)));
    let gates = tape.linear(h, part(Part::Gates), Some(part(Part::GatesBias)));
    let query = tape.linear(h, part(Part::PoolQuery), None);
    let pooled = tape.attend(query, keys, part(Part::PoolDistance), 1, pool);
    let deep = hidden(tape, h, part(Part::UserUp), part(Part::UserUpBias), part(Part::UserDown));
    let deep = dropout.apply(tape, deep);
    let pooled = tape.scale(pooled, gates, 0);
    let subject = tape.scale(subject, gates, 1);
    let user = tape.add(pooled, subject);
    let user = tape.add(user, deep);
    tape.unit(user)
}

/// What the pin tower reads, a row per pin.
pub(crate) struct PinRows {
    /// `rows × dim`
    pub(crate) ids: Vec<f32>,
    /// `rows × dim`: mean id of the neighbours.
    pub(crate) pooled: Vec<f32>,
    /// `rows × content_dim`
    pub(crate) content: Vec<f32>,
}

/// Pin vectors and the leaves whose gradients go back to the id table.
pub(crate) struct Pins {
    pub(crate) vectors: Var,
    pub(crate) ids: Var,
    pub(crate) pooled: Var,
}

pub(crate) fn pins(tape: &mut Tape, input: PinRows, config: &ModelConfig) -> Pins {
    let (ids, pooled) = (tape.leaf(config.dim, input.ids), tape.leaf(config.dim, input.pooled));
    let mut own = ids;
    if config.content_dim > 0 {
        let content = tape.input(config.content_dim, input.content);
        let content = tape.linear(content, part(Part::Content), None);
        own = tape.add(own, content);
    }
    let both = tape.concat(&[own, pooled]);
    let deep = hidden(tape, both, part(Part::PinUp), part(Part::PinUpBias), part(Part::PinDown));
    let near = tape.linear(pooled, part(Part::PinNeighbours), None);
    let sum = tape.add(own, near);
    let sum = tape.add(sum, deep);
    Pins { vectors: tape.unit(sum), ids, pooled }
}

#[cfg(test)]
mod tests;
