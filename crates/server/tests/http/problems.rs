//! Whatever is wrong is said in a problem document.

use crate::harness::{empty, populated};

#[test]
fn parameters_name_their_bounds() {
    let nest = populated();
    for bad in ["-1", "abc", "0", "201", "1e2", "%20", "9999999999999999999999"] {
        let answer = nest.get(&format!("/v1/feed/pinner-00003?limit={bad}"));
        assert!(answer.problem(400).contains("from 1 to 200"), "{bad}");
        assert_eq!(answer.json()["field"], "limit");
    }
    assert!(nest.get("/v1/feed/a?deadline_ms=999999").problem(400).contains("from 1 to 5000"));
    assert!(nest.get("/v1/feed/a?explain=perhaps").problem(400).contains("true or false"));
    assert!(nest.get("/v1/feed/a?lmit=3").problem(400).contains("known: limit cursor explain deadline_ms"));
    assert!(nest.get("/v1/feed/a?limit=3&limit=4").problem(400).contains("twice"));
    assert!(nest.get("/v1/search").problem(400).contains("missing"));
    assert!(nest.get(&format!("/v1/search?q={}", "x".repeat(501))).problem(400).contains("at most 500"));
    assert!(nest.get("/v1/search?q=%FF%FE").problem(400).contains("UTF-8"));
    assert!(nest.get("/v1/feed/%FF").problem(400).contains("UTF-8"));
    assert!(nest.get(&format!("/v1/feed/{}", "x".repeat(300))).problem(400).contains("at most 256"));
    assert!(nest.get("/v1/feed/a%00b").problem(400).contains("control"));
    assert!(nest.get("/v1/requests/xyz").problem(400).contains("not a ULID"));
    assert!(nest.get("/v1/requests/01BX5ZZKBKACTAV9WEVGEMMVRZ").problem(404).contains("no request"));
}

#[test]
fn paths_and_methods_that_do_not_exist_are_told() {
    let nest = empty();
    assert!(nest.get("/v2/feed").problem(404).contains("'/v2/feed'"));
    assert!(nest.get("/v1/pins/nothing").problem(404).contains("no pin 'nothing'"));
    let answer = nest.send("PATCH", "/v1/events", &[], b"");
    assert!(answer.problem(405).contains("does not take PATCH"));
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(nest.send("HEAD", "/health/live", &[], b"").status, 200);
}

#[test]
fn a_refusal_without_reading_the_body_ends_the_connection_and_says_so() {
    let nest = empty();
    let picture = [("content-type", "image/png")];
    let answer = nest.send("POST", "/v1/search/visual?deadline_ms=x", &picture, &[7; 100_000]);
    assert!(answer.problem(400).contains("from 1 to 5000"), "{}", answer.text());
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn people_get_a_page_and_programs_a_document() {
    let nest = empty();
    let page = nest.send("GET", "/nothing-here", &[("accept", "text/html,*/*")], b"");
    assert_eq!((page.status, page.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("There is no such thing"));
    nest.send("GET", "/v1/pins/nothing", &[("accept", "text/html,*/*")], b"").problem(404);
}

#[test]
fn a_foreign_page_changes_nothing_here() {
    let nest = empty();
    let row = br#"{"pinner":"ann","action":"save","pin":"p"}"#;
    let json = ("content-type", "application/json");
    let host = nest.address.to_string();
    let foreign = [json, ("host", host.as_str()), ("origin", "https://evil.example")];
    assert!(nest.send("POST", "/v1/events", &foreign, row).problem(403).contains("another origin"));
    let opaque = [json, ("host", host.as_str()), ("origin", "null")];
    nest.send("POST", "/v1/events", &opaque, row).problem(403);
    let origin = format!("http://{host}");
    let own = [json, ("host", host.as_str()), ("origin", origin.as_str())];
    assert_eq!(nest.send("POST", "/v1/events", &own, row).status, 200);
    // A name that somebody points at this machine is not this machine.
    let rebound = nest.send("GET", "/v1/feed/ann", &[("host", "evil.example")], b"");
    assert!(rebound.problem(403).contains("configure keys"));
}

#[test]
fn garbage_on_the_wire_hurts_nobody() {
    let nest = empty();
    for garbage in [&b"\x00\x01\x02\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n"] {
        let mut stream = crate::client::connect(nest.address);
        std::io::Write::write_all(&mut stream, garbage).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&rest));
    }
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100_000));
    let mut stream = crate::client::connect(nest.address);
    let _ = std::io::Write::write_all(&mut stream, long.as_bytes());
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
    assert_eq!(nest.get("/health/live").status, 200);
}
