//! Who labels: people, by a file of judgements; the teacher that was learned; or an endpoint.

use super::endpoint::{Asked, Endpoint, PinWords, Question};
use super::labels::{Label, LabelFile};
use super::pairs::{Pair, data_of};
use crate::import::JudgedQuery;
use crate::output::thousands;
use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use anyhow::Result;
use models::{Teacher, likeliest_level};
use serving::Pipeline;
use std::collections::HashMap;
use train::teach;

/// Pairs that are labelled and written together.
const BLOCK: usize = 2_048;

/// Who labels.
pub(crate) enum Judge {
    /// Grades by query and pin; what is above 4 counts as 4, a pair without a grade gets no label.
    People(HashMap<(String, String), usize>),
    /// The teacher that was learned.
    Teacher(Box<Teacher>),
    /// A model elsewhere.
    Endpoint(Box<Endpoint>),
}

impl Judge {
    /// Grades of a file.
    pub(crate) fn people(queries: &[JudgedQuery]) -> Judge {
        let of = |query: &JudgedQuery| {
            let text = query.text.clone();
            let level = |grade: &f32| (grade.round().max(0.0) as usize).min(models::LEVELS - 1);
            let grades = query.grades.iter().map(|(pin, grade)| (pin.clone(), level(grade)));
            grades.map(move |(pin, level)| ((text.clone(), pin), level)).collect::<Vec<_>>()
        };
        Judge::People(queries.iter().flat_map(of).collect())
    }

    fn label(&self, pipeline: &Pipeline, setup: &Setup, pairs: &[Pair]) -> Result<Vec<Label>> {
        match self {
            Judge::People(grades) => {
                let label = |pair: &Pair| {
                    let level = *grades.get(&(pair.query.clone(), pair.pin.clone()))?;
                    let (query, pin) = (pair.query.clone(), pair.pin.clone());
                    Some(Label { query, pin, level, chances: None, by: "people".into() })
                };
                Ok(pairs.iter().filter_map(label).collect())
            }
            Judge::Teacher(teacher) => {
                let quiet = Progress::quiet();
                let (data, places) = data_of(pipeline, &setup.config.params, (pairs, now_ms()), &quiet, &setup.stop)?;
                let found = teach(teacher, &data, &(0..data.pins.len()).collect::<Vec<_>>());
                let label = |(place, levels): (&usize, &models::Levels)| Label {
                    query: pairs[*place].query.clone(),
                    pin: pairs[*place].pin.clone(),
                    level: likeliest_level(levels),
                    chances: Some(*levels),
                    by: format!("teacher {}", teacher.version()),
                };
                Ok(places.iter().zip(&found).map(label).collect())
            }
            // It is asked a pair at a time, see `ask`.
            Judge::Endpoint(_) => Ok(Vec::new()),
        }
    }
}

/// What an endpoint is told of pairs whose pins are there.
fn questions(pipeline: &Pipeline, pairs: &[Pair]) -> Vec<Question> {
    let catalogue = pipeline.views().catalogue();
    let question = |(place, pair): (usize, &Pair)| {
        let view = catalogue.pin_view(catalogue.pin(&pair.pin)?)?;
        let topics: Vec<&str> = view.topics().collect();
        let (title, description) = (view.title.to_owned(), view.description.to_owned());
        let pin = PinWords { title, description, topics: topics.join(", ") };
        Some(Question { place, query: pair.query.clone(), pin })
    };
    pairs.iter().enumerate().filter_map(question).collect()
}

/// Asks an endpoint about pairs; each answer is written as it comes.
fn ask(
    endpoint: &Endpoint,
    questions: &[Question],
    pairs: &[Pair],
    (file, progress, setup): (&mut LabelFile, &Progress, &Setup),
) -> Result<Asked> {
    endpoint.ask(questions, progress, &setup.stop, |place, level| {
        let Pair { query, pin, .. } = pairs[place].clone();
        file.add(&[Label { query, pin, level, chances: None, by: endpoint.name() }])
    })
}

/// Labels pairs that have no label yet, block by block; what is written stays when it is stopped. Gives how many were
/// new.
pub(crate) fn label_all(
    judge: &Judge,
    pipeline: &Pipeline,
    setup: &Setup,
    pairs: &[Pair],
    file: &mut LabelFile,
) -> Result<usize> {
    let open: Vec<Pair> = pairs.iter().filter(|pair| !file.has(&pair.query, &pair.pin)).cloned().collect();
    let (progress, before) = (Progress::new("label", open.len() as u64), file.len());
    if let Judge::Endpoint(endpoint) = judge {
        let asked = ask(endpoint, &questions(pipeline, &open), &open, (file, &progress, setup))?;
        progress.finish(&format!(
            "{} answers ({} kept from before), {} not readable, {} left for want of budget; {} + {} tokens, cost {:.4}",
            asked.answered,
            asked.cached,
            asked.failed,
            asked.left,
            thousands(asked.tokens[0]),
            thousands(asked.tokens[1]),
            asked.cost
        ));
        return Ok(file.len() - before);
    }
    for block in open.chunks(BLOCK) {
        setup.stop.check()?;
        file.add(&judge.label(pipeline, setup, block)?)?;
        progress.add(block.len() as u64);
    }
    let new = file.len() - before;
    progress.finish(&format!("{} labels, {} were there already", thousands(new as u64), pairs.len() - open.len()));
    Ok(new)
}
