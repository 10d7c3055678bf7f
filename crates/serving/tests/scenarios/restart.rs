//! The views are made from the log, every fact once, however often the process ends.

use crate::world::*;
use domain::{
    Action, Annotated, BoardId, Clustered, Event, EventId, Fact, Pin, PinId, PinnerId, Request, RequestRecord,
    Reviewed, Slate, Subject, Surface, Verdict,
};
use domain::{TopicKind, Trace};
use serving::{Consumer, Opened, ServingError};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{Batch, StateStore, StoreError};

/// Facts of all kinds, in an order that a real log could have.
fn life() -> Vec<Fact> {
    let mut facts = co_saves();
    facts.extend([
        board("blue", "Blue things", "ann"),
        pinner("ann"),
        Fact::Pin(Pin { created_ms: NOW_MS - DAY_MS, creator: Some("x".into()), ..titled("c", "Blue vase") }),
        understood("c", [1.0, 0.0]),
        understood("a", [1.0, 0.1]),
        understood("d", [0.9, 0.3]),
        save_to("ann", "mentioned", "blue"),
        save_to("jan", "d", "somebody's"),
        did("ann", Action::Hide, "y"),
        did("ann", Action::Impression, "z"),
        Fact::Event(Event { query: Some("something cobalt".into()), ..act("ben", Action::Save, "d") }),
        Fact::PinRemoved("b".into()),
        Fact::Annotated(Annotated {
            terms: vec![("cobalt glass".into(), 0.5)],
            verdict: Verdict::Review,
            pin: "d".into(),
            ..Annotated::default()
        }),
        Fact::Clustered(Clustered { pin: "d".into(), head: "a".into() }),
        Fact::Reviewed(Reviewed { pin: "z".into(), verdict: Verdict::Hide, ts_ms: NOW_MS }),
    ]);
    facts
}

fn slates(world: &World) -> Vec<Slate> {
    let request = |pinner, surface, subject| Request {
        request_id: domain::EventId(9),
        ..world.request(pinner, surface, subject)
    };
    let (a, blue) = (world.views.catalogue().pin("a").expect("a"), world.views.catalogue().board("blue").expect("b"));
    let requests = [
        request("ann", Surface::Home, Subject::None),
        request("ben", Surface::Home, Subject::None),
        request("ann", Surface::Related, Subject::Pin(a)),
        request("ann", Surface::Board, Subject::Board(blue)),
        request("ann", Surface::Search, Subject::Query("blue vase".into())),
        request("cat", Surface::Search, Subject::Query("cobalt".into())),
    ];
    let mut slates: Vec<Slate> = requests.into_iter().map(|request| world.serve(request, &params())).collect();
    slates.iter_mut().flat_map(|slate| &mut slate.trace.stages).for_each(|stage| stage.took_us = 0);
    slates
}

fn assert_same(before: &[Slate], after: &[Slate]) {
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before.items, after.items);
        assert_eq!(before.trace, after.trace);
    }
}

#[test]
fn a_restart_from_a_snapshot_gives_the_same_slates() {
    let world = World::new();
    world.tell(life());
    let before = slates(&world);
    assert!(before.iter().all(|slate| !slate.items.is_empty()));
    assert_eq!((world.keep(), world.keep()), (Some(0), None), "what is kept is not kept again");
    let world = world.restart();
    assert_eq!(world.consumer.lag(), [0; 3]);
    assert_same(&before, &slates(&world));
}

#[test]
fn what_came_to_the_log_but_not_to_the_views_is_read_after_a_restart() {
    let (whole, cut) = (World::new(), World::new());
    whole.tell(life());
    let life = life();
    let (first, rest) = life.split_at(20);
    cut.tell(first.to_vec());
    cut.keep();
    cut.append(rest.to_vec());
    let cut = cut.restart();
    assert!(cut.consumer.lag().iter().sum::<u64>() > 0);
    cut.consumer.catch_up().expect("caught up");
    assert_eq!(cut.consumer.lag(), [0; 3]);
    let saves = |world: &World| {
        let c = world.views.catalogue().pin("c").expect("c");
        world.views.signals().total(c, Action::Save)
    };
    assert_eq!(saves(&whole), saves(&cut));
    assert_eq!(whole.views.graph().edges(), cut.views.graph().edges());
}

#[test]
fn what_is_thrown_away_is_made_again() {
    let world = World::new();
    world.tell(life());
    world.keep();
    let before = slates(&world);
    let World { folder, log, state, views, consumer, pipeline, .. } = world;
    drop((log, state, views, consumer, pipeline));
    for made in ["state", "snapshots"] {
        std::fs::remove_dir_all(folder.path().join(made)).expect("removed");
    }
    let world = World::open(folder, 1_000);
    world.consumer.catch_up().expect("caught up");
    assert_same(&before, &slates(&world));
}

