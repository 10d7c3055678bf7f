//! What an operator does to a server: starting it, stopping it, killing it.

use crate::bowerbird::House;
use domain::{Action, EventId, PinId};
use serde_json::json;
use serving::{Consumer, Opened};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[test]
fn a_stopping_server_knows_what_it_has_just_taken_in() {
    let house = House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    let server = house.serve();
    let describe = |title: &str| format!("{{\"id\":\"p1\",\"title\":\"{title}\"}}");
    let [first, second] = ["first", "second"].map(|title| server.begin_post("/v1/pins", &describe(title)));
    server.terminate();
    while server.listens() {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Whatever was to stop at once has done so by then.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(first.finish().0, 200);
    let (status, body) = second.finish();
    assert_eq!(status, 200, "who changes it must see what was written of it: {body}");
    assert_eq!(server.ended(), 0);
    let kept = house.json(&["sql", "select title from pins where id = 'p1'"]);
    assert_eq!(kept["rows"][0]["title"], "second", "{kept}");
}

#[cfg(unix)]
#[test]
fn a_server_is_alive_while_its_data_is_opened() {
    let house = House::new();
    // Whoever opens a pipe waits until somebody writes to it: nobody ever does.
    let topic = house.data().join("log/catalogue");
    std::fs::create_dir_all(&topic).expect("a folder");
    let made = Command::new("mkfifo").arg(topic.join("00000000000000000000.log")).status().expect("mkfifo runs");
    assert!(made.success());
    let server = house.start();
    let (status, body) = server.get("/health/live");
    assert!(status == 200 && body.contains("\"live\":true"), "{status}: {body}");
    for path in ["/health/ready", "/v1/feed/ann", "/"] {
        let (status, body) = server.get(path);
        assert!(status == 503 && body.contains("still being opened"), "{path}: {status}: {body}");
    }
}

#[test]
fn a_changed_file_of_parameters_answers_the_next_request() {
    let house = House::new();
    let saves = house.write("saves.txt", "1 10 11 12\n2 10 11 13\n3 11 12 13 14\n");
    assert_eq!(house.run(&["import", "pinterest", &saves]).code, 0);
    let server = house.serve();
    let file = house.data().join("bowerbird.toml");
    // Whether the best pin's utility is so many times its chance of a save.
    let ranked_by = |times: f64| {
        let feed = server.json("/v1/feed/1?explain=true");
        let best = &feed["items"][0]["explanation"];
        let [utility, save] = [&best["utility"], &best["heads"]["save"]].map(|of| of.as_f64().expect("a figure"));
        (utility - times * save).abs() < 1e-4 * utility.abs()
    };
    let within_seconds = |done: &dyn Fn() -> bool| {
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            done()
        })
    };
    let params = || server.json("/health/ready")["params"].clone();
    assert!(!ranked_by(7.0));
    std::fs::write(&file, "[params.home]\nweights = [7.0, 0, 0, 0, 0, 0, 0, 0]\n").expect("written");
    assert!(within_seconds(&|| ranked_by(7.0)), "the next request is ranked by it");
    assert_eq!(params(), json!({"taken": 1, "refused": false}));
    std::fs::write(&file, "[params.home]\nweights = [9.0, 0, 0, 0, 0, 0, 0, 5000]\n").expect("written");
    assert!(within_seconds(&|| params()["refused"] == true));
    assert!(ranked_by(7.0), "the old ones stay");
    let (console, metrics) = (server.get("/console").1, server.get("/metrics").1);
    assert!(console.contains("line 2: params.home.weights: 5000 is not between"), "{console}");
    assert!(metrics.contains("bowerbird_params_refused 1"));
    std::fs::write(&file, "[params.home]\nweights = [9.0, 0, 0, 0, 0, 0, 0, 0]\n").expect("written");
    assert!(within_seconds(&|| ranked_by(9.0)));
    assert_eq!(params(), json!({"taken": 2, "refused": false}));
    assert_eq!(server.end(), 0);
}

const BATCH: u64 = 20;

