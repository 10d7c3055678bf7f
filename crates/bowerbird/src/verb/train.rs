//! `bowerbird train`: from the log to a live model.

use crate::engine::Reading;
use crate::learn::{Outcome, Task, judge, read_acts, train};
use crate::output::{print_json, thousands};
use crate::registry::Registry;
use crate::setup::{Setup, now_ms};
use anyhow::{Result, bail};
use serde_json::json;

/// Learn a model from the log and put it live when it passes the gates.
///
/// Reads what pinners did, trains the sequence model, then a ranking head on replayed requests of pinners that the
/// sequence model never saw. The new version is kept in the data directory with its card (what it learned from, how
/// good it is). It goes live when it is sound and not worse than the live one on held-back pinners; a running server
/// takes it over without a pause. Ctrl-C leaves a checkpoint, and the same command goes on from there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often everybody's history is read [default: train.epochs, else the size of the data].
    #[arg(long)]
    epochs: Option<usize>,
    /// Seed of everything random [default: train.seed].
    #[arg(long)]
    seed: Option<u64>,
    /// Put the model live even when a gate says no.
    #[arg(long)]
    force: bool,
    /// Forget a checkpoint and begin anew.
    #[arg(long)]
    fresh: bool,
}

/// Where a stopped training is gone on with.
pub(crate) const CHECKPOINT: &str = "train.checkpoint";

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let data = Reading::open(setup)?;
    let mut setup = setup.clone();
    setup.config.train.epochs = args.epochs.or(setup.config.train.epochs);
    if let Some(seed) = args.seed {
        setup.config.train.seed = seed;
    }
    if args.fresh {
        forget(&setup)?;
    }
    let outcome = learn(&setup, &data)?;
    let refused = promote(&data.registry(), &outcome, args.force)?;
    tell(&setup, &outcome, &refused);
    if refused.is_empty() || args.force {
        return Ok(());
    }
    bail!(
        "model {} was kept but is not live: {} (--force puts it live all the same)",
        outcome.model.version(),
        refused.join("; ")
    )
}

/// Trains on everything that the log holds; the new model stays installed in the views.
pub(crate) fn learn(setup: &Setup, data: &Reading) -> Result<Outcome> {
    let acts = read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop)?;
    let pipeline = data.pipeline();
    let checkpoint = setup.folder(CHECKPOINT);
    let task = Task {
        views: &data.views,
        pipeline: &pipeline,
        log: data.log.as_ref(),
        params: &setup.config.params,
        config: &setup.config.train,
        checkpoint: Some(&checkpoint),
        now_ms: now_ms(),
        stop: &setup.stop,
    };
    train(&task, &acts)
}

/// Keeps the model and, when the gates let it, makes it live; gives the reasons against it.
pub(crate) fn promote(registry: &Registry, outcome: &Outcome, force: bool) -> Result<Vec<String>> {
    let live = registry.live()?;
    let live_card = live.as_deref().map(|version| registry.card(version)).transpose()?;
    let mut card = outcome.card.clone();
    card.parents = live.into_iter().collect();
    let gate = judge(&outcome.model, &card, live_card.as_ref())?;
    registry.keep(&outcome.model, &card)?;
    if gate.passed() || force {
        registry.promote(outcome.model.version())?;
    }
    Ok(gate.reasons)
}

fn tell(setup: &Setup, outcome: &Outcome, refused: &[String]) {
    let Outcome { model, card, seconds } = outcome;
    if setup.json {
        return print_json(&json!({
            "version": model.version(),
            "seconds": seconds,
            "counts": card.counts,
            "metrics": card.metrics,
            "gate": if refused.is_empty() { "passed" } else { "refused" },
            "reasons": refused,
        }));
    }
    println!("model {} trained in {seconds:.0} s", model.version());
    for (name, count) in &card.counts {
        println!("  {name:<28} {:>12}", thousands(*count));
    }
    for (name, value) in &card.metrics {
        println!("  {name:<28} {value:>12.4}");
    }
    if refused.is_empty() {
        println!("it is live");
    }
}

fn forget(setup: &Setup) -> Result<()> {
    let path = setup.folder(CHECKPOINT);
    let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