#[test]
fn numbers_outlive_the_state() {
    let world = World::new();
    // An event names a pin and a board before the catalogue does: reading the log again would number them last.
    world.tell(vec![save_to("zoe", "mentioned first", "zoe's")]);
    world.tell(life());
    let numbers = |world: &World| {
        let catalogue = world.views.catalogue();
        let pins = (0..catalogue.pins() as u32).map(|id| catalogue.pin_key(PinId(id)).to_owned());
        let boards = (0..catalogue.boards() as u32).map(|id| catalogue.board_key(BoardId(id)).to_owned());
        let pinners = (0..catalogue.pinners() as u32).map(|id| catalogue.pinner_key(PinnerId(id)).to_owned());
        pins.chain(boards).chain(pinners).collect::<Vec<String>>()
    };
    let (before, answers) = (numbers(&world), slates(&world));
    assert_eq!(before[0], "mentioned first");
    let World { folder, log, state, views, consumer, pipeline, .. } = world;
    drop((log, state, views, consumer, pipeline));
    std::fs::remove_dir_all(folder.path().join("state")).expect("removed");
    let world = World::open(folder, 1_000);
    world.consumer.catch_up().expect("caught up");
    assert_eq!(before, numbers(&world));
    let items = |slates: &[Slate]| slates.iter().map(|slate| slate.items.clone()).collect::<Vec<_>>();
    assert_eq!(items(&answers), items(&slates(&world)));
}

/// A state that cannot be written to for a while.
struct Flaky {
    state: Arc<dyn StateStore>,
    broken: AtomicBool,
    fail: fn() -> StoreError,
}

impl Flaky {
    fn new(world: &World, fail: fn() -> StoreError) -> Arc<Flaky> {
        Arc::new(Flaky { state: world.state.clone(), broken: AtomicBool::new(true), fail })
    }
}

impl StateStore for Flaky {
    fn get(&self, space: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.state.get(space, key)
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err((self.fail)());
        }
        self.state.write(batch)
    }

    fn scan(&self, space: &str, from: &[u8], max: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.state.scan(space, from, max)
    }

    fn offset(&self, consumer: &str, topic: TopicKind) -> Result<u64, StoreError> {
        self.state.offset(consumer, topic)
    }
}

/// What was served of a request.
fn served(id: EventId) -> Fact {
    Fact::Served(Box::new(RequestRecord {
        request_id: id,
        ts_ms: NOW_MS,
        pinner: "ann".into(),
        surface: Surface::Home,
        subject: Subject::None,
        offset: 0,
        shown: 0,
        arms: Vec::new(),
        trace: Trace::default(),
    }))
}

#[test]
fn a_state_that_fails_for_a_while_loses_nothing_and_doubles_nothing() {
    let world = World::new();
    let flaky = Flaky::new(&world, || StoreError::Invalid("the disk is full".into()));
    let nothing = || Opened::nothing().expect("views");
    let consumer = Consumer::open(world.log.clone(), flaky.clone(), nothing()).expect("a consumer");
    world.append(life());
    let request = EventId::new(NOW_MS, 77);
    world.append(vec![served(request)]);
    for _ in 0..3 {
        assert!(matches!(consumer.catch_up(), Err(ServingError::Store(_))));
    }
    flaky.broken.store(false, Ordering::Relaxed);
    consumer.catch_up().expect("caught up");
    assert_eq!(consumer.lag(), [0; 3]);
    assert!(consumer.find_request(request).expect("asked").is_some());
    let again = Consumer::open(world.log.clone(), world.state.clone(), nothing()).expect("opened");
    assert_eq!(again.lag()[2], 0, "requests are not read again");
    again.catch_up().expect("caught up");
    let (views, made_again) = (consumer.views(), again.views());
    let c = views.catalogue().pin("c").expect("c");
    assert_eq!(made_again.catalogue().pin("c"), Some(c));
    assert_eq!(views.signals().total(c, Action::Save), 3);
    assert_eq!(made_again.signals().total(c, Action::Save), 3);
    assert_eq!(made_again.graph().edges(), views.graph().edges());
}

#[test]
fn a_consumer_that_falls_is_heard() {
    let world = World::new();
    let flaky = Flaky::new(&world, || panic!("stands in for a defect"));
    let consumer = Consumer::open(world.log.clone(), flaky, Opened::nothing().expect("views")).expect("a consumer");
    world.append(vec![served(EventId::new(NOW_MS, 77))]);
    let ended = std::thread::scope(|scope| scope.spawn(|| consumer.run(&AtomicBool::new(false))).join());
    assert!(ended.is_err());
    assert!(consumer.trouble().is_some_and(|told| told.contains("restart the server")), "{:?}", consumer.trouble());
}

