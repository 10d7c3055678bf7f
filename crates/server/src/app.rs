//! What handlers share.

use crate::admission::{Asker, Gate, Room};
use crate::clock::{Clock, ClockKind};
use crate::error::ServerError;
use crate::experiments::Experimenting;
use crate::health::Looked;
use crate::ids::Ids;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::live::{LiveParams, Tuned};
use crate::metrics::{Metrics, Snapshot};
use crate::problem::Problem;
use crate::recent::Recent;
use crate::revise::Unseen;
use crate::wire::RowKind;
use crate::wording::Wordings;
use content::{Annotating, Embedder, Learned};
use domain::{EventId, Params, Request, Slate, TopicKind};
use serving::{CacheLimits, Catalogue, Consumer, Pipeline, RecordSink, SinkCounts, SlateCache, Views};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use store::{Blobs, EventLog};

/// What the server works with: opened and followed by whoever starts it.
pub struct Engines {
    /// Follows the log; somebody else runs it.
    pub consumer: Arc<Consumer>,
    /// The funnel over the consumer's views.
    pub pipeline: Pipeline,
    /// Where facts and request records go.
    pub log: Arc<dyn EventLog>,
    /// Where pictures lie.
    pub blobs: Blobs,
    /// What understands pins and pictures that are asked with.
    pub embedder: Embedder,
    /// What rules and the collection say of pins that come.
    pub annotating: Annotating,
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who may come in; empty means everybody on this machine.
    pub keys: Keys,
    /// How much is taken at once.
    pub limits: Limits,
    /// The funnel's parameters.
    pub params: Params,
    /// Whether parameters may be used, and why not: those of experiments, too.
    pub check_params: CheckParams,
    /// Where the time comes from.
    pub clock: ClockKind,
}

/// Why parameters cannot be used, if they cannot.
#[derive(Clone, Copy, Debug)]
pub struct CheckParams(pub fn(&Params) -> Result<(), String>);

impl Default for CheckParams {
    fn default() -> CheckParams {
        CheckParams(|_| Ok(()))
    }
}

/// The server's state. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    engines: Engines,
    keys: Keys,
    limits: Limits,
    params: LiveParams,
    check_params: CheckParams,
    experimenting: Experimenting,
    embedder: RwLock<Embedder>,
    annotating: RwLock<Annotating>,
    ids: Ids,
    clock: Clock,
    metrics: Metrics,
    rankings: SlateCache,
    wordings: Wordings,
    recent: Recent,
    sink: RecordSink,
    ranking_gate: Gate,
    ingest_gate: Gate,
    /// Pins have turns of their own: they may have to wait for the views, for which events should not wait.
    pin_gate: Gate,
    room: Room,
    unseen: Mutex<Unseen>,
    caught_up: AtomicBool,
    looked: Looked,
    since: Instant,
}

impl App {
    /// A server over `engines`.
    ///
    /// # Errors
    /// When the thread that writes request records cannot be started.
    pub fn new(engines: Engines, settings: Settings) -> Result<App, ServerError> {
        let Settings { keys, limits, params, check_params, clock } = settings;
        let sink = RecordSink::start(engines.log.clone()).map_err(|error| ServerError::Records(error.to_string()))?;
        let kept = CacheLimits {
            slates_max: limits.rankings_kept_max,
            traces_max: limits.answers_kept_max,
            ttl_ms: limits.paging_ms_max,
        };
        Ok(App(Arc::new(Inner {
            keys,
            params: LiveParams::new(params),
            check_params,
            experimenting: Experimenting::default(),
            embedder: RwLock::new(engines.embedder.clone()),
            annotating: RwLock::new(engines.annotating.clone()),
            ids: Ids::new(),
            clock: Clock::new(clock),
            metrics: Metrics::new(),
            rankings: SlateCache::new(kept),
            wordings: Wordings::new(limits.rankings_kept_max),
            recent: Recent::new(limits.answers_kept_max),
            sink,
            ranking_gate: Gate::new(limits.rankings_max, limits.waiting_max, limits.wait()),
            ingest_gate: Gate::new(limits.ingests_max, limits.waiting_max, limits.wait()),
            pin_gate: Gate::new(limits.ingests_max, limits.waiting_max, limits.wait()),
            room: Room::new(limits.bodies()),
            unseen: Unseen::new(&*engines.log),
            caught_up: AtomicBool::new(false),
            looked: Looked::default(),
            since: Instant::now(),
            engines,
            limits,
        })))
    }

    /// The parameters that a request is answered with which begins now.
    pub(crate) fn params(&self) -> Arc<Params> {
        self.0.params.now().params
    }

    /// Why parameters cannot be used, if they cannot.
    pub(crate) fn check_params(&self, params: &Params) -> Result<(), String> {
        (self.0.check_params.0)(params)
    }

    pub(crate) fn experimenting(&self) -> &Experimenting {
        &self.0.experimenting
    }

    pub(crate) fn tuned(&self) -> Tuned {
        self.0.params.now()
    }

    /// Answers requests that begin from now on with other parameters, or says why those that somebody wants cannot be
    /// used: then everything stays as it is, and health, metrics and the console tell of it.
    pub fn offer_params(&self, params: Result<Params, String>) {
        self.0.params.offer(params);
    }

    /// Pins that come from now on are understood by another embedder: that of the space which the views are in.
    pub fn embed_with(&self, embedder: Embedder) {
        *self.0.embedder.write().unwrap_or_else(PoisonError::into_inner) = embedder;
    }

