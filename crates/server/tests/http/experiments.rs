//! Experiments over HTTP: who gets what, what is written down, and what is refused.

use crate::client::Answer;
use crate::harness::{Server, fill, populated, small_world, start};
use domain::{ArmOf, Fact, Params, TopicKind};
use serde_json::{Value, json};
use server::{CheckParams, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// Everybody's home feed has seven pins in one arm, and what it had in the other.
fn short_feed(state: Value) -> Value {
    json!({"id": "short", "arms": [
        {"name": "control", "share": 0.5},
        {"name": "seven", "share": 0.5, "overrides": {"slate_max": 7}},
    ], "state": state})
}

fn define(server: &Server, definition: &Value) -> Answer {
    server.post("/v1/experiments", definition.to_string())
}

fn set(server: &Server, id: &str, state: Value) -> Answer {
    server.post(&format!("/v1/experiments/{id}"), json!({"state": state}).to_string())
}

/// How many pins each of forty pinners gets.
fn lengths(server: &Server) -> BTreeMap<String, usize> {
    let ask = |number: usize| {
        let pinner = format!("pinner-{number:05}");
        let feed = server.json(&format!("/v1/feed/{pinner}?limit=20"));
        (pinner, feed["items"].as_array().unwrap().len())
    };
    (0..40).map(ask).collect()
}

/// The arms in which each pinner was answered so far.
fn recorded(server: &Server) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut arms: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    while server.app.records().waiting > 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let end = server.end(TopicKind::Requests);
    for (_, _, fact) in server.log.read(TopicKind::Requests, 0, end as usize).unwrap() {
        if let Fact::Served(served) = fact {
            let of = |ArmOf { experiment, arm }: &ArmOf| (experiment.clone(), arm.clone());
            arms.entry(served.pinner.clone()).or_default().extend(served.arms.iter().map(of));
        }
    }
    arms
}

#[test]
fn an_experiment_changes_answers_of_its_arms_and_is_written_down() {
    let nest = populated();
    assert!(lengths(&nest).values().all(|&pins| pins == 20));
    assert_eq!(define(&nest, &short_feed(json!("draft"))).status, 200);
    assert!(lengths(&nest).values().all(|&pins| pins == 20), "nobody is in a draft");
    assert_eq!(set(&nest, "short", json!({"running": {"ramp": 0.4}})).status, 200);
    let some = lengths(&nest);
    assert_eq!(set(&nest, "short", json!({"running": {"ramp": 1.0}})).status, 200);
    let all = lengths(&nest);
    let seven = |of: &BTreeMap<String, usize>| of.values().filter(|&&pins| pins == 7).count();
    assert!(seven(&some) < seven(&all) && (10..=30).contains(&seven(&all)), "{} {}", seven(&some), seven(&all));
    assert!(some.iter().all(|(pinner, &pins)| pins == 20 || all[pinner] == 7), "a wider ramp keeps arms");
    let arms = recorded(&nest);
    for (pinner, pins) in &all {
        let arm = if *pins == 7 { "seven" } else { "control" };
        assert_eq!(arms[pinner], BTreeSet::from([("short".to_owned(), arm.to_owned())]), "{pinner}");
    }
    assert_eq!(set(&nest, "short", json!("killed")).status, 200);
    assert!(lengths(&nest).values().all(|&pins| pins == 20), "the switch works at once");
    assert_eq!(nest.json("/v1/experiments")["experiments"][0]["state"], "killed");
}

#[test]
fn a_holdout_is_in_nothing_and_survives_a_start() {
    let nest = populated();
    assert_eq!(define(&nest, &json!({"holdout": {"salt": "2026", "share": 0.3}})).status, 200);
    assert_eq!(define(&nest, &short_feed(json!({"running": {"ramp": 1.0}}))).status, 200);
    let before = lengths(&nest);
    let arms = recorded(&nest);
    let held: Vec<&String> = arms
        .iter()
        .filter(|(_, arms)| arms.contains(&("holdout".into(), "held".into())))
        .map(|(name, _)| name)
        .collect();
    assert!((4..=20).contains(&held.len()), "{held:?}");
    assert!(held.iter().all(|name| arms[*name].len() == 1 && before[*name] == 20));
    let crate::harness::Nest { server, directory } = nest;
    drop(server);
    let again = Server::open(directory.path(), Settings::default());
    again.settle();
    assert_eq!(lengths(&again), before, "the same pinners are in the same arms");
}

#[test]
fn definitions_that_contradict_something_are_refused_with_the_reason() {
    let usual = Params::default();
    assert!(usual.slate_max > 50, "the bound below is one");
    let bound = |params: &Params| if params.slate_max > 50 { Ok(()) } else { Err("slate_max is too small".to_owned()) };
    let nest = start(Settings { check_params: CheckParams(bound), ..Settings::default() });
    fill(&nest, &small_world());
    let arms =
        |overrides: Value| json!([{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "overrides": overrides}]);
    for (definition, why) in [
        (json!({"arms": arms(json!({}))}), "missing"),
        (json!({"id": "x", "arms": arms(json!({"slate_maxx": 60}))}), "no parameter 'slate_maxx'"),
        (json!({"id": "x", "arms": arms(json!({"slate_max": "many"}))}), "nothing like"),
        (json!({"id": "x", "arms": arms(json!({"slate_max": 7}))}), "slate_max is too small"),
        (json!({"id": "x", "arms": [{"name": "a", "share": 1.0}]}), "arms"),
        (json!({"id": "holdout", "arms": arms(json!({}))}), "holdout"),
        (json!({"id": "x", "arm": arms(json!({}))}), "unknown field"),
        (json!({"id": "x", "share": 2, "arms": arms(json!({}))}), "at most 1"),
    ] {
        let answer = define(&nest, &definition);
        assert_eq!(answer.status, 400, "{definition}");
        assert!(answer.text().contains(why), "{definition}: {}", answer.text());
    }
    let running = |id: &str| json!({"id": id, "share": 0.6, "arms": arms(json!({"slate_max": 60})), "state": {"running": {"ramp": 0.5}}});
    assert_eq!(define(&nest, &running("x")).status, 200);
    let full = define(&nest, &running("y"));
    assert!(full.status == 400 && full.text().contains("free buckets"), "{}", full.text());
    let back = set(&nest, "x", json!({"running": {"ramp": 0.2}}));
    assert!(back.status == 400 && back.text().contains("cannot go back"), "{}", back.text());
    assert_eq!(set(&nest, "z", json!("stopped")).status, 404);
    assert_eq!(set(&nest, "x", json!("stopped")).status, 200);
    assert_eq!(define(&nest, &running("y")).status, 200, "a stopped one gives its buckets back");
    assert_eq!(nest.json("/v1/experiments")["experiments"].as_array().unwrap().len(), 2);
    let page = nest.get("/console/experiments").text();
    assert!(page.contains("stopped") && page.contains("slate_max = 60"), "{page}");
}
