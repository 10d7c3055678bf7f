//! `bowerbird bench ablation`: what each part of the recipe is worth, on the data at hand.

mod fusion;
mod measure;
mod split;
mod tables;

use crate::output::{print_json, print_table};
use crate::progress::Progress;
use crate::setup::{Setup, now_ms};
use crate::stop::Interrupted;
use ::train::{Dataset, Device, Session, TrainConfig, TrainError, fit};
use anyhow::{Context, Result, ensure};
use measure::{Claim, Measured};
use models::Model;
use serde_json::{Value, json};
use split::Way;
use tables::{Table, Variant};

/// Trains with and without a part of the recipe, on the same data, with the same seeds, and measures both on what was
/// held out. A table tells means, 95 % intervals, and of each published order whether it is found here: the difference
/// of the same pinners, with its interval.
///
///   negatives   which pins of a large catalogue are sampled, and whether that is corrected for
///   targets     what comes next against much of what comes later, with user vectors that grow old
///   neighbours  pins pool their graph neighbours, or not
///   fresh       pins with contents that nobody ever acted on, by how often known pins lose their ids while learning
///   fusion      chances of acts without the sequence model, with its score, with candidates that went through the
///               trunk beside the history, and that without what was done to the pins of the history; wants 10,000
///               impressions
///
/// Sequences that were imported as such are asked for their last pin, what has times for what was done later, anything
/// else for a drawn fifth of each pinner's pins. Retrieval is measured alone: all pins, by user vector · pin vector.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Which table.
    #[arg(long)]
    table: Table,
    /// With so many seeds is each variant trained; a pinner's figures are means over them.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// This share of what was done, the latest, is looked for, where there are times.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    later: f64,
    /// Ask for so many pinners only.
    #[arg(long, value_name = "N")]
    pinners: Option<usize>,
    /// What computes the steps of the sequence model: `cpu` or `gpu`.
    #[arg(long, default_value = "cpu")]
    device: Device,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    ensure!((1..=100).contains(&args.seeds), "--seeds must be 1 to 100");
    ensure!(args.later > 0.0 && args.later < 1.0, "--later: {} is not between 0 and 1", args.later);
    setup.must_exist()?;
    let figures = match args.table {
        Table::Fusion => fusion::figures(args, setup)?,
        table => retrieval(table, args, setup)?,
    };
    match setup.json {
        true => print_json(&figures),
        false => print(&figures),
    }
    Ok(())
}

/// A table of variants of the sequence model.
fn retrieval(table: Table, args: &Args, setup: &Setup) -> Result<Value> {
    let halves = split::halves(table, args, setup)?;
    let base = table.base(&setup.config.train, halves.data.pins);
    let ages = if table == Table::Targets { halves.ages() } else { vec![0] };
    let bare = Dataset { neighbours: Vec::new(), ..halves.data.clone() };
    let mut found: Vec<(String, Option<f64>, Measured)> = Vec::new();
    for variant in table.variants() {
        let data = if variant.neighbours { &halves.data } else { &bare };
        let mut measured = vec![Measured::default(); ages.len()];
        for seed in 0..args.seeds {
            let config = TrainConfig { seed: base.seed + seed, ..variant.of(&base) };
            let model = trained(variant.name, data, &config, (args.device, setup))?;
            for (age, measured) in ages.iter().zip(&mut measured) {
                measured.add(&model, data, &halves, (*age, variant.reach(*age, &base)));
            }
        }
        for (age, measured) in ages.iter().zip(measured) {
            found.push((name(variant, *age, halves.way), variant.published.filter(|_| *age == 0), measured));
        }
    }
    let mut claims: Vec<Claim> = table.order().iter().filter_map(|pair| Claim::better(*pair, &found)).collect();
    if let (Table::Targets, Some(&oldest)) = (table, ages.last()) {
        claims.extend(Claim::ages_better(("dense", "next"), oldest, halves.way, &found));
    }
    let rows: Vec<Value> = found.iter().map(|(name, published, measured)| measured.json(name, *published)).collect();
    let claims: Vec<Value> = claims.iter().map(Claim::json).collect();
    Ok(json!({
        "bench": "ablation",
        "table": table.as_str(),
        "protocol": halves.protocol(args),
        "pinners": halves.cases.len(),
        "pins": halves.data.pins,
        "acts": halves.data.histories.iter().map(|history| history.acts.len()).sum::<usize>(),
        "seeds": args.seeds,
        "config": base,
        "columns": measure::COLUMNS,
        "rows": rows,
        "order": claims,
    }))
}

/// A variant's name, with the age of the user vectors.
fn name(variant: &Variant, age: u64, way: Way) -> String {
    if age == 0 { variant.name.to_owned() } else { format!("{}, {}", variant.name, way.age(age)) }
}

/// A sequence model.
fn trained(what: &str, data: &Dataset, config: &TrainConfig, (device, setup): (Device, &Setup)) -> Result<Model> {
    let bar = Progress::new("train", 0);
    let mut progress = |progress: &::train::Progress| {
        bar.total(progress.steps);
        bar.note(format!("{what}, loss {:.4}", progress.loss));
        bar.set(progress.step);
    };
    let flag = setup.stop.flag();
    let session = Session {
        device,
        checkpoint: None,
        progress: &mut progress,
        stop: &flag,
        now_ms: now_ms(),
        version: what.to_owned(),
    };
    match fit(data, config, session) {
        Ok(trained) => {
            bar.finish(what);
            Ok(trained.model)
        }
        Err(TrainError::Stopped { .. }) => Err(Interrupted.into()),
        Err(error) => Err(error).context("cannot train"),
    }
}

fn print(figures: &Value) {
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_f64().map_or_else(String::new, |value| format!("{value:.4}"));
    println!("{}; {} pinners, {} seeds\n", words(&figures["protocol"]), figures["pinners"], figures["seeds"]);
    let columns: Vec<String> = figures["columns"].as_array().into_iter().flatten().map(&words).collect();
    let headings: Vec<String> = ["".to_owned(), "published".to_owned()].into_iter().chain(columns.clone()).collect();
    let row = |row: &Value| {
        let cell = |column: &String| match &row["intervals"][column] {
            Value::Array(ends) => format!("{} [{} {}]", number(&row[column]), number(&ends[0]), number(&ends[1])),
            _ => number(&row[column]),
        };
        [words(&row["variant"]), number(&row["published"])].into_iter().chain(columns.iter().map(cell)).collect()
    };
    let rows: Vec<Vec<String>> = figures["rows"].as_array().into_iter().flatten().map(row).collect();
    print_table(&headings, &rows);
    println!();
    for claim in figures["order"].as_array().into_iter().flatten() {
        let [by, low, high] = [&claim["by"], &claim["interval"][0], &claim["interval"][1]].map(number);
        println!(
            "{}: {} by {by} [{low} {high}] {}",
            words(&claim["claim"]),
            words(&claim["found"]),
            words(&claim["of"])
        );
    }
}
