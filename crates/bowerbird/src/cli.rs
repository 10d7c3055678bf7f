//! The command line: what is common to all verbs, and which file does each.

use crate::setup::Setup;
use crate::stop::Stop;
use crate::verb;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// A discovery engine: pins, boards and what people do go in; feeds, related pins, search and board ideas come out.
///
/// A first walk, all in ./bowerbird-data:
///
///   bowerbird demo                                   a small world to look at, nothing needed
///   bowerbird import movielens DIR                   or your own data: jsonl, csv, parquet
///   bowerbird train                                  learn from what people did
///   bowerbird serve                                  http://127.0.0.1:8080
///   bowerbird query feed 42                          the same feed in the terminal
#[derive(Debug, Parser)]
#[command(name = "bowerbird", version, verbatim_doc_comment, max_term_width = 100)]
pub(crate) struct Cli {
    /// The folder that holds everything: event log, state, pictures, models.
    #[arg(long, global = true, env = "BOWERBIRD_DATA", default_value = "./bowerbird-data", value_name = "DIR")]
    data: PathBuf,
    /// The configuration [default: bowerbird.toml in the data directory, else in this folder, else built-in values].
    #[arg(long, global = true, env = "BOWERBIRD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print figures as JSON on stdout.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a data directory with a commented bowerbird.toml, or a key for the API.
    Init(verb::init::Args),
    /// Bring data in: our own JSONL, CSV, Parquet, or a known data set.
    Import(crate::import::Args),
    /// Learn how pictures and words of the catalogue go together, and embed all pins anew.
    Understand(verb::understand::Args),
    /// Learn a model from the log and put it live when it passes the gates.
    Train(verb::train::Args),
    /// The models that were trained: compare, put live, roll back, remove, report.
    Models(verb::models::Args),
    /// How well pins answer queries: grade, label, learn a teacher and the student that serves, compare.
    Relevance(verb::relevance::Args),
    /// Measure the quality of what would be served.
    Eval(verb::eval::Args),
    /// Read published experiments, or simulate some whose truth is known.
    Experiment(verb::experiment::Args),
    /// Serve the API and the pinner app over HTTP.
    Serve(verb::serve::Args),
    /// Make a small world, train on it, measure, serve: no data needed.
    Demo(verb::demo::Args),
    /// Ask for a feed, related pins, a search or board ideas.
    Query(verb::query::Args),
    /// Tell why the pins of one answer were shown, and why others were not.
    Explain(verb::explain::Args),
    /// Query what happened and what was served with SQL.
    Sql(verb::sql::Args),
    /// Measure speed on this machine: bulk ingest, or a feed under load.
    Bench(verb::bench::Args),
    /// Live in a planted world whose truth is known, over the API and in accelerated time, and say what it was worth.
    World(verb::world::Args),
    /// Check the data directory, the configuration and this machine.
    Doctor(verb::doctor::Args),
}

impl Cli {
    /// Runs the verb.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let stop = Stop::listen()?;
        let setup = || Setup::load(self.data.clone(), self.config.as_deref(), self.json, stop.clone());
        logging(matches!(self.verb, Verb::Serve(_)));
        match self.verb {
            Verb::Init(args) => verb::init::run(&args, &self.data, self.config.as_deref()),
            Verb::Import(args) => crate::import::run(&args, &setup()?),
            Verb::Understand(args) => verb::understand::run(&args, &setup()?),
            Verb::Train(args) => verb::train::run(&args, &setup()?),
            Verb::Models(args) => verb::models::run(&args, &setup()?),
            Verb::Relevance(args) => verb::relevance::run(&args, &setup()?),
            Verb::Eval(args) => verb::eval::run(&args, &setup()?),
            Verb::Experiment(args) => verb::experiment::run(&args, &setup()?),
            Verb::Serve(args) => verb::serve::run(&args, setup()?),
            Verb::Demo(args) => verb::demo::run(&args, setup()?),
            Verb::Query(args) => verb::query::run(&args, &setup()?),
            Verb::Explain(args) => verb::explain::run(&args, &setup()?),
            Verb::Sql(args) => verb::sql::run(&args, &setup()?),
            Verb::Bench(args) => verb::bench::run(&args, &setup()?),
            Verb::World(args) => verb::world::run(&args, &setup()?),
            Verb::Doctor(args) => verb::doctor::run(&args, &self.data, self.config.as_deref(), self.json),
        }
    }
}

/// Logs go to stderr: warnings, for `serve` also what it does; `BOWERBIRD_LOG=debug` or `BOWERBIRD_LOG=serving=trace`.
fn logging(serves: bool) {
    let standard = if serves { "info,tantivy=warn" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("BOWERBIRD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(standard));
    let built = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    debug_assert!(built.is_ok(), "logging is set up once");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
