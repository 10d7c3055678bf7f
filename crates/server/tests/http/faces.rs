//! The pages, read without a browser.

use crate::harness::{empty, populated};
use serde_json::json;

#[test]
fn the_first_page_offers_pinners_and_finds_them() {
    let nest = populated();
    let page = nest.get("/");
    assert_eq!(page.status, 200);
    assert!(page.text().matches("class=\"tile\"").count() >= 6, "some pinners are suggested");
    assert!(page.text().contains("likes "));
    let found = nest.get("/?q=pinner-00007").text();
    assert!(found.contains("href=\"/as/pinner-00007\""), "{found}");
    let late = |number: u128| {
        let pinner = domain::Pinner { id: format!("late-{number}"), ..domain::Pinner::default() };
        (domain::EventId(number + 1), domain::Fact::Pinner(pinner))
    };
    nest.log.append(&(0..5_000).map(late).collect::<Vec<_>>()).unwrap();
    nest.settle();
    assert!(nest.get("/?q=LATE-4999").text().contains("href=\"/as/late-4999\""), "however many there are");
    assert!(nest.get("/?q=zzzzzz").text().contains("Nobody of that name"));
    assert!(empty().get("/").text().contains("Nothing is here yet"));
}

#[test]
fn pages_work_without_the_script() {
    let nest = populated();
    let feed = nest.get("/as/pinner-00003").text();
    assert_eq!(feed.matches("<article class=\"card\"").count(), 30);
    let more =
        feed.split("class=\"more\"").nth(1).and_then(|rest| rest.split('"').find(|part| part.starts_with("/as/")));
    let more = more.expect("a link to more").replace("&amp;", "&");
    let next = nest.get(&more).text();
    assert!(next.contains("<article class=\"card\"") && next.contains("<header"), "the next page is a page");
    let part = nest.get(&format!("{more}&part=cards")).text();
    assert!(part.contains("<article class=\"card\"") && !part.contains("<header"), "the script gets the cards only");
    let open = feed.split("class=\"open\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let closeup = nest.get(&open.replace("&amp;", "&")).text();
    assert!(closeup.contains("More like this") && closeup.contains("Why this pin?"), "{closeup}");
    assert!(closeup.contains("<h1") && closeup.contains("name=\"board\""));
    let results = nest.get("/as/pinner-00003/search?q=lake").text();
    assert!(results.contains("pins, the most fitting") && results.contains("value=\"lake\""));
    assert!(nest.get("/as/pinner-00003/search").text().contains("What are you looking for?"));
    let boards = nest.get("/as/pinner-00003/boards").text();
    let board = boards.split("href=\"/as/pinner-00003/boards/").nth(1).and_then(|rest| rest.split('"').next());
    let board = nest.get(&format!("/as/pinner-00003/boards/{}", board.expect("a board"))).text();
    assert!(board.contains("Ideas for this board"));
}

#[test]
fn a_close_up_knows_where_its_pin_was_opened() {
    let nest = populated();
    let part = |text: &str, before: &str| {
        text.split(before).nth(1).and_then(|rest| rest.split('"').next()).expect(before).replace("&amp;", "&")
    };
    let opened = |page: &str| nest.get(&part(page, "class=\"open\" href=\"")).text();
    let surface = |closeup: &str| part(closeup.split("class=\"closeup\"").nth(1).unwrap(), "data-surface=\"");
    let boards = nest.get("/as/pinner-00003/boards").text();
    let board = format!("/as/pinner-00003/boards/{}", part(&boards, "href=\"/as/pinner-00003/boards/"));
    for (path, word) in
        [("/as/pinner-00003", "home"), ("/as/pinner-00003/search?q=lake", "search"), (board.as_str(), "board")]
    {
        let closeup = opened(&nest.get(path).text());
        assert_eq!(surface(&closeup), word, "{path}");
        assert_eq!(surface(&opened(&closeup)), "related", "more like it");
    }
    let by_address = nest.get("/as/pinner-00003/pin/pin-00007").text();
    assert!(by_address.contains("class=\"closeup\" data-pin=\"pin-00007\">"), "nobody knows");
    assert!(nest.get("/as/pinner-00003/pin/pin-00007?on=nowhere").problem(400).contains("known: home"));
}

#[test]
fn strangers_words_stay_words() {
    let nest = empty();
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let pins = json!([
        {"id": "<b>x", "title": evil, "description": evil, "creator": evil, "topics": [evil], "link": "https://a.example/\"onclick"},
        {"id": "y", "title": "Other"},
    ]);
    assert_eq!(nest.post("/v1/pins", pins.to_string()).json()["accepted"], 2);
    let boards = json!({"id": evil, "title": evil, "pinner": "<i>ann"});
    nest.post("/v1/boards", boards.to_string());
    let rows = json!([{"pinner": "<i>ann", "action": "save", "pin": "<b>x", "board": evil}]);
    nest.post("/v1/events", rows.to_string());
    nest.post("/v1/pinners", json!({"id": "<i>ann", "name": evil}).to_string());
    nest.settle();
    let encoded: String = evil.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for path in [
        "/",
        "/as/%3Ci%3Eann",
        "/as/stranger",
        "/as/%3Ci%3Eann/pin/%3Cb%3Ex",
        "/as/%3Ci%3Eann/boards",
        &format!("/as/%3Ci%3Eann/boards/{encoded}"),
        &format!("/as/%3Ci%3Eann/search?q={encoded}"),
        &format!("/?q={encoded}"),
        &format!("/login?next={encoded}"),
        "/console",
    ] {
        let page = nest.send("GET", path, &[("accept", "text/html")], b"");
        let text = page.text();
        assert_eq!(page.status, 200, "{path}: {text}");
        for wrong in ["<script>alert", "<img src=x", "<b>x", "<i>ann", "\"'><"] {
            assert!(!text.contains(wrong), "{path} holds {wrong}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert!(!text.contains(" style=\"") && !text.contains(" onclick="), "{path} has inline styles or handlers");
    }
    let json = nest.get("/v1/feed/stranger");
    assert_eq!(json.header("content-type"), Some("application/json"));
}

#[test]
fn the_console_tells_of_the_funnel_and_its_requests() {
    let nest = populated();
    let feed = nest.json("/v1/feed/pinner-00003?limit=5");
    nest.json("/v1/search?q=lake");
    let console = nest.get("/console").text();
    for part in ["Sources", "Stages", "Dropped", "walks", "No model is installed", "Latest answers", "“lake”"] {
        assert!(console.contains(part), "{part}");
    }
    let trace = nest.get(&format!("/console/requests/{}", feed["request_id"].as_str().unwrap())).text();
    assert!(trace.contains("Funnel") && trace.contains("Ranking") && trace.contains("pinner-00003"));
}

#[test]
fn assets_are_kept_for_good_and_pages_are_not() {
    let nest = populated();
    let page = nest.get("/as/pinner-00003");
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    let style = page.text().split('"').find(|part| part.starts_with("/assets/app.css")).unwrap().to_owned();
    let style = nest.get(&style);
    assert!(style.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(nest.get("/assets/app.js").header("content-type"), Some("text/javascript; charset=utf-8"));
    nest.get("/assets/other.js").problem(404);
    let zipped = crate::client::request("GET", "/assets/app.css", &[("accept-encoding", "gzip")], b"");
    let mut stream = crate::client::connect(nest.address);
    std::io::Write::write_all(&mut stream, &zipped).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut bytes).unwrap();
    let head = String::from_utf8_lossy(&bytes[..600.min(bytes.len())]).to_lowercase();
    assert!(head.contains("content-encoding: gzip") && bytes.len() < 15_000, "{head}");
}
