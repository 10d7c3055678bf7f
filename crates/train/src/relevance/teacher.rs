//! The teacher on the tape: it is computed here alone, since nothing waits for it.

use super::fit::{Forget, Net, RelevanceTraining, chances, fit, logits};
use super::student::{fitted, untrained};
use super::{LabelledPin, RelevanceData};
use crate::tape::{Bags, Cpu, Engine, Look, NOBODY, Sight, Tape, Var};
use crate::{Session, TrainError};
use models::{Levels, Matrix, Offered, Teacher, TeacherConfig, TeacherPart, TeacherText, read_teacher_tokens};
use std::sync::Arc;

/// Learns a teacher from graded labels. The same data, configuration and seed give the same bytes.
///
/// # Errors
/// As [`super::fit_student`].
pub fn fit_teacher(
    data: &RelevanceData,
    config: &RelevanceTraining,
    session: &mut Session,
) -> Result<Teacher, TrainError> {
    data.check()?;
    let knots = untrained(data, config.seed)?;
    let content_dim = data.content_dim();
    let shape = TeacherConfig { content_space: data.space, content_dim, ..TeacherConfig::default() };
    let mut teacher = Teacher::untrained(shape, &knots, config.seed)?;
    fit(&mut teacher, data, config, session)?;
    Ok(teacher.with_version(session.version.clone()))
}

/// Calibrated chances of the levels of some pins of a set, as a teacher sees them; their labels are not looked at.
pub fn teach(teacher: &Teacher, data: &RelevanceData, pins: &[usize]) -> Vec<Levels> {
    let pins: Vec<&LabelledPin> = pins.iter().map(|&pin| &data.pins[pin]).collect();
    let sharpness = teacher.matrices()[TeacherPart::Sharpness as usize].values[0];
    chances(&logits(teacher, data, &pins), sharpness)
}

fn part(part: TeacherPart) -> usize {
    part as usize
}

/// Tokens of a batch, and where each pin's begin.
struct Tokens {
    bags: Bags,
    starts: Vec<u32>,
    lengths: Vec<u32>,
}

fn tokens(config: &TeacherConfig, data: &RelevanceData, pins: &[&LabelledPin]) -> Tokens {
    let mut all = Tokens { bags: Bags::default(), starts: Vec::new(), lengths: Vec::new() };
    for pin in pins {
        let text = TeacherText { query: &data.queries[pin.query].text, title: &pin.title, rest: &pin.rest };
        let tokens = read_teacher_tokens(config, text);
        all.starts.push(all.bags.len() as u32);
        all.lengths.push(tokens.len() as u32);
        tokens.into_iter().for_each(|token| all.bags.push(token));
    }
    all
}

/// Each row of `rows` becomes one of `count` rows, at `places`; zeros elsewhere.
fn spread(tape: &mut Tape<Cpu>, rows: Var, places: &[u32], count: usize) -> Var {
    let mut at = vec![None; count];
    (0u32..).zip(places).for_each(|(row, &place)| at[place as usize] = Some(row));
    let mut bags = Bags::default();
    at.into_iter().for_each(|row| bags.push(row.map(|row| (row, 1.0))));
    let bags = Arc::new(tape.engine().bags(bags));
    tape.gather(rows, bags)
}

/// Adds the pin's content and what the words mean to the last two tokens of each pin.
fn with_contents(
    teacher: &Teacher,
    tape: &mut Tape<Cpu>,
    (data, pins): (&RelevanceData, &[&LabelledPin]),
    (starts, lengths): (&[u32], &[u32]),
    mut x: Var,
) -> Var {
    let (dim, count) = (teacher.config().content_dim, tape.shape(x).0);
    let of_pins: Vec<f32> = pins.iter().flat_map(|pin| fitted(&pin.content, dim)).collect();
    let asked: Vec<f32> = pins.iter().flat_map(|pin| fitted(&data.queries[pin.query].asked, dim)).collect();
    for (values, weight, behind) in [(of_pins, TeacherPart::Picture, 2), (asked, TeacherPart::Meant, 1)] {
        let values = tape.input(dim, tape.engine().upload(values));
        let values = tape.linear(values, part(weight), None);
        let places: Vec<u32> = starts.iter().zip(lengths).map(|(start, length)| start + length - behind).collect();
        let values = spread(tape, values, &places, count);
        x = tape.add(x, values);
    }
    x
}

