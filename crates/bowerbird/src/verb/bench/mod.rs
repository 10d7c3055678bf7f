//! `bowerbird bench`: how fast this machine is, and what parts of the recipe are worth, measured on the real thing.

mod ablation;
mod allocate;
mod autocomplete;
mod blend;
mod clock;
mod feed;
mod fuzz;
mod ingest;
mod live;
mod load;
mod planted;
mod rank;
mod search;
mod stages;
mod start;
mod train;
mod vectors;
mod walks;

use crate::setup::Setup;
use anyhow::Result;
use clap::Subcommand;

/// Measure speed on this machine, and what parts of the recipe are worth.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What parts of the recipe are worth: trains with and without them and measures both on held-out acts.
    Ablation(ablation::Args),
    /// The notifications of a week, given to those whom they are worth most.
    Allocate(allocate::Args),
    /// Completions: what they save who types, against the most popular ones, and how long a keystroke takes.
    Autocomplete(autocomplete::Args),
    /// Durable bulk ingest: events per second from a JSONL file into a fresh event log on this disk.
    Ingest(ingest::Args),
    /// The feed over HTTP: a real server on this data as a child process, at a fixed rate and at full load.
    Feed(feed::Args),
    /// Questions that nobody meant to ask: every one must be answered, and memory must not grow.
    Fuzz(fuzz::Args),
    /// The second pass alone: a pinner's history and candidates through the trunk, and the ranking head, on one core.
    Rank(rank::Args),
    /// Search over HTTP, by words and by pictures, and how soon a fresh pin is found.
    Search(search::Args),
    /// The blend alone: sliding spectrum decomposition, spacing, quotas, exploration, rules.
    Blend(blend::Args),
    /// A start with a million pins, from a snapshot and from the log alone.
    Start(start::Args),
    /// Training alone: examples per second of the sequence model on one core.
    Train(train::Args),
    /// The vector index alone: recall against queries per CPU second, filters, memory, build, start-up.
    Vectors(vectors::Args),
    /// The vector index while pins come, change and go: searches beside 20,000 upserts a second.
    Live(live::Args),
    /// Random walks on a graph of 100 M edges: speed against bare random reads, bytes, latency.
    Walks(walks::Args),
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    match &args.what {
        What::Ablation(args) => ablation::run(args, setup),
        What::Allocate(args) => allocate::run(args, setup),
        What::Autocomplete(args) => autocomplete::run(args, setup),
        What::Ingest(args) => ingest::run(args, setup),
        What::Feed(args) => feed::run(args, setup),
        What::Fuzz(args) => fuzz::run(args, setup),
        What::Rank(args) => rank::run(args, setup),
        What::Search(args) => search::run(args, setup),
        What::Blend(args) => blend::run(args, setup),
        What::Start(args) => start::run(args, setup),
        What::Train(args) => train::run(args, setup),
        What::Vectors(args) => vectors::run(args, setup),
        What::Live(args) => live::run(args, setup),
        What::Walks(args) => walks::run(args, setup),
    }
}
