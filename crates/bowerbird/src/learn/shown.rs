//! Training rows from all that pinners were shown.

use super::impressions::{Impressions, Look, Shown};
use super::outcomes::Recorded;
use super::training::Task;
use crate::engine::tell;
use crate::progress::Progress;
use anyhow::{Context, Result};
use domain::{ActionSet, Event, Fact, HEAD_COUNT, HEADS, PinId, PinnerId, TopicKind, hash64};
use lake::Lake;
use models::{FEATURE_COUNT, Model, Ranker, feature};
use serving::Views;
use std::collections::BTreeMap;
use std::sync::Arc;
use train::{POSITION_UNKNOWN, RankRequest, RankRow, RankRows};

/// How often impressions that nothing came of may be halved before the oldest are left out.
const HALVINGS_MAX: u32 = 3;
/// Rows for each one that something came of, beyond which those that nothing came of may be halved: that makes what is
/// learned an eighth less certain, and reaches back nearly twice as far.
const PER_OUTCOME: usize = 8;

/// Rows of all impressions that the lake holds from before the training's moment, newest last, at most `rows_max`: each
/// with what came of it, and with features as they were `recorded`, else as of its moment. Impressions of requests
/// whose rows are made of the records are left out. From a moment on (ms, UTC) a model is seen; it has learned what
/// came of earlier impressions, so that it knows more of them than it will know of new ones.
pub(crate) fn shown_rows(
    task: &Task,
    lake: &Lake,
    model: Option<(u64, &Model)>,
    recorded: &Recorded,
) -> Result<RankRows> {
    let views = Arc::new(Views::sealed(task.log).context("cannot read the numbers of ids")?);
    views.embed_words_like(task.views);
    tell(&views, task.log, task.stop, &|fact: &Fact| !matches!(fact, Fact::Event(_)))?;
    let mut kept = Newest::of(task.config.rank_rows_max);
    let model = match model {
        Some((from_ms, model)) => {
            kept.rows.encoded_width = model.encoded();
            // A head that reads the trunk, so that requests are prepared for it.
            Some((from_ms, Arc::new(model.clone().with_ranker(Ranker::untaught(model.encoded()))?)))
        }
        None => None,
    };
    let impressions = Impressions::new(views, task.params.clone(), Look::Rows);
    let known_from_ms = walk(task, lake, impressions, model, &mut |shown| kept.add(&shown, recorded))?;
    Ok(RankRows { known_from_ms, ..kept.rows })
}

/// What the lake says that pinners were shown before the training's moment.
#[derive(Default)]
pub(crate) struct WasShown {
    /// By pinner; in order of time.
    pub by_pinner: BTreeMap<PinnerId, Vec<train::Shown>>,
    /// When each head's act was first seen (ms, UTC).
    pub known_from_ms: [u64; HEAD_COUNT],
    moments: Vec<u64>,
}

impl WasShown {
    /// What came of all impressions, without features.
    pub(crate) fn before(task: &Task, lake: &Lake) -> Result<WasShown> {
        let mut past = WasShown::default();
        let impressions = Impressions::new(task.views.clone(), task.params.clone(), Look::Outcomes);
        let known_from_ms = walk(task, lake, impressions, None, &mut |shown| past.add(&shown))?;
        Ok(WasShown { known_from_ms, ..past })
    }

    /// The moment from which on the newest part of the impressions was; nothing when there are fewer than `least`.
    pub(crate) fn newest_ms(&self, part: f64, least: usize) -> Option<u64> {
        let place = (self.moments.len() as f64 * (1.0 - part)) as usize;
        self.moments.get(place).copied().filter(|_| self.moments.len() >= least)
    }

    fn add(&mut self, shown: &Shown) {
        let RankRequest { pinner, surface, ts_ms, .. } = shown.request;
        let Some(pinner) = pinner else { return };
        for (&pin, labels) in shown.pins.iter().zip(&shown.labels) {
            let acted = HEADS.into_iter().zip(labels).filter(|(_, label)| **label).map(|(head, _)| head);
            let done = acted.fold(ActionSet::default(), ActionSet::with);
            self.by_pinner.entry(pinner).or_default().push(train::Shown { ts_ms, pin, surface, done });
            self.moments.push(ts_ms);
        }
    }
}

