//! Impressions one after the other, each with what was known before it and with what came of it.

use domain::{Action, Event, EventId, Fact, HEAD_COUNT, HEADS, Params, PinId, PinnerId, Request, Subject, Surface};
use domain::{TopicKind, hash64};
use models::Model;
use serde::Deserialize;
use serving::{Given, Pipeline, ServingError, Views};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use train::{POSITION_UNKNOWN, RankRequest};

/// How long after an impression an act on the same pin by the same pinner came of it.
const OUTCOME_MS: u64 = 30 * 60 * 1_000;
/// The same when the act names the request that showed the pin.
const NAMED_OUTCOME_MS: u64 = 2 * 60 * 60 * 1_000;

/// Impressions of one pinner at one place and moment: what was known before it, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub request: RankRequest,
    /// The pins, each once; the other columns are in their order. They may be candidates that were not shown.
    pub pins: Vec<PinId>,
    /// What was asked for, as of the moment; see [`Look`].
    pub given: Given,
    /// What was done, in the order of [`HEADS`].
    pub labels: Vec<[bool; HEAD_COUNT]>,
    /// How long was looked (ms), not a number when unknown.
    pub looks_ms: Vec<f32>,
    /// At which place, [`POSITION_UNKNOWN`] when unknown.
    pub positions: Vec<u16>,
    /// The request that showed them, by its name in the log.
    pub named: Vec<Option<EventId>>,
}

#[cfg(test)]
impl Shown {
    /// One impression of which only these are known.
    pub(crate) fn of_one(request: RankRequest, pin: PinId, given: Given, labels: [bool; HEAD_COUNT]) -> Shown {
        let (looks_ms, positions, named) = (vec![f32::NAN], vec![POSITION_UNKNOWN], vec![None]);
        Shown { request, pins: vec![pin], given, labels: vec![labels], looks_ms, positions, named }
    }
}

/// What is computed of impressions, besides what came of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Look {
    /// Nothing.
    Outcomes,
    /// Features and chances.
    Chances,
    /// Features, and what the trunk says.
    Rows,
}

/// Goes through events in order of time. All that happened before a moment is in the views when its impressions are
/// looked at; what happens at the moment itself may have come of them.
pub(crate) struct Impressions {
    pipeline: Pipeline,
    params: Params,
    look: Look,
    /// Whether the views learn of what happens.
    pub live: bool,
    /// Events of a moment that may not be over.
    moment: Vec<Event>,
    /// What acts may still come of, oldest first, and the number of the first.
    open: VecDeque<Shown>,
    first: usize,
    /// Where the newest impression of a pin to a pinner is: number and row.
    places: HashMap<(PinnerId, PinId), (usize, usize)>,
}

/// What impressions of one moment share: pinner, surface, and what they were shown for.
type Key<'a> = (PinnerId, Surface, Shared<'a>);

/// Words, a board, or the pin beside which related pins were shown.
type Shared<'a> = (Option<&'a str>, Option<&'a str>, Option<String>);

/// What is read of the properties of an impression on the surface `related`.
#[derive(Deserialize)]
struct Props {
    subject: Option<String>,
}

impl Impressions {
    /// Looks through the funnel over `views`, which hold the catalogue and what happened before the first event.
    pub(crate) fn new(views: Arc<Views>, params: Params, look: Look) -> Impressions {
        Impressions {
            pipeline: Pipeline::new(views, 1),
            params: params.for_evaluation(),
            look,
            live: look != Look::Outcomes,
            moment: Vec::new(),
            open: VecDeque::new(),
            first: 0,
            places: HashMap::new(),
        }
    }

    /// Takes the next event; gives what nothing can come of any more to `each`, in order of time.
    pub(crate) fn event(&mut self, event: Event, each: &mut dyn FnMut(Shown)) {
        if self.moment.first().is_some_and(|first| first.ts_ms != event.ts_ms) {
            self.moment_is_over();
            self.close(event.ts_ms.saturating_sub(NAMED_OUTCOME_MS), each);
        }
        self.moment.push(event);
    }

    /// From the next event on, requests see this model.
    pub(crate) fn install(&mut self, model: Arc<Model>) -> Result<(), ServingError> {
        self.moment_is_over();
        self.pipeline.views().install(model).map(|_| ())
    }

    /// Packs what the views have learned, as a server does in the background.
    pub(crate) fn tidy(&self) {
        if self.live {
            self.pipeline.views().tidy_now();
        }
    }

    /// There are no more events: gives what is left.
    pub(crate) fn end(mut self, each: &mut dyn FnMut(Shown)) {
        self.moment_is_over();
        self.open.drain(..).for_each(each);
    }

    fn moment_is_over(&mut self) {
        let moment = std::mem::take(&mut self.moment);
        for ((pinner, surface, shared), events) in self.requests(&moment) {
            let subject = self.subject(shared);
            let ts_ms = events[0].ts_ms;
            self.show(RankRequest { pinner: Some(pinner), surface, ts_ms, shown: true }, subject, &events);
        }
        moment.iter().for_each(|event| self.outcome(event));
        if self.live {
            let facts: Vec<(u64, EventId, Fact)> =
                moment.into_iter().map(|event| (0, event.event_id, Fact::Event(event))).collect();
            self.pipeline.views().apply(TopicKind::Events, &facts);
        }
    }

