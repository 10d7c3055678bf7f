//! `bowerbird relevance`: labels, a teacher, a student.

use crate::ask::is_locked;
use crate::engine::{Engine, Reading};
use crate::import::{JudgedQuery, read_judged};
use crate::output::{print_json, print_table, thousands};
use crate::progress::Progress;
use crate::relevance::{
    Agreement, Arm, CHECKPOINT, Comparing, Drawing, Endpoint, Graded, Judge, Kept, LabelFile, Pair, audit, compare,
    data_of, draw, grade_attributes, label_all, learn_student, learn_teacher, pairs_of, read_asked, read_queries,
    unlabelled,
};
use crate::setup::{Setup, now_ms};
use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// How well pins answer queries, in five levels from 0 (not at all) to 4 (just what was asked for).
///
///   bowerbird relevance grade products.csv --to graded           graded queries of a table of attributes
///   bowerbird relevance label --by people --queries Q --qrels R --to labels.jsonl
///   bowerbird relevance train --teacher --labels labels.jsonl    a teacher that reads query and pin together
///   bowerbird relevance label --by teacher --queries POOL --to more.jsonl
///   bowerbird relevance train --labels more.jsonl                the student that serves, live at once
///   bowerbird eval --protocol relevance --queries Q --qrels R    how good both are, and what they cost
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write graded queries of a table of products: colour, gender and type, and how many of them match. Import titles
    /// and pictures alone (`import fashion --bare`), so that no model sees the columns that the grades are made of.
    Grade(Grade),
    /// Label pairs of queries and pins, into a file that is gone on with.
    Label(Label),
    /// Learn from labels: the student that serves, or the teacher.
    Train(Train),
    /// Compare two rankings of the same queries on a stratified sample, paired, and tell what difference that finds.
    Compare(Compare),
}