/// The events of a batch, and the body that tells of them. Pins and pinners are new all the time, so that numbers of
/// ids are written while events are.
fn batch(number: u64) -> (Vec<String>, String) {
    let event = |place: u64| {
        let ts_ms = 1_700_000_000_000 + place;
        let id = EventId::new(ts_ms, u128::from(place)).to_string();
        let (pinner, pin) = (format!("pinner-{}", place / 7), format!("pin-{}", place / 3));
        let row = json!({"event_id": id, "ts": ts_ms, "pinner": pinner, "action": "closeup", "pin": pin});
        (id, row)
    };
    let (ids, rows): (Vec<_>, Vec<_>) = (number * BATCH..(number + 1) * BATCH).map(event).unzip();
    (ids, json!(rows).to_string())
}

#[test]
fn a_killed_server_counts_every_acknowledged_event_once() {
    let house = House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    let acked: Mutex<BTreeSet<u64>> = Mutex::default();
    for round in 1..=4 {
        let server = house.serve();
        // From the first batch that was not acknowledged: the log may hold all, some or none of it.
        let first = (0..).find(|number| !acked.lock().expect("whole").contains(number)).expect("a number");
        let next = AtomicU64::new(first);
        let send = || loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            match server.post("/v1/events", &batch(number).1) {
                (200, _) => acked.lock().expect("whole").insert(number),
                (0, _) => break,
                other => panic!("batch {number}: {other:?}"),
            };
        };
        std::thread::scope(|scope| {
            scope.spawn(send);
            scope.spawn(send);
            while acked.lock().expect("whole").len() < 30 * round {
                assert_eq!(server.get("/v1/feed/pinner-1").0, 200);
            }
            server.kill();
        });
    }
    let told = house.json(&["sql", "select event_id from events"]);
    let ids: Vec<&str> = told["rows"].as_array().expect("rows").iter().filter_map(|r| r["event_id"].as_str()).collect();
    let there: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(there.len(), ids.len(), "an event is there twice");
    for number in acked.into_inner().expect("whole") {
        assert!(batch(number).0.iter().all(|id| there.contains(id.as_str())), "batch {number} was acknowledged");
    }
    assert_eq!(closeups(&house), ids.len() as u64, "the counters know each of them once");
}

/// All close-ups that the counters know of.
fn closeups(house: &House) -> u64 {
    let part = |name: &str| house.data().join(name).display().to_string();
    let (log, state) =
        (store::open_log(&part("log")).expect("a log"), store::open_state(&part("state")).expect("a state"));
    let opened = Opened::newest(&store::Snapshots::new(part("snapshots"))).expect("views");
    let consumer = Consumer::open(log, state, opened).expect("opened");
    consumer.catch_up().expect("caught up");
    let views = consumer.views();
    let pins = views.catalogue().pins() as u32;
    let signals = views.signals();
    (0..pins).map(|pin| u64::from(signals.total(PinId(pin), Action::Closeup))).sum()
}

#[test]
fn a_question_goes_to_the_server_that_has_the_data() {
    let house = House::new();
    let facts = house.write("facts.jsonl", "{\"type\":\"pin\",\"id\":\"p1\",\"title\":\"Brass lamp\"}\n");
    house.json(&["import", "jsonl", &facts]);
    let held = house.write("held.txt", "ann p2 p3\n");
    let error = house.fails(&["eval", "--holdout", &held]);
    assert!(error.contains("no pin that") && error.contains("is in the catalogue"), "{error}");
    let server = house.serve();
    let found = house.json(&["query", "search", "lamp"]);
    assert_eq!(found["items"][0]["id"], "p1", "{found}");
    let request = found["request_id"].as_str().expect("a name");
    assert_eq!(server.get(&format!("/v1/requests/{request}")).0, 200, "this server answered");
    assert_eq!(server.end(), 0);
    let address = house.data().join("server.address");
    assert!(!address.exists());
    std::fs::write(&address, "127.0.0.1:1").expect("as a killed server leaves it");
    assert_eq!(house.json(&["query", "search", "lamp"])["items"][0]["id"], "p1");
}
