//! What people type: completions, corrections, guides, trends.

use crate::harness::{Nest, empty};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Forty vases and forty lighthouses in two colours each, and what five pinners searched for.
pub fn harbour() -> Nest {
    let nest = empty();
    let pin = |number: u32| {
        let colour = if number.is_multiple_of(2) { "blue" } else { "green" };
        let (title, topic) = match number / 40 {
            0 => (format!("A {colour} vase on the table {number}"), "ceramic vases"),
            _ => (format!("Striped {colour} lighthouse {number}"), "lighthouses"),
        };
        json!({"id": format!("p{number}"), "title": title, "topics": [topic]})
    };
    let pins: Vec<Value> = (0..80).map(pin).collect();
    assert_eq!(nest.post("/v1/pins", json!(pins).to_string()).json()["accepted"], 80);
    nest.settle();
    let act = |action: &str, pinner: &str, query: &str| -> Value {
        let surface = "search";
        json!({"pinner": pinner, "action": action, "query": query, "surface": surface})
    };
    let mut rows = Vec::new();
    for pinner in ["ann", "ben", "cyd", "dan", "eve"] {
        for query in ["blue vase", "vase", "flower pot"] {
            rows.push(act("search", pinner, query));
            let mut save = act("save", pinner, query);
            save["pin"] = json!("p2");
            rows.push(save);
        }
    }
    rows.push(act("search", "ann", "blue secret"));
    assert_eq!(nest.post("/v1/events", json!(rows).to_string()).json()["refused_count"], 0);
    nest.settle();
    nest.consumer.views().suggest_now();
    nest
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

fn completions(nest: &Nest, typed: &str) -> Vec<String> {
    texts(&nest.json(&format!("/v1/autocomplete?q={typed}"))["completions"], "text")
}

#[test]
fn what_is_typed_is_completed() {
    let nest = harbour();
    let answer = nest.json("/v1/autocomplete?q=Blue%20v&limit=3");
    assert_eq!(answer["q"], "Blue v");
    assert_eq!(answer["completions"][0], json!({"text": "blue vase", "kind": "search"}));
    assert!(!completions(&nest, "blue").contains(&"blue secret".to_owned()), "one pinner's search is nobody else's");
    assert_eq!(
        nest.json("/v1/autocomplete?q=cera")["completions"][0],
        json!({"text": "ceramic vases", "kind": "topic"})
    );
    let own = nest.json("/v1/autocomplete?q=blue&pinner=ann");
    let theirs = json!({"text": "blue secret", "kind": "own"});
    assert!(own["completions"].as_array().unwrap().contains(&theirs), "but it is theirs: {own}");
    assert_eq!(completions(&nest, "lighthuo")[0], "lighthouses", "a mistake is forgiven");
    assert_eq!(completions(&nest, ""), [""; 0]);
    assert_eq!(completions(&nest, "%22%3Cscript"), [""; 0]);
    assert!(nest.get("/v1/autocomplete?q=a&limit=51").problem(400).contains("from 1 to 50"));
    nest.get(&format!("/v1/autocomplete?q={}", "x".repeat(2_000))).problem(400);
    assert_eq!(nest.json("/v1/trending?limit=1")["trending"].as_array().unwrap().len(), 1);
    assert_eq!(empty().json("/v1/trending")["trending"], json!([]), "nothing is known yet");
}

#[test]
fn suggestions_follow_the_log_by_themselves() {
    let nest = harbour();
    let rows = ["ann", "ben"].map(|pinner| json!({"pinner": pinner, "action": "search", "query": "zinc bathtub"}));
    // Twice as much as there was: they are made anew at once.
    let pin = |number: u32| json!({"id": format!("q{number}"), "title": format!("Zinc bathtub {number}")});
    nest.post("/v1/pins", json!((0..200).map(pin).collect::<Vec<_>>()).to_string());
    nest.post("/v1/events", json!(rows).to_string());
    let until = Instant::now() + Duration::from_secs(20);
    while completions(&nest, "zinc").is_empty() {
        assert!(Instant::now() < until, "nothing new is suggested");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn mistyped_words_are_corrected_told_and_paged() {
    let nest = harbour();
    let first = nest.json("/v1/search?q=green%20lighthuose&limit=5");
    let spelling = &first["spelling"];
    assert_eq!((&spelling["typed"], &spelling["searched"]), (&json!("green lighthuose"), &json!("green lighthouse")));
    assert!(spelling["confidence"].as_f64().unwrap() >= 0.8, "{spelling}");
    assert!(first["items"][0]["title"].as_str().unwrap().contains("green lighthouse"), "{first}");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = nest.json(&format!("/v1/search?q=green%20lighthuose&limit=5&cursor={cursor}"));
    assert_eq!((&second["request_id"], &second["spelling"]), (&first["request_id"], spelling));
    assert!(second.get("guides").is_none(), "the first page has them");
    nest.get(&format!("/v1/search?q=green%20lighthouse&cursor={cursor}")).problem(400);
    let told = nest.json(&format!("/v1/requests/{}", first["request_id"].as_str().unwrap()));
    assert_eq!(told["subject"]["query"], "green lighthouse", "what was searched for is what is learned from");
    let verbatim = nest.json("/v1/search?q=green%20lighthuose&verbatim=true");
    assert!(verbatim.get("spelling").is_none() && verbatim.get("did_you_mean").is_none(), "{verbatim}");
    let right = nest.json("/v1/search?q=green%20lighthouse");
    assert!(right.get("spelling").is_none() && right.get("did_you_mean").is_none());
    assert!(nest.json("/v1/feed/ann").get("guides").is_none(), "a feed is no search");
}

#[test]
fn where_no_pin_has_the_words_fewer_are_searched_for() {
    let nest = harbour();
    let list = nest.json("/v1/search?q=%22lighthouse%20vase%22");
    let told = list["degraded"].to_string();
    assert!(told.contains("searched for 'lighthouse vase' instead"), "{told}");
    let verbatim = nest.json("/v1/search?q=%22lighthouse%20vase%22&verbatim=true");
    assert!(verbatim["degraded"][0].as_str().unwrap().starts_with("no pin matches the words"), "{verbatim}");
}

#[test]
fn a_search_leads_on() {
    let nest = harbour();
    let list = nest.json("/v1/search?q=vase");
    let guides = list["guides"].as_array().unwrap();
    let blue = guides.iter().find(|guide| guide["label"] == "blue").expect("a colour splits vases");
    assert_eq!(blue["query"], "blue vase");
    let mut related: Vec<&str> =
        list["related_queries"].as_array().unwrap().iter().map(|query| query.as_str().unwrap()).collect();
    related.sort_unstable();
    assert_eq!(related, ["blue vase", "flower pot"]);
}

#[test]
fn the_page_tells_and_leads_on_without_the_script() {
    let nest = harbour();
    let page = nest.get("/as/ann/search?q=green%20lighthuose").text();
    assert!(page.contains("Showing results for <b>green lighthouse</b>"), "{page}");
    assert!(page.contains("href=\"/as/ann/search?q=green%20lighthuose&amp;verbatim=true\""), "{page}");
    let verbatim = nest.get("/as/ann/search?q=green%20lighthuose&verbatim=true").text();
    assert!(!verbatim.contains("Showing results for"));
    let vases = nest.get("/as/ann/search?q=vase").text();
    assert!(vases.contains("<a class=\"chip\" href=\"/as/ann/search?q=blue%20vase\">blue</a>"), "{vases}");
    assert!(vases.contains("Related searches") && vases.contains(">flower pot</a>"));
    assert_eq!(nest.get("/assets/suggest.js").status, 200);
}
