//! What the funnel knows of a request before it looks for pins.

use crate::derive::Contents;
use crate::interests::interests;
use crate::run::Cpu;
use crate::spare::Spare;
use crate::tastes::Tastes;
use crate::views::{Installed, Views, read};
use domain::{Act, Action, BoardId, Embedding, Params, PinId, PinnerId, Request, Subject, Surface};
use graph::Start;
use index::{Bound, Filter, Marked, VectorIndex};
use models::{Condition, Reach, Scratch, SubjectKind, UserState, gap_bucket, mean_content, tokens};
use signals::Signals;
use std::collections::HashSet;
use std::sync::Arc;

/// Pins whose contents are averaged into the content seed.
const CONTENT_SEEDS: usize = 8;

/// Most pins of a board that stand for it.
const BOARD_PINS_MAX: usize = 256;

/// Most pins that generators look for beyond their quota.
const REACH_MAX: usize = 4_096;

/// The request, its parameters, and all that was looked up for it. Generators, filters and scorers read it.
pub struct Context {
    /// The request.
    pub request: Request,
    /// The parameters it is served with.
    pub params: Params,
    /// The views to look into.
    pub views: Arc<Views>,
    /// Positive acts to answer with, newest last.
    pub history: Vec<Act>,
    /// The pins of the subject: the pin itself, or pins of the board.
    pub subject_pins: Vec<PinId>,
    /// What pins must pass, if the request says so.
    pub filter: Option<Filter>,
    /// Words to search for: the query, or the board's title.
    pub words: Option<String>,
    /// Where walks start.
    pub starts: Vec<Start>,
    /// Boards that walks do not step onto: the pinner's own, since what is on them is known.
    pub excluded: Vec<BoardId>,
    /// Content vector of what is searched for, of the subject or of recent pins, unit length; empty when there is none.
    /// The request's own look is moved here.
    pub content: Vec<f32>,
    /// Whether it is asked with a picture.
    pub(crate) by_look: bool,
    /// The model that answers, if one is installed.
    pub installed: Option<Arc<Installed>>,
    /// The pinner under the request's condition, as the model sees them; nothing without a model.
    pub state: Option<UserState>,
    /// What the pinner has to do with creators, topics and pins.
    pub(crate) tastes: Tastes,
    /// Pins of a history that came with the request.
    given: Option<HashSet<PinId>>,
    /// About how many pins the request will not show because they are known.
    known: usize,
    /// Where its stages compute.
    pub(crate) cpu: Cpu,
}

/// The filter of a request; nothing passes one that cannot be read.
fn read_filter(text: &str) -> Option<Filter> {
    (!text.trim().is_empty()).then(|| Filter::parse(text).unwrap_or(Filter::Any(Vec::new())))
}

impl Context {
    /// Looks up what the request needs.
    pub(crate) fn read(
        views: Arc<Views>,
        request: Request,
        params: Params,
        cpu: Cpu,
        scratches: &Spare<Scratch>,
    ) -> Context {
        let mut context = Context::bare(views, request, params, cpu);
        context.read_subject();
        context.read_pinner();
        context.read_tastes();
        context.read_starts();
        context.read_content();
        context.encode(scratches);
        context
    }

    fn bare(views: Arc<Views>, request: Request, mut params: Params, cpu: Cpu) -> Context {
        if request.look.is_some() {
            // Whoever shows something wants the like of it, not variety.
            params.search.variety = 0.0;
        }
        Context {
            installed: views.installed(),
            filter: read_filter(&request.filter),
            by_look: request.look.is_some(),
            request,
            params,
            views,
            history: Vec::new(),
            subject_pins: Vec::new(),
            words: None,
            starts: Vec::new(),
            excluded: Vec::new(),
            content: Vec::new(),
            state: None,
            tastes: Tastes::default(),
            given: None,
            known: 0,
            cpu,
        }
    }

    /// The user vector; empty without a model.
    pub fn user(&self) -> &[f32] {
        self.state.as_ref().map_or(&[], |state| &state.vector)
    }

    /// Whether the pinner has saved the pin, as far as the request may know.
    pub fn saved(&self, signals: &Signals, pin: PinId) -> bool {
        match (&self.given, self.request.pinner) {
            (Some(given), _) => given.contains(&pin),
            (None, Some(pinner)) => signals.saved(pinner, pin),
            (None, None) => false,
        }
    }

