//! Facts come in: row by row, durable, told exactly.

use crate::harness::{Nest, Server, empty, now_ms, small_world, with};
use domain::TopicKind;
use serde_json::{Value, json};
use server::{Keys, Limits, Settings};
use std::time::{Duration, Instant};

fn save(pinner: &str, pin: &str) -> Value {
    json!({"pinner": pinner, "action": "save", "pin": pin})
}

#[test]
fn arrays_objects_and_lines_are_taken() {
    let nest = empty();
    let one = nest.post("/v1/events", save("ann", "p1").to_string());
    assert_eq!(one.json(), json!({"accepted": 1, "duplicates": 0, "refused": [], "refused_count": 0}));
    let array = json!([save("ann", "p2"), save("ann", "p3")]).to_string();
    assert_eq!(nest.post("/v1/events", array).json()["accepted"], 2);
    let lines = format!("{}\n\n{}\r\n", save("bob", "p1"), save("bob", "p2"));
    let answer = nest.send("POST", "/v1/events", &[("content-type", "application/x-ndjson")], lines.as_bytes());
    assert_eq!(answer.json()["accepted"], 2, "{}", answer.text());
    assert_eq!(nest.end(TopicKind::Events), 5, "in the log when it is answered");
    for (path, row) in [
        ("/v1/pins", json!({"id": "p1", "title": "Oak", "topics": ["wood"], "link": "https://a.example/1"})),
        ("/v1/boards", json!({"id": "b1", "title": "Trees", "pinner": "ann"})),
        ("/v1/pinners", json!({"id": "ann", "name": "Ann", "language": "en"})),
    ] {
        let answer = nest.post(path, row.to_string());
        assert_eq!(answer.json()["accepted"], 1, "{path}: {}", answer.text());
    }
    let pin = nest.json("/v1/pins/p1");
    assert_eq!(
        (&pin["title"], &pin["link"], &pin["topics"]),
        (&json!("Oak"), &json!("https://a.example/1"), &json!(["wood"]))
    );
    assert_eq!(nest.post("/v1/events", "[]").json()["accepted"], 0, "nothing is fine too");
}

#[test]
fn the_rows_that_the_readme_shows_are_taken() {
    let nest = empty();
    let readme = include_str!("../../../../README.md");
    let shown = readme.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("rows");
    for row in shown.lines() {
        let kind = serde_json::from_str::<Value>(row).expect("JSON")["type"].as_str().expect("a type").to_owned();
        let answer = nest.post(&format!("/v1/{kind}s"), row);
        assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1)), "{row}: {}", answer.text());
    }
    assert_eq!(nest.end(TopicKind::Events), 1);
    assert_eq!(nest.json("/v1/pins/p1")["creator"], "studio-a");
    let elsewhere = nest.post("/v1/events", r#"{"type":"pin","id":"p2"}"#);
    assert_eq!(elsewhere.problem(400), "must be 'event' here, not 'pin'");
}

