//! `bowerbird bench allocate`: how long it takes to give a week's notifications to those whom they are worth most.

use crate::output::{print_json, thousands};
use crate::setup::Setup;
use anyhow::Result;
use serde_json::{Value, json};

/// Allocates 1.5 notifications a pinner over planted returns of none to seven a week, and tells how far from the best
/// possible that is. Returns take 32 bytes a pinner and are made before the clock starts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many pinners.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..=200_000_000))]
    pinners: u64,
    /// Seed of the planted returns.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let figures = notifications::bench_allocate(usize::try_from(args.pinners)?, args.seed)?;
    if setup.json {
        let mut object = json!({ "bench": "allocate", "seed": args.seed });
        if let (Some(object), Value::Object(figures)) = (object.as_object_mut(), serde_json::to_value(&figures)?) {
            object.extend(figures);
        }
        print_json(&object);
        return Ok(());
    }
    println!("{figures}");
    println!(
        "{} of {} notifications are given in {:.2} s on {} threads; {:.1e} of the possible gain is missed at most. To \
         {:.0} % of the pinners some notification is worth less than the next one.",
        thousands(figures.sends),
        thousands(figures.budget),
        figures.seconds,
        figures.threads,
        figures.gap,
        100.0 * figures.bent
    );
    Ok(())
}
