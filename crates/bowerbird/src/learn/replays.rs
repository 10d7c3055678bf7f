//! Requests that could have been: pinners that the model never saw, asked for what they did later.

use super::acts::Acts;
use super::past::Past;
use super::training::Task;
use crate::engine::{cores, tell};
use crate::moment::readable;
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::{Act, ActionSet, BoardId, Fact, PinId, PinnerId, Rng, Subject, Surface, hash64};
use models::{FEATURE_COUNT, Model};
use rayon::prelude::*;
use serving::{Pipeline, Replay, ReplayRows, Views};
use std::collections::BTreeMap;
use std::sync::Arc;
use train::{HeldBack, POSITION_UNKNOWN, RankRequest, RankRow, RankRows};

/// Most requests that are replayed.
const REPLAYS_MAX: usize = 6_000;
/// Rows of one request.
const ROWS_MAX: usize = 100;

/// Training rows for the ranker from pinners who were held back: asked in views of the past, answered by what they did
/// after it.
pub(crate) fn rank_rows(task: &Task, acts: &Acts, held_back: &[HeldBack], model: &Model) -> Result<RankRows> {
    let catalogue = task.views.catalogue();
    let pasts = Past::of(task, acts, held_back, &catalogue);
    let views = Arc::new(Views::sealed(task.log).context("cannot read the numbers of ids")?);
    views.embed_words_like(task.views);
    let mut rows = RankRows::default();
    for (number, past) in pasts.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| &pasts[before]);
        let wanted = |fact: &Fact| past.knows(fact) && !before.is_some_and(|before| before.knows(fact));
        tell(&views, task.log, task.stop, &wanted)?;
        if before.is_none() {
            // From here on the vectors follow what is told, as they do where requests are served.
            views.install(Arc::new(model.clone())).context("cannot compute the pins' vectors of the past")?;
        }
        replayed(task, &views, past, REPLAYS_MAX / pasts.len())?
            .iter()
            .for_each(|(replay, made)| add(&mut rows, replay, made));
    }
    Ok(rows)
}

fn add(rows: &mut RankRows, replay: &Replay, made: &ReplayRows) {
    let request =
        RankRequest { pinner: Some(replay.pinner), surface: replay.surface, ts_ms: replay.now_ms, shown: true };
    let encoded = &[][..];
    for ((features, &pin), &labels) in made.features.chunks_exact(FEATURE_COUNT).zip(&made.pins).zip(&made.labels) {
        let (look_ms, position) = (f32::NAN, POSITION_UNKNOWN);
        rows.push(request, RankRow { pin, features, encoded, labels, look_ms, position, weight: 1.0 });
    }
}

/// Asks at most `replays_max` requests of a past that the views hold.
fn replayed(task: &Task, views: &Arc<Views>, past: &Past, replays_max: usize) -> Result<Vec<(Replay, ReplayRows)>> {
    let mut replays: Vec<Replay> = asked(views, past);
    Rng::new(hash64(past.seed ^ 0x5EED)).shuffle(&mut replays);
    replays.truncate(replays_max);
    let progress = Progress::new("replay", replays.len() as u64);
    let (pipeline, params) = (Pipeline::new(views.clone(), cores()), task.params.clone().for_evaluation());
    let rows = replays.par_iter().map(|replay| {
        task.stop.check()?;
        let rows = pipeline.replay(replay, &params, ROWS_MAX);
        progress.add(1);
        anyhow::Ok(rows)
    });
    let rows: Vec<ReplayRows> = rows.collect::<Result<_>>()?;
    progress.finish(&format!("{} requests as of {} UTC", rows.len(), readable(past.now_ms)));
    Ok(replays.into_iter().zip(rows).collect())
}

/// The requests of a past: each pinner's home feed, and what they ask about something.
fn asked(views: &Views, past: &Past) -> Vec<Replay> {
    let of_pinner = |(pinner, acts): &(PinnerId, Vec<Act>)| {
        let (pinner, now_ms, seed) = (*pinner, past.now_ms, hash64(past.seed ^ hash64(u64::from(pinner.0))));
        let replay = move |(surface, subject, labels)| Replay { pinner, labels, surface, subject, now_ms, seed };
        let feed = (Surface::Home, Subject::None, labels(acts));
        [Some(feed), about(views, acts, now_ms, &mut Rng::new(seed))].into_iter().flatten().map(replay)
    };
    past.later.iter().flat_map(of_pinner).collect()
}

