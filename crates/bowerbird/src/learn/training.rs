//! One training: data set, sequence model, ranking head, gates.

use super::acts::Acts;
use super::dataset::dataset;
use super::distilled::distilled;
use super::gate::measure_live;
use super::outcomes::add_outcomes;
use super::replays::rank_rows;
use super::shown::{WasShown, shown_rows};
use crate::progress::Progress;
use crate::registry::Registry;
use crate::stop::{Interrupted, Stop};
use anyhow::{Context, Result, bail};
use domain::{Params, PinId, PinnerId};
use lake::Lake;
use models::{Model, ModelCard};
use serving::Views;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use store::EventLog;
use train::{Dataset, Device, HeldBack, RankRows, Said, Session, TrainConfig, TrainError, fit, fit_ranker};

/// With fewer rows of what was really shown, replayed requests are learned from too.
const SEEN_MIN: usize = 10_000;
/// The newest part of the impressions, which the sequence model does not learn from and the ranking head does.
const NEWEST: f64 = 0.2;

/// What a training works with.
pub(crate) struct Task<'a> {
    /// Views that hold everything up to the moment of the training; the new model is installed into them.
    pub views: &'a Arc<Views>,
    /// What happened, request records among it.
    pub log: &'a dyn EventLog,
    pub params: &'a Params,
    pub config: &'a TrainConfig,
    /// What computes the steps of the sequence model.
    pub device: Device,
    /// Where a stopped training can be gone on with.
    pub checkpoint: Option<&'a Path>,
    /// Whose live model is measured on the same held-back pinners, for the gate.
    pub registry: Option<&'a Registry>,
    /// Where what pinners were shown is read from, in order of time.
    pub lake: Option<&'a Lake>,
    pub now_ms: u64,
    pub stop: &'a Stop,
}

/// A trained model.
pub(crate) struct Outcome {
    pub model: Arc<Model>,
    pub card: ModelCard,
    pub seconds: f64,
}

/// Trains the sequence model on what pinners did, then the ranking head on what they were shown or, where that is too
/// little, on replayed requests too. The model stays installed in the views.
pub(crate) fn train(task: &Task, acts: &Acts) -> Result<Outcome> {
    let started = Instant::now();
    let was_shown = task.lake.map_or(Ok(WasShown::default()), |lake| WasShown::before(task, lake))?;
    // The newest impressions are for the ranking head: what the sequence model learned from tells it nothing.
    let learned_ms = was_shown.newest_ms(NEWEST, SEEN_MIN);
    let before_ms = learned_ms.unwrap_or(u64::MAX);
    let data = dataset(task.views, acts, was_shown, before_ms, task.config)?;
    if data.histories.is_empty() {
        bail!("nobody has done anything with a pin yet: there is nothing to learn from");
    }
    let (model, mut card, held_back) = sequence_model(task, &data)?;
    if let Some(registry) = task.registry {
        measure_live(registry, &data, task.config, &mut card);
    }
    drop(data);
    let rows = ranker_rows(task, acts, (&held_back, learned_ms), &model, &mut card)?;
    let ranked = fit_ranker(&rows, &said(task.views), &model, task.config).context("cannot train the ranking head")?;
    card.metrics.extend(ranked.metrics);
    card.calibration = ranked.calibration;
    card.data_range_ms = acts.range_ms;
    card.code = env!("CARGO_PKG_VERSION").to_owned();
    let model = Arc::new(ranked.model);
    task.views.install(model.clone()).context("cannot compute the pins' vectors")?;
    let model = distilled(task, acts, model, &mut card)?;
    Ok(Outcome { model, card, seconds: started.elapsed().as_secs_f64() })
}

/// What is said of pins and pinners.
pub(crate) fn said(views: &Views) -> Said {
    let catalogue = views.catalogue();
    let pins = (0..catalogue.pins() as u32).map(|pin| catalogue.pin_keys(PinId(pin)).collect());
    let pinners = (0..catalogue.pinners() as u32).map(|pinner| catalogue.pinner_keys(PinnerId(pinner)).collect());
    Said { pins: pins.collect(), pinners: pinners.collect() }
}

/// What the ranking head learns from: what was really shown, where that is enough, and else replayed requests too. The
/// trunk learns how to see candidates from shown pins: where those are too few, what it says is left out.
fn ranker_rows(
    task: &Task,
    acts: &Acts,
    (held_back, learned_ms): (&[HeldBack], Option<u64>),
    model: &Model,
    card: &mut ModelCard,
) -> Result<RankRows> {
    let mut rows = RankRows::of_width(learned_ms.map_or(0, |_| model.encoded()));
    let recorded =
        add_outcomes(&mut rows, task.log, &task.views.catalogue(), (task.now_ms, task.lake.is_some()), task.stop)?;
    if let Some(lake) = task.lake {
        let shown = shown_rows(task, lake, learned_ms.map(|from_ms| (from_ms, model)), &recorded)?;
        rows.append(&shown);
    }
    card.counts.insert("ranker_rows_seen".into(), rows.len() as u64);
    if rows.len() < SEEN_MIN {
        rows.append(&rank_rows(task, acts, held_back, model)?);
    }
    card.counts.insert("ranker_rows".into(), rows.len() as u64);
    Ok(rows)
}

fn sequence_model(task: &Task, data: &Dataset) -> Result<(Model, ModelCard, Vec<HeldBack>)> {
    let bar = Progress::new("train", 0);
    // Versions sort by time.
    let version = crate::moment::compact(task.now_ms);
    let mut shown = |progress: &train::Progress| bar.follow(progress);
    let flag = task.stop.flag();
    let session = Session {
        device: task.device,
        checkpoint: task.checkpoint,
        progress: &mut shown,
        stop: &flag,
        now_ms: task.now_ms,
        version,
    };
    match fit(data, task.config, session) {
        Ok(trained) => {
            bar.finish("the sequence model is trained");
            Ok((trained.model, trained.card, trained.held_back))
        }
        Err(TrainError::Stopped { step }) => {
            bar.say(&format!("stopped at step {step}; the same command goes on from the checkpoint"));
            Err(Interrupted.into())
        }
        Err(error) => Err(error).context("cannot train"),
    }
}
