//! The forward pass of `models`, on the tape.

use models::{BlockPart, ModelConfig, Part, Weights};
use std::sync::Arc;

use crate::tape::{Bags, Engine, Sight, Tape, Var};

/// What the trunk reads: histories one after the other, then questions, then candidates of questions. Ids are lists of
/// rows of the step's id vectors, contents are rows of all contents.
#[derive(Default)]
pub(crate) struct TrunkInput {
    /// Per token.
    pub(crate) ids: Bags,
    pub(crate) content: Bags,
    /// Rows of the token's fact table; and 1 where there is no content.
    pub(crate) facts: Bags,
    pub(crate) missing: Vec<f32>,
    /// Per question.
    pub(crate) subject_ids: Bags,
    /// `questions × content_dim`
    pub(crate) subject_content: Vec<f32>,
    pub(crate) condition_facts: Bags,
    /// Questions that are about what comes next.
    pub(crate) asking: Bags,
    /// Per candidate.
    pub(crate) candidate_ids: Bags,
    pub(crate) candidate_content: Bags,
    pub(crate) candidate_missing: Vec<f32>,
    /// Per candidate its question.
    pub(crate) asked: Bags,
    /// Per candidate its surface.
    pub(crate) surfaces: Bags,
    /// Who sees whom: tokens, then questions, then candidates.
    pub(crate) sight: Sight,
    /// The tokens that each question reads out.
    pub(crate) pool: Sight,
}

/// The matrices that lists of rows are of.
pub(crate) struct Rows<'a, B> {
    /// The step's id vectors.
    pub(crate) ids: &'a B,
    /// Contents of all pins.
    pub(crate) content: &'a B,
}

/// Id vectors on a tape, and the lists that they were made of.
pub(crate) struct Leaf<E: Engine> {
    pub(crate) var: Var,
    pub(crate) bags: E::Bags,
}

impl<E: Engine> Leaf<E> {
    fn new(tape: &mut Tape<E>, ids: &E::Buffer, cols: usize, bags: Bags) -> Leaf<E> {
        let bags = tape.engine().bags(bags);
        let vectors = tape.engine().bag(ids, cols, &bags);
        Leaf { var: tape.leaf(cols, vectors), bags }
    }
}

/// User vectors, what candidates are expected to bring, and the leaves whose gradients go back to the id table.
pub(crate) struct Users<E: Engine> {
    /// `questions × dim`
    #[cfg(test)]
    pub(crate) vectors: Var,
    /// Those of the questions about what comes next.
    pub(crate) asking: Var,
    /// `candidates × 2 · dim`, as [`models::Model::encode_candidates`] gives them.
    #[cfg(test)]
    pub(crate) encoded: Var,
    /// `candidates × HEAD_COUNT`
    pub(crate) deeds: Var,
    pub(crate) leaves: Vec<Leaf<E>>,
}

/// Shares of numbers that are zeroed while learning, and the seed that draws them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Dropout {
    pub(crate) share: f32,
    pub(crate) seed: u64,
}

impl Dropout {
    pub(crate) fn apply<E: Engine>(&mut self, tape: &mut Tape<E>, x: Var) -> Var {
        self.seed = domain::hash64(self.seed);
        tape.drop(x, self.share, self.seed)
    }
}

fn part(part: Part) -> usize {
    part as usize
}

fn hidden<E: Engine>(tape: &mut Tape<E>, x: Var, up: usize, bias: usize, down: usize) -> Var {
    let wide = tape.linear(x, up, Some(bias));
    let wide = tape.silu(wide);
    tape.linear(wide, down, None)
}

