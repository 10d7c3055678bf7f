//! From examples and pins to what the net reads.

use models::{Condition, ModelConfig, SubjectKind, Token};

use crate::Dataset;
use crate::batch::{Example, Question};
use crate::net::{PinRows, TrunkInput};
use crate::sparse::Touched;
use crate::tape::{Look, NOBODY, Sight};
use domain::PinId;
use rayon::prelude::*;

/// Pins whose rows are looked up together.
const PINS_AT_ONCE: usize = 1_024;

/// The tower's rows of `pins`.
pub(crate) fn pin_rows(data: &Dataset, model: &ModelConfig, touched: &Touched, pins: &[PinId]) -> PinRows {
    let of_part = |pins: &[PinId]| {
        let mut rows = PinRows::default();
        for &pin in pins {
            rows.ids.push(touched.mean(&[pin]));
            rows.pooled.push(touched.mean(data.neighbours_of(pin, model.pool_max)));
            rows.content.push(content(data, pin));
        }
        rows
    };
    let parts: Vec<PinRows> = pins.par_chunks(PINS_AT_ONCE).map(of_part).collect();
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        all.ids.append(&part.ids);
        all.pooled.append(&part.pooled);
        all.content.append(&part.content);
    }
    all
}

/// The row of all contents that is a pin's, if it has one.
fn content(data: &Dataset, pin: PinId) -> Option<(u32, f32)> {
    (!data.content_of(pin).is_empty()).then_some((pin.0, 1.0))
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
            add_token(data, touched, &token, &mut input);
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
            add_candidate(data, touched, pin, &mut input);
            input.asked.push([(number as u32, 1.0)]);
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

fn add_token(data: &Dataset, touched: &Touched, token: &Token, input: &mut TrunkInput) {
    input.ids.push(touched.mean(&[token.pin]));
    input.facts.push(ones(token.facts()));
    input.content.push(content(data, token.pin));
    input.missing.push(f32::from(u8::from(token.content.is_empty())));
}

fn add_candidate(data: &Dataset, touched: &Touched, pin: PinId, input: &mut TrunkInput) {
    input.candidate_ids.push(touched.mean(&[pin]));
    input.candidate_content.push(content(data, pin));
    input.candidate_missing.push(f32::from(u8::from(data.content_of(pin).is_empty())));
}

fn add_question(model: &ModelConfig, touched: &Touched, question: &Question, input: &mut TrunkInput) {
    input.subject_ids.push(touched.mean(&question.pins));
    if !question.targets.is_empty() {
        input.asking.push([(input.subject_ids.len() as u32 - 1, 1.0)]);
    }
    row(&mut input.subject_content, model.content_dim)[..question.content.len()].copy_from_slice(&question.content);
    input.condition_facts.push(ones(question.condition().facts()));
}

impl Question {
    /// The question as serving asks it.
    pub(crate) fn condition(&self) -> Condition<'_> {
        debug_assert!(self.kind != SubjectKind::None || self.pins.is_empty());
        let (surface, kind, gap, reach) = (self.surface, self.kind, self.gap, self.reach);
        Condition { surface, kind, pins: &self.pins, content: &self.content, gap, reach }
    }
}
