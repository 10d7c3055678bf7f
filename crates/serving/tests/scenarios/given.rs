//! What is known of pins that are given, and how they are ranked.

use crate::world::{DAY_MS, NOW_MS, World, act, co_saves, params, pins};
use domain::{Action, Event, Fact, HEADS, Pin, PinId, Request, Subject, Surface, Understood};
use models::{FEATURE_COUNT, FEATURES, Model, ModelConfig, feature};
use std::sync::Arc;

fn home(world: &World, pinner: &str) -> Request {
    world.request(pinner, Surface::Home, Subject::None)
}

/// The features of pins for Ann's home feed, by name.
fn seen(world: &World, keys: &[&str]) -> impl Fn(usize, &str) -> f32 {
    let pins: Vec<PinId> = keys.iter().map(|key| world.views.catalogue().pin(key).expect("known")).collect();
    let given = world.pipeline.given_now(home(world, "ann"), &pins, &params());
    assert_eq!(given.features.len(), keys.len() * FEATURE_COUNT);
    move |row, name| given.features[row * FEATURE_COUNT + feature(name)]
}

/// Ten impressions of a pin to Ben, then so many clicks.
fn clicked(pin: &str, clicks: usize) -> Vec<Fact> {
    let at = |action, minute: usize| {
        Fact::Event(Event { ts_ms: NOW_MS - DAY_MS + minute as u64 * 60_000, ..act("ben", action, pin) })
    };
    let shown = (0..10).map(|minute| at(Action::Impression, minute));
    shown.chain((0..clicks).map(|minute| at(Action::Click, minute))).collect()
}

fn made(id: &str, creator: &str, topics: &[&str]) -> Fact {
    let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    let created_ms = NOW_MS - 3 * DAY_MS;
    Fact::Pin(Pin { id: id.into(), creator: Some(creator.into()), topics, created_ms, ..Pin::default() })
}

fn about(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-3
}

#[test]
fn features_are_what_counting_by_hand_says() {
    let world = World::new();
    world.tell(vec![made("p", "cleo", &["blue"]), made("q", "cleo", &["blue", "red"]), made("r", "dave", &[])]);
    world.tell(clicked("p", 6));
    world.tell(clicked("q", 0));
    world.tell(clicked("r", 0));
    let at = seen(&world, &["p", "q", "r"]);
    // 6 clicks of 30 impressions: two are expected of ten, and four are believed before.
    let lift = |clicks: f32, expected: f32| ((clicks + 4.0) / (expected + 4.0)).ln();
    assert!((at(0, "pin_click") - lift(6.0, 2.0)).abs() < 0.05 && (at(1, "pin_click") - lift(0.0, 2.0)).abs() < 0.05);
    assert!(about(at(0, "pin_hide"), 0.0), "none happened and none is expected");
    assert!((at(0, "creator_click") - lift(6.0, 4.0)).abs() < 0.05, "cleo made p and q");
    assert!((at(2, "creator_click") - lift(0.0, 2.0)).abs() < 0.05);
    assert!(about(at(0, "topic_click"), at(0, "creator_click")), "p and q are blue");
    let both = (lift(6.0, 4.0) + lift(0.0, 2.0)) / 2.0;
    assert!((at(1, "topic_click") - both).abs() < 0.05, "q is blue and red");
    assert_eq!(at(2, "topic_click"), 0.0, "it has no topic");
    assert!(about(at(0, "ln_impressions"), 11f32.ln()) && about(at(0, "creator_impressions"), 21f32.ln()));
    assert!(about(at(0, "ln_age_days"), 4f32.ln()) && about(at(0, "home"), 1.0) && about(at(0, "position"), 0.0));
    let week = 10.0 * 0.5f32.powf(1.0 / 7.0);
    assert!((at(0, "ln_impressions_week") - week.ln_1p()).abs() < 0.01);
    assert_eq!(at(0, "pinner_click"), 0.0, "nothing is known of Ann");
    assert!(about(at(0, "shown_gap"), (365.0f32 * 24.0).ln_1p()), "she was never shown anything");
}

