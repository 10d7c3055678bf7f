//! Pins that the asker brings.

use crate::harness::{empty, populated};
use serde_json::{Value, json};

fn ask(question: Value) -> String {
    question.to_string()
}

#[test]
fn given_pins_come_back_in_order_with_their_chances() {
    let nest = populated();
    let pins = json!(["pin-00005", "nobody's", "pin-00007", "pin-00005", "pin-00011"]);
    let question = json!({"pinner": "pinner-00003", "surface": "home", "pins": pins, "explain": true});
    let answer = nest.post("/v1/rank", ask(question));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let ranking = answer.json();
    let items = ranking["items"].as_array().expect("items");
    assert_eq!((items.len(), &ranking["unknown"]), (3, &json!(["nobody's"])), "each pin once");
    assert_eq!((&ranking["pinner_known"], &ranking["surface"]), (&json!(true), &json!("home")));
    let scores: Vec<f64> = items.iter().map(|item| item["score"].as_f64().expect("a score")).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    for (place, item) in items.iter().enumerate() {
        assert_eq!(item["position"], json!(place));
        assert!(item["heads"]["save"].as_f64().is_some_and(|chance| (0.0..=1.0).contains(&chance)), "{item}");
        assert!(item["features"]["ln_impressions"].is_number() && item["features"]["position"] == json!(0.0), "{item}");
    }
    assert!(ranking["explanation"]["stages"].as_array().is_some_and(|stages| !stages.is_empty()));
    let told = nest.json(&format!("/v1/requests/{}", ranking["request_id"].as_str().expect("a name")));
    assert_eq!(told["items"][0]["id"], items[0]["id"]);
    let question = json!({"pins": ["pin-00005"], "surface": "search", "query": "lake"});
    let plain = nest.post("/v1/rank", ask(question)).json();
    assert!(plain["items"][0].get("features").is_none() && plain.get("explanation").is_none());
    assert_eq!(plain["pinner_known"], json!(false), "nobody asks");
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let nest = empty();
    let many: Vec<String> = (0..2_001).map(|pin| pin.to_string()).collect();
    for (question, status, says) in [
        (json!({"pins": []}), 400, "from 1 to 2000"),
        (json!({"pins": many}), 400, "2001 given"),
        (json!({"pins": ["a"], "surface": "attic"}), 400, "unknown surface"),
        (json!({"pins": ["a"], "query": "x", "board": "b"}), 400, "at most one"),
        (json!({"pins": ["a"], "pin": "b"}), 404, "there is no pin 'b'"),
        (json!({"pins": ["a"], "board": "b"}), 404, "there is no board 'b'"),
        (json!({"pins": ["a"], "query": " "}), 400, "missing"),
        (json!({"pins": ["a"], "pinned": true}), 400, "pinned"),
        (json!({"pins": ["a"], "pinner": "x".repeat(300)}), 400, "at most 256"),
        (json!(["a"]), 400, "struct Question"),
    ] {
        let detail = nest.post("/v1/rank", ask(question.clone())).problem(status);
        assert!(detail.contains(says), "{question}: {detail}");
    }
    let nothing = nest.post("/v1/rank", ask(json!({"pins": ["a"]}))).json();
    assert_eq!((&nothing["items"], &nothing["unknown"]), (&json!([]), &json!(["a"])));
}