    /// The impressions of a moment by what they share, in the order of the first of each.
    fn requests<'a>(&self, moment: &'a [Event]) -> Vec<(Key<'a>, Vec<&'a Event>)> {
        let catalogue = self.pipeline.views().catalogue();
        let mut requests: Vec<(Key, Vec<&Event>)> = Vec::new();
        for event in moment.iter().filter(|event| event.action == Action::Impression) {
            let Some(pinner) = catalogue.pinner(&event.pinner) else { continue };
            let key = (pinner, event.surface, (event.query.as_deref(), event.board.as_deref(), beside(event)));
            match requests.iter_mut().find(|(known, _)| *known == key) {
                Some((_, events)) => events.push(event),
                None => requests.push((key, vec![event])),
            }
        }
        requests
    }

    fn subject(&self, (query, board, pin): Shared) -> Subject {
        let catalogue = self.pipeline.views().catalogue();
        let board = board.and_then(|board| catalogue.board(board)).map(Subject::Board);
        let pin = pin.and_then(|pin| catalogue.pin(&pin)).map(Subject::Pin);
        query.map(|words| Subject::Query(words.to_owned())).or(board).or(pin).unwrap_or(Subject::None)
    }

    fn show(&mut self, request: RankRequest, subject: Subject, events: &[&Event]) {
        let mut once = HashSet::new();
        let catalogue = self.pipeline.views().catalogue();
        let pin = |event: &&Event| catalogue.pin(event.pin.as_deref()?);
        let known = events.iter().filter_map(|event| Some((*event, pin(event)?)));
        let (events, pins): (Vec<&Event>, Vec<PinId>) = known.filter(|(_, pin)| once.insert(*pin)).unzip();
        drop(catalogue);
        if pins.is_empty() {
            return;
        }
        let mut given = self.given(&request, subject, &pins);
        if let Some(others) = others(request, &mut given, pins.len()) {
            self.open.push_back(others);
        }
        let number = self.first + self.open.len();
        if let Some(pinner) = request.pinner {
            pins.iter().enumerate().for_each(|(row, &pin)| _ = self.places.insert((pinner, pin), (number, row)));
        }
        self.open.push_back(Shown {
            request,
            given,
            labels: vec![[false; HEAD_COUNT]; pins.len()],
            looks_ms: events.iter().map(|event| event.value.unwrap_or(f32::NAN)).collect(),
            positions: events.iter().map(|event| event.position.unwrap_or(POSITION_UNKNOWN)).collect(),
            named: events.iter().map(|event| event.request_id).collect(),
            pins,
        });
    }

    fn given(&self, request: &RankRequest, subject: Subject, pins: &[PinId]) -> Given {
        match self.look {
            Look::Outcomes => Given::default(),
            Look::Chances => self.pipeline.given_now(asked(request, subject), pins, &self.params),
            Look::Rows => self.pipeline.seen_now(asked(request, subject), pins, &self.params),
        }
    }

    /// Puts an act down as what came of the newest impression of its pin, if there is one it can have come of.
    fn outcome(&mut self, event: &Event) {
        let Some(head) = HEADS.iter().position(|head| *head == event.action) else { return };
        let catalogue = self.pipeline.views().catalogue();
        let pin = event.pin.as_deref().and_then(|pin| catalogue.pin(pin));
        let Some(key) = catalogue.pinner(&event.pinner).zip(pin) else { return };
        drop(catalogue);
        let Some(&(number, row)) = self.places.get(&key) else { return };
        let Some(shown) = number.checked_sub(self.first).and_then(|place| self.open.get_mut(place)) else { return };
        let later_ms = event.ts_ms.saturating_sub(shown.request.ts_ms);
        let named = event.request_id.is_some() && event.request_id == shown.named[row];
        if later_ms > if named { NAMED_OUTCOME_MS } else { OUTCOME_MS } {
            return;
        }
        shown.labels[row][head] = true;
        if let (true, Some(look_ms)) = (shown.looks_ms[row].is_nan(), event.value) {
            shown.looks_ms[row] = look_ms;
        }
    }

    /// Gives what was shown before a moment to `each`.
    fn close(&mut self, before_ms: u64, each: &mut dyn FnMut(Shown)) {
        while self.open.front().is_some_and(|shown| shown.request.ts_ms < before_ms) {
            let Some(shown) = self.open.pop_front() else { return };
            for pin in &shown.pins {
                let key = shown.request.pinner.map(|pinner| (pinner, *pin));
                if let Some(key) = key.filter(|key| self.places.get(key).is_some_and(|place| place.0 == self.first)) {
                    self.places.remove(&key);
                }
            }
            self.first += 1;
            each(shown);
        }
    }
}

/// Takes the candidates that were not shown out of what was asked for `shown` pins.
fn others(request: RankRequest, given: &mut Given, shown: usize) -> Option<Shown> {
    let pins = std::mem::take(&mut given.others);
    if pins.is_empty() {
        return None;
    }
    let rows = shown + pins.len();
    let behind = |column: &mut Vec<f32>| column.split_off(column.len() / rows * shown);
    let (features, encoded) = (behind(&mut given.features), behind(&mut given.encoded));
    Some(Shown {
        request: RankRequest { shown: false, ..request },
        given: Given { features, encoded, ..Given::default() },
        labels: vec![[false; HEAD_COUNT]; pins.len()],
        looks_ms: vec![f32::NAN; pins.len()],
        positions: vec![POSITION_UNKNOWN; pins.len()],
        named: vec![None; pins.len()],
        pins,
    })
}

/// The pin beside which a related one was shown, if its properties say so.
fn beside(event: &Event) -> Option<String> {
    let props = event.props.as_deref().filter(|_| event.surface == Surface::Related)?;
    serde_json::from_str::<Props>(props).ok()?.subject
}

/// The request as it may have been.
fn asked(request: &RankRequest, subject: Subject) -> Request {
    let seed = hash64(request.ts_ms ^ hash64(request.pinner.map_or(0, |pinner| u64::from(pinner.0))));
    Request { subject, pinner: request.pinner, ..Request::new(request.surface, request.ts_ms, seed) }
}
