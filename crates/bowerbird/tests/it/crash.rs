//! A server that is killed while it packs its indexes and writes snapshots loses nothing, and serves what the log says.

use crate::bowerbird::{House, Server};
use domain::{Action, EventId, PinId, TopicKind};
use serde_json::json;
use serving::{Consumer, Opened, Views};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::{EventLog, Snapshots};

/// Rows of one body.
const PINS: u64 = 250;
const SAVES: u64 = 1_000;

/// Kills, one of them at least in the middle of writing.
const ROUNDS: u64 = 4;

/// What the server said that it has.
#[derive(Default)]
struct Acknowledged {
    pins: AtomicU64,
    saves: AtomicU64,
}

fn pins(batch: u64) -> String {
    let row = |pin: u64| json!({"id": format!("pin-{pin}"), "title": format!("title{pin} of many{}", pin % 97)});
    json!((batch * PINS..(batch + 1) * PINS).map(row).collect::<Vec<_>>()).to_string()
}

fn save(number: u64) -> (EventId, serde_json::Value) {
    let ts_ms = 1_700_000_000_000 + number;
    let id = EventId::new(ts_ms, u128::from(number));
    let (pinner, pin) = (number % 700, number.wrapping_mul(0x9E37_79B9) % 9_000);
    let (pinner, board) = (format!("pinner-{pinner}"), format!("board-{pinner}-{}", number % 3));
    let row = json!({"event_id": id.to_string(), "ts": ts_ms, "pinner": pinner, "action": "save",
        "pin": format!("pin-{pin}"), "board": board});
    (id, row)
}

fn saves(batch: u64) -> String {
    json!((batch * SAVES..(batch + 1) * SAVES).map(|number| save(number).1).collect::<Vec<_>>()).to_string()
}

/// Sends batch after batch, from the first that was not acknowledged, until the server is gone.
fn send(server: &Server, path: &str, body: fn(u64) -> String, acknowledged: &AtomicU64) {
    loop {
        match server.post(path, &body(acknowledged.load(Ordering::Acquire))) {
            (200, _) => _ = acknowledged.fetch_add(1, Ordering::AcqRel),
            (0, _) => break,
            (503, _) => std::thread::sleep(Duration::from_millis(5)),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn a_server_killed_while_it_packs_and_writes_loses_nothing() {
    let house = House::new();
    std::fs::create_dir_all(house.data()).expect("a folder");
    let config = "[server]\nsnapshot_every_s = 1\nsnapshot_facts_min = 1\n";
    std::fs::write(house.data().join("bowerbird.toml"), config).expect("a file");
    let acknowledged = Acknowledged::default();
    let writing = house.data().join("snapshots/.new");
    let mut torn = 0;
    for round in 0..ROUNDS {
        let server = house.serve();
        std::thread::scope(|scope| {
            scope.spawn(|| send(&server, "/v1/pins", pins, &acknowledged.pins));
            scope.spawn(|| send(&server, "/v1/events", saves, &acknowledged.saves));
            // Let it come some way, then kill it a moment after it has begun to write: at another moment every time.
            std::thread::sleep(Duration::from_millis(700 + 350 * round));
            let until = Instant::now() + Duration::from_secs(20);
            while !writing.exists() && Instant::now() < until {
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(Duration::from_millis(round * round * 3));
            server.kill();
        });
        drop(server);
        torn += usize::from(writing.exists());
        check(&house.data(), &acknowledged);
    }
    assert!(torn > 0, "none was killed while it wrote");
    let server = house.serve();
    let last = acknowledged.pins.into_inner() * PINS - 1;
    let found = server.json(&format!("/v1/search?q=title{last}&limit=1"));
    assert_eq!(found["items"][0]["id"], format!("pin-{last}"), "{found}");
}

/// Everything that was acknowledged is there, and the views of the newest snapshot and what follows it are those that
/// the log alone makes.
fn check(data: &Path, acknowledged: &Acknowledged) {
    let part = |name: &str| data.join(name).display().to_string();
    let log = store::open_log(&part("log")).expect("a log");
    let state = store::open_state(&part("state")).expect("a state");
    let follow = |opened: Opened| {
        let consumer = Consumer::open(log.clone(), state.clone(), opened).expect("opened");
        consumer.catch_up().expect("caught up");
        consumer.views().clone()
    };
    let served = follow(Opened::newest(&Snapshots::new(part("snapshots"))).expect("views"));
    let made = follow(Opened::nothing().expect("views"));
    let events = ids(&*log, TopicKind::Events);
    let sent = acknowledged.saves.load(Ordering::Acquire) * SAVES;
    assert!((0..sent).all(|number| events.contains(&save(number).0)), "an acknowledged save is gone");
    let catalogue = served.catalogue();
    let described = |pin: u64| catalogue.pin(&format!("pin-{pin}")).is_some_and(|pin| catalogue.servable(pin, 0));
    let sent = acknowledged.pins.load(Ordering::Acquire) * PINS;
    assert!((0..sent).all(described), "an acknowledged pin is gone");
    drop(catalogue);
    assert_same(&served, &made);
}

fn ids(log: &dyn EventLog, topic: TopicKind) -> BTreeSet<EventId> {
    let (mut ids, mut next) = (BTreeSet::new(), 0);
    loop {
        let facts = log.read(topic, next, 8_192).expect("readable");
        let Some((last, ..)) = facts.last() else { return ids };
        next = last + 1;
        for (_, id, _) in facts {
            assert!(ids.insert(id), "a fact is there twice");
        }
    }
}

fn assert_same(served: &Arc<Views>, made: &Arc<Views>) {
    let pins = served.catalogue().pins() as u32;
    assert_eq!(made.catalogue().pins() as u32, pins);
    for pin in (0..pins).map(PinId) {
        let known = |views: &Views| format!("{:?}", views.catalogue().pin_view(pin).map(|view| (view.key, view.title)));
        assert_eq!(known(served), known(made));
        let saves = |views: &Views| views.signals().total(pin, Action::Save);
        assert_eq!(saves(served), saves(made), "saves of {pin:?}");
        let boards = |views: &Views| views.graph().boards_of(pin).collect::<Vec<_>>();
        assert_eq!(boards(served), boards(made), "boards of {pin:?}");
        match (served.content().vector(pin), made.content().vector(pin)) {
            // Both are rounded, around other centres.
            (Some(a), Some(b)) => assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-2), "content of {pin:?}"),
            (a, b) => assert_eq!(a, b, "content of {pin:?}"),
        }
    }
    assert_eq!(served.content().len(), made.content().len());
    assert_eq!(served.text().len(), made.text().len());
    for pin in (0..pins).step_by(61).map(PinId) {
        let title = served.catalogue().pin_view(pin).map_or(String::new(), |view| view.title.to_owned());
        let Some(word) = title.split(' ').next().filter(|word| !word.is_empty()) else { continue };
        let found = |views: &Views| views.text().search(&format!("{word} "), 1).expect("found");
        assert_eq!(found(served)[0].0, pin);
        assert_eq!(found(made)[0].0, pin);
    }
    let (served, made) = (served.signals(), made.signals());
    let popular = |signals: &signals::Signals| signals.popular(1_800_000_000_000, 100);
    let pins = |popular: Vec<(PinId, f32)>| popular.into_iter().map(|(pin, _)| pin).collect::<Vec<_>>();
    assert_eq!(pins(popular(&served)), pins(popular(&made)));
}
