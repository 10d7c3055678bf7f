//! `bowerbird models`: the versions that training has kept.

mod promote;
mod tell;

use crate::output::print_json;
use crate::registry::Registry;
use crate::setup::Setup;
use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

pub(crate) use tell::print_figures;

/// The models that were trained: compare, put live, roll back, remove, report.
///
/// All of it works beside a running server, which takes over another live model without a pause or a failed request.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All versions: when they were made, how good they are, which one is live.
    List,
    /// The card of a version: what it learned from, how, and how good it is.
    Show {
        /// Which version [default: the live one].
        version: Option<String>,
    },
    /// Write a version's report: one HTML file with curves, figures and configuration.
    Report {
        /// Which version [default: the live one].
        version: Option<String>,
        /// Where to, - for stdout [default: VERSION.html in this folder].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Put a version live when it passes the gates.
    ///
    /// It is compared with the live one on held-back pinners. Where that was done when it was trained, its card says
    /// how it went; else both are measured now, which reads the log.
    Promote {
        /// Which version.
        version: String,
        /// Put it live even when a gate says no.
        #[arg(long)]
        force: bool,
    },
    /// Put the version live again that was live before; no gate is asked.
    Rollback {
        /// Only when this version is live: the same command given twice rolls back once.
        #[arg(long, value_name = "VERSION")]
        of: Option<String>,
    },
    /// Take a version away that is not live.
    Remove {
        /// Which version.
        version: String,
    },
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    setup.must_exist()?;
    let registry = Registry::new(setup.blobs()?);
    match &args.what {
        What::List => tell::list(setup, &registry),
        What::Show { version } => tell::show(&chosen(version.as_deref(), &registry)?, setup, &registry),
        What::Report { version, out } => {
            report(&chosen(version.as_deref(), &registry)?, out.as_deref(), setup, &registry)
        }
        What::Promote { version, force } => promote::promote(version, *force, setup, &registry),
        What::Rollback { of } => rollback(of.as_deref(), setup, &registry),
        What::Remove { version } => {
            registry.remove(version)?;
            tell(setup, json!({ "removed": version }), &format!("model {version} is removed"));
            Ok(())
        }
    }
}

fn chosen(version: Option<&str>, registry: &Registry) -> Result<String> {
    let version = match version {
        Some(version) => version.to_owned(),
        None => registry.live()?.context("no model is live: name a version (bowerbird models list)")?,
    };
    registry.must_know(&version)?;
    Ok(version)
}

fn report(version: &str, out: Option<&std::path::Path>, setup: &Setup, registry: &Registry) -> Result<()> {
    let html = crate::report::html(&registry.card(version)?);
    let file = out.map_or_else(|| PathBuf::from(format!("{version}.html")), PathBuf::from);
    if file.as_os_str() == "-" {
        println!("{html}");
        return Ok(());
    }
    std::fs::write(&file, html).with_context(|| format!("cannot write {}", file.display()))?;
    let words = format!("the report of model {version} is in {}", file.display());
    tell(setup, json!({ "version": version, "file": file }), &words);
    Ok(())
}

fn rollback(of: Option<&str>, setup: &Setup, registry: &Registry) -> Result<()> {
    let before = registry.live()?;
    if let Some(of) = of {
        registry.must_know(of)?;
        if before.as_deref() != Some(of) {
            let live = before.as_deref().map_or("none is".to_owned(), |live| format!("{live} is"));
            let words = format!("model {of} is not live ({live}): nothing to roll back");
            tell(setup, json!({ "live": before, "before": before }), &words);
            return Ok(());
        }
    }
    let live = registry.rollback()?;
    let words = format!("model {live} is live again, in the place of {}", before.as_deref().unwrap_or("none"));
    tell(setup, json!({ "live": live, "before": before }), &words);
    Ok(())
}

/// What was done, as JSON where that was asked for.
fn tell(setup: &Setup, figures: serde_json::Value, words: &str) {
    if setup.json { print_json(&figures) } else { println!("{words}") }
}