#[derive(Debug, clap::Args)]
struct Compare {
    /// What was typed: `id`, a tab, the text and, behind another tab, how often it was asked. Strata are thirds of all
    /// that was asked and lengths of queries.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Grades of people; without them the teacher judges.
    #[arg(long, value_name = "FILE")]
    qrels: Option<PathBuf>,
    /// The ranking that is looked at …
    #[arg(long, default_value = "student")]
    a: Arm,
    /// … and the one that it is compared with.
    #[arg(long, default_value = "words")]
    b: Arm,
    /// Queries that are judged in all.
    #[arg(long, default_value_t = 200)]
    sample: usize,
    /// Seed of the draw.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
struct Grade {
    /// The table: id, gender, subCategory, articleType, baseColour.
    table: PathBuf,
    /// The folder that is written to.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Queries to learn from, and to test with; all others go to a pool for the teacher.
    #[arg(long, default_value_t = 300)]
    train: usize,
    /// See --train.
    #[arg(long, default_value_t = 150)]
    test: usize,
    /// Graded pins of each query.
    #[arg(long, default_value_t = 40)]
    pins: usize,
    /// Seed of the draw.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
struct Label {
    /// Who labels.
    #[arg(long)]
    by: By,
    /// What was typed: `id`, a tab and the text a line.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Grades of people, `query 0 pin grade` a line. A teacher and an endpoint label these pairs, and their agreement
    /// is told; without it, pairs are drawn of what the present search finds.
    #[arg(long, value_name = "FILE")]
    qrels: Option<PathBuf>,
    /// The file of labels; pairs that it has are not labelled again.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Labels in all, at most.
    #[arg(long, default_value_t = 10_000)]
    pairs: usize,
    /// Pins of each query: most of them found by the present search, from all depths.
    #[arg(long, default_value_t = 40)]
    per_query: usize,
    /// Print so many labels of all levels, for people to look at.
    #[arg(long, value_name = "N", default_value_t = 0)]
    audit: usize,
    /// Seed of the draw.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// The grades of --qrels.
    People,
    /// The teacher that `relevance train --teacher` learned.
    Teacher,
    /// The OpenAI-compatible endpoint of [relevance] in bowerbird.toml.
    Endpoint,
}

#[derive(Debug, clap::Args)]
struct Train {
    /// Files of labels.
    #[arg(long, value_name = "FILE", required = true)]
    labels: Vec<PathBuf>,
    /// Learn the teacher instead of the student.
    #[arg(long)]
    teacher: bool,
    /// Passes over the labels [default: so many that about 60,000 are read for a teacher, 600,000 for a student].
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    match &args.what {
        What::Grade(args) => grade(args, setup),
        What::Label(args) => label(args, setup),
        What::Train(args) => train(args, setup),
        What::Compare(args) => compared(args, setup),
    }
}

fn grade(args: &Grade, setup: &Setup) -> Result<()> {
    let graded = Graded { train: args.train, test: args.test, per_query: args.pins, seed: args.seed };
    let [train, test, pool] = grade_attributes(&args.table, &args.to, graded)?;
    match setup.json {
        true => print_json(&json!({ "train": train, "test": test, "pool": pool })),
        false => println!("{}: {train} queries to learn from, {test} to test with, {pool} ungraded", args.to.display()),
    }
    Ok(())
}

/// What the data directory holds; a server may have it.
pub(crate) fn reading(setup: &Setup) -> Result<Reading> {
    match Engine::open(setup) {
        Ok(engine) => drop(engine),
        Err(error) if is_locked(&error) => {}
        Err(error) => return Err(error),
    }
    Reading::open(setup)
}

fn label(args: &Label, setup: &Setup) -> Result<()> {
    let people = args.qrels.as_ref().map(|qrels| read_judged(&args.queries, qrels)).transpose()?;
    if people.is_none() && args.by == By::People {
        bail!("--by people needs --qrels FILE");
    }
    let data = reading(setup)?;
    let pipeline = data.pipeline();
    let mut file = LabelFile::append(&args.to)?;
    let judge = judge(args, setup, &data, people.as_deref())?;
    let mut pairs = match &people {
        Some(judged) => {
            let pairs = judged.iter().flat_map(|query| query.grades.keys().map(|pin| unlabelled(&query.text, pin)));
            pairs.collect::<Vec<Pair>>()
        }
        None => {
            let drawing =
                Drawing { per_query: args.per_query, pairs_max: args.pairs, seed: args.seed, now_ms: now_ms() };
            let queries = read_queries(&args.queries)?;
            draw(&pipeline, &setup.config.params, &queries, drawing, &setup.stop)?
        }
    };
    pairs.truncate(args.pairs);
    let new = label_all(&judge, &pipeline, setup, &pairs, &mut file)?;
    let count = file.len();
    drop(file);
    told(args, setup, &data, people.as_deref(), (new, count))
}

/// How many labels there are, how far they agree with people's, and some of them.
fn told(
    args: &Label,
    setup: &Setup,
    data: &Reading,
    people: Option<&[JudgedQuery]>,
    (new, count): (usize, usize),
) -> Result<()> {
    let looked_at = args.audit > 0 || people.is_some();
    let labels = if looked_at && count > 0 { LabelFile::read(&args.to)? } else { Vec::new() };
    let agreement = people.filter(|_| args.by != By::People).map(|judged| match Judge::people(judged) {
        Judge::People(grades) => Agreement::of(&labels, &grades),
        _ => Agreement::default(),
    });
    let sample = audit(&labels, args.audit, args.seed);
    if setup.json {
        let sample: Vec<_> = sample.iter().map(|label| json!(label)).collect();
        let agreement = agreement.as_ref().map(Agreement::json);
        print_json(&json!({ "new": new, "labels": count, "agreement": agreement, "audit": sample }));
        return Ok(());
    }
    println!("{}: {} labels, {} new", args.to.display(), thousands(count as u64), thousands(new as u64));
    agreement.iter().for_each(|agreement| println!("{}", agreement.words()));
    if !sample.is_empty() {
        let catalogue = data.views.catalogue();
        let title =
            |pin: &str| catalogue.pin(pin).and_then(|pin| catalogue.pin_view(pin)).map_or("", |view| view.title);
        let row = |label: &&crate::relevance::Label| {
            [label.level.to_string(), label.query.clone(), title(&label.pin).to_owned(), label.pin.clone()].to_vec()
        };
        let headings = ["level", "query", "title", "pin"].map(str::to_owned);
        print_table(&headings, &sample.iter().map(row).collect::<Vec<_>>());
    }
    Ok(())
}

fn judge(args: &Label, setup: &Setup, data: &Reading, people: Option<&[JudgedQuery]>) -> Result<Judge> {
    Ok(match (args.by, people) {
        (By::People, judged) => Judge::people(judged.unwrap_or_default()),
        (By::Teacher, _) => Judge::Teacher(Box::new(Kept::new(data.blobs.clone()).teacher()?)),
        (By::Endpoint, _) => {
            Judge::Endpoint(Box::new(Endpoint::open(&setup.config.relevance, &setup.folder("relevance.answers"))?))
        }
    })
}

fn compared(args: &Compare, setup: &Setup) -> Result<()> {
    let queries = read_asked(&args.queries)?;
    let people = args.qrels.as_ref().map(|qrels| read_judged(&args.queries, qrels)).transpose()?;
    let data = reading(setup)?;
    data.install_live()?;
    let comparing = Comparing { arms: [args.a, args.b], queries: args.sample, seed: args.seed };
    let found = compare(setup, (&data.pipeline(), &data.blobs), &queries, people.as_deref(), &comparing)?;
    match setup.json {
        true => print_json(&found.json()),
        false => found.print(),
    }
    Ok(())
}

fn train(args: &Train, setup: &Setup) -> Result<()> {
    let mut labels = Vec::new();
    for path in &args.labels {
        labels.extend(LabelFile::read(path)?);
    }
    let pairs = pairs_of(&labels);
    let data = reading(setup)?;
    let kept = Kept::new(data.blobs.clone());
    let progress = Progress::new("read", pairs.len() as u64);
    let now_ms = now_ms();
    let (learned, _) = data_of(&data.pipeline(), &setup.config.params, (&pairs, now_ms), &progress, &setup.stop)?;
    progress.finish(&format!("{} pairs of {} queries", thousands(learned.pins.len() as u64), learned.queries.len()));
    let (what, version, bytes) = if args.teacher {
        let teacher = learn_teacher(setup, &learned, args.epochs)?;
        kept.keep_teacher(&teacher)?;
        setup.forget(CHECKPOINT)?;
        ("teacher", teacher.version().to_owned(), teacher.to_bytes().len())
    } else {
        let student = learn_student(setup, &learned, args.epochs)?;
        kept.keep_student(&student)?;
        ("student", student.version().to_owned(), student.to_bytes().len())
    };
    match setup.json {
        true => print_json(&json!({ what: version, "labels": learned.pins.len(), "bytes": bytes })),
        false => println!("{what} {version}: {} labels, {} bytes", thousands(learned.pins.len() as u64), bytes),
    }
    Ok(())
}