#[test]
fn what_a_pinner_did_shows_in_what_is_theirs() {
    let world = World::new();
    world.tell(vec![made("p", "cleo", &["blue"]), made("q", "cleo", &["red"]), made("r", "dave", &["red"])]);
    let ago = |action, pin, hours: u64| {
        Fact::Event(Event { ts_ms: NOW_MS - hours * 3_600_000, value: Some(1_000.0), ..act("ann", action, pin) })
    };
    world.tell(vec![ago(Action::Impression, "p", 3), ago(Action::LongClick, "p", 3), ago(Action::Impression, "q", 2)]);
    world.tell(vec![ago(Action::Hide, "r", 1)]);
    let at = seen(&world, &["p", "q", "r"]);
    assert!(about(at(0, "creator_known"), 1.0) && about(at(2, "creator_known"), 0.0));
    assert!(about(at(0, "own_creator_shown"), 3f32.ln()) && about(at(0, "own_topic_shown"), 2f32.ln()));
    assert!(at(0, "own_topic_long_click") > at(1, "own_topic_long_click"));
    assert!(at(2, "own_creator_hide") > 0.0 && at(2, "own_topic_hide") > 0.0 && at(0, "own_creator_hide") <= 0.0);
    assert!(about(at(0, "pin_gap"), 4f32.ln()) && about(at(0, "pin_shown"), 2f32.ln()) && at(2, "pin_shown") == 0.0);
    assert!(about(at(0, "shown_gap"), 3f32.ln()) && at(0, "session") == 0.0);
    assert!(about(at(0, "pinner_impressions"), 3f32.ln()));
    assert_eq!(at(0, "pinner_look"), 0.0, "everybody is Ann");
    // A request that brings its own history knows nothing else of the pinner.
    let pin = world.views.catalogue().pin("p").expect("known");
    let request = Request { history: Some(Vec::new()), ..home(&world, "ann") };
    let given = world.pipeline.given_now(request, &[pin], &params());
    assert!(
        ["pinner_impressions", "own_topic_shown", "pin_shown"].map(|name| given.features[feature(name)]) == [0.0; 3]
    );
}

#[test]
fn a_query_and_a_pin_know_each_other() {
    let world = World::new();
    world.tell(pins(&["p", "q"]));
    let found = |action, pin| Fact::Event(Event { query: Some("Blue Vase".into()), ..act("ben", action, pin) });
    world.tell(vec![found(Action::Impression, "p"), found(Action::Click, "p"), found(Action::Impression, "q")]);
    let pins = ["p", "q"].map(|key| world.views.catalogue().pin(key).expect("known"));
    for (words, expected) in [(" blue vase", [2f32.ln(), 0.0]), ("vase", [0.0, 0.0])] {
        let request = world.request("ann", Surface::Search, Subject::Query(words.into()));
        let given = world.pipeline.given_now(request, &pins, &params());
        let acts = [0, 1].map(|row| given.features[row * FEATURE_COUNT + feature("query_acts")]);
        assert_eq!(acts, expected, "{words}");
    }
}

#[test]
fn given_pins_are_seen_as_served_ones_but_for_who_offered_them() {
    let world = World::new();
    world.tell(co_saves());
    world.tell(clicked("c", 3));
    let slate = world.home("ann");
    let pins: Vec<PinId> = slate.items.iter().map(|item| item.pin).collect();
    assert!(!pins.is_empty());
    let given = world.pipeline.given_now(home(&world, "ann"), &pins, &params());
    let offered = ["walk", "walk_share", "walk_rank", "text", "retrieval_rank"];
    for (given, served) in given.features.chunks_exact(FEATURE_COUNT).zip(&slate.trace.ranked) {
        for (place, name) in FEATURES.into_iter().enumerate().filter(|(_, name)| !offered.contains(name)) {
            assert_eq!(given[place], served.features[place], "{name}");
        }
    }
}

#[test]
fn all_given_pins_are_ranked_by_utility() {
    let world = World::new();
    world.tell(co_saves());
    let key = |key| world.views.catalogue().pin(key).expect("known");
    let pins = [key("y"), key("c"), key("y"), key("a")];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let slate = runtime.block_on(world.pipeline.rank_given(home(&world, "ann"), &pins, &params()));
    assert_eq!(slate.items.len(), 3, "each once, saved ones too");
    assert!(slate.items.is_sorted_by(|a, b| a.score >= b.score));
    assert!(slate.trace.ranked.iter().all(|item| item.heads.len() == HEADS.len() && !item.features.is_empty()));
    let again = world.pipeline.given_now(
        home(&world, "ann"),
        &slate.items.iter().map(|i| i.pin).collect::<Vec<_>>(),
        &params(),
    );
    assert_eq!(again.heads, slate.trace.ranked.iter().map(|item| item.heads).collect::<Vec<_>>());
}

/// A pin of some topics whose content has a direction (degrees).
fn looking(id: &str, topics: &[&str], degrees: f32) -> [Fact; 2] {
    let (y, x) = degrees.to_radians().sin_cos();
    let understood = Understood { pin: id.into(), space: 1, embedding: vec![x, y], ..Understood::default() };
    [made(id, "", topics), Fact::Understood(understood)]
}

fn saved_ago(pin: &str, hours: u64) -> Fact {
    Fact::Event(Event { ts_ms: NOW_MS - hours * 3_600_000, ..act("ann", Action::Save, pin) })
}