/// Goes through all events of the lake from before the training's moment, in order of time, and gives their
/// impressions; from a moment on these see a model. Tells when each head's act was first seen (ms, UTC).
fn walk(
    task: &Task,
    lake: &Lake,
    mut impressions: Impressions,
    mut model: Option<(u64, Arc<Model>)>,
    each: &mut dyn FnMut(Shown),
) -> Result<[u64; HEAD_COUNT]> {
    let progress = Progress::new("rows", task.log.end(TopicKind::Events));
    let (mut known_from_ms, mut count, mut done) = ([u64::MAX; HEAD_COUNT], 0, Ok(()));
    let mut each = |shown: Shown| {
        count += shown.pins.len() as u64;
        each(shown);
    };
    let mut batch = |events: Vec<(u64, Event)>| -> Result<()> {
        for (_, event) in events.into_iter().filter(|(_, event)| event.ts_ms < task.now_ms) {
            if let Some(head) = HEADS.iter().position(|head| *head == event.action) {
                known_from_ms[head] = event.ts_ms.min(known_from_ms[head]);
            }
            if let Some((_, model)) = model.take_if(|(from_ms, _)| event.ts_ms >= *from_ms) {
                impressions.install(model).context("cannot compute the pins' vectors of the past")?;
            }
            impressions.event(event, &mut each);
        }
        impressions.tidy();
        Ok(task.stop.check()?)
    };
    lake.events_in_time(&mut |events| {
        progress.add(events.len() as u64);
        done = batch(events);
        done.is_ok()
    })
    .context("cannot read the lake")?;
    done?;
    impressions.end(&mut each);
    progress.finish(&format!("{} impressions", crate::output::thousands(count)));
    Ok(known_from_ms)
}

/// The newest rows. When there are too many and little came of most, every second one of those that nothing came of is
/// left out and the others count twice; else the oldest are left out.
struct Newest {
    rows: RankRows,
    rows_max: usize,
    halvings: u32,
}

impl Newest {
    fn of(rows_max: usize) -> Newest {
        Newest { rows: RankRows::default(), rows_max: rows_max.max(1), halvings: 0 }
    }

    fn add(&mut self, shown: &Shown, recorded: &Recorded) {
        let features = shown.given.features.as_chunks::<FEATURE_COUNT>().0;
        for (row, (&pin, features)) in shown.pins.iter().zip(features).enumerate() {
            if shown.named[row].is_some_and(|request| recorded.whole.contains(&request)) {
                continue;
            }
            let Some(weight) = weight(&shown.request, pin, &shown.labels[row], self.halvings) else { continue };
            let (mut features, position) = (*features, shown.positions[row]);
            if let Some(seen) = shown.named[row].and_then(|request| recorded.seen.get(&(request, pin))) {
                features.copy_from_slice(seen);
            }
            if position != POSITION_UNKNOWN {
                features[const { feature("position") }] = f32::from(position).ln_1p();
            }
            let (labels, look_ms) = (shown.labels[row], shown.looks_ms[row]);
            let width = shown.given.encoded.len() / shown.pins.len();
            let encoded = &shown.given.encoded[row * width..(row + 1) * width];
            self.rows
                .push(shown.request, RankRow { pin, features: &features, encoded, labels, look_ms, position, weight });
        }
        while self.rows.len() > self.rows_max + self.rows_max / 4 {
            self.thin();
        }
    }

    fn thin(&mut self) {
        if self.halvings < HALVINGS_MAX && self.mostly_nothing() {
            self.halvings += 1;
            let halvings = self.halvings;
            self.rows.retain(|request, row| weight(request, row.pin, &row.labels, halvings));
        } else {
            let mut over = self.rows.len() - self.rows_max;
            self.rows.retain(|_, row| {
                let stays = over == 0;
                over = over.saturating_sub(1);
                stays.then_some(row.weight)
            });
        }
    }

    /// Whether so little came of the rows that half of the others would teach nearly as much.
    fn mostly_nothing(&self) -> bool {
        let something = self.rows.labels.iter().filter(|labels| labels.contains(&true)).count();
        something * PER_OUTCOME < self.rows.len()
    }
}

/// For how many a row stands after so many halvings; nothing when it is left out.
fn weight(request: &RankRequest, pin: PinId, labels: &[bool; HEAD_COUNT], halvings: u32) -> Option<f32> {
    if labels.contains(&true) {
        return Some(1.0);
    }
    let who = request.pinner.map_or(0, |pinner| u64::from(pinner.0) + 1);
    let drawn = hash64(request.ts_ms ^ hash64(who << 32 | u64::from(pin.0)));
    (drawn >> (64 - HALVINGS_MAX) >> (HALVINGS_MAX - halvings) == 0).then(|| (1u32 << halvings) as f32)
}

#[cfg(test)]
mod tests {
    use super::super::told::{START_MS, Told};
    use super::*;
    use crate::engine::views_before;
    use crate::lake_roll::open_rolled;
    use domain::{Action, Request, Rng, Surface};
    use models::ModelConfig;
    use serving::Pipeline;

    const MINUTE_MS: u64 = 60_000;

    /// One event, `more` fields among it.
    fn event(action: &str, pinner: u64, pin: u64, ts_ms: u64, more: &str) -> String {
        let what = format!("\"action\":\"{action}\",\"pinner\":\"{pinner}\",\"pin\":\"{pin}\"");
        format!("{{\"type\":\"event\",{what},\"ts\":{ts_ms}{more}}}\n")
    }

