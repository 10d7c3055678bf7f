//! `bowerbird bench`: how fast this machine is, measured on the real thing.

mod child;
mod feed;
mod ingest;
mod load;

use crate::setup::Setup;
use anyhow::Result;
use clap::Subcommand;

/// Measure speed on this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Durable bulk ingest: events per second from a JSONL file into a fresh event log on this disk.
    Ingest(ingest::Args),
    /// The feed over HTTP: a real server on this data as a child process, at a fixed rate and at full load.
    Feed(feed::Args),
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    match &args.what {
        What::Ingest(args) => ingest::run(args, setup),
        What::Feed(args) => feed::run(args, setup),
    }
}
