//! Two rankings of the same queries, compared on a paired sample of strata.

use super::Kept;
use super::pairs::{data_of, unlabelled};
use super::strata::{Asked, Effect, PILOT, Stratum, allocate, effect, strata};
use crate::import::JudgedQuery;
use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use domain::{Params, PinId, Request, Subject, Surface};
use models::{Levels, Student, Teacher, expected_level};
use serde_json::{Value, json};
use serving::Pipeline;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use store::Blobs;
use train::teach;

/// How deep rankings are judged.
const DEPTH: usize = 20;
/// How many of the first count for precision.
const FIRST: usize = 8;
/// Levels from here on are right.
const RIGHT: f32 = 2.5;

/// A ranking to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arm {
    /// Bounded by what the live student judges.
    Student,
    /// Bounded by the words that pins have.
    Words,
    /// Not bounded by relevance.
    Unbounded,
}

/// Who judges.
enum Judging {
    People(HashMap<(String, String), f32>),
    Teacher(Box<Teacher>),
}

/// What is compared.
pub(crate) struct Comparing {
    pub arms: [Arm; 2],
    /// Queries that are judged in all.
    pub queries: usize,
    pub seed: u64,
}

/// What came of it, per metric.
pub(crate) struct Compared {
    strata: Vec<(String, usize, usize)>,
    effects: [(&'static str, Effect); 2],
}

/// Queries of a file: `id`, a tab, the text and, behind another tab, how often it was asked.
pub(crate) fn read_asked(path: &Path) -> Result<Vec<Asked>> {
    let all = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut asked = Vec::new();
    for (number, line) in all.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut cells = line.split('\t');
        let (_, text, times) = (cells.next(), cells.next(), cells.next());
        let text = text.with_context(|| format!("{}: line {} has no text", path.display(), number + 1))?;
        let times = times.map_or(Ok(1), |times| times.trim().parse());
        let times = times.with_context(|| format!("{}: line {}: how often?", path.display(), number + 1))?;
        asked.push(Asked { text: text.trim().to_owned(), times });
    }
    ensure!(asked.len() >= 2, "{} holds {} queries", path.display(), asked.len());
    Ok(asked)
}

/// Compares two rankings: a pilot of each stratum, then as many queries more where they differ most.
pub(crate) fn compare(
    setup: &Setup,
    (pipeline, blobs): (&Pipeline, &Blobs),
    queries: &[Asked],
    people: Option<&[JudgedQuery]>,
    comparing: &Comparing,
) -> Result<Compared> {
    let kept = Kept::new(blobs.clone());
    let judging = match people {
        Some(judged) => Judging::People(
            judged
                .iter()
                .flat_map(|query| query.grades.iter().map(|(pin, grade)| ((query.text.clone(), pin.clone()), *grade)))
                .collect(),
        ),
        None => Judging::Teacher(Box::new(kept.teacher()?)),
    };
    let student = kept.live()?.map(|version| kept.student(&version)).transpose()?.map(Arc::new);
    ensure!(
        student.is_some() || !comparing.arms.contains(&Arm::Student),
        "no student was learned yet: `bowerbird relevance train --labels FILE` learns one"
    );
    let asking = Asking { setup, pipeline, student, judging, now_ms: now_ms(), arms: comparing.arms };
    let mut of_precision = strata(queries, comparing.seed);
    let mut of_ndcg = of_precision.clone();
    let total = comparing.queries.min(queries.len());
    let progress = Progress::new("compare", total as u64);
    let mut judge = |counts: &dyn Fn(usize, &Stratum) -> usize| -> Result<Vec<usize>> {
        for at in 0..of_precision.len() {
            let to = counts(at, &of_precision[at]).min(of_precision[at].queries.len());
            for place in of_precision[at].differences.len()..to {
                setup.stop.check()?;
                let [precision, ndcg] = asking.differences(&queries[of_precision[at].queries[place]].text)?;
                of_precision[at].differences.push(precision);
                of_ndcg[at].differences.push(ndcg);
                progress.add(1);
            }
        }
        Ok(allocate(&of_ndcg, total))
    };
    let counts = judge(&|_, _| PILOT)?;
    judge(&|at, _| counts[at])?;
    progress.finish("judged");
    let told = of_ndcg.iter().map(|of| (of.name.clone(), of.queries.len(), of.differences.len())).collect();
    Ok(Compared { strata: told, effects: [("P@8", effect(&of_precision)), ("ndcg@20", effect(&of_ndcg))] })
}

/// What asks and judges.
struct Asking<'a> {
    setup: &'a Setup,
    pipeline: &'a Pipeline,
    student: Option<Arc<Student>>,
    judging: Judging,
    now_ms: u64,
    arms: [Arm; 2],
}