    fn rows(told: &Told) -> RankRows {
        let lake = open_rolled(&told.setup, &told.data).expect("a lake");
        let model = Model::untrained(ModelConfig::default(), 1).expect("the default shape");
        shown_rows(&told.task(), &lake, Some((0, &model)), &Recorded::default()).expect("rows")
    }

    fn labelled(rows: &RankRows, row: usize) -> Vec<Action> {
        HEADS.into_iter().zip(rows.labels[row]).filter(|(_, label)| *label).map(|(head, _)| head).collect()
    }

    /// A day of a few pinners who are shown pins and sometimes act, in no order.
    fn day(count: u64, seed: u64) -> String {
        let mut rng = Rng::new(seed);
        let mut lines = Vec::new();
        for _ in 0..count {
            let (pinner, pin) = (u64::from(rng.below(6)), u64::from(rng.below(40)));
            let ts_ms = START_MS + u64::from(rng.below(24 * 60)) * MINUTE_MS;
            let surface = Surface::ALL[rng.below(4) as usize];
            let place = rng.below(30);
            let more = format!(",\"surface\":\"{surface}\",\"position\":{place},\"value\":{}", rng.below(9_000));
            lines.push(event("impression", pinner, pin, ts_ms, &more));
            if rng.below(3) == 0 {
                let action = HEADS[rng.below(8) as usize];
                lines.push(event(action.as_str(), pinner, pin, ts_ms + u64::from(rng.below(50)) * 1_000, ""));
            }
        }
        rng.shuffle(&mut lines);
        lines.concat()
    }

    #[test]
    fn an_act_is_what_came_of_the_newest_impression_of_its_pin() {
        const NAME: &str = ",\"request_id\":\"01HF7YAT00000000000000000A\"";
        let at = |minute: u64| START_MS + minute * MINUTE_MS;
        let told = Told::new(
            &[
                event("impression", 1, 1, at(0), ",\"value\":1500"),
                event("impression", 1, 2, at(0), ",\"position\":4"),
                event("impression", 1, 2, at(0), ""),
                event("closeup", 1, 1, at(0), ""),
                event("click", 1, 1, at(29), ""),
                event("hide", 1, 1, at(31), ""),
                event("impression", 1, 1, at(40), ""),
                event("save", 1, 1, at(41), ""),
                event("closeup", 2, 1, at(41), ""),
                event("impression", 2, 3, at(42), NAME),
                event("long_click", 2, 3, at(42 + 90), &format!(",\"value\":70000{NAME}")),
                event("share", 2, 3, at(42 + 125), NAME),
            ]
            .concat(),
        );
        let rows = rows(&told);
        assert_eq!((rows.len(), &rows.ends[..]), (4, &[2, 3, 4][..]), "a pin is shown once in a request");
        assert_eq!(labelled(&rows, 0), [Action::Closeup, Action::Click], "the hide came too late");
        assert_eq!(labelled(&rows, 1), []);
        assert_eq!(labelled(&rows, 2), [Action::Save]);
        assert_eq!(labelled(&rows, 3), [Action::LongClick], "it names the request");
        assert_eq!((rows.looks_ms[0], rows.looks_ms[3]), (1_500.0, 70_000.0));
        assert!(rows.looks_ms[1].is_nan());
        assert_eq!(rows.positions[..2], [POSITION_UNKNOWN, 4]);
        let position = feature("position");
        assert_eq!([0, 1].map(|row| rows.row(row).features[position]), [0.0, 5f32.ln()]);
        let known = told.data.views.catalogue();
        let request = RankRequest { pinner: known.pinner("1"), surface: Surface::Home, ts_ms: at(0), shown: true };
        assert_eq!((rows.requests[0], rows.pins[1]), (request, known.pin("2").expect("known")));
        let acts = ["pin_closeup", "pinner_closeup", "session", "pin_shown"].map(feature);
        assert!(acts.iter().all(|&act| rows.row(0).features[act] == 0.0), "what comes of it is not known before");
        assert!(acts.iter().all(|&act| act == feature("session") || rows.row(2).features[act] > 0.0));
        let known = [Action::Closeup, Action::Save, Action::Follow].map(|action| {
            let head = HEADS.iter().position(|head| *head == action).expect("a head");
            [0, 2].map(|row| rows.known(head, &rows.requests[row.min(1)]))
        });
        assert_eq!(
            known,
            [[true, true], [false, false], [false, false]],
            "a first save says nothing of what was before"
        );
    }