/// A question about something that later acts answer, as the sequence model learns them: what was put on the board of
/// one of them, asked as ideas for the board or as pins that go with that one. Half are of each kind, where the board
/// has pins already.
fn about(views: &Views, acts: &[Act], now_ms: u64, rng: &mut Rng) -> Option<(Surface, Subject, Labels)> {
    let liked: Vec<&Act> = acts.iter().filter(|act| act.action.is_positive()).collect();
    let chosen = liked.get(rng.below(liked.len() as u32) as usize)?;
    let goes_with = |act: &&Act| chosen.board.is_none() || act.board == chosen.board || act.action.is_negative();
    let has_pins = |board: &BoardId| views.graph().pins_of(*board).next().is_some();
    let board = chosen.board.filter(|board| rng.below(2) == 0 && has_pins(board));
    let (surface, subject, labels) = match board {
        Some(board) => (Surface::Board, Subject::Board(board), labels(acts.iter().filter(goes_with))),
        None if views.catalogue().servable(chosen.pin, now_ms) => {
            let others = acts.iter().filter(goes_with).filter(|act| act.pin != chosen.pin);
            (Surface::Related, Subject::Pin(chosen.pin), labels(others))
        }
        None => return None,
    };
    (!labels.is_empty()).then_some((surface, subject, labels))
}

/// What was done to which pins, by their numbers.
type Labels = Vec<(PinId, ActionSet)>;

