//! `bowerbird train`: from the log to a live model.

use super::models::print_figures;
use crate::engine::Reading;
use crate::lake_roll::open_rolled;
use crate::learn::{Acts, Outcome, Recorded, Task, export, judge, read_acts, said, shown_rows, train};
use crate::output::print_json;
use crate::registry::Registry;
use crate::setup::{Setup, now_ms};
use ::train::Device;
use anyhow::{Result, bail};
use lake::Lake;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Learn a model from the log and put it live when it passes the gates.
///
/// Reads what pinners did, trains the sequence model, then a ranking head on replayed requests of pinners that the
/// sequence model never saw. The new version is kept in the data directory with its card (what it learned from, how
/// good it is) and a report (curves, figures, configuration as one HTML file). It goes live when it is sound and not
/// worse than the live one on held-back pinners; a running server takes it over without a pause. Ctrl-C leaves a
/// checkpoint, and the same command goes on from there; it is removed when the version is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often everybody's history is read [default: train.epochs, else the size of the data].
    #[arg(long)]
    epochs: Option<usize>,
    /// Seed of everything random [default: train.seed].
    #[arg(long)]
    seed: Option<u64>,
    /// What computes the steps of the sequence model: `cpu`, or `gpu` for the first CUDA card (built with
    /// `--features gpu`).
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Put the model live even when a gate says no.
    #[arg(long)]
    force: bool,
    /// Forget a checkpoint and begin anew.
    #[arg(long)]
    fresh: bool,
    /// The moment of the training (ms, UTC), for data of a simulated time [default: the machine's clock].
    #[arg(long, value_name = "MS")]
    now: Option<u64>,
    /// Write the rows of all impressions into a folder of NumPy files, as seen with the live model if there is one,
    /// instead of training.
    #[arg(long, value_name = "DIR", hide = true)]
    rows: Option<PathBuf>,
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
        setup.forget(CHECKPOINT)?;
    }
    if let Some(folder) = &args.rows {
        return export_rows(folder, &setup, &data);
    }
    let outcome = learn(&setup, &data, args.device, args.now.unwrap_or_else(now_ms))?;
    let refused = promote(&setup, &data.registry(), &outcome, args.force)?;
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

/// Trains on everything that the log holds, at a moment (ms, UTC); the new model stays installed in the views.
pub(crate) fn learn(setup: &Setup, data: &Reading, device: Device, now_ms: u64) -> Result<Outcome> {
    let acts = read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop)?;
    learn_from(&acts, setup, data, (device, now_ms))
}

fn learn_from(acts: &Acts, setup: &Setup, data: &Reading, (device, now_ms): (Device, u64)) -> Result<Outcome> {
    let (checkpoint, registry, lake) = (setup.folder(CHECKPOINT), data.registry(), open_rolled(setup, data)?);
    let task = task(setup, data, &lake);
    train(&Task { checkpoint: Some(&checkpoint), registry: Some(&registry), device, now_ms, ..task }, acts)
}

fn task<'a>(setup: &'a Setup, data: &'a Reading, lake: &'a Lake) -> Task<'a> {
    Task {
        views: &data.views,
        log: data.log.as_ref(),
        params: &setup.config.params,
        config: &setup.config.train,
        device: Device::Cpu,
        checkpoint: None,
        registry: None,
        lake: Some(lake),
        now_ms: now_ms(),
        stop: &setup.stop,
    }
}

fn export_rows(folder: &Path, setup: &Setup, data: &Reading) -> Result<()> {
    let (lake, registry) = (open_rolled(setup, data)?, data.registry());
    let model = registry.live()?.map(|version| registry.model(&version)).transpose()?;
    let rows =
        shown_rows(&task(setup, data, &lake), &lake, model.as_ref().map(|model| (0, model)), &Recorded::default())?;
    export(&rows, &said(&data.views), folder)
}

