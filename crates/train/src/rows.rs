//! From examples and pins to what the graph reads.

use domain::{Action, PinId, Surface};
use models::{Condition, ModelConfig, SubjectKind, TOKEN_FACTS, Token};

use crate::Dataset;
use crate::batch::{Example, Question};
use crate::forward::{PinRows, TrunkInput};
use crate::sparse::Touched;

/// The tower's rows of `pins`.
pub(crate) fn pin_rows(data: &Dataset, model: &ModelConfig, touched: &Touched, pins: &[PinId]) -> PinRows {
    let (d, width) = (model.dim, model.content_dim);
    let mut rows = PinRows {
        rows: pins.len(),
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

/// Longest history and most questions of the examples: what the others are padded to.
pub(crate) fn padded(examples: &[Example]) -> (usize, usize) {
    let length = examples.iter().map(|example| example.acts.len()).max().unwrap_or(0);
    let questions = examples.iter().map(|example| example.questions.len()).max().unwrap_or(0);
    (length.max(1), questions.max(1))
}

/// The trunk's input of `examples`, and the places of their real questions among the padded ones.
pub(crate) fn trunk_input(
    data: &Dataset,
    model: &ModelConfig,
    touched: &Touched,
    examples: &[Example],
) -> (TrunkInput, Vec<usize>) {
    let (length, questions) = padded(examples);
    let mut input = blank(model, examples.len(), length, questions);
    let mut places = Vec::new();
    for (row, example) in examples.iter().enumerate() {
        let mut before_ms = example.before_ms;
        for (i, act) in example.acts.iter().enumerate() {
            let token = models::token(act, before_ms, data.content_of(act.pin));
            before_ms = Some(act.ts_ms);
            write_token(model, touched, &token, row * length + i, &mut input);
        }
        for (i, question) in example.questions.iter().enumerate() {
            places.push(row * questions + i);
            write_question(model, touched, question, row * questions + i, &mut input);
        }
    }
    (input, places)
}

/// Padding: tokens and questions that nobody looks at, with the facts of some token, so that nothing is out of range.
fn blank(model: &ModelConfig, pinners: usize, length: usize, questions: usize) -> TrunkInput {
    let (tokens, asked) = (pinners * length, pinners * questions);
    let token = Token { pin: PinId(0), content: &[], action: Action::Save, surface: Surface::Home, dwell: 0, gap: 0 };
    debug_assert!(token.facts().iter().all(|&fact| fact < TOKEN_FACTS));
    TrunkInput {
        pinners,
        length,
        questions,
        ids: vec![0.0; tokens * model.dim],
        content: vec![0.0; tokens * model.content_dim],
        missing: vec![1.0; tokens],
        facts: vec![token.facts(); tokens],
        subject_ids: vec![0.0; asked * model.dim],
        subject_content: vec![0.0; asked * model.content_dim],
        condition_facts: vec![Condition::home(None, 0).facts(); asked],
        prefix: vec![0; asked],
    }
}

fn write_token(model: &ModelConfig, touched: &Touched, token: &Token, at: usize, input: &mut TrunkInput) {
    touched.add_mean(&[token.pin], &mut input.ids[at * model.dim..][..model.dim]);
    input.facts[at] = token.facts();
    if !token.content.is_empty() {
        let width = model.content_dim;
        input.content[at * width..][..width].copy_from_slice(token.content);
        input.missing[at] = 0.0;
    }
}

fn write_question(model: &ModelConfig, touched: &Touched, question: &Question, at: usize, input: &mut TrunkInput) {
    let width = model.content_dim;
    touched.add_mean(&question.pins, &mut input.subject_ids[at * model.dim..][..model.dim]);
    input.subject_content[at * width..][..question.content.len()].copy_from_slice(&question.content);
    input.condition_facts[at] = question.condition().facts();
    input.prefix[at] = question.prefix;
}

impl Question {
    /// The question as serving asks it.
    pub(crate) fn condition(&self) -> Condition<'_> {
        debug_assert!(self.kind != SubjectKind::None || self.pins.is_empty());
        Condition { surface: self.surface, kind: self.kind, pins: &self.pins, content: &self.content, gap: self.gap }
    }
}