fn labels<'a>(acts: impl IntoIterator<Item = &'a Act>) -> Labels {
    let mut labels: BTreeMap<PinId, ActionSet> = BTreeMap::new();
    for act in acts {
        let done = labels.entry(act.pin).or_default();
        *done = done.with(act.action);
    }
    labels.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::told::{HOUR_MS, START_MS, Told};
    use super::*;
    use crate::engine::views_before;
    use domain::{EventId, Request, ServedItem};
    use models::ModelConfig;

    const PINNERS: u64 = 20;
    /// Acts of each pinner, and how many of them come first; the others come together after all of these.
    const ACTS: u64 = 10;
    const BEFORE: u64 = 8;

    /// Everybody's last pins.
    fn held_back(told: &Told) -> Vec<HeldBack> {
        let of_pinner = |(pinner, acts): (u32, &Vec<Act>)| {
            let acts: Vec<&Act> = acts.iter().filter(|act| act.action.is_positive()).collect();
            let mut later: Vec<PinId> = acts[BEFORE as usize..].iter().map(|act| act.pin).collect();
            later.sort_unstable();
            HeldBack { pinner: PinnerId(pinner), from_ms: acts[BEFORE as usize].ts_ms, later }
        };
        (0u32..).zip(&told.acts.by_pinner).map(of_pinner).collect()
    }

    fn rows(told: &Told) -> RankRows {
        let rows = rank_rows(&told.task(), &told.acts, &held_back(told), &model()).expect("rows");
        assert!(rows.labels.iter().filter(|labels| labels.contains(&true)).count() >= 10);
        rows
    }

    fn model() -> Model {
        Model::untrained(ModelConfig::default(), 1).expect("the default shape")
    }

    fn event(action: &str, pinner: u64, pin: &str, ts_ms: u64) -> String {
        let who = format!("\"pinner\":\"{pinner}\",\"board\":\"board of {pinner}\"");
        format!("{{\"type\":\"event\",\"action\":\"{action}\",{who},\"pin\":\"{pin}\",\"ts\":{ts_ms}}}\n")
    }

    /// Each pinner saves pins of one of two tastes, `step_ms` apart; the later acts are `action`s, after they were
    /// shown the pin so many times.
    fn events(step_ms: u64, action: &str, impressions: usize) -> String {
        let acts = (0..ACTS).flat_map(|place| (0..PINNERS).map(move |pinner| (pinner, place)));
        let told = acts.map(|(pinner, place)| {
            let pin = ((pinner / 2 * 7 + place * 3) % 20 * 2 + pinner % 2).to_string();
            let ts_ms = START_MS + place.min(BEFORE) * step_ms;
            if place < BEFORE {
                return event("save", pinner, &pin, ts_ms);
            }
            event("impression", pinner, &pin, ts_ms).repeat(impressions) + &event(action, pinner, &pin, ts_ms)
        });
        told.collect()
    }

    #[test]
    fn what_is_asked_about_something_is_learned_too() {
        for step_ms in [0, HOUR_MS] {
            let rows = rows(&Told::new(&events(step_ms, "save", 0)));
            for surface in ["home", "related", "board"] {
                let of_surface = |row: &&[f32]| row[models::feature(surface)] == 1.0;
                let features = rows.features.chunks_exact(FEATURE_COUNT).zip(&rows.labels);
                let liked = features.filter(|(row, labels)| of_surface(row) && labels[0]).count();
                assert!(liked >= 3, "{surface}: {liked}");
            }
        }
    }

    #[test]
    fn what_came_later_changes_no_feature() {
        let saved = rows(&Told::new(&events(HOUR_MS, "save", 0)));
        let shared = rows(&Told::new(&events(HOUR_MS, "share", 3)));
        assert_ne!(saved.labels, shared.labels);
        assert_eq!(saved.features, shared.features);
    }

    #[test]
    fn where_time_does_not_tell_nothing_is_known_of_what_is_asked_for() {
        let told = Told::new(&events(0, "save", 0));
        let catalogue = told.data.views.catalogue();
        let [past] =
            Past::of(&told.task(), &told.acts, &held_back(&told), &catalogue).try_into().ok().expect("one past");
        let views = Views::sealed(told.data.log.as_ref()).expect("views");
        tell(&views, told.data.log.as_ref(), &told.setup.stop, &|fact| past.knows(fact)).expect("told");
        let signals = views.signals();
        let later = past.later.iter().flat_map(|(pinner, acts)| acts.iter().map(move |act| (*pinner, act)));
        let shown = later.map(|(pinner, act)| {
            assert!(!signals.seen(pinner, act.pin) && !signals.saved(pinner, act.pin));
            let number = catalogue.pinner_key(pinner).parse().expect("a number");
            event("impression", number, catalogue.pin_key(act.pin), act.ts_ms)
        });
        let shown: String = shown.collect();
        let (first, more) = (rows(&told), rows(&Told::new(&(events(0, "save", 0) + &shown))));
        assert_eq!(first.labels, more.labels);
        assert_eq!(first.features, more.features, "what they were shown is not seen in them");
        let task = Task { now_ms: told.task().now_ms + 1, ..told.task() };
        let tomorrow = rank_rows(&task, &told.acts, &held_back(&told), &model()).expect("rows");
        assert_eq!(first.labels, tomorrow.labels, "the seed draws, not the clock");
    }

    #[test]
    fn a_replay_is_answered_as_a_request_of_its_moment_is_served() {
        let told = Told::new(&events(HOUR_MS, "save", 1));
        let catalogue = told.data.views.catalogue();
        let pasts = Past::of(&told.task(), &told.acts, &held_back(&told), &catalogue);
        assert_eq!(pasts.last().expect("a past").now_ms, START_MS + BEFORE * HOUR_MS);
        let params = told.setup.config.params.clone().for_evaluation();
        let serve = |past: &Past| -> Vec<ServedItem> {
            let views = Arc::new(views_before(told.data.log.as_ref(), past.now_ms, &told.setup).expect("views"));
            views.install(Arc::new(model())).expect("installed");
            let pipeline = Pipeline::new(views.clone(), 1);
            let serve = |replay: Replay| pipeline.rank_now(request(replay), &params).trace.ranked;
            asked(&views, past).into_iter().flat_map(serve).collect()
        };
        let served: Vec<Vec<f32>> = pasts.iter().flat_map(serve).map(|item| item.features).collect();
        for row in rows(&told).features.chunks_exact(FEATURE_COUNT) {
            assert!(served.iter().any(|served| served == row), "{row:?}");
        }
    }

    fn request(replay: Replay) -> Request {
        Request {
            request_id: EventId::new(replay.now_ms, 1),
            subject: replay.subject,
            pinner: Some(replay.pinner),
            limit: 100,
            ..Request::new(replay.surface, replay.now_ms, replay.seed)
        }
    }
}
