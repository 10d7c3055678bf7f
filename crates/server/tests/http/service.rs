//! The service as an operator knows it: health, figures, documentation, load, stopping.

use crate::client::{connect, read, request};
use crate::harness::{Server, fill, populated, small_world, start, with};
use domain::TopicKind;
use serde_json::{Value, json};
use server::{Keys, Limits, Settings};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn it_is_alive_ready_and_tells_its_figures() {
    let nest = populated();
    assert_eq!(nest.json("/health/live")["live"], true);
    assert_eq!(nest.json("/health/ready")["ready"], true);
    nest.json("/v1/feed/pinner-00003?limit=5");
    nest.post(
        "/v1/events",
        json!([{"pinner": "a", "action": "save", "pin": "pin-00001"}, {"action": "save"}]).to_string(),
    );
    nest.get("/v1/feed/a?limit=-1");
    nest.get("/nowhere");
    let figures = nest.get("/metrics");
    assert!(figures.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = figures.text();
    for line in [
        "bowerbird_requests_total{method=\"GET\",route=\"/v1/feed/{pinner}\",status=\"200\"} 1",
        "bowerbird_requests_total{method=\"GET\",route=\"/v1/feed/{pinner}\",status=\"400\"} 1",
        "bowerbird_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 1",
        "bowerbird_request_seconds_count{route=\"/v1/feed/{pinner}\"} 2",
        "bowerbird_stage_seconds_count{stage=\"l2\"} 1",
        "bowerbird_candidates_total{source=\"walks\"}",
        "bowerbird_candidates_dropped_total{by=",
        "bowerbird_rows_total{kind=\"events\",outcome=\"accepted\"} 1",
        "bowerbird_rows_total{kind=\"events\",outcome=\"refused\"} 1",
        "bowerbird_consumer_lag{topic=\"events\"}",
        "bowerbird_request_records_lost 0",
        "bowerbird_resident_memory_bytes ",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn every_documented_path_answers_as_documented() {
    let nest = populated();
    let document = nest.json("/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let request_id = nest.json("/v1/feed/pinner-00003")["request_id"].as_str().unwrap().to_owned();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let filled = path
                .replace("/v1/boards/{id}", "/v1/boards/board-00001")
                .replace("/v1/requests/{id}", &format!("/v1/requests/{request_id}"))
                .replace("/v1/experiments/{id}", "/v1/experiments/x")
                .replace("{id}", "pin-00007")
                .replace("{pinner}", "pinner-00003")
                .replace("{folder}/{name}", "thumbs/none.jpg");
            let filled = if path == "/v1/search" { filled + "?q=lake" } else { filled };
            let explains = operation["parameters"].as_array().unwrap().iter().any(|one| one["name"] == "explain");
            let sign = if filled.contains('?') { '&' } else { '?' };
            let filled = if explains { format!("{filled}{sign}explain=true") } else { filled };
            let row: &[u8] = match path.as_str() {
                "/v1/events" => br#"{"pinner":"a","action":"save","pin":"p"}"#,
                "/v1/pins" | "/v1/boards" | "/v1/pinners" => br#"{"id":"x"}"#,
                "/v1/rank" => br#"{"pinner":"pinner-00003","pins":["pin-00007","none"],"explain":true}"#,
                "/v1/experiments" => br#"{"id":"x","arms":[{"name":"a","share":0.5},{"name":"b","share":0.5}]}"#,
                "/v1/experiments/{id}" => br#"{"state":"draft"}"#,
                "/v1/clock" => br#"{"now":1767225600000}"#,
                "/v1/pins/{id}/review" => br#"{"verdict":"show"}"#,
                _ => b"",
            };
            let headers: &[(&str, &str)] = if row.is_empty() { &[] } else { &[("content-type", "application/json")] };
            let answer = nest.send(&method.to_uppercase(), &filled, headers, row);
            let status = answer.status.to_string();
            let documented = &operation["responses"][status.as_str()];
            assert!(documented.is_object(), "{method} {filled} answers {status}: {}", answer.text());
            let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap().to_owned();
            assert!(documented["content"][kind.as_str()].is_object(), "{method} {filled}: {kind} is not documented");
            if kind.ends_with("json") {
                check(&document, &documented["content"][kind.as_str()]["schema"], &answer.json(), &filled);
            }
            assert!(operation["responses"]["408"].is_object(), "{filled}: everything ends in time");
            asked += 1;
        }
    }
    assert_eq!(asked, 28);
    let why = &document["components"]["schemas"]["Item"]["properties"]["explanation"];
    assert_eq!(why["$ref"], "#/components/schemas/Why", "an explanation is documented");
}

/// A value is what its schema says, all the way down: of its type, with its required members, and with no other than
/// the documented ones.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/schemas/")) {
        return check(document, &document["components"]["schemas"][name], value, place);
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{place}: {value} is none of {words:?}");
    }
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |kind: &Value| kind.is_null() || kind == is || (kind == "number" && is == "integer");
    assert!(types.iter().any(fits), "{place}: {value} is no {types:?}");
    for (row, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{place}/{row}"));
    }
    let Some(members) = value.as_object() else { return };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(members.contains_key(required.as_str().unwrap()), "{place}: {required} is missing in {value}");
    }
    for (name, member) in members {
        let of_name = &schema["properties"][name];
        let known = if of_name.is_null() { &schema["additionalProperties"] } else { of_name };
        // Problems may say more than is documented; health and the document itself are free.
        assert!(
            known.is_object() || schema["properties"]["detail"].is_object() || schema["properties"].is_null(),
            "{place}: '{name}' is not documented"
        );
        check(document, known, member, &format!("{place}/{name}"));
    }
}