pub(crate) fn users<E: Engine>(
    tape: &mut Tape<E>,
    input: TrunkInput,
    rows: &Rows<E::Buffer>,
    config: &ModelConfig,
    mut dropout: Dropout,
) -> Users<E> {
    let (tokens, asked, candidates) = (input.ids.len(), input.subject_ids.len(), input.candidate_ids.len());
    let engine = tape.engine();
    let contents = |content: Bags| engine.bag(rows.content, config.content_dim, &engine.bags(content));
    let mut unknown = Bags::default();
    (0..candidates).for_each(|_| unknown.push([(0, 1.0)]));
    let history = Reading {
        ids: (Part::TokenId, input.ids),
        content: (Part::TokenContent, contents(input.content)),
        facts: (Part::TokenFacts, input.facts),
        missing: Some(input.missing),
    };
    let question = Reading {
        ids: (Part::ConditionId, input.subject_ids),
        content: (Part::ConditionContent, engine.upload(input.subject_content)),
        facts: (Part::ConditionFacts, input.condition_facts),
        missing: None,
    };
    let candidate = Reading {
        ids: (Part::TokenId, input.candidate_ids),
        content: (Part::TokenContent, contents(input.candidate_content)),
        facts: (Part::Candidate, unknown),
        missing: Some(input.candidate_missing),
    };
    let [history, question, candidate] =
        [history, question, candidate].map(|reading| Embedded::new(tape, rows, config, reading));
    let pool_keys = tape.linear(history.x, part(Part::PoolKey), None);
    let x = dropout.apply(tape, history.x);
    let mut x = tape.stack(&[x, question.x, candidate.x]);
    // Of the last block only the rows of questions and candidates are made.
    let last = Arc::new(engine.sight(input.sight.tail(tokens)));
    let all = (config.layers > 1).then(|| Arc::new(engine.sight(input.sight)));
    for block in 0..config.layers {
        let (from, sight) = match &all {
            Some(all) if block + 1 < config.layers => (0, all),
            _ => (tokens, &last),
        };
        x = attend(tape, block, x, (from, sight), config, &mut dropout);
        x = transform(tape, block, x, &mut dropout);
    }
    let pool_keys = tape.concat(&[pool_keys, history.own]);
    let (c, encoded) = (tape.slice(x, 0, asked), tape.slice(x, asked, candidates));
    let pool = Arc::new(engine.sight(input.pool));
    let vectors = read_out(tape, c, pool_keys, question.own, pool, &mut dropout);
    let encoded = tape.rms(encoded, Some(part(Part::CandidateNorm)));
    let askers = tape.gather(vectors, Arc::new(engine.bags(input.asked)));
    let matched = tape.mul(askers, candidate.own);
    let encoded = tape.concat(&[encoded, matched]);
    let surfaces = Arc::new(engine.bags(input.surfaces));
    let (deeds, bias) = (tape.linear(encoded, part(Part::Deed), None), tape.bag(part(Part::DeedBias), surfaces));
    Users {
        asking: tape.gather(vectors, Arc::new(engine.bags(input.asking))),
        #[cfg(test)]
        vectors,
        #[cfg(test)]
        encoded,
        deeds: tape.add(deeds, bias),
        leaves: vec![history.ids, question.ids, candidate.ids],
    }
}

/// What some rows of the trunk are made of.
struct Reading<E: Engine> {
    ids: (Part, Bags),
    /// `rows × content_dim`
    content: (Part, E::Buffer),
    facts: (Part, Bags),
    missing: Option<Vec<f32>>,
}

/// Rows on their way into the trunk.
struct Embedded<E: Engine> {
    ids: Leaf<E>,
    /// In the space of pins.
    own: Var,
    /// In the space of tokens.
    x: Var,
}

impl<E: Engine> Embedded<E> {
    fn new(tape: &mut Tape<E>, rows: &Rows<E::Buffer>, config: &ModelConfig, reading: Reading<E>) -> Embedded<E> {
        let engine = tape.engine();
        let ids = Leaf::new(tape, rows.ids, config.dim, reading.ids.1);
        let (mut own, mut x) = (ids.var, tape.linear(ids.var, part(reading.ids.0), None));
        let facts = tape.bag(part(reading.facts.0), Arc::new(engine.bags(reading.facts.1)));
        x = tape.add(x, facts);
        if let Some(missing) = reading.missing {
            let missing = tape.input(1, engine.upload(missing));
            let missing = tape.linear(missing, part(Part::TokenMissing), None);
            x = tape.add(x, missing);
        }
        if config.content_dim > 0 {
            let content = tape.input(config.content_dim, reading.content.1);
            let shared = tape.linear(content, part(Part::Content), None);
            own = tape.add(own, shared);
            let token = tape.linear(content, part(reading.content.0), None);
            x = tape.add(x, token);
        }
        Embedded { ids, own, x }
    }
}