#[test]
fn a_log_that_is_shorter_than_the_state_knows_is_refused() {
    let world = World::new();
    world.tell(vec![served(EventId::new(NOW_MS, 77))]);
    let empty = tempfile::tempdir().expect("a folder");
    let log = store::open_log(&empty.path().display().to_string()).expect("a log");
    let refused = Consumer::open(log, world.state.clone(), Opened::nothing().expect("views")).err();
    let told = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(told.starts_with("the state has read topic 'requests' up to "), "{told}");
}

/// Files of a world's only snapshot.
fn parts(world: &World) -> Vec<PathBuf> {
    let folder = world.folder.path().join("snapshots/00000000000000000000");
    std::fs::read_dir(folder).expect("kept").map(|entry| entry.expect("readable").path()).collect()
}

#[test]
fn a_snapshot_that_is_not_as_it_was_written_is_passed_over() {
    let mut world = World::new();
    world.tell(life());
    let before = slates(&world);
    world.keep();
    let paths = parts(&world);
    assert_eq!(paths.len(), 11, "{paths:?}");
    for path in paths {
        let whole = std::fs::read(&path).expect("read");
        let middle = whole.len() / 2;
        let flipped = whole.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == middle)).collect();
        for bad in [flipped, whole[..middle].to_vec(), Vec::new(), b"nonsense".to_vec()] {
            std::fs::remove_file(&path).expect("removed");
            std::fs::write(&path, bad).expect("written");
            world = world.restart();
            let odd = world.consumer.snapshot();
            // A flipped bit between sections is nobody's; what is read is as it was.
            assert!(odd.is_none() || world.consumer.lag()[..2] == [0; 2], "{}", path.display());
            world.consumer.catch_up().expect("caught up");
            assert_same(&before, &slates(&world));
        }
        std::fs::remove_file(&path).expect("removed");
        world = world.restart();
        assert_eq!(world.consumer.snapshot(), None, "{} is missing", path.display());
        std::fs::write(&path, whole).expect("as it was");
    }
    world = world.restart();
    assert_eq!((world.consumer.snapshot(), world.consumer.lag()), (Some(0), [0; 3]));
}

#[test]
fn the_snapshot_before_serves_when_the_newest_is_damaged() {
    let world = World::new();
    let life = life();
    let (first, rest) = life.split_at(20);
    world.tell(first.to_vec());
    world.keep();
    world.tell(rest.to_vec());
    assert_eq!(world.keep(), Some(1));
    let before = slates(&world);
    let newest = world.folder.path().join("snapshots/00000000000000000001/signals");
    std::fs::write(newest, "nonsense").expect("damaged");
    let world = world.restart();
    assert_eq!(world.consumer.snapshot(), Some(0));
    world.consumer.catch_up().expect("caught up");
    assert_same(&before, &slates(&world));
}

#[test]
fn a_snapshot_of_another_log_is_passed_over() {
    let (world, other) = (World::new(), World::open(tempfile::tempdir().expect("a folder"), 500));
    world.tell(life());
    other.tell(life());
    other.keep();
    let at = |world: &World| world.folder.path().join("snapshots");
    std::fs::rename(at(&other), at(&world)).expect("moved");
    let before = slates(&world);
    let world = world.restart();
    assert_eq!(world.consumer.snapshot(), None);
    world.consumer.catch_up().expect("caught up");
    assert_same(&before, &slates(&world));
}

#[test]
fn an_action_wakes_the_consumer() {
    let world = World::new();
    world.tell(co_saves());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| world.consumer.run(&stop));
        assert!(world.keys(&world.home("ann")).contains(&"c".to_owned()));
        world.append(vec![save("ann", "c")]);
        let gone = |_: &u32| {
            std::thread::sleep(Duration::from_millis(20));
            !world.keys(&world.home("ann")).contains(&"c".to_owned())
        };
        assert!((0..500).any(|try_| gone(&try_)), "the save reached the feed");
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(world.consumer.trouble(), None);
}

#[test]
fn requests_and_the_consumer_do_not_disturb_each_other() {
    let world = World::new();
    world.tell(co_saves());
    let stop = AtomicBool::new(false);
    let batches = 20;
    std::thread::scope(|scope| {
        scope.spawn(|| world.consumer.run(&stop));
        let asking = scope.spawn(|| {
            let mut answers = 0;
            while !stop.load(Ordering::Relaxed) {
                let request = world.request("ann", Surface::Home, Subject::None);
                let slate = world.pipeline.rank_now(request, &params());
                assert!(slate.trace.degraded.is_empty() && slate.items.len() >= 2, "{:?}", slate.trace);
                answers += 1;
            }
            answers
        });
        for batch in 0..batches {
            let id = format!("new{batch}");
            world.append(vec![pin(&id), understood(&id, [1.0, batch as f32]), save("ben", &id), save("cat", &id)]);
        }
        while world.consumer.lag() != [0; 3] {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(asking.join().expect("no request failed") > 0);
    });
    assert_eq!(world.keys(&world.home("ann")).len(), 4 + batches);
}
