//! The forward pass of `models`, on the tape.

use models::{BlockPart, ModelConfig, Part, Weights};
use std::sync::Arc;

use crate::tape::{Bags, Sight, Tape, Var};

/// What the trunk reads: histories one after the other, then questions, then candidates of questions.
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
    /// `candidates × dim`
    pub(crate) candidate_ids: Vec<f32>,
    /// `candidates × content_dim`
    pub(crate) candidate_content: Vec<f32>,
    pub(crate) candidate_missing: Vec<f32>,
    /// Per candidate its question.
    pub(crate) asked: Vec<u32>,
    /// Per candidate its surface.
    pub(crate) surfaces: Bags,
    /// Who sees whom: tokens, then questions, then candidates.
    pub(crate) sight: Sight,
    /// The tokens that each question reads out.
    pub(crate) pool: Sight,
}

/// User vectors, what candidates are expected to bring, and the leaves whose gradients go back to the id table.
pub(crate) struct Users {
    pub(crate) vectors: Var,
    /// `candidates × 2 · dim`, as [`models::Model::encode_candidates`] gives them.
    #[cfg(test)]
    pub(crate) encoded: Var,
    /// `candidates × HEAD_COUNT`
    pub(crate) deeds: Var,
    pub(crate) ids: Var,
    pub(crate) subject_ids: Var,
    pub(crate) candidate_ids: Var,
}

/// Shares of numbers that are zeroed while learning, and the seed that draws them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Dropout {
    pub(crate) share: f32,
    pub(crate) seed: u64,
}

impl Dropout {
    pub(crate) fn apply(&mut self, tape: &mut Tape, x: Var) -> Var {
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
    let candidates = input.candidate_ids.len() / d;
    let history = Embedded::new(
        tape,
        config,
        (input.ids, input.content, Part::TokenId, Part::TokenContent),
        (Part::TokenFacts, input.facts, Some(input.missing)),
    );
    let question = Embedded::new(
        tape,
        config,
        (input.subject_ids, input.subject_content, Part::ConditionId, Part::ConditionContent),
        (Part::ConditionFacts, input.condition_facts, None),
    );
    let mut unknown = Bags::default();
    (0..candidates).for_each(|_| unknown.push([(0, 1.0)]));
    let candidate = Embedded::new(
        tape,
        config,
        (input.candidate_ids, input.candidate_content, Part::TokenId, Part::TokenContent),
        (Part::Candidate, unknown, Some(input.candidate_missing)),
    );
    let pool_keys = tape.linear(history.x, part(Part::PoolKey), None);
    let x = dropout.apply(tape, history.x);
    let mut x = tape.stack(&[x, question.x, candidate.x]);
    let sight = Arc::new(input.sight);
    for block in 0..config.layers {
        let only = (block + 1 == config.layers).then_some((tokens, asked + candidates));
        x = attend(tape, block, x, &sight, config, only, &mut dropout);
        x = transform(tape, block, x, &mut dropout);
    }
    let pool_keys = tape.concat(&[pool_keys, history.own]);
    let (c, encoded) = (tape.slice(x, 0, asked), tape.slice(x, asked, candidates));
    let vectors = read_out(tape, c, pool_keys, question.own, Arc::new(input.pool), &mut dropout);
    let encoded = tape.rms(encoded, Some(part(Part::CandidateNorm)));
    let askers = tape.gather(vectors, Arc::new(input.asked));
    let matched = tape.mul(askers, candidate.own);
    let encoded = tape.concat(&[encoded, matched]);
    let (deeds, bias) =
        (tape.linear(encoded, part(Part::Deed), None), tape.bag(part(Part::DeedBias), Arc::new(input.surfaces)));
    let deeds = tape.add(deeds, bias);
    Users {
        vectors,
        #[cfg(test)]
        encoded,
        deeds,
        ids: history.ids,
        subject_ids: question.ids,
        candidate_ids: candidate.ids,
    }
}

/// Rows on their way into the trunk.
struct Embedded {
    /// Leaf of id rows.
    ids: Var,
    /// In the space of pins.
    own: Var,
    /// In the space of tokens.
    x: Var,
}

impl Embedded {
    fn new(
        tape: &mut Tape,
        config: &ModelConfig,
        (ids, content, of_id, of_content): (Vec<f32>, Vec<f32>, Part, Part),
        (table, facts, missing): (Part, Bags, Option<Vec<f32>>),
    ) -> Embedded {
        let ids = tape.leaf(config.dim, ids);
        let (mut own, mut x) = (ids, tape.linear(ids, part(of_id), None));
        let facts = tape.bag(part(table), Arc::new(facts));
        x = tape.add(x, facts);
        if let Some(missing) = missing {
            let missing = tape.input(1, missing);
            let missing = tape.linear(missing, part(Part::TokenMissing), None);
            x = tape.add(x, missing);
        }
        if config.content_dim > 0 {
            let content = tape.input(config.content_dim, content);
            let shared = tape.linear(content, part(Part::Content), None);
            own = tape.add(own, shared);
            let token = tape.linear(content, part(of_content), None);
            x = tape.add(x, token);
        }
        Embedded { ids, own, x }
    }
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
