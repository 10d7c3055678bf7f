//! Requests that could have been: pinners that the model never saw, asked for what they did later.

use super::acts::Acts;
use super::training::Task;
use crate::progress::Progress;
use anyhow::Result;
use domain::{Act, ActionSet, PinId, PinnerId, Rng, Subject, Surface, hash64};
use rayon::prelude::*;
use serving::{Replay, ReplayRows};
use std::collections::BTreeMap;
use train::RankRows;

/// Fewer acts than this give no request.
const ACTS_MIN: usize = 4;
/// Most requests that are replayed.
const REPLAYS_MAX: usize = 6_000;
/// Rows of one request.
const ROWS_MAX: usize = 100;

/// Training rows for the ranker from pinners who were held back. The views must hold the model.
pub(crate) fn rank_rows(task: &Task, acts: &Acts, held_back: &[PinnerId]) -> Result<RankRows> {
    let seed = task.config.seed;
    let mut replays: Vec<Replay> =
        held_back.iter().filter_map(|&pinner| replay(acts, pinner, task.now_ms, seed)).collect();
    Rng::new(hash64(seed ^ 0x5EED)).shuffle(&mut replays);
    replays.truncate(REPLAYS_MAX);
    let progress = Progress::new("replay", replays.len() as u64);
    let params = task.params.clone().for_evaluation();
    let made: Vec<ReplayRows> = replays
        .par_iter()
        .map(|replay| {
            task.stop.check()?;
            let rows = task.pipeline.replay(replay, &params, ROWS_MAX);
            progress.add(1);
            anyhow::Ok(rows)
        })
        .collect::<Result<_>>()?;
    let mut rows = RankRows::default();
    for (request, made) in (0u32..).zip(&made) {
        for (features, labels) in made.features.chunks_exact(models::FEATURE_COUNT).zip(&made.labels) {
            rows.push(request, features, *labels);
        }
    }
    progress.finish(&format!("{} requests, {} rows", made.len(), rows.len()));
    Ok(rows)
}

/// Splits what a pinner did into a history and what came after: by time, or at random when all happened at one moment.
fn replay(acts: &Acts, pinner: PinnerId, now_ms: u64, seed: u64) -> Option<Replay> {
    let mut own: Vec<Act> = acts.by_pinner.get(pinner.index())?.clone();
    if own.len() < ACTS_MIN {
        return None;
    }
    let seed = hash64(seed ^ hash64(u64::from(pinner.0)));
    let mut rng = Rng::new(seed);
    if own.first()?.ts_ms == own.last()?.ts_ms {
        rng.shuffle(&mut own);
    }
    let share = 0.5 + 0.4 * rng.uniform();
    let cut = ((own.len() as f32 * share) as usize).clamp(1, own.len() - 1);
    let (before, after) = own.split_at(cut);
    let history: Vec<Act> = before.iter().filter(|act| act.action.is_positive()).copied().collect();
    let mut labels: BTreeMap<PinId, ActionSet> = BTreeMap::new();
    for act in after.iter().filter(|act| !before.iter().any(|known| known.pin == act.pin)) {
        let done = labels.entry(act.pin).or_default();
        *done = done.with(act.action);
    }
    let labels: Vec<(PinId, ActionSet)> = labels.into_iter().collect();
    (!history.is_empty() && !labels.is_empty()).then_some(Replay {
        pinner: Some(pinner),
        history,
        labels,
        surface: Surface::Home,
        subject: Subject::None,
        now_ms,
        seed,
    })
}
