//! The binary: verbs, configuration, wiring.
//!
//! A verb is a file in `verb/`; an import format is a file in `import/`. [`setup::Setup`] is what every verb gets: the
//! data directory, the configuration, the engines behind its URIs, and a flag that Ctrl-C raises. Figures go to stdout
//! (as JSON with `--json`), progress and errors to stderr.
//!
//! **Architecture invariant:** no rule of the product lives here. What is taken is decided by `domain` and `server`,
//! what is learned by `train`, what is served by `serving`; this room opens files and passes things on.

mod ask;
mod child;
mod cli;
mod client;
mod config;
mod engine;
mod evaluate;
mod experiment;
mod import;
mod lake_roll;
mod learn;
mod memory;
mod moment;
mod output;
mod progress;
mod registry;
mod relevance;
mod report;
mod setup;
mod stop;
mod understand;
mod verb;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: memory::Memory = memory::Memory;

/// Exit codes: 0 done, 1 failed, 2 wrong usage (clap's own), 130 interrupted.
fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<stop::Interrupted>() => {
            eprintln!("{error}");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {}", output::with_causes(&error));
            ExitCode::FAILURE
        }
    }
}