/// Keeps the model and, when the gates let it, makes it live; gives the reasons against it. Only then is the checkpoint
/// not needed any more.
pub(crate) fn promote(setup: &Setup, registry: &Registry, outcome: &Outcome, force: bool) -> Result<Vec<String>> {
    let mut card = outcome.card.clone();
    card.parents = registry.live()?.into_iter().collect();
    card.seconds = outcome.seconds;
    let reasons = judge(&outcome.model, &card)?;
    registry.keep(&outcome.model, &card)?;
    if reasons.is_empty() || force {
        registry.promote(outcome.model.version())?;
    }
    setup.forget(CHECKPOINT)?;
    Ok(reasons)
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
    print_figures(card);
    let blobs = setup.uri(&setup.config.data.blobs);
    println!("report: {}/models/{}/report.html", blobs.trim_start_matches("file://"), model.version());
    if refused.is_empty() {
        println!("it is live");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::Engine;
    use crate::import::import_jsonl;
    use crate::stop::{Interrupted, Stop};

    fn setup(data: &Path) -> Setup {
        let mut config = Config::default();
        (config.train.dim, config.train.hidden, config.train.epochs) = (16, 16, Some(2));
        Setup { data: data.to_owned(), given: None, config, json: false, stop: Stop::default() }
    }

    /// Ten saves each of pinners with one of two tastes, hours apart.
    fn bring(setup: &Setup, pinners: std::ops::Range<u64>) {
        let row = |pinner: u64, place: u64| {
            let pin = domain::hash64(pinner * 100 + place) % 30 * 2 + pinner % 2;
            let ts = 1_700_000_000_000 + place * 3_600_000;
            let act = r#""type":"event","action":"save""#;
            format!("{{{act},\"pinner\":\"{pinner}\",\"pin\":\"{pin}\",\"ts\":{ts}}}\n")
        };
        let pins = (0..60).map(|pin| format!("{{\"type\":\"pin\",\"id\":\"{pin}\"}}\n"));
        let acts = pinners.flat_map(|pinner| (0..10).map(move |place| row(pinner, place)));
        std::fs::create_dir_all(&setup.data).expect("a folder");
        let file = setup.folder("facts.jsonl");
        std::fs::write(&file, pins.chain(acts).collect::<String>()).expect("a file");
        import_jsonl(&file, setup).expect("imported");
    }

    #[test]
    fn what_was_learned_outlives_a_stop_until_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let setup = setup(folder.path());
        bring(&setup, 0..60);
        let checkpoint = setup.folder(CHECKPOINT);
        let engine = Engine::open(&setup).expect("opened");
        let acts = read_acts(engine.log.as_ref(), &engine.views.catalogue(), &setup.stop).expect("acts");
        let first = learn_from(&acts, &setup, &engine, (Device::Cpu, now_ms())).expect("learned");
        assert!(checkpoint.is_file(), "learned and not kept yet");

        let stopped = Setup { stop: Stop::default(), ..setup.clone() };
        stopped.stop.ask();
        // The sequence model comes from the checkpoint at once; the stop is heard in what follows it.
        let error = learn_from(&acts, &stopped, &engine, (Device::Cpu, now_ms())).map(|_| ()).expect_err("stopped");
        assert!(error.is::<Interrupted>(), "{error:#}");
        assert!(checkpoint.is_file(), "a stop after the last epoch loses nothing");

        let second = learn_from(&acts, &setup, &engine, (Device::Cpu, now_ms())).expect("learned");
        assert!(first.model.weights() == second.model.weights() && first.model.ids() == second.model.ids());
        assert_eq!(promote(&setup, &engine.registry(), &second, false).expect("kept"), [""; 0]);
        assert!(!checkpoint.exists());
    }

    #[test]
    fn the_live_model_is_measured_on_the_same_pinners() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut setup = setup(folder.path());
        let learned = |setup: &Setup| {
            let engine = Engine::open(setup).expect("opened");
            let mut outcome = learn(setup, &engine, Device::Cpu, now_ms()).expect("learned");
            // Versions are seconds, which is long for a test.
            let version = format!("v{}", engine.registry().versions().expect("listed").len());
            outcome.model = models::Model::clone(&outcome.model).with_version(version).into();
            let refused = promote(setup, &engine.registry(), &outcome, false).expect("kept");
            (outcome.card.metrics, refused)
        };
        bring(&setup, 0..60);
        let (metrics, refused) = learned(&setup);
        assert!(refused.is_empty() && !metrics.contains_key("live/recall@20"), "{metrics:?}");
        let first = metrics["validation/recall@20"];

        let (metrics, refused) = learned(&setup);
        assert_eq!((metrics["live/recall@20"], refused.len()), (first, 0), "the same data: the same again");

        bring(&setup, 60..120);
        let (metrics, _) = learned(&setup);
        assert!(metrics["live/recall@20"] > 0.0, "measured anew, on who is held back now");

        setup.config.train.seed += 1;
        let (metrics, refused) = learned(&setup);
        assert!(refused.is_empty() && !metrics.contains_key("live/recall@20"), "it learned from who is held back now");
    }
}