/// A model that compares contents.
fn comparing(world: &World) {
    let config = ModelConfig { dim: 16, heads: 2, content_dim: 2, ..ModelConfig::default() };
    world.views.install(Arc::new(Model::untrained(config, 1).expect("a model"))).expect("installed");
}

#[test]
fn candidates_know_what_was_liked_like_them_however_long_ago() {
    let world = World::new();
    let lately: Vec<String> = (0..signals::SEQUENCE_MAX).map(|number| format!("lately-{number}")).collect();
    let mut facts: Vec<Fact> =
        [("old", 90.0), ("twin", 90.0), ("near", 60.0)].iter().flat_map(|(id, at)| looking(id, &[], *at)).collect();
    facts.extend(lately.iter().flat_map(|id| looking(id, &[], 0.0)));
    facts.push(saved_ago("old", 1_000));
    facts.extend(lately.iter().map(|id| saved_ago(id, 5)));
    world.tell(facts);
    assert!(about(seen(&world, &["twin"])(0, "lifelong_best"), 0.0), "no model, no vectors");
    comparing(&world);
    let at = seen(&world, &["twin", "near", "lately-7"]);
    assert!(about(at(0, "ln_history"), (signals::SEQUENCE_MAX as f32).ln_1p()), "it is not of the last acts");
    assert!((at(0, "lifelong_best") - 1.0).abs() < 0.02 && about(at(0, "lifelong_gap"), 1_001f32.ln()));
    assert!(at(0, "lifelong_mean") < 0.7, "of the best eight the others look otherwise");
    assert!(at(1, "lifelong_best") < 0.98 && about(at(1, "lifelong_gap"), 1_001f32.ln()));
    assert!((at(2, "lifelong_mean") - 1.0).abs() < 0.02 && about(at(2, "lifelong_gap"), 6f32.ln()));
}

#[test]
fn retrieval_asks_about_each_topic_of_a_pinner() {
    let world = World::new();
    let mut facts = Vec::new();
    for number in 0..6 {
        facts.extend(looking(&format!("blue-{number}"), &["blue"], number as f32));
        facts.extend(looking(&format!("red-{number}"), &["red"], 90.0 + number as f32));
    }
    facts.extend([saved_ago("blue-0", 3), saved_ago("blue-1", 2), saved_ago("red-0", 1)]);
    world.tell(facts);
    comparing(&world);
    for (retrieval_vectors, note) in [(1, "scan: 16 rows"), (2, "2 vectors"), (5, "3 vectors")] {
        let slate = world.serve(home(&world, "ann"), &domain::Params { retrieval_vectors, ..params() });
        let stage = slate.trace.stages.iter().find(|stage| stage.name == "generate/retrieval").expect("asked");
        assert_eq!(stage.note.as_deref(), Some(note));
        assert!(stage.after >= 9, "{stage:?}");
    }
}

#[test]
fn given_pins_are_told_what_generators_say_of_them_and_how_they_fit_the_subject() {
    let world = World::new();
    world.tell(vec![made("p", "cleo", &["blue"]), made("q", "cleo", &["red"]), made("r", "dave", &["blue", "red"])]);
    let title = |id: &str, title: &str| {
        Fact::Pin(Pin { id: id.into(), title: title.into(), topics: vec!["blue".into()], ..Pin::default() })
    };
    world.tell(vec![title("lamp", "Brass lamp"), title("other", "Oak table")]);
    let of = |surface, subject, keys: &[&str]| {
        let pins: Vec<PinId> = keys.iter().map(|key| world.views.catalogue().pin(key).expect("known")).collect();
        let given = world.pipeline.given_now(world.request("ann", surface, subject), &pins, &params());
        assert_eq!(given.features.len(), keys.len() * FEATURE_COUNT);
        move |row: usize, name: &str| given.features[row * FEATURE_COUNT + feature(name)]
    };
    let at = of(Surface::Search, Subject::Query("brass lamp".into()), &["other", "lamp"]);
    assert!(at(1, "text") > 0.0 && at(0, "text") == 0.0, "{} {}", at(1, "text"), at(0, "text"));
    let subject = Subject::Pin(world.views.catalogue().pin("p").expect("known"));
    let at = of(Surface::Related, subject, &["q", "r", "lamp"]);
    assert_eq!([0, 1, 2].map(|row| at(row, "subject_topic")), [0.0, 1.0, 1.0]);
    assert_eq!([0, 1, 2].map(|row| at(row, "subject_creator")), [1.0, 0.0, 0.0]);
    let at = of(Surface::Home, Subject::None, &["q"]);
    assert_eq!([at(0, "subject_topic"), at(0, "text")], [0.0, 0.0]);
}
