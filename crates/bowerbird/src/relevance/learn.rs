//! Learning of teachers and students.

use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use crate::stop::Interrupted;
use anyhow::{Context, Result};
use models::{Levels, Offered, Student, StudentScratch, Teacher};
use std::path::PathBuf;
use train::{Device, RelevanceData, RelevanceTraining, Session, TrainError, fit_student, fit_teacher};

/// Where a stopped training is gone on with.
pub(crate) const CHECKPOINT: &str = "relevance.checkpoint";

/// Learns a teacher; a stopped run goes on where it was.
pub(crate) fn learn_teacher(setup: &Setup, data: &RelevanceData, epochs: Option<usize>) -> Result<Teacher> {
    let config = RelevanceTraining { seed: setup.config.train.seed, epochs, ..RelevanceTraining::teacher() };
    run(setup, "teacher", Some(setup.folder(CHECKPOINT)), |session| fit_teacher(data, &config, session))
}

/// Learns a student; that takes seconds.
pub(crate) fn learn_student(setup: &Setup, data: &RelevanceData, epochs: Option<usize>) -> Result<Student> {
    let config = RelevanceTraining { seed: setup.config.train.seed, epochs, ..RelevanceTraining::student() };
    run(setup, "student", None, |session| fit_student(data, &config, session))
}

fn run<T>(
    setup: &Setup,
    what: &str,
    checkpoint: Option<PathBuf>,
    fit: impl FnOnce(&mut Session) -> Result<T, TrainError>,
) -> Result<T> {
    let bar = Progress::new(what, 0);
    let mut shown = |progress: &train::Progress| bar.follow(progress);
    let (flag, now_ms) = (setup.stop.flag(), now_ms());
    let mut session = Session {
        device: Device::Cpu,
        checkpoint: checkpoint.as_deref(),
        progress: &mut shown,
        stop: &flag,
        now_ms,
        version: now_ms.to_string(),
    };
    match fit(&mut session) {
        Ok(learned) => {
            bar.finish("learned");
            Ok(learned)
        }
        Err(TrainError::Stopped { step }) => {
            bar.say(&format!("stopped at step {step}; the same command goes on from there"));
            Err(Interrupted.into())
        }
        Err(error) => Err(error).with_context(|| format!("cannot learn a relevance {what}")),
    }
}

/// What a student says of all pins of a set, a query at a time, as it does when it serves.
pub(crate) fn judged_by_student(student: &Student, data: &RelevanceData) -> Vec<Levels> {
    let mut s = StudentScratch::default();
    let of_query = |pins: &[train::LabelledPin]| {
        let query = &data.queries[pins[0].query];
        let offered: Vec<Offered> =
            pins.iter().map(|pin| Offered { features: &pin.features, title: &pin.words }).collect();
        let contents: Vec<f32> = pins.iter().flat_map(|pin| pin.content.iter().copied()).collect();
        student.judge((&query.words, &query.asked), &offered, &contents, &mut s)
    };
    data.pins.chunk_by(|a, b| a.query == b.query).flat_map(of_query).collect()
}