    /// Whether the pinner has hidden or reported the pin. A history that came with the request knows of none.
    pub fn hidden(&self, signals: &Signals, pin: PinId) -> bool {
        self.given.is_none() && self.request.pinner.is_some_and(|pinner| signals.hidden(pinner, pin))
    }

    /// Whether the pinner has seen the pin. A history that came with the request knows only itself.
    pub fn seen(&self, signals: &Signals, pin: PinId) -> bool {
        match (&self.given, self.request.pinner) {
            (Some(given), _) => given.contains(&pin),
            (None, Some(pinner)) => signals.seen(pinner, pin),
            (None, None) => false,
        }
    }

    /// The pinner, when the request may know more of them than the history that it came with.
    pub(crate) fn known_pinner(&self) -> Option<PinnerId> {
        self.request.pinner.filter(|_| self.given.is_none())
    }

    /// How many pins a generator should look for so that `quota` are left without those that are known already.
    pub fn reach(&self, quota: usize) -> usize {
        quota + self.known
    }

    /// Asks something with the request's filter, if it has one that the columns know. The catalogue is held meanwhile:
    /// take other parts inside only.
    pub(crate) fn bound<T>(&self, ask: impl FnOnce(Option<&Bound>) -> T) -> T {
        let Some(filter) = &self.filter else { return ask(None) };
        let catalogue = read(&self.views.catalogue);
        ask(filter.bind(catalogue.columns()).ok().as_ref())
    }

