//! Feeds, related pins, search, board ideas: pages, cursors, explanations, strangers.

use crate::harness::{Nest, empty, populated};
use domain::{Fact, Surface, TopicKind};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// All pages of a list, one after the other.
fn pages(nest: &Nest, path: &str) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut pages = vec![nest.json(path)];
    while let Some(cursor) = pages.last().unwrap()["next_cursor"].as_str() {
        let next = nest.json(&format!("{path}{joint}cursor={cursor}"));
        pages.push(next);
        assert!(pages.len() < 100, "paging does not end");
    }
    pages
}

#[test]
fn paging_repeats_nothing_and_keeps_its_positions() {
    let nest = populated();
    for path in [
        "/v1/feed/pinner-00003?limit=7",
        "/v1/pins/pin-00005/related?pinner=pinner-00003&limit=20",
        "/v1/search?q=lake&limit=3",
    ] {
        let pages = pages(&nest, path);
        assert!(pages.len() > 2, "{path}: {} pages", pages.len());
        let all: Vec<String> = pages.iter().flat_map(ids).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{path} repeats a pin");
        let items = pages.iter().flat_map(|page| page["items"].as_array().unwrap());
        let positions: Vec<u64> = items.map(|item| item["position"].as_u64().unwrap()).collect();
        assert_eq!(positions, (0..all.len() as u64).collect::<Vec<_>>());
        let names: HashSet<&str> = pages.iter().map(|page| page["request_id"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 1, "one ranking has one name");
    }
}

#[test]
fn an_item_has_what_a_page_needs() {
    let nest = populated();
    let feed = nest.json("/v1/feed/pinner-00003?limit=5");
    assert_eq!((&feed["pinner_known"], &feed["surface"], ids(&feed).len()), (&json!(true), &json!("home"), 5));
    let item = &feed["items"][0];
    assert!(item["score"].is_number() && item["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert!(item["image"].as_str().unwrap().starts_with("/media/media/"), "{item}");
    assert!(item.get("explanation").is_none() && feed.get("explanation").is_none());
}

#[test]
fn a_stranger_gets_a_feed_all_the_same() {
    let nest = populated();
    let feed = nest.json("/v1/feed/nobody-%C3%A9?limit=10");
    assert_eq!((&feed["pinner_known"], &feed["pinner"]), (&json!(false), &json!("nobody-é")));
    assert_eq!(ids(&feed).len(), 10);
    let nobody = nest.json("/v1/pins/pin-00005/related?limit=3");
    assert_eq!((&nobody["pinner_known"], ids(&nobody).len()), (&json!(false), 3));
    let nothing = empty();
    assert_eq!(ids(&nothing.json("/v1/feed/ann")), [""; 0]);
}

#[test]
fn cursors_are_for_their_own_list_only() {
    let nest = populated();
    let feed = nest.json("/v1/feed/pinner-00003?limit=5");
    let cursor = feed["next_cursor"].as_str().unwrap();
    let other = nest.get(&format!("/v1/feed/pinner-00004?cursor={cursor}"));
    assert!(other.problem(400).contains("another pinner"));
    assert_eq!(other.json()["field"], "cursor");
    let list = nest.get(&format!("/v1/search?q=lake&pinner=pinner-00003&cursor={cursor}"));
    assert!(list.problem(400).contains("another list"));
    for garbled in ["x", "%00", &cursor[1..], &cursor.replace('.', "-"), &format!("{cursor}0"), &"9".repeat(5_000)] {
        let answer = nest.get(&format!("/v1/feed/pinner-00003?cursor={garbled}"));
        assert!(answer.problem(400).contains("no cursor"), "{garbled}");
    }
}

#[test]
fn an_old_cursor_has_expired() {
    let limits = server::Limits { rankings_kept_max: 1, ..server::Limits::default() };
    let nest = crate::harness::with(server::Keys::default(), limits);
    crate::harness::fill(&nest, &crate::harness::small_world());
    let first = nest.json("/v1/feed/pinner-00003?limit=5");
    nest.json("/v1/feed/pinner-00004?limit=5");
    let path = format!("/v1/feed/pinner-00003?cursor={}", first["next_cursor"].as_str().unwrap());
    assert!(nest.get(&path).problem(410).contains("first page again"));
}

#[test]
fn an_explanation_tells_where_each_pin_came_from() {
    let nest = populated();
    let feed = nest.json("/v1/feed/pinner-00003?limit=10&explain=true");
    for item in feed["items"].as_array().unwrap() {
        let why = &item["explanation"];
        assert!(!why["sources"].as_array().unwrap().is_empty(), "{item}");
        assert!(
            why["sources"][0]["rank"].is_number() && why["l1"]["rank"].is_number() && why["l2"]["rank"].is_number()
        );
        assert!(why["heads"]["save"].is_number() && why["heads"]["hide"].is_number() && why["utility"].is_number());
        assert!(why["moves"].is_array());
    }
    let stages = feed["explanation"]["stages"].as_array().unwrap();
    for stage in ["context", "generate", "filter", "l1", "l2"] {
        assert!(stages.iter().any(|one| one["name"] == stage), "{stage} in {stages:?}");
    }
    assert!(feed["explanation"]["dropped_by"].as_object().is_some_and(|by| !by.is_empty()), "{}", feed["explanation"]);

    let id = feed["request_id"].as_str().unwrap();
    let told = nest.json(&format!("/v1/requests/{id}"));
    assert_eq!((&told["pinner"], &told["shown"]), (&json!("pinner-00003"), &json!(10)));
    assert_eq!(ids(&told)[..10], ids(&feed), "the record tells of the same pins");
    let second =
        nest.json(&format!("/v1/feed/pinner-00003?explain=true&cursor={}", feed["next_cursor"].as_str().unwrap()));
    assert!(second["items"][0]["explanation"]["utility"].is_number(), "later pages are explained too");
}

#[test]
fn a_filter_is_kept_on_every_surface_and_told_in_the_trace() {
    let nest = populated();
    let views = nest.consumer.views();
    let topic_of = |id: &str| {
        let catalogue = views.catalogue();
        let view = catalogue.pin_view(catalogue.pin(id).unwrap()).unwrap();
        view.topics().map(str::to_owned).collect::<Vec<String>>()
    };
    let topic = topic_of("pin-00005")[0].clone();
    let filter = format!("filter=topic:%22{}%22", topic.replace(' ', "%20"));
    for path in [
        "/v1/feed/pinner-00003?limit=20&explain=true",
        "/v1/pins/pin-00005/related?pinner=pinner-00003&limit=20&explain=true",
        "/v1/search?q=lake%20lamp%20flowers%20dog&limit=20&explain=true",
    ] {
        let list = nest.json(&format!("{path}&{filter}"));
        for id in ids(&list) {
            assert!(topic_of(&id).contains(&topic), "{id} is not of '{topic}' ({path})");
        }
        let stages = list["explanation"]["stages"].as_array().unwrap();
        assert!(stages.iter().any(|stage| stage["note"].is_string()), "how it was found is told: {stages:?}");
    }
    let feed = nest.json(&format!("/v1/feed/pinner-00003?limit=3&{filter}"));
    assert_eq!(ids(&feed).len(), 3);
    let cursor = feed["next_cursor"].as_str().unwrap();
    nest.json(&format!("/v1/feed/pinner-00003?limit=3&{filter}&cursor={cursor}"));
    let other = nest.get(&format!("/v1/feed/pinner-00003?limit=3&cursor={cursor}"));
    assert!(other.problem(400).contains("another list"), "a filter makes another list");
    let unknown = nest.get("/v1/feed/pinner-00003?filter=colour:red");
    assert!(
        unknown.problem(400).contains("there are: annotation, color, created, creator, label, language, topic"),
        "{}",
        unknown.text()
    );
    assert_eq!(unknown.json()["field"], "filter");
    assert!(nest.get("/v1/feed/pinner-00003?filter=topic:(a").problem(400).contains("character"));
}

#[test]
fn records_outlive_the_memory() {
    let mut nest = populated();
    let feed = nest.json("/v1/feed/pinner-00003?limit=10");
    let path = format!("/v1/requests/{}", feed["request_id"].as_str().unwrap());
    nest.server.stop();
    let crate::harness::Nest { server, directory } = nest;
    drop(server);
    let again = crate::harness::Server::open(directory.path(), server::Settings::default());
    again.settle();
    assert_eq!(ids(&again.json(&path))[..10], ids(&feed));
    let cursor = feed["next_cursor"].as_str().unwrap();
    again.get(&format!("/v1/feed/pinner-00003?cursor={cursor}")).problem(410);
    drop(again);
}

#[test]
fn a_later_page_is_recorded_however_late_it_is_asked_for() {
    let limits = server::Limits { answers_kept_max: 1, ..server::Limits::default() };
    let nest = crate::harness::with(server::Keys::default(), limits);
    crate::harness::fill(&nest, &crate::harness::small_world());
    let feed = nest.json("/v1/feed/pinner-00003?limit=10");
    nest.json("/v1/feed/pinner-00004?limit=10");
    let cursor = feed["next_cursor"].as_str().unwrap();
    let second = nest.json(&format!("/v1/feed/pinner-00003?limit=5&cursor={cursor}"));
    let until = Instant::now() + Duration::from_secs(10);
    while nest.end(TopicKind::Requests) < 3 {
        assert!(Instant::now() < until, "the second page left no record");
        std::thread::sleep(Duration::from_millis(2));
    }
    let facts = nest.log.read(TopicKind::Requests, 0, 9).unwrap();
    let Some((_, _, Fact::Served(record))) = facts.last() else { panic!("a record") };
    assert_eq!(feed["request_id"], record.request_id.to_string());
    assert_eq!((record.surface, record.offset, record.shown), (Surface::Home, 10, 5));
    assert_eq!(record.trace.ranked, [], "the trace was gone already");
    // The ranking is still told, from the first page's record: the answer has left the memory.
    let path = format!("/v1/requests/{}", feed["request_id"].as_str().unwrap());
    // It is found when the state has it, a moment after the views.
    while nest.get(&path).status == 404 {
        assert!(Instant::now() < until, "the first page left no record");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(ids(&nest.json(&path))[10..15], ids(&second));
}

#[test]
fn an_action_changes_the_next_feed_within_a_second() {
    let nest = populated();
    let hidden = ids(&nest.json("/v1/feed/pinner-00003?limit=1"))[0].clone();
    let row = json!({"pinner": "pinner-00003", "action": "hide", "pin": hidden});
    let since = Instant::now();
    assert_eq!(nest.post("/v1/events", row.to_string()).json()["accepted"], 1);
    while pages(&nest, "/v1/feed/pinner-00003?limit=200").iter().flat_map(ids).any(|id| id == hidden) {
        assert!(since.elapsed() < Duration::from_secs(1), "the hidden pin is still there after a second");
    }
    // A stranger becomes somebody by acting.
    let liked = json!([
        {"pinner": "new", "action": "save", "pin": "pin-00001"},
        {"pinner": "new", "action": "closeup", "pin": "pin-00002"},
    ]);
    nest.post("/v1/events", liked.to_string());
    let since = Instant::now();
    while nest.json("/v1/feed/new?limit=5")["pinner_known"] != true {
        assert!(since.elapsed() < Duration::from_secs(1));
    }
    assert!(!pages(&nest, "/v1/feed/new?limit=200").iter().flat_map(ids).any(|id| id == "pin-00001"), "saved already");
}

#[test]
fn a_pin_that_is_taken_away_is_gone() {
    let nest = populated();
    let feed = nest.json("/v1/feed/pinner-00003?limit=5");
    let next = format!("/v1/feed/pinner-00003?cursor={}", feed["next_cursor"].as_str().unwrap());
    let victim = ids(&nest.json(&next))[0].clone();
    assert_eq!(nest.send("DELETE", &format!("/v1/pins/{victim}"), &[], b"").json()["removed"], true);
    nest.settle();
    nest.get(&format!("/v1/pins/{victim}")).problem(404);
    nest.send("DELETE", &format!("/v1/pins/{victim}"), &[], b"").problem(404);
    let again = nest.json(&next);
    assert!(!ids(&again).contains(&victim), "a page of the old ranking leaves it out");
    assert_eq!(again["items"][0]["position"], 6, "and the others keep their positions");
}

#[test]
fn boards_get_ideas_and_words_find_pins() {
    let nest = populated();
    let ideas = nest.json("/v1/boards/board-00001/ideas?pinner=pinner-00003&limit=10");
    assert_eq!((&ideas["surface"], ids(&ideas).len()), (&json!("board"), 10));
    nest.get("/v1/boards/nothing/ideas").problem(404);
    nest.get("/v1/pins/nothing/related").problem(404);
    let title = nest.json("/v1/pins/pin-00009")["title"].as_str().unwrap().to_owned();
    let words: String = title.replace(' ', "+").chars().filter(char::is_ascii).collect();
    let found = nest.json(&format!("/v1/search?q={words}&limit=20"));
    assert!(ids(&found).contains(&"pin-00009".to_owned()), "'{title}' finds its own pin");
}