impl Asking<'_> {
    /// The first arm's precision and nDCG less the second's.
    fn differences(&self, query: &str) -> Result<[f64; 2]> {
        let ranked = self.arms.map(|arm| self.ranked(arm, query));
        let mut pins: Vec<PinId> = ranked.iter().flatten().copied().collect();
        pins.sort_unstable();
        pins.dedup();
        let levels = self.levels(query, &pins)?;
        let level = |pin: &PinId| pins.binary_search(pin).map_or(0.0, |at| levels[at]);
        let mut ideal = levels.clone();
        ideal.sort_unstable_by(|a, b| b.total_cmp(a));
        let gain = |levels: &mut dyn Iterator<Item = f32>| -> f64 {
            levels.take(DEPTH).enumerate().map(|(at, level)| f64::from(level) / (at as f64 + 2.0).log2()).sum()
        };
        let best = gain(&mut ideal.into_iter()).max(1e-9);
        let of = |ranked: &Vec<PinId>| {
            let right = ranked.iter().take(FIRST).filter(|pin| level(pin) >= RIGHT).count();
            [right as f64 / FIRST as f64, gain(&mut ranked.iter().map(level)) / best]
        };
        let [a, b] = [of(&ranked[0]), of(&ranked[1])];
        Ok([a[0] - b[0], a[1] - b[1]])
    }

    fn ranked(&self, arm: Arm, query: &str) -> Vec<PinId> {
        let mut params: Params = self.setup.config.params.clone().for_evaluation();
        params.relevance.on = arm != Arm::Unbounded;
        let student = if arm == Arm::Student { self.student.clone() } else { None };
        self.pipeline.views().install_student(student);
        let subject = Subject::Query(query.to_owned());
        let request = Request { subject, limit: DEPTH, ..Request::new(Surface::Search, self.now_ms, 1) };
        let mut pins = self.pipeline.evaluate_now(request, &params, DEPTH).slate;
        pins.truncate(DEPTH);
        pins
    }

    /// The levels of pins; what nobody graded is 0.
    fn levels(&self, query: &str, pins: &[PinId]) -> Result<Vec<f32>> {
        let keys: Vec<String> = {
            let catalogue = self.pipeline.views().catalogue();
            pins.iter().map(|pin| catalogue.pin_key(*pin).to_owned()).collect()
        };
        match &self.judging {
            Judging::People(grades) => {
                let grade = |pin: String| grades.get(&(query.to_owned(), pin)).copied().unwrap_or(0.0);
                Ok(keys.into_iter().map(grade).collect())
            }
            Judging::Teacher(teacher) => {
                let pairs: Vec<_> = keys.iter().map(|pin| unlabelled(query, pin)).collect();
                let (quiet, params) = (Progress::quiet(), &self.setup.config.params);
                let (data, places) = data_of(self.pipeline, params, (&pairs, self.now_ms), &quiet, &self.setup.stop)?;
                let found: Vec<Levels> = teach(teacher, &data, &(0..data.pins.len()).collect::<Vec<_>>());
                let mut levels = vec![0.0; pins.len()];
                places.iter().zip(&found).for_each(|(place, of)| levels[*place] = expected_level(of));
                Ok(levels)
            }
        }
    }
}

impl Compared {
    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let strata: Vec<Value> = self
            .strata
            .iter()
            .map(|(name, queries, judged)| json!({ "name": name, "queries": queries, "judged": judged }))
            .collect();
        let mut told = json!({ "strata": strata });
        for (name, effect) in &self.effects {
            told[*name] = json!({
                "difference": effect.mean, "interval": effect.interval(), "detectable": effect.detectable,
                "detectable_unstratified": effect.detectable_unstratified, "queries": effect.judged,
            });
        }
        told
    }

    /// As lines on stdout.
    pub(crate) fn print(&self) {
        for (name, queries, judged) in &self.strata {
            println!("{name}: {judged} of {queries} queries judged");
        }
        for (name, effect) in &self.effects {
            let [low, high] = effect.interval();
            println!(
                "{name}: {:+.4} ({low:+.4} to {high:+.4}); {:.4} would be found in 80 of 100 cases, {:.4} by a simple \
                 draw of as many",
                effect.mean, effect.detectable, effect.detectable_unstratified
            );
        }
    }
}