    /// The pins of an index that pass the request's filter, if that is a filter which many requests have.
    pub(crate) fn marked(&self, index: (&'static str, &VectorIndex), filter: Option<&Bound>) -> Option<Arc<Marked>> {
        filter.and_then(|filter| self.views.marks.of(index, &self.request.filter, filter))
    }

    /// Whether the request is for the pinner's own feed rather than about something.
    pub fn is_feed(&self) -> bool {
        matches!(self.request.surface, Surface::Home | Surface::Notification)
    }

    fn read_subject(&mut self) {
        match &self.request.subject {
            Subject::None => {}
            Subject::Pin(pin) => self.subject_pins = vec![*pin],
            Subject::Query(words) => self.words = Some(words.clone()),
            Subject::Board(board) => {
                let catalogue = read(&self.views.catalogue);
                let title = catalogue.board_view(*board).map(|view| view.title).unwrap_or("");
                self.words = (!title.is_empty()).then(|| title.to_owned());
                let graph = read(&self.views.graph);
                let pins = graph.pins_of(*board);
                let first = pins.len().saturating_sub(BOARD_PINS_MAX);
                self.subject_pins = pins.skip(first).collect();
            }
        }
    }

    fn read_pinner(&mut self) {
        let signals = read(&self.views.signals);
        let own = self.request.pinner.map_or(&[][..], |pinner| signals.history(pinner));
        self.excluded = self.request.pinner.map_or(Vec::new(), |pinner| signals.boards_of(pinner).to_vec());
        match self.request.history.take() {
            None => self.history = own.to_vec(),
            Some(history) => {
                self.given = Some(history.iter().map(|act| act.pin).collect());
                self.history = history;
            }
        }
        self.history.retain(|act| act.action.is_positive());
        let first = self.history.len().saturating_sub(signals::SEQUENCE_MAX);
        self.history.drain(..first);
        let (saved, seen) = match (&self.given, self.request.pinner) {
            (None, Some(pinner)) => signals.known(pinner),
            (given, _) => (given.as_ref().map_or(0, HashSet::len), 0),
        };
        let seen = if self.params.surface(self.request.surface).hide_seen { seen } else { 0 };
        self.known = (saved + seen + self.subject_pins.len()).min(REACH_MAX);
    }

    fn read_tastes(&mut self) {
        let catalogue = read(&self.views.catalogue);
        let signals = read(&self.views.signals);
        let (negatives, shown) = match self.known_pinner() {
            Some(pinner) => (signals.negatives(pinner), signals.shown(pinner)),
            None => (&[][..], &[][..]),
        };
        self.tastes = Tastes::of(&catalogue, &self.history, negatives, shown, self.request.now_ms);
    }

    fn read_starts(&mut self) {
        if !self.subject_pins.is_empty() {
            self.starts = self.subject_pins.iter().map(|&pin| Start { pin, weight: 1.0 }).collect();
            return;
        }
        let recent = &self.history[self.history.len().saturating_sub(self.params.seeds_max)..];
        let newest_ms = recent.iter().map(|act| act.ts_ms).max().unwrap_or(0);
        let half_life_ms = f64::from(self.params.walk.start_half_life_days.max(1e-3)) * 86_400_000.0;
        // Age counts from the newest act: only the proportions matter, and old histories must not vanish.
        let weigh = |act: &Act| {
            let age = (newest_ms - act.ts_ms) as f64 / half_life_ms;
            Start { pin: act.pin, weight: liking(act.action) * (-age).exp2() as f32 }
        };
        self.starts = recent.iter().map(weigh).collect();
    }

    /// A search is about what is asked, in words or by a picture; everything else about the subject or, without one,
    /// about what the pinner did.
    fn read_content(&mut self) {
        let asked = self.request.look.take().or_else(|| match &self.request.subject {
            Subject::Query(words) => self.views.embed_words(words),
            _ => None,
        });
        let content = read(&self.views.content);
        if let Some(Embedding { space, vector }) = asked {
            let fits = (space, vector.len()) == (content.space(), content.dim());
            self.content = if fits { vector } else { Vec::new() };
            return;
        }
        if self.request.surface == Surface::Search {
            return;
        }
        self.content = if self.subject_pins.is_empty() {
            mean(&content, self.history.iter().rev().map(|act| act.pin), CONTENT_SEEDS)
        } else {
            mean(&content, self.subject_pins.iter().copied(), BOARD_PINS_MAX)
        };
    }

    fn encode(&mut self, scratches: &Spare<Scratch>) {
        let Some(installed) = &self.installed else { return };
        let (model, request) = (&installed.model, &self.request);
        let pins = &self.subject_pins[self.subject_pins.len().saturating_sub(model.config().pool_max)..];
        let read_of = self.history.iter().map(|act| act.pin).chain(pins.iter().copied());
        let contents = Contents::read(&read(&self.views.content), model, read_of);
        let mean =
            |pins: &[PinId]| mean_content(pins.iter().map(|&pin| contents.of(pin)).filter(|row| !row.is_empty()));
        let kind = match request.subject {
            Subject::None => SubjectKind::None,
            Subject::Pin(_) => SubjectKind::Pin,
            Subject::Board(_) => SubjectKind::Board,
            Subject::Query(_) => SubjectKind::Query,
        };
        let gap = self.history.last().map_or(0, |act| gap_bucket(act.ts_ms, request.now_ms));
        let about = mean(pins);
        let condition = Condition { surface: request.surface, kind, pins, content: &about, gap, reach: Reach::Next };
        let topics: Vec<(Vec<PinId>, Vec<f32>)> = self
            .interests(model.config().pool_max)
            .into_iter()
            .map(|pins| {
                let content = mean(&pins);
                (pins, content)
            })
            .collect();
        let kind = SubjectKind::Topic;
        let topics: Vec<Condition> =
            topics.iter().map(|(pins, content)| Condition { kind, pins, content, ..condition }).collect();
        let tokens = tokens(&self.history, model.config().history_max, |pin| contents.of(pin));
        let for_candidates = model.ranker().encoded() > 0;
        self.state =
            Some(scratches.with(|scratch| model.encode_all(&tokens, (&condition, &topics), for_candidates, scratch)));
    }

    /// Interests that get a vector of their own.
    pub(crate) fn interests_max(&self) -> usize {
        if self.is_feed() { self.params.retrieval_vectors.saturating_sub(1) } else { 0 }
    }

    /// What the pinner is after besides the request's own question: the latest pins of topics.
    fn interests(&self, pins_max: usize) -> Vec<Vec<PinId>> {
        let wanted = self.interests_max();
        if wanted == 0 {
            return Vec::new();
        }
        let mut topics = interests(&self.history, &read(&self.views.catalogue), wanted);
        topics.iter_mut().for_each(|pins| drop(pins.drain(..pins.len().saturating_sub(pins_max))));
        topics
    }
}

/// How much an act says that the pin is liked, compared with a save.
fn liking(action: Action) -> f32 {
    match action {
        Action::Save => 1.0,
        Action::Share | Action::Download | Action::Follow | Action::Comment => 0.8,
        Action::LongClick => 0.7,
        Action::Click => 0.4,
        _ => 0.3,
    }
}

/// Mean of the first `max` contents of `pins`, unit length; empty when none has content.
fn mean(content: &VectorIndex, pins: impl Iterator<Item = PinId>, max: usize) -> Vec<f32> {
    mean_content(pins.filter_map(|pin| content.vector(pin)).take(max))
}
