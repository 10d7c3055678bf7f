//! How good are the relevance models, by graded pairs, and what do they cost?

use crate::import::JudgedQuery;
use crate::output::{print_table, thousands};
use crate::progress::Progress;
use crate::relevance::{
    Drawing, Judge, Kept, Label, LabelFile, Pair, data_of, draw, judged_by_student, label_all, learn_student,
    one_level, pairs_of, read_queries,
};
use crate::setup::{Setup, now_ms};
use anyhow::Result;
use domain::{PinId, Request, Subject, Surface};
use models::{LEVELS, Levels, Student, Teacher, expected_level, levels_before_learning};
use serde_json::{Map, Value, json};
use serving::Pipeline;
use std::path::PathBuf;
use std::time::Instant;
use store::Blobs;
use train::{RelevanceData, graded_ndcg_at, level_accuracy, level_calibration, level_log_loss, teach};

/// Grades from here on are right answers.
const RIGHT: usize = 3;
/// How many times as many labels of the teacher are learned from.
const TIMES: [usize; 3] = [1, 3, 10];
/// Pairs that costs are measured with, and how often.
const TIMED: usize = 500;
const TIMED_QUERIES: usize = 32;
const ROUNDS: usize = 3;

/// What the distillation table is made of.
#[derive(Clone, Debug)]
pub(crate) struct Distilling {
    /// Labels of people, the first row.
    pub labels: PathBuf,
    /// Queries that the teacher labels.
    pub pool: PathBuf,
    /// Where its labels are kept, and gone on with.
    pub taught: PathBuf,
    pub per_query: usize,
    pub seed: u64,
}

/// What one model says of the graded pairs.
struct Said {
    name: String,
    ndcg: f64,
    right: f64,
    accuracy: f64,
    near: f64,
    log_loss: f64,
    calibration: f64,
    /// Seconds of one thread a pair, reading included.
    seconds: Option<f64>,
}

/// Figures of all models.
pub(crate) struct RelevanceFigures {
    protocol: String,
    pairs: usize,
    queries: usize,
    said: Vec<Said>,
    distilled: Vec<(String, usize, f64, f64)>,
}

/// Judges the graded pairs by words alone, by the live student and by the teacher, as far as there are such.
pub(crate) fn measure_relevance(
    setup: &Setup,
    (pipeline, blobs): (&Pipeline, &Blobs),
    queries: &[JudgedQuery],
    protocol: String,
    distilling: Option<&Distilling>,
) -> Result<RelevanceFigures> {
    let pair = |query: &JudgedQuery, pin: &str, grade: f32| {
        let level = (grade.round().max(0.0) as usize).min(LEVELS - 1);
        Pair { query: query.text.clone(), pin: pin.to_owned(), levels: one_level(level) }
    };
    let pairs: Vec<Pair> = queries
        .iter()
        .flat_map(|query| query.grades.iter().map(move |(pin, &grade)| pair(query, pin, grade)))
        .collect();
    let progress = Progress::new("read", pairs.len() as u64);
    let (data, _) = data_of(pipeline, &setup.config.params, (&pairs, now_ms()), &progress, &setup.stop)?;
    progress.finish(&format!("{} pairs of {} queries", thousands(data.pins.len() as u64), data.queries.len()));
    let kept = Kept::new(blobs.clone());
    let student = kept.live()?.map(|version| kept.student(&version)).transpose()?;
    let teacher = kept.teacher().ok();
    let mut said = vec![said_of("words", &data, &by_words(&data))];
    let serves = seconds(setup, pipeline, &pairs);
    said[0].seconds = Some(serves[0]);
    if let Some(student) = &student {
        let mut of = said_of(&format!("student {}", student.version()), &data, &judged_by_student(student, &data));
        of.seconds = Some(serves[1]);
        said.push(of);
    }
    if let Some(teacher) = &teacher {
        said.push(of_teacher(teacher, &data, serves[0])?);
    }
    let mut figures =
        RelevanceFigures { protocol, pairs: data.pins.len(), queries: data.queries.len(), said, distilled: Vec::new() };
    if let (Some(distilling), Some(teacher)) = (distilling, teacher) {
        figures.distilled = distilled(setup, pipeline, (distilling, teacher), &data)?;
    }
    Ok(figures)
}