/// One attention block.
fn through(
    teacher: &Teacher,
    tape: &mut Tape<Cpu>,
    block: usize,
    (x, sight): (Var, &Arc<Sight>),
    forget: Forget,
) -> Var {
    let of = |place| TeacherPart::of_block(block, place);
    let normed = tape.rms(x, Some(of(0)));
    let queries = tape.linear(normed, of(1), None);
    let keys = tape.linear(normed, of(2), None);
    let seen = tape.attend(queries, keys, of(3), teacher.config().heads, sight.clone());
    let seen = tape.linear(seen, of(4), None);
    let seen = forget.of(tape, seen, 2 + 2 * block as u64);
    let x = tape.add(x, seen);
    let normed = tape.rms(x, Some(of(5)));
    let up = tape.linear(normed, of(6), Some(of(7)));
    let up = tape.silu(up);
    let down = tape.linear(up, of(8), None);
    let down = forget.of(tape, down, 3 + 2 * block as u64);
    tape.add(x, down)
}

impl Net for Teacher {
    fn matrices(&self) -> &[Matrix] {
        Teacher::matrices(self)
    }

    fn matrices_mut(&mut self) -> &mut [Matrix] {
        Teacher::matrices_mut(self)
    }

    fn sharpness(&self) -> usize {
        part(TeacherPart::Sharpness)
    }

    fn logits(&self, tape: &mut Tape<Cpu>, data: &RelevanceData, pins: &[&LabelledPin], forget: Forget) -> Var {
        let Tokens { bags, starts, lengths } = tokens(self.config(), data, pins);
        let count = bags.len();
        let bags = Arc::new(tape.engine().bags(bags));
        let mut x = tape.bag(part(TeacherPart::Table), bags);
        let (mut features, mut entries) = (Bags::default(), Vec::new());
        for pin in pins {
            self.features(Offered { features: &pin.features, title: &pin.words }, &mut entries);
            features.push(entries.iter().copied());
        }
        let features = Arc::new(tape.engine().bags(features));
        let features = tape.bag(part(TeacherPart::Features), features);
        let features = spread(tape, features, &starts, count);
        x = tape.add(x, features);
        if self.config().content_dim > 0 {
            x = with_contents(self, tape, (data, pins), (&starts, &lengths), x);
        }
        x = forget.of(tape, x, 1);
        let looks = |sequence: usize| {
            let look = |_| Look {
                sequence: sequence as u32,
                seen: lengths[sequence],
                at: lengths[sequence],
                extras: [NOBODY; 2],
            };
            (0..lengths[sequence]).map(look).collect::<Vec<_>>()
        };
        let looks = (0..pins.len()).flat_map(looks).collect();
        let sight = Arc::new(tape.engine().sight(Sight::new(starts.clone(), looks)));
        for block in 0..self.config().layers {
            x = through(self, tape, block, (x, &sight), forget);
        }
        let mut firsts = Bags::default();
        starts.iter().for_each(|&start| firsts.push([(start, 1.0)]));
        let firsts = Arc::new(tape.engine().bags(firsts));
        let whole = tape.gather(x, firsts);
        let whole = tape.rms(whole, Some(part(TeacherPart::Norm)));
        let up = tape.linear(whole, part(TeacherPart::Up), Some(part(TeacherPart::UpBias)));
        let up = tape.silu(up);
        tape.linear(up, part(TeacherPart::Out), Some(part(TeacherPart::OutBias)))
    }
}