/// `x + attention(norm(x))` of the rows from `from` on.
fn attend<E: Engine>(
    tape: &mut Tape<E>,
    block: usize,
    x: Var,
    (from, sight): (usize, &Arc<E::Sight>),
    config: &ModelConfig,
    dropout: &mut Dropout,
) -> Var {
    let at = |part| Weights::block_index(block, part);
    let normed = tape.rms(x, Some(at(BlockPart::Norm)));
    let keys = tape.linear(normed, at(BlockPart::KeyValue), None);
    let (x, normed) = match from {
        0 => (x, normed),
        from => {
            let count = tape.shape(x).0 - from;
            (tape.slice(x, from, count), tape.slice(normed, from, count))
        }
    };
    let queries = tape.linear(normed, at(BlockPart::Query), None);
    let mixed = tape.attend(queries, keys, at(BlockPart::Distance), config.heads, sight.clone());
    let out = tape.linear(mixed, at(BlockPart::Out), None);
    let out = dropout.apply(tape, out);
    tape.add(x, out)
}

/// `x + hidden layer(norm(x))`.
fn transform<E: Engine>(tape: &mut Tape<E>, block: usize, x: Var, dropout: &mut Dropout) -> Var {
    let at = |part| Weights::block_index(block, part);
    let normed = tape.rms(x, Some(at(BlockPart::HiddenNorm)));
    let out = hidden(tape, normed, at(BlockPart::Up), at(BlockPart::UpBias), at(BlockPart::Down));
    let out = dropout.apply(tape, out);
    tape.add(x, out)
}

/// `normalise(gate₀ · pooled history + gate₁ · subject + MLP(h))`, h = the encoded question.
fn read_out<E: Engine>(
    tape: &mut Tape<E>,
    c: Var,
    keys: Var,
    subject: Var,
    pool: Arc<E::Sight>,
    dropout: &mut Dropout,
) -> Var {
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

/// What the pin tower reads, a list per pin: rows of the step's id vectors, and of all contents.
#[derive(Default)]
pub(crate) struct PinRows {
    pub(crate) ids: Bags,
    /// Neighbours.
    pub(crate) pooled: Bags,
    pub(crate) content: Bags,
}

/// Pin vectors and the leaves whose gradients go back to the id table.
pub(crate) struct Pins<E: Engine> {
    pub(crate) vectors: Var,
    pub(crate) leaves: Vec<Leaf<E>>,
}

pub(crate) fn pins<E: Engine>(
    tape: &mut Tape<E>,
    input: PinRows,
    rows: &Rows<E::Buffer>,
    config: &ModelConfig,
) -> Pins<E> {
    let [ids, pooled] = [input.ids, input.pooled].map(|bags| Leaf::new(tape, rows.ids, config.dim, bags));
    let mut own = ids.var;
    if config.content_dim > 0 {
        let engine = tape.engine();
        let content = engine.bag(rows.content, config.content_dim, &engine.bags(input.content));
        let content = tape.input(config.content_dim, content);
        let content = tape.linear(content, part(Part::Content), None);
        own = tape.add(own, content);
    }
    let both = tape.concat(&[own, pooled.var]);
    let deep = hidden(tape, both, part(Part::PinUp), part(Part::PinUpBias), part(Part::PinDown));
    let near = tape.linear(pooled.var, part(Part::PinNeighbours), None);
    let sum = tape.add(own, near);
    let sum = tape.add(sum, deep);
    Pins { vectors: tape.unit(sum), leaves: vec![ids, pooled] }
}

#[cfg(test)]
mod tests;