#[test]
fn a_bad_row_is_refused_by_itself() {
    let nest = empty();
    let now = now_ms();
    let year = 365 * 86_400_000u64;
    let rows = [
        save("ann", "p1").to_string(),
        json!({"pinner": "ann", "action": "repin", "pin": "p1"}).to_string(),
        json!({"pinner": "ann", "action": "save", "pin": "p1", "ts": 86_400_000}).to_string(),
        json!({"pinner": "ann", "action": "save", "pin": "p1", "ts": now + 70 * year}).to_string(),
        json!({"pinner": "ann", "action": "save"}).to_string(),
        "{\"pinner\": \"ann\", \"action\": }".to_owned(),
        json!({"pinner": "ann", "action": "search", "query": "oak"}).to_string(),
        "17".to_owned(),
    ];
    let answer = nest.post("/v1/events", format!("[{}]", rows.join(",\n")));
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!((&answer["accepted"], &answer["refused_count"]), (&json!(2), &json!(6)));
    let refused: Vec<(u64, &str, &str)> = answer["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["row"].as_u64().unwrap(), one["field"].as_str().unwrap_or(""), one["reason"].as_str().unwrap()))
        .collect();
    let expected = [
        (1, "action", "known: impression closeup"),
        (2, "ts", "before 1990-01-01"),
        (3, "ts", "ahead of the server's clock"),
        (4, "pin", "'save' is done to a pin"),
        (5, "", "line 6 column 1"),
        (7, "", "invalid type"),
    ];
    for ((row, field, reason), (wanted_row, wanted_field, wanted)) in refused.iter().zip(expected) {
        assert_eq!((row, field), (&wanted_row, &wanted_field));
        assert!(reason.contains(wanted), "{reason}");
    }
    assert_eq!(nest.end(TopicKind::Events), 2, "the good ones are in the log");
}

#[test]
fn one_bad_row_alone_is_a_problem() {
    let nest = empty();
    let answer = nest.post("/v1/events", r#"{"pinner":"ann","action":"repin","pin":"p"}"#);
    assert!(answer.problem(400).contains("unknown action 'repin' (known: impression closeup click"));
    assert_eq!(answer.json()["field"], "action");
    assert_eq!(answer.json()["refused"][0]["row"], 0);
    let answer = nest.post("/v1/pins", r#"{"title":"no id"}"#);
    assert_eq!(answer.problem(400), "missing or empty");
    assert_eq!(answer.json()["field"], "id");
}

#[test]
fn the_same_event_counts_once() {
    let nest = empty();
    let mut row = save("ann", "p1");
    row["event_id"] = json!("01BX5ZZKBKACTAV9WEVGEMMVRZ");
    let first = nest.post("/v1/events", row.to_string()).json();
    let second = nest.post("/v1/events", json!([row, save("ann", "p2")]).to_string()).json();
    assert_eq!((&first["accepted"], &second["accepted"], &second["duplicates"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(nest.end(TopicKind::Events), 2);
}

#[test]
fn bodies_that_are_no_rows_say_where() {
    let nest = empty();
    let answer = nest.post("/v1/events", "[{\"pinner\": \"ann\"},\n {\"pinner\": \"bob\"");
    assert!(answer.problem(400).contains("line 2 column 18"), "{}", answer.text());
    assert!(nest.post("/v1/events", "").problem(400).contains("empty"));
    assert!(nest.post("/v1/events", "hello").problem(400).contains("expected '[' or '{'"));
    assert!(nest.post("/v1/events", "{} {}").problem(400).contains("application/x-ndjson"));
    let mut bytes = save("ann", "p1").to_string().into_bytes();
    bytes[13] = 0xFF;
    let answer = nest.post("/v1/events", &bytes);
    assert!(answer.problem(400).contains("unicode"), "{}", answer.text());
    let lines = [&bytes[..], b"\n", save("ann", "p2").to_string().as_bytes()].concat();
    let answer = nest.send("POST", "/v1/events", &[("content-type", "application/x-ndjson")], &lines).json();
    assert_eq!((&answer["accepted"], &answer["refused"][0]["row"]), (&json!(1), &json!(0)), "the other line lands");
}

#[test]
fn too_much_is_refused_without_being_read() {
    let nest = empty();
    // 50 MB declared: the answer comes although hardly anything was sent.
    let head = "POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 50000000\r\n\r\n[";
    let answer = crate::client::raw(nest.address, head.as_bytes());
    assert!(answer.problem(413).contains("16777216 bytes"));
    // 50 MB sent: the answer arrives all the same.
    let row = save("ann", "p1").to_string();
    let body = format!("[{}]", vec![row.as_str(); 50_000_000 / (row.len() + 1)].join(","));
    let answer = nest.post("/v1/events", &body);
    assert!(answer.problem(413).contains("send it in parts"));
    // Nobody knows how long a chunked body is until it is too long.
    let mut chunked =
        b"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..20 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.extend(std::iter::repeat_n(b' ', 1 << 20));
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert!(crate::client::raw(nest.address, &chunked).problem(413).contains("larger than"));
    assert_eq!(nest.end(TopicKind::Events), 0);
    let few = with(Keys::default(), Limits { rows_max: 2, row_bytes_max: 100, ..Limits::default() });
    let three = json!([save("a", "p"), save("a", "p"), save("a", "p")]).to_string();
    assert!(few.post("/v1/events", three).problem(413).contains("more than 2 rows"));
    let long = json!({"pinner": "a", "action": "save", "pin": "p", "props": {"x": "y".repeat(200)}}).to_string();
    assert!(few.post("/v1/events", long).problem(400).contains("larger than 100 bytes"));
}

#[test]
fn a_broken_off_body_takes_nothing_in() {
    let nest = empty();
    let row = save("ann", "p1").to_string();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{row}",
        row.len() + 10
    );
    let mut stream = crate::client::connect(nest.address);
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(nest.post("/v1/events", save("ann", "p2").to_string()).json()["accepted"], 1);
    assert_eq!(nest.end(TopicKind::Events), 1);
}

#[test]
fn work_that_nobody_waits_for_ends_and_leaves_nothing() {
    let nest = empty();
    nest.post("/v1/pins", r#"{"id":"p1"}"#);
    let png = small_world().draw(3).to_png();
    let put = nest.send("PUT", "/v1/pins/p1/image", &[("content-type", "image/png")], &png);
    assert_eq!(put.status, 200, "{}", put.text());
    let Nest { server, directory } = nest;
    drop(server);
    let limits = Limits { ingests_max: 1, waiting_max: 0, request_ms_max: 500, ..Limits::default() };
    let nest = Server::open(directory.path(), Settings { limits, ..Settings::default() });
    // Each row describes a pin with a picture anew, which is looked at again each time: minutes of work.
    let end = nest.end(TopicKind::Catalogue);
    let rows = vec![r#"{"id":"p1","title":"again"}"#; 50_000].join(",");
    nest.post("/v1/pins", format!("[{rows}]")).problem(408);
    let until = Instant::now() + Duration::from_secs(20);
    while nest.post("/v1/events", save("ann", "p1").to_string()).status != 200 {
        assert!(Instant::now() < until, "the turn does not become free");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(nest.end(TopicKind::Catalogue), end, "who was told that it failed may send it again");
}

#[test]
fn only_json_is_taken_as_json() {
    let nest = empty();
    let row = save("ann", "p1").to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = nest.send("POST", "/v1/events", &[("content-type", kind)], row.as_bytes());
        assert!(answer.problem(415).contains("application/x-ndjson"), "{kind}");
    }
    assert!(nest.send("POST", "/v1/events", &[], row.as_bytes()).problem(415).contains("not none"));
    let zipped = [("content-type", "application/json"), ("content-encoding", "gzip")];
    assert!(nest.send("POST", "/v1/events", &zipped, row.as_bytes()).problem(415).contains("gzip"));
    let utf8 = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(nest.send("POST", "/v1/events", &utf8, row.as_bytes()).status, 200);
}