    pub(crate) fn embedder(&self) -> Embedder {
        self.0.embedder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Pins that come from now on are annotated by what was learned anew.
    pub fn annotate_with(&self, annotating: Annotating) {
        *self.0.annotating.write().unwrap_or_else(PoisonError::into_inner) = annotating;
    }

    /// What was learned of the collection, and is told of pins that come.
    pub fn learned(&self) -> Option<Arc<Learned>> {
        self.annotating().learned().cloned()
    }

    pub(crate) fn annotating(&self) -> Annotating {
        self.0.annotating.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What became of request records so far.
    pub fn records(&self) -> SinkCounts {
        self.0.sink.counts()
    }

    pub(crate) fn allow_bind(&self, address: SocketAddr) -> Result<(), ServerError> {
        self.0.keys.allow_bind(address)
    }

    pub(crate) fn views(&self) -> &Views {
        self.0.engines.consumer.views()
    }

    pub(crate) fn consumer(&self) -> &Arc<Consumer> {
        &self.0.engines.consumer
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.engines.pipeline
    }

    pub(crate) fn log(&self) -> &Arc<dyn EventLog> {
        &self.0.engines.log
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.0.engines.blobs
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.ids
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What time it is (ms, UTC).
    pub(crate) fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    /// A new id of this moment.
    pub(crate) fn next_id(&self) -> EventId {
        self.0.ids.next(self.now_ms())
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn rankings(&self) -> &SlateCache {
        &self.0.rankings
    }

    pub(crate) fn wordings(&self) -> &Wordings {
        &self.0.wordings
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.0.recent
    }

    pub(crate) fn ranking_gate(&self) -> &Gate {
        &self.0.ranking_gate
    }

    pub(crate) fn unseen(&self) -> &Mutex<Unseen> {
        &self.0.unseen
    }

    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    /// Takes something in, when its turn has come, where blocking is fine. The turn lasts as long as the work, also
    /// when nobody waits for its answer any more, which the work can ask its asker.
    pub(crate) async fn ingest<T: Send + 'static>(
        &self,
        kind: RowKind,
        doing: &'static str,
        work: impl FnOnce(&App, &Asker) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let gate = if kind == RowKind::Pin { &self.0.pin_gate } else { &self.0.ingest_gate };
        let turn = gate.enter().await?;
        let app = self.clone();
        let (asker, _waits) = Asker::who_waits();
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&app, &asker)
        });
        worked.await.map_err(|error| Problem::internal(doing, error))?
    }

    pub(crate) fn looked(&self) -> &Looked {
        &self.0.looked
    }

    pub(crate) fn up(&self) -> Duration {
        self.0.since.elapsed()
    }

    /// Notes what a page showed; never waits. When records cannot follow they are dropped and counted.
    pub(crate) fn record(&self, request: Request, slate: Arc<Slate>, offset: usize, shown: usize) {
        let [offset, shown] = [offset, shown].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        self.0.sink.record(request, slate, offset, shown);
    }

    /// Why requests should not be sent here yet; empty when they may. Once it has caught up, a short backlog is no
    /// reason.
    pub(crate) fn unready(&self) -> Vec<String> {
        const BACKLOG_MAX: u64 = 100_000;
        let mut reasons: Vec<String> = self.consumer().trouble().into_iter().collect();
        if self.clock().given_ms() == Some(0) {
            reasons.push("nobody has told the time yet (POST /v1/clock)".to_owned());
        }
        let [catalogue, events, _] = self.consumer().lag();
        let caught_up = self.0.caught_up.load(Ordering::Relaxed) || catalogue + events == 0;
        self.0.caught_up.store(caught_up, Ordering::Relaxed);
        if !caught_up || catalogue + events > BACKLOG_MAX {
            reasons.push(format!("{} facts of the log are not in the views yet", catalogue + events));
        }
        reasons
    }

    /// Whether the views know the catalogue's topic up to `end`.
    pub(crate) fn reached(&self, end: u64) -> bool {
        // The end before the lag: what comes in between makes it look as if less were known, never more.
        let last = self.log().end(TopicKind::Catalogue);
        last.saturating_sub(self.consumer().lag()[TopicKind::Catalogue as usize]) >= end
    }

    /// What `look` finds in the catalogue. When that is nothing, it waits a moment for what is in the log by now, so
    /// that who has just written something finds it.
    pub(crate) async fn find<T>(&self, look: impl Fn(&Catalogue) -> Option<T>) -> Option<T> {
        const PATIENCE: Duration = Duration::from_millis(1_000);
        let (end, until) = (self.log().end(TopicKind::Catalogue), Instant::now() + PATIENCE);
        loop {
            let enough = self.reached(end) || Instant::now() > until;
            let found = look(&self.views().catalogue());
            if found.is_some() || enough {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let catalogue = self.views().catalogue();
        let (pins, pinners) = (catalogue.pins(), catalogue.pinners());
        drop(catalogue);
        let lag = TopicKind::ALL.iter().zip(self.consumer().lag()).map(|(topic, lag)| (topic.as_str(), lag));
        let counts = self.records();
        let (records_lost, recall) = (counts.dropped + counts.failed, self.views().recall());
        let (lag, unkept, tuned) = (lag.collect(), self.consumer().since_kept(), self.tuned());
        let (params_taken, params_refused) = (tuned.taken, tuned.refused.is_some());
        let content_space = self.views().content().space();
        Snapshot { lag, records_lost, pins, pinners, content_space, recall, unkept, params_taken, params_refused }
    }

    /// Writes the last request records. Afterwards nothing is recorded any more.
    pub(crate) async fn close(&self) -> Result<(), ServerError> {
        let app = self.clone();
        let counts = tokio::task::spawn_blocking(move || app.0.sink.close()).await;
        match counts.map_err(|error| ServerError::Records(error.to_string()))?.failed {
            0 => Ok(()),
            failed => Err(ServerError::Records(format!("{failed} were refused by the log"))),
        }
    }
}
