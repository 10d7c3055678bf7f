//! The student on the tape.

use super::fit::{Forget, Net, RelevanceTraining, fit};
use super::{LabelledPin, RelevanceData};
use crate::tape::{Bags, Cpu, Engine, Tape, Var};
use crate::{Session, TrainError};
use models::{Matrix, Offered, RELEVANCE_COUNT, STUDENT_KNOTS, Student, StudentConfig, StudentPart};
use std::sync::Arc;

/// Learns a student from labels. The same data, configuration and seed give the same bytes.
///
/// # Errors
/// When data or configuration are wrong, there are fewer than 50 labels, the checkpoint cannot be read or written, the
/// loss leaves the finite numbers, or `session.stop` was set.
pub fn fit_student(
    data: &RelevanceData,
    config: &RelevanceTraining,
    session: &mut Session,
) -> Result<Student, TrainError> {
    data.check()?;
    let mut student = untrained(data, config.seed)?;
    fit(&mut student, data, config, session)?;
    Ok(student.with_version(session.version.clone()))
}

/// A student that knows where its features bend, and nothing else.
pub(super) fn untrained(data: &RelevanceData, seed: u64) -> Result<Student, TrainError> {
    let content_dim = data.content_dim();
    let config = StudentConfig { content_space: data.space, content_dim, ..StudentConfig::default() };
    let mut student = Student::untrained(config, String::new(), seed)?;
    let knots = student.knots_mut();
    for feature in 0..RELEVANCE_COUNT {
        let column = data.pins.iter().map(|pin| pin.features[feature]).filter(|value| value.is_finite());
        knots.values[feature * STUDENT_KNOTS..][..STUDENT_KNOTS].copy_from_slice(&quantiles(column.collect()));
    }
    Ok(student)
}

/// Least, largest, and values in between that split the others evenly, each once; infinite behind them.
fn quantiles(mut column: Vec<f32>) -> [f32; STUDENT_KNOTS] {
    let mut knots = [f32::INFINITY; STUDENT_KNOTS];
    column.sort_unstable_by(f32::total_cmp);
    let last = column.len().saturating_sub(1);
    let mut found: Vec<f32> =
        (0..STUDENT_KNOTS).filter_map(|knot| column.get(last * knot / (STUDENT_KNOTS - 1)).copied()).collect();
    found.dedup();
    knots.iter_mut().zip(found).for_each(|(knot, value)| *knot = value);
    knots
}

fn part(part: StudentPart) -> usize {
    part as usize
}

impl Net for Student {
    fn matrices(&self) -> &[Matrix] {
        Student::matrices(self)
    }

    fn matrices_mut(&mut self) -> &mut [Matrix] {
        Student::matrices_mut(self)
    }

    fn sharpness(&self) -> usize {
        part(StudentPart::Sharpness)
    }

    fn logits(&self, tape: &mut Tape<Cpu>, data: &RelevanceData, pins: &[&LabelledPin], forget: Forget) -> Var {
        let (mut bags, mut entries) = (Bags::default(), Vec::new());
        for pin in pins {
            let offered = Offered { features: &pin.features, title: &pin.words };
            self.entries(&data.queries[pin.query].words, offered, &mut entries);
            bags.push(entries.iter().copied());
        }
        let bags = Arc::new(tape.engine().bags(bags));
        let mut x = tape.bag(part(StudentPart::Table), bags);
        let ones = tape.input(1, tape.engine().upload(vec![1.0; pins.len()]));
        let bias = tape.linear(ones, part(StudentPart::Bias), None);
        x = tape.add(x, bias);
        let dim = self.config().content_dim;
        if dim > 0 {
            let of_pins: Vec<f32> = pins.iter().flat_map(|pin| fitted(&pin.content, dim)).collect();
            let asked: Vec<f32> = pins.iter().flat_map(|pin| fitted(&data.queries[pin.query].asked, dim)).collect();
            for (values, weight) in [(of_pins, StudentPart::Pin), (asked, StudentPart::Asked)] {
                let values = tape.input(dim, tape.engine().upload(values));
                let more = tape.linear(values, part(weight), None);
                x = tape.add(x, more);
            }
        }
        let x = tape.silu(x);
        let x = forget.of(tape, x, 1);
        let up = tape.linear(x, part(StudentPart::Up), Some(part(StudentPart::UpBias)));
        let up = tape.silu(up);
        let x = tape.add(up, x);
        let x = forget.of(tape, x, 2);
        tape.linear(x, part(StudentPart::Out), Some(part(StudentPart::OutBias)))
    }
}

/// A content of a width, zeros where none is known.
pub(super) fn fitted(content: &[f32], dim: usize) -> impl Iterator<Item = f32> + '_ {
    (0..dim).map(move |at| if content.len() == dim { content[at] } else { 0.0 })
}
