//! `bowerbird experiment`: published experiments read, and experiments whose truth is known.

use crate::experiment::{Headlines, Players, Simulated, Snapshots};
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Read experiments that others have run, or simulate some whose truth is known. No data directory is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read published experiments with the statistics of this engine.
    Analyse(Analyse),
    /// Hold the statistics to what they promise: A/A tests and planted effects by the thousand, with false alarms,
    /// peeking, coverage, CUPED; and how many sessions interleaving saves.
    Aa(Aa),
}

/// Reads a table of published experiments, CSV with a header, gzip or not. A row that cannot be read is an error that
/// names file, line and what is wrong: figures without it would be others.
///
///   upworthy      arms of headline tests (clickability_test_id, impressions, test_week): sample ratios, by week
///   asos          snapshots of experiments (experiment_id, variant_id, metric_id, time_since_start, count_c, count_t,
///                 mean_c, mean_t, variance_c, variance_t): final tests, peeking, stopping by always-valid intervals
///   cookie-cats   players of one test (version, sum_gamerounds, retention_1, retention_7): a read-out with a verdict
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
struct Analyse {
    /// What the file holds.
    #[arg(long)]
    format: Format,
    /// The file.
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// Upworthy Research Archive.
    Upworthy,
    /// ASOS Digital Experiments Dataset.
    Asos,
    /// Cookie Cats.
    CookieCats,
}

#[derive(Debug, clap::Args)]
struct Aa {
    /// Experiments of each kind.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    simulations: u32,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 20)]
    seed: u64,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    match &args.what {
        What::Analyse(args) => analyse(args, setup.json),
        What::Aa(args) => {
            let found = Simulated::run(args.simulations, args.seed, &setup.stop)?;
            match setup.json {
                true => print_json(&serde_json::to_value(&found)?),
                false => found.print(),
            }
            Ok(())
        }
    }
}

fn analyse(args: &Analyse, as_json: bool) -> Result<()> {
    match args.format {
        Format::Upworthy => {
            let found = Headlines::read(&args.file)?;
            if as_json { told(args, serde_json::to_value(&found)?)? } else { found.print() }
        }
        Format::Asos => {
            let found = Snapshots::read(&args.file)?;
            if as_json { told(args, serde_json::to_value(&found)?)? } else { found.print() }
        }
        Format::CookieCats => {
            let found = Players::read(&args.file)?;
            if as_json { told(args, found.json())? } else { found.print() }
        }
    }
    Ok(())
}

/// Prints figures with what they are of.
fn told(args: &Analyse, figures: Value) -> Result<()> {
    let mut object = json!({ "format": args.format, "file": args.file.display().to_string() });
    if let (Some(object), Value::Object(figures)) = (object.as_object_mut(), figures) {
        object.extend(figures);
    }
    print_json(&object);
    Ok(())
}
