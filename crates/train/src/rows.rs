//! From examples and pins to what the net reads.

use models::{Condition, ModelConfig, SubjectKind, Token};

use crate::Dataset;
use crate::batch::{Example, Question};
use crate::net::{PinRows, TrunkInput};
use crate::sparse::Touched;
use crate::tape::{Look, NOBODY, Sight};
use domain::PinId;

/// The tower's rows of `pins`.
pub(crate) fn pin_rows(data: &Dataset, model: &ModelConfig, touched: &Touched, pins: &[PinId]) -> PinRows {
    let (d, width) = (model.dim, model.content_dim);
    let mut rows = PinRows {
        ids: vec![0.0; pins.len() * d],
        pooled: vec![0.0; pins.len() * d],
        content: vec![0.0; pins.len() * width],
    };
    for (i, &pin) in pins.iter().enumerate() {
        touched.add_mean(&[pin], &mut rows.ids[i * d..][..d]);
        touched.add_mean(data.neighbours_of(pin, model.pool_max), &mut rows.pooled[i * d..][..d]);
        let content = data.content_of(pin);
        rows.content[i * width..][..content.len()].copy_from_slice(content);
    }
    rows
}

/// The trunk's input of `examples`: all tokens, then all questions, then all rows that were shown.
pub(crate) fn trunk_input(data: &Dataset, model: &ModelConfig, touched: &Touched, examples: &[Example]) -> TrunkInput {
    let mut input = TrunkInput::default();
    let (mut starts, mut looks, mut pool) = (Vec::new(), Vec::new(), Vec::new());
    for (sequence, example) in (0u32..).zip(examples) {
        starts.push(looks.len() as u32);
        let mut before_ms = example.before_ms;
        for (at, act) in (0u32..).zip(&example.acts) {
            let token = models::token(act, before_ms, data.content_of(act.pin));
            before_ms = Some(act.ts_ms);
            add_token(model, touched, &token, &mut input);
            looks.push(Look { sequence, seen: at + 1, at, extras: [NOBODY; 2] });
        }
    }
    for (sequence, example) in (0u32..).zip(examples) {
        for question in &example.questions {
            add_question(model, touched, question, &mut input);
            let (seen, own) = (question.prefix as u32, looks.len() as u32);
            let look = Look { sequence, seen, at: seen, extras: [NOBODY, own] };
            looks.push(look);
            pool.push(Look { extras: [NOBODY; 2], ..look });
        }
    }
    let questions = examples.iter().flat_map(|example| &example.questions);
    let first = looks.len() - pool.len();
    for (number, question) in questions.enumerate() {
        let asked = looks[first + number];
        for &(pin, _) in &question.rows {
            add_candidate(data, model, touched, pin, &mut input);
            input.asked.push(number as u32);
            input.surfaces.push([(u32::from(question.surface.code()), 1.0)]);
            looks.push(Look { extras: [asked.extras[1], looks.len() as u32], ..asked });
        }
    }
    input.pool = Sight::new(starts.clone(), pool);
    input.sight = Sight::new(starts, looks);
    input
}

fn ones(facts: impl IntoIterator<Item = usize>) -> impl Iterator<Item = (u32, f32)> {
    facts.into_iter().map(|fact| (fact as u32, 1.0))
}

/// Room for one more row of `width` at the end of `rows`.
fn row(rows: &mut Vec<f32>, width: usize) -> &mut [f32] {
    let start = rows.len();
    rows.resize(start + width, 0.0);
    &mut rows[start..]
}

fn add_token(model: &ModelConfig, touched: &Touched, token: &Token, input: &mut TrunkInput) {
    touched.add_mean(&[token.pin], row(&mut input.ids, model.dim));
    input.facts.push(ones(token.facts()));
    row(&mut input.content, model.content_dim)[..token.content.len()].copy_from_slice(token.content);
    input.missing.push(f32::from(u8::from(token.content.is_empty())));
}

fn add_candidate(data: &Dataset, model: &ModelConfig, touched: &Touched, pin: PinId, input: &mut TrunkInput) {
    touched.add_mean(&[pin], row(&mut input.candidate_ids, model.dim));
    let content = data.content_of(pin);
    row(&mut input.candidate_content, model.content_dim)[..content.len()].copy_from_slice(content);
    input.candidate_missing.push(f32::from(u8::from(content.is_empty())));
}

fn add_question(model: &ModelConfig, touched: &Touched, question: &Question, input: &mut TrunkInput) {
    touched.add_mean(&question.pins, row(&mut input.subject_ids, model.dim));
    row(&mut input.subject_content, model.content_dim)[..question.content.len()].copy_from_slice(&question.content);
    input.condition_facts.push(ones(question.condition().facts()));
}

impl Question {
    /// The question as serving asks it.
    pub(crate) fn condition(&self) -> Condition<'_> {
        debug_assert!(self.kind != SubjectKind::None || self.pins.is_empty());
        Condition { surface: self.surface, kind: self.kind, pins: &self.pins, content: &self.content, gap: self.gap }
    }
}