fn of_teacher(teacher: &Teacher, data: &RelevanceData, reading: f64) -> Result<Said> {
    let all: Vec<usize> = (0..data.pins.len()).collect();
    let mut of = said_of(&format!("teacher {}", teacher.version()), data, &teach(teacher, data, &all));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let teach_some = |data: &RelevanceData| {
        let all: Vec<usize> = (0..data.pins.len()).collect();
        one.install(|| drop(teach(teacher, data, &all)));
    };
    of.seconds = Some(reading + timed(data, teach_some));
    Ok(of)
}

/// Levels without anything learned.
fn by_words(data: &RelevanceData) -> Vec<Levels> {
    data.pins.iter().map(|pin| levels_before_learning(&pin.features, 0.0)).collect()
}

/// Seconds a pair of a judgement alone: the best of some rounds, on a part of the pairs.
fn timed(data: &RelevanceData, judge: impl Fn(&RelevanceData)) -> f64 {
    let mut part = data.clone();
    part.pins.truncate(TIMED);
    let round = |_| {
        let since = Instant::now();
        judge(&part);
        since.elapsed().as_secs_f64() / part.pins.len().max(1) as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

/// Seconds of one thread a pin as served, by the words alone and by the live student: queries with as many pins as a
/// search judges.
fn seconds(setup: &Setup, pipeline: &Pipeline, pairs: &[Pair]) -> [f64; 2] {
    let mut pins: Vec<PinId> = {
        let catalogue = pipeline.views().catalogue();
        pairs.iter().filter_map(|pair| catalogue.pin(&pair.pin)).collect()
    };
    pins.sort_unstable();
    pins.dedup();
    pins.truncate(TIMED);
    let queries: Vec<&str> = pairs.chunk_by(|a, b| a.query == b.query).map(|of| of[0].query.as_str()).collect();
    let took = |query: &&str| {
        let subject = Subject::Query((*query).to_owned());
        let request = Request { subject, limit: 1, ..Request::new(Surface::Search, now_ms(), 1) };
        pipeline.relevance_took(request, &pins, &setup.config.params).as_secs_f64()
    };
    let round = |_| queries.iter().take(TIMED_QUERIES).map(took).sum::<f64>();
    let best = || (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min);
    let all = (queries.len().min(TIMED_QUERIES) * pins.len()).max(1) as f64;
    let served = best() / all;
    let student = pipeline.views().student();
    pipeline.views().install_student(None);
    let words = best() / all;
    pipeline.views().install_student(student);
    [words, served]
}

fn said_of(name: &str, data: &RelevanceData, found: &[Levels]) -> Said {
    let labels: Vec<usize> = (0..data.pins.len()).map(|pin| data.level(pin)).collect();
    let near = |(levels, label): (&Levels, &usize)| models::likeliest_level(levels).abs_diff(*label) <= 1;
    let (mut ndcg, mut right, mut count) = (0.0, 0.0, 0usize);
    let mut start = 0;
    for pins in data.pins.chunk_by(|a, b| a.query == b.query) {
        let places = start..start + pins.len();
        start += pins.len();
        let pin = |place: usize| PinId(place as u32);
        let mut ranked: Vec<usize> = places.clone().collect();
        ranked.sort_by(|&a, &b| expected_level(&found[b]).total_cmp(&expected_level(&found[a])));
        let grades: Vec<(PinId, f32)> = places.map(|place| (pin(place), labels[place] as f32)).collect();
        let pins: Vec<PinId> = ranked.iter().map(|&place| pin(place)).collect();
        ndcg += graded_ndcg_at(&pins, &grades, 20);
        right += ranked.iter().take(8).filter(|&&place| labels[place] >= RIGHT).count() as f64 / 8.0;
        count += 1;
    }
    let mean = |sum: f64| sum / count.max(1) as f64;
    Said {
        name: name.to_owned(),
        ndcg: mean(ndcg),
        right: mean(right),
        accuracy: level_accuracy(found, &labels),
        near: found.iter().zip(&labels).filter(|pair| near(*pair)).count() as f64 / labels.len().max(1) as f64,
        log_loss: level_log_loss(found, &labels),
        calibration: level_calibration(found, &labels),
        seconds: None,
    }
}

/// Students of as many labels as people gave, and of more that the teacher gave; how good each is.
fn distilled(
    setup: &Setup,
    pipeline: &Pipeline,
    (distilling, teacher): (&Distilling, Teacher),
    test: &RelevanceData,
) -> Result<Vec<(String, usize, f64, f64)>> {
    let people = LabelFile::read(&distilling.labels)?;
    let mut rows = Vec::new();
    let mut learn = |name: String, labels: &[Label]| -> Result<()> {
        let pairs = pairs_of(labels);
        let progress = Progress::new("read", pairs.len() as u64);
        let (data, _) = data_of(pipeline, &setup.config.params, (&pairs, now_ms()), &progress, &setup.stop)?;
        progress.finish(&format!("{} labels", thousands(pairs.len() as u64)));
        let student: Student = learn_student(setup, &data, None)?;
        let of = said_of(&name, test, &judged_by_student(&student, test));
        rows.push((name, labels.len(), of.accuracy, of.ndcg));
        Ok(())
    };
    learn("people × 1".to_owned(), &people)?;
    let most = people.len() * TIMES[TIMES.len() - 1];
    let drawing = Drawing { per_query: distilling.per_query, pairs_max: most, seed: distilling.seed, now_ms: now_ms() };
    let queries = read_queries(&distilling.pool)?;
    let pairs = draw(pipeline, &setup.config.params, &queries, drawing, &setup.stop)?;
    let mut file = LabelFile::append(&distilling.taught)?;
    label_all(&Judge::Teacher(Box::new(teacher)), pipeline, setup, &pairs, &mut file)?;
    drop(file);
    let taught = LabelFile::read(&distilling.taught)?;
    for times in TIMES {
        let count = (people.len() * times).min(taught.len());
        learn(format!("teacher × {times}"), &taught[..count])?;
    }
    let both: Vec<Label> = people.iter().chain(&taught).cloned().collect();
    learn("people and teacher".to_owned(), &both)?;
    Ok(rows)
}

impl RelevanceFigures {
    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let said = self.said.iter().map(|of| {
            let figures = json!({
                "ndcg@20": of.ndcg, "precision@8": of.right, "accuracy": of.accuracy, "within_one": of.near,
                "log_loss": of.log_loss, "calibration_error": of.calibration, "seconds_a_pair": of.seconds,
                "version": of.name.split_once(' ').map(|(_, version)| version),
            });
            (of.name.split(' ').next().unwrap_or_default().to_owned(), figures)
        });
        let rows: Vec<Value> = self
            .distilled
            .iter()
            .map(|(name, labels, accuracy, ndcg)| {
                json!({ "labels_of": name, "labels": labels, "accuracy": accuracy, "ndcg@20": ndcg })
            })
            .collect();
        let mut figures: Map<String, Value> = said.collect();
        figures.insert("protocol".into(), json!(self.protocol));
        figures.insert("pairs".into(), self.pairs.into());
        figures.insert("queries".into(), self.queries.into());
        figures.insert("cost_ratio".into(), json!(self.ratio()));
        figures.insert("distilled".into(), rows.into());
        figures.into()
    }

    /// How many times as much as the student the teacher costs.
    fn ratio(&self) -> Option<f64> {
        let seconds = |of: &str| self.said.iter().find(|said| said.name.starts_with(of))?.seconds;
        Some(seconds("teacher")? / seconds("student")?)
    }

    /// As tables on stdout.
    pub(crate) fn print(&self) {
        println!("{}", self.protocol);
        println!("{} pairs of {} queries\n", thousands(self.pairs as u64), thousands(self.queries as u64));
        let headings = ["", "ndcg@20", "P@8", "accuracy", "within 1", "log loss", "ECE", "µs a pair"];
        let row = |of: &Said| {
            let figures = [of.ndcg, of.right, of.accuracy, of.near, of.log_loss, of.calibration];
            let seconds = of.seconds.map_or(String::new(), |seconds| format!("{:.2}", seconds * 1e6));
            let figures = figures.map(|figure| format!("{figure:.4}"));
            std::iter::once(of.name.clone()).chain(figures).chain([seconds]).collect::<Vec<String>>()
        };
        print_table(&headings.map(str::to_owned), &self.said.iter().map(row).collect::<Vec<_>>());
        if let Some(ratio) = self.ratio() {
            println!("\nthe teacher costs {ratio:.0} times as much as the student");
        }
        if !self.distilled.is_empty() {
            println!();
            let row = |(name, labels, accuracy, ndcg): &(String, usize, f64, f64)| {
                vec![name.clone(), thousands(*labels as u64), format!("{accuracy:.4}"), format!("{ndcg:.4}")]
            };
            let headings = ["student of", "labels", "accuracy", "ndcg@20"].map(str::to_owned);
            print_table(&headings, &self.distilled.iter().map(row).collect::<Vec<_>>());
        }
    }
}
