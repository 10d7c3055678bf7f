//! A small world in a directory of its own.

use domain::{Action, Board, Event, EventId, Fact, Params, Pin, Pinner, Request, Slate, Subject, Surface, Understood};
use serving::{Consumer, Opened, Pipeline, Views};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{EventLog, Snapshots, StateStore, open_log, open_state};
use tempfile::TempDir;

pub(crate) const NOW_MS: u64 = 1_700_000_000_000;
pub(crate) const DAY_MS: u64 = 86_400_000;

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) views: Arc<Views>,
    pub(crate) consumer: Consumer,
    pub(crate) pipeline: Pipeline,
    next_id: AtomicU64,
}

impl World {
    pub(crate) fn new() -> World {
        World::open(tempfile::tempdir().expect("a folder"), 1)
    }

    pub(crate) fn open(folder: TempDir, next_id: u64) -> World {
        let at = |name: &str| folder.path().join(name).display().to_string();
        let log = open_log(&at("log")).expect("a log");
        let state = open_state(&at("state")).expect("a state");
        let opened = Opened::newest(&Snapshots::new(at("snapshots"))).expect("views");
        let consumer = Consumer::open(log.clone(), state.clone(), opened).expect("a consumer");
        let views = consumer.views().clone();
        let pipeline = Pipeline::new(views.clone(), 2);
        World { folder, log, state, views, consumer, pipeline, next_id: AtomicU64::new(next_id) }
    }

    /// The process ends and starts again: all that was in memory is gone.
    pub(crate) fn restart(self) -> World {
        let World { folder, log, state, views, consumer, pipeline, next_id } = self;
        let next_id = next_id.into_inner();
        drop((log, state, views, consumer, pipeline));
        World::open(folder, next_id)
    }

    /// Keeps the views as a snapshot.
    pub(crate) fn keep(&self) -> Option<u64> {
        self.consumer.keep(&self.snapshots()).expect("kept")
    }

    pub(crate) fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.folder.path().join("snapshots"))
    }

    pub(crate) fn append(&self, facts: Vec<Fact>) {
        let facts: Vec<(EventId, Fact)> = facts.into_iter().map(|fact| (self.id(), fact)).collect();
        self.log.append(&facts).expect("appended");
    }

    pub(crate) fn tell(&self, facts: Vec<Fact>) {
        self.append(facts);
        self.consumer.catch_up().expect("caught up");
    }

    pub(crate) fn id(&self) -> EventId {
        EventId::new(NOW_MS, u128::from(self.next_id.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn request(&self, pinner: &str, surface: Surface, subject: Subject) -> Request {
        Request {
            request_id: self.id(),
            subject,
            pinner_key: pinner.to_owned(),
            pinner: self.views.catalogue().pinner(pinner),
            limit: 3,
            deadline_ms: 60_000,
            ..Request::new(surface, NOW_MS, 7)
        }
    }

    pub(crate) fn home(&self, pinner: &str) -> Slate {
        self.serve(self.request(pinner, Surface::Home, Subject::None), &params())
    }

    pub(crate) fn related(&self, pinner: &str, pin: &str) -> Slate {
        let pin = self.views.catalogue().pin(pin).expect("a known pin");
        self.serve(self.request(pinner, Surface::Related, Subject::Pin(pin)), &params())
    }

    pub(crate) fn search(&self, pinner: &str, words: &str) -> Slate {
        self.serve(self.request(pinner, Surface::Search, Subject::Query(words.to_owned())), &params())
    }

    pub(crate) fn board(&self, pinner: &str, board: &str) -> Slate {
        let board = self.views.catalogue().board(board).expect("a known board");
        self.serve(self.request(pinner, Surface::Board, Subject::Board(board)), &params())
    }

    pub(crate) fn serve(&self, request: Request, params: &Params) -> Slate {
        serve(&self.pipeline, request, params)
    }

    pub(crate) fn keys(&self, slate: &Slate) -> Vec<String> {
        let catalogue = self.views.catalogue();
        slate.items.iter().map(|item| catalogue.pin_key(item.pin).to_owned()).collect()
    }

    /// Which filter or stage dropped a pin.
    pub(crate) fn dropped_by(&self, slate: &Slate, pin: &str) -> Option<&'static str> {
        let pin = self.views.catalogue().pin(pin);
        slate.trace.dropped.iter().find(|drop| Some(drop.pin) == pin).map(|drop| drop.by)
    }
}

pub(crate) fn serve(pipeline: &Pipeline, request: Request, params: &Params) -> Slate {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.expect("a runtime").block_on(pipeline.serve(request, params))
}

/// Parameters with deadlines that no slow machine misses.
pub(crate) fn params() -> Params {
    let mut params = Params::default().for_evaluation();
    let generators = &mut params.generators;
    for generator in [
        &mut generators.retrieval,
        &mut generators.walks,
        &mut generators.text,
        &mut generators.content,
        &mut generators.fresh,
        &mut generators.popular,
        &mut generators.exploration,
    ] {
        generator.deadline_ms = 60_000;
    }
    params
}

pub(crate) fn pin(id: &str) -> Fact {
    Fact::Pin(Pin { id: id.into(), ..Pin::default() })
}

pub(crate) fn pins(ids: &[&str]) -> Vec<Fact> {
    ids.iter().map(|id| pin(id)).collect()
}

pub(crate) fn titled(id: &str, title: &str) -> Pin {
    Pin { id: id.into(), title: title.into(), ..Pin::default() }
}

pub(crate) fn board(id: &str, title: &str, pinner: &str) -> Fact {
    Fact::Board(Board { id: id.into(), title: title.into(), pinner: Some(pinner.into()), created_ms: NOW_MS })
}

pub(crate) fn pinner(id: &str) -> Fact {
    Fact::Pinner(Pinner { id: id.into(), name: id.to_uppercase(), ..Pinner::default() })
}

pub(crate) fn understood(pin: &str, embedding: [f32; 2]) -> Fact {
    let length = embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
    let embedding = embedding.iter().map(|x| x / length).collect();
    Fact::Understood(Understood { pin: pin.into(), space: 1, embedding, ..Understood::default() })
}

pub(crate) fn act(pinner: &str, action: Action, pin: &str) -> Event {
    Event { pin: Some(pin.into()), ..Event::new(pinner, action, NOW_MS - DAY_MS) }
}

pub(crate) fn save(pinner: &str, pin: &str) -> Fact {
    Fact::Event(act(pinner, Action::Save, pin))
}

pub(crate) fn save_to(pinner: &str, pin: &str, board: &str) -> Fact {
    Fact::Event(Event { board: Some(board.into()), ..act(pinner, Action::Save, pin) })
}

pub(crate) fn did(pinner: &str, action: Action, pin: &str) -> Fact {
    Fact::Event(act(pinner, action, pin))
}

/// Ann saves `a` and `b`; three others save them together with `c`; `z` is liked by many who share nothing with Ann.
pub(crate) fn co_saves() -> Vec<Fact> {
    let mut facts = pins(&["a", "b", "c", "d", "z", "y"]);
    facts.extend([save("ann", "a"), save("ann", "b")]);
    for other in ["ben", "cat", "dan"] {
        facts.extend([save(other, "a"), save(other, "b"), save(other, "c")]);
    }
    facts.extend([save("ben", "d")]);
    for other in ["eve", "fay", "gil", "hal", "ida"] {
        facts.extend([save(other, "z"), save(other, "y")]);
    }
    facts
}