    #[test]
    fn what_came_later_changes_no_feature() {
        let first = rows(&Told::new(&day(300, 1)));
        let later = day(300, 2).replace(&START_MS.to_string()[..4], "1701");
        assert!(!later.contains(&START_MS.to_string()[..4]));
        let both = rows(&Told::new(&(day(300, 1) + &later)));
        assert!(first.len() > 250 && both.len() > first.len() + 250);
        assert_eq!(both.features[..first.features.len()], first.features);
        assert_eq!(both.labels[..first.len()], first.labels);
    }

    #[test]
    fn a_row_is_what_serving_would_have_seen() {
        let told = Told::new(&day(200, 3));
        let rows = rows(&told);
        let params = told.setup.config.params.clone().for_evaluation();
        for (request, range) in rows.by_request().step_by(17) {
            let log = told.data.log.as_ref();
            let views = Arc::new(views_before(log, request.ts_ms, &told.setup).expect("views"));
            views.install(Arc::new(Model::untrained(ModelConfig::default(), 1).expect("a model"))).expect("installed");
            let asked =
                Request { pinner: request.pinner, limit: 10, ..Request::new(request.surface, request.ts_ms, 9) };
            let served = Pipeline::new(views, 1).given_now(asked, &rows.pins[range.clone()], &params);
            for (row, served) in range.zip(served.features.chunks_exact(FEATURE_COUNT)) {
                let near = |place: usize| (rows.row(row).features[place] - served[place]).abs() < 1e-4;
                let odd = (0..FEATURE_COUNT).find(|&place| place != feature("position") && !near(place));
                assert_eq!(odd.map(|place| models::FEATURES[place]), None, "row {row}");
            }
        }
    }

    #[test]
    fn a_model_is_seen_from_its_moment_on() {
        let told = Told::new(&day(300, 5));
        let lake = open_rolled(&told.setup, &told.data).expect("a lake");
        let mut model = Model::untrained(ModelConfig::default(), 1).expect("the default shape");
        // An untrained trunk says nothing of pins without contents.
        model.parts_mut().0.matrices_mut().iter_mut().flat_map(|matrix| &mut matrix.values).for_each(|x| *x += 0.1);
        let from_ms = START_MS + 12 * 60 * MINUTE_MS;
        let rows = shown_rows(&told.task(), &lake, Some((from_ms, &model)), &Recorded::default()).expect("rows");
        let without = shown_rows(&told.task(), &lake, None, &Recorded::default()).expect("rows");
        assert_eq!((rows.len(), rows.encoded_width, without.encoded_width), (without.len(), model.encoded(), 0));
        let (mut early, mut late) = (0, 0);
        for (request, range) in rows.by_request() {
            for row in range.map(|row| rows.row(row)) {
                let seen = row.encoded.iter().any(|value| *value != 0.0);
                assert_eq!(seen, request.ts_ms >= from_ms, "{}", request.ts_ms);
                (early, late) = (early + usize::from(!seen), late + usize::from(seen));
            }
        }
        assert!(early > 50 && late > 50, "{early} {late}");
    }

    #[test]
    fn too_many_rows_are_thinned_and_the_newest_stay() {
        let rows = rows(&Told::new(&day(800, 4)));
        let shown = |row: usize| {
            let place = rows.ends.partition_point(|&end| end <= row);
            (rows.requests[place], rows.row(row))
        };
        let thinned = |rows_max: usize, every: usize| {
            let mut kept = Newest::of(rows_max);
            for row in 0..rows.len() {
                let labels = if row % every == 0 { rows.labels[row] } else { [false; HEAD_COUNT] };
                let (request, row) = shown(row);
                let given = serving::Given { features: row.features.to_vec(), ..serving::Given::default() };
                kept.add(&Shown::of_one(request, row.pin, given, labels), &Recorded::default());
            }
            kept.rows
        };
        assert_eq!(thinned(rows.len(), 1).pins, rows.pins, "all fit");
        let acted = |rows: &RankRows| rows.labels.iter().filter(|labels| labels.contains(&true)).count();
        let newest = thinned(rows.len() * 2 / 3, 1);
        assert_eq!(newest.pins, rows.pins[rows.len() - newest.len()..], "something came of many: all of late stay");
        const SELDOM: usize = 7;
        let some = thinned(rows.len() * 2 / 3, SELDOM);
        let all_acted = acted(&thinned(rows.len(), SELDOM));
        assert!(some.len() < rows.len() && acted(&some) == all_acted, "what something came of stays");
        let stood_for: f32 = some.weights.iter().sum();
        assert!((stood_for / rows.len() as f32 - 1.0).abs() < 0.1, "{stood_for} of {}", rows.len());
        let few = thinned(20, SELDOM);
        let middle_ms = rows.requests[rows.requests.len() / 2].ts_ms;
        assert!(few.len() <= 25 && few.requests[0].ts_ms > middle_ms, "the newest stay");
    }
}