#[test]
fn a_full_house_sends_away_and_says_when_to_come_back() {
    let limits = Limits { ingests_max: 1, waiting_max: 0, request_ms_max: 200, ..Limits::default() };
    let nest = with(Keys::default(), limits);
    let row = br#"{"pinner":"a","action":"save","pin":"p"}"#;
    let held = nest.slow.hold();
    nest.post("/v1/events", row).problem(408);
    // Nobody waits for the first one any more, but its work goes on, and with it its turn.
    let sent_away = nest.post("/v1/events", row);
    sent_away.problem(503);
    assert_eq!(sent_away.header("retry-after"), Some("1"));
    assert_eq!(nest.get("/health/live").status, 200, "light requests need no turn");
    drop(held);
    eventually("the turn is free again", || nest.post("/v1/events", row).status == 200);
}

#[test]
fn views_that_stand_still_hold_up_those_alone_who_need_them() {
    let mut nest = with(Keys::default(), Limits { ingests_max: 2, waiting_max: 0, ..Limits::default() });
    nest.server.stop_consumer();
    let describe = |id: &str| nest.post("/v1/pins", json!({"id": id}).to_string()).status;
    assert_eq!(describe("p1"), 200, "nothing was written of it before");
    std::thread::scope(|scope| {
        let waits = [(); 2].map(|()| scope.spawn(|| describe("p1")));
        std::thread::sleep(Duration::from_millis(300));
        let event = nest.post("/v1/events", r#"{"pinner":"a","action":"save","pin":"p"}"#);
        assert_eq!(event.status, 200, "events have turns of their own");
        assert_eq!(waits.map(|waits| waits.join().unwrap()), [503; 2], "told to come back");
        let waits = scope.spawn(|| describe("p1"));
        std::thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        assert_eq!(describe("p2"), 200, "another pin needs nothing of them");
        assert!(asked.elapsed() < Duration::from_secs(4), "it waited with the others: {:?}", asked.elapsed());
        assert_eq!(waits.join().unwrap(), 503);
    });
}

#[test]
fn a_slow_sender_takes_room_but_no_turn() {
    let limits =
        Limits { ingests_max: 1, waiting_max: 0, body_bytes_max: 1_000, picture_bytes_max: 1_000, ..Limits::default() };
    let nest = with(Keys::default(), limits);
    let row = br#"{"pinner":"a","action":"save","pin":"p"}"#;
    let wide = [&row[..], &[b' '; 700]].concat();
    let whole = request("POST", "/v1/events", &[("content-type", "application/json")], &wide);
    let mut slow = connect(nest.address);
    slow.write_all(&whole[..whole.len() - 5]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    eventually("bodies in memory are bounded", || nest.post("/v1/events", &wide).status == 503);
    assert_eq!(nest.post("/v1/events", row).status, 200, "others go past the slow one");
    slow.write_all(&whole[whole.len() - 5..]).unwrap();
    assert_eq!(read(&mut slow).status, 200);
    eventually("the room is free again", || nest.post("/v1/events", &wide).status == 200);
}

fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !is() {
        assert!(Instant::now() < until, "not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_body_that_never_ends_is_given_up() {
    let nest = with(Keys::default(), Limits { request_ms_max: 150, ..Limits::default() });
    let mut slow = connect(nest.address);
    let head =
        "POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[";
    slow.write_all(head.as_bytes()).unwrap();
    assert!(read(&mut slow).problem(408).contains("150 ms"));
}

#[test]
fn who_drips_on_after_the_answer_keeps_no_place() {
    let nest = with(Keys::default(), Limits { connections_max: 1, ..Limits::default() });
    let mut dripping = connect(nest.address);
    let head = "POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n\
                content-length: 90000000\r\n\r\n[";
    dripping.write_all(head.as_bytes()).unwrap();
    read(&mut dripping).problem(413);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Often enough that the peer is never quiet, longer than the other waits; ends when the connection does.
            for _ in 0..700 {
                if done.load(Ordering::Relaxed) || dripping.write_all(b" ").is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        assert_eq!(nest.get("/health/live").status, 200, "the only place is free again");
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn stopping_loses_nothing() {
    let mut nest = populated();
    // A page is served, and a request is under way with half of its body sent.
    let feed = nest.json("/v1/feed/pinner-00003?limit=5");
    let row = br#"{"event_id":"01BX5ZZKBKACTAV9WEVGEMMVRZ","pinner":"late","action":"save","pin":"pin-00001"}"#;
    let whole = request("POST", "/v1/events", &[("content-type", "application/json")], row);
    let mut under_way = connect(nest.address);
    under_way.write_all(&whole[..whole.len() - 20]).unwrap();
    // Idle connections do not hold it up.
    let idle = connect(nest.address);
    std::thread::sleep(Duration::from_millis(50));
    nest.server.begin_stop();
    std::thread::sleep(Duration::from_millis(50));
    under_way.write_all(&whole[whole.len() - 20..]).unwrap();
    assert_eq!(read(&mut under_way).json()["accepted"], 1, "what was under way is finished");
    nest.server.stop();
    drop(idle);
    assert!(std::net::TcpStream::connect(nest.address).is_err(), "nobody listens any more");

    let crate::harness::Nest { server, directory } = nest;
    let counts = server.app.records();
    assert_eq!((counts.waiting, counts.dropped, counts.failed), (0, 0, 0));
    drop(server);
    let again = Server::open(directory.path(), Settings::default());
    again.settle();
    assert_eq!(again.end(TopicKind::Requests), counts.written);
    let told = again.json(&format!("/v1/requests/{}", feed["request_id"].as_str().unwrap()));
    assert_eq!(told["shown"], 5, "the record was written before the end");
    assert_eq!(again.json("/v1/feed/late?limit=1")["pinner_known"], true, "the last event is there");
}

#[test]
fn parameters_of_the_funnel_are_those_it_was_started_with() {
    let params = domain::Params { slate_max: 7, ..domain::Params::default() };
    let nest = start(Settings { params, ..Settings::default() });
    fill(&nest, &small_world());
    let feed = nest.json("/v1/feed/pinner-00003?limit=20");
    assert_eq!((feed["items"].as_array().unwrap().len(), &feed["next_cursor"]), (7, &json!(null)));
}
