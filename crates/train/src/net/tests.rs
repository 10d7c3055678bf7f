//! Our serving kernels against the tape.

use super::*;
use crate::batch::{Example, Question};
use crate::rows::{pin_rows, trunk_input};
use crate::sparse::Touched;
use crate::tape::{Cpu, Loaded};
use crate::{Dataset, History};
use domain::{Act, Action, BoardId, HEAD_COUNT, PinId, PinnerId, Rng, Surface};
use models::{CandidatePins, CandidateScratch, IdTable, Model, PinInput, Reach, Scratch, SubjectKind, tokens};

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
    let histories = [1, 5, 18, 40].map(history).into_iter().enumerate().map(|(i, acts)| History {
        pinner: PinnerId(i as u32),
        acts,
        shown: Vec::new(),
    });
    let histories = histories.collect();
    Dataset { pins: PINS, content_dim, content_space: 1, content, neighbours, histories, ..Dataset::default() }
}

/// A model whose every weight matters.
fn model(content_dim: usize, layers: usize, rng: &mut Rng) -> Model {
    let config =
        ModelConfig { dim: 16, layers, hidden: 24, content_dim, id_rows: 256, pool_max: 3, ..ModelConfig::default() };
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
        SubjectKind::Topic => (Surface::Home, (3..5).map(PinId).collect(), data.content_of(PinId(4)).to_vec()),
        SubjectKind::Query => (Surface::Search, vec![], data.content_of(PinId(30)).to_vec()),
    };
    let pins: Vec<PinId> = pins.into_iter().take(3).collect();
    let reach = if prefix.is_multiple_of(2) { Reach::Next } else { Reach::Later };
    Question { prefix, surface, kind, pins, content, gap: (prefix % 12) as u8, reach, targets: vec![], rows: vec![] }
}

fn examples(data: &Dataset) -> Vec<Example> {
    use SubjectKind::{Board, None, Pin, Query, Topic};
    let example = |history: &History| {
        let length = history.acts.len();
        let places = [(length, None), (length / 2, Pin), (0, Pin), (1, Board), (length, Query), (length, Topic)];
        let questions = places.map(|(prefix, kind)| question(data, prefix, kind)).to_vec();
        Example { acts: history.acts.clone(), before_ms: Option::None, questions, positives: vec![] }
    };
    data.histories.iter().map(example).collect()
}

/// Who has an id vector, and all of these.
fn touched(model: &Model) -> (Touched, Vec<f32>) {
    let mut touched = Touched::new(PINS);
    touched.gather(model.ids(), (0..PINS as u32).map(PinId), |_| false);
    let vectors = Cpu.bag(&model.ids().rows().values, model.dim(), &touched.rows(model.ids()));
    (touched, vectors)
}

fn assert_close(ours: &[f32], tapes: &[f32], what: &str) {
    assert_eq!(ours.len(), tapes.len());
    for (a, b) in ours.iter().zip(tapes) {
        assert!((a - b).abs() < 1e-4, "{what}: {a} here, {b} on the tape");
    }
}

#[test]
fn our_kernels_agree_with_the_tape_on_pinners() {
    for (content_dim, layers) in [(0, 1), (8, 2), (16, 3)] {
        let mut rng = Rng::new(11);
        let (data, model) = (data(content_dim, &mut rng), model(content_dim, layers, &mut rng));
        let examples = examples(&data);
        let (touched, ids) = touched(&model);
        let input = trunk_input(&data, model.config(), &touched, &examples);
        let loaded = Loaded::host(model.weights().matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let rows = Rows { ids: &ids, content: &data.content };
        let vectors = users(&mut tape, input, &rows, model.config(), Dropout::default()).vectors;
        let mut scratch = Scratch::default();
        let questions = examples.iter().flat_map(|example| example.questions.iter().map(move |q| (example, q)));
        for ((example, question), graph) in questions.zip(tape.value(vectors).chunks_exact(16)) {
            let history = tokens(&example.acts[..question.prefix], 256, |pin| data.content_of(pin));
            let ours = model.encode(&history, &question.condition(), &mut scratch).vector;
            let name = format!("{:?} after {} of {content_dim}/{layers}", question.kind, question.prefix);
            assert_close(&ours, graph, &name);
        }
    }
}

#[test]
fn our_kernels_agree_with_the_tape_on_pins() {
    for content_dim in [0, 8, 16] {
        let mut rng = Rng::new(12);
        let (data, model) = (data(content_dim, &mut rng), model(content_dim, 1, &mut rng));
        let all: Vec<PinId> = (0..PINS as u32).map(PinId).collect();
        let (touched, ids) = touched(&model);
        let input = pin_rows(&data, model.config(), &touched, &all);
        let loaded = Loaded::host(model.weights().matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let rows = Rows { ids: &ids, content: &data.content };
        let vectors = pins(&mut tape, input, &rows, model.config()).vectors;
        for (pin, graph) in all.iter().zip(tape.value(vectors).chunks_exact(16)) {
            let neighbours = data.neighbours_of(*pin, 100);
            let input = PinInput { pin: *pin, content: data.content_of(*pin), neighbours };
            assert_close(&model.pin_vector(&input), graph, &format!("pin {}", pin.0));
        }
    }
}

#[test]
fn our_kernels_agree_with_the_tape_on_candidates() {
    for (content_dim, layers) in [(0, 1), (8, 2)] {
        let mut rng = Rng::new(13);
        let (data, model) = (data(content_dim, &mut rng), model(content_dim, layers, &mut rng));
        let mut examples = examples(&data);
        for (number, question) in examples.iter_mut().flat_map(|example| &mut example.questions).enumerate() {
            let rows = (0..1 + number as u32 * 7 % 40)
                .map(|i| (PinId((i * 3 + number as u32) % PINS as u32), [0.0; HEAD_COUNT]));
            question.rows = rows.collect();
        }
        let (touched, ids) = touched(&model);
        let input = trunk_input(&data, model.config(), &touched, &examples);
        let loaded = Loaded::host(model.weights().matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let rows = Rows { ids: &ids, content: &data.content };
        let encoded = users(&mut tape, input, &rows, model.config(), Dropout::default()).encoded;
        let mut graph = tape.value(encoded).chunks_exact(32);
        let (mut scratch, mut candidates, mut ours) = (Scratch::default(), CandidateScratch::default(), Vec::new());
        for example in &examples {
            for question in &example.questions {
                let history = tokens(&example.acts[..question.prefix], 256, |pin| data.content_of(pin));
                let state = model.encode_for_candidates(&history, &question.condition(), &mut scratch);
                let pins: Vec<PinId> = question.rows.iter().map(|row| row.0).collect();
                let content: Vec<f32> = pins.iter().flat_map(|&pin| content_row(&data, pin)).collect();
                let shown = CandidatePins { pins: &pins, content: &content };
                model.encode_candidates(&state, shown, &mut candidates, &mut ours);
                for (row, ours) in ours.chunks_exact(32).enumerate() {
                    assert_close(ours, graph.next().expect("a row"), &format!("{:?} row {row}", question.kind));
                }
            }
        }
    }
}

fn content_row(data: &Dataset, pin: PinId) -> Vec<f32> {
    let mut row = data.content_of(pin).to_vec();
    row.resize(data.content_dim, 0.0);
    row
}
