//! What comes back, and why.

use crate::world::*;
use domain::{Action, Event, Fact, Params, Pin, Slate, Source, Subject, Surface};
use models::{Model, ModelConfig};
use std::sync::Arc;

#[test]
fn saves_lead_to_pins_saved_together_with_them() {
    let world = World::new();
    world.tell(co_saves());
    let slate = world.home("ann");
    assert_eq!(world.keys(&slate)[..2], ["c", "d"], "{:?}", slate.trace);
    assert!(slate.items[0].sources.has(Source::Walks));
    let item = &slate.trace.ranked[0];
    assert_eq!(item.pin, slate.items[0].pin);
    assert_eq!(item.offers.len(), item.sources.iter().count());
    assert_eq!(item.features.len(), models::FEATURE_COUNT);
    let stages: Vec<&str> = slate.trace.stages.iter().map(|stage| stage.name.as_str()).collect();
    let funnel = ["context", "generate/walks", "generate/popular", "generate", "merge", "filter", "features/l1"];
    assert!(funnel.iter().all(|stage| stages.contains(stage)), "{stages:?}");
    assert_eq!(stages[stages.len() - 4..], ["l1", "features/l2", "l2", "blend"]);
}

#[test]
fn saved_and_hidden_pins_never_come_back() {
    let world = World::new();
    world.tell(co_saves());
    world.tell(vec![did("ann", Action::Hide, "c"), did("ann", Action::Report, "d")]);
    for slate in [world.home("ann"), world.related("ann", "a"), world.related("ann", "z")] {
        let keys = world.keys(&slate);
        assert!(["a", "b", "c", "d"].iter().all(|gone| !keys.contains(&(*gone).to_owned())), "{keys:?}");
    }
    assert!(world.keys(&world.home("ben")).iter().all(|key| ["z", "y"].contains(&key.as_str())));
}

#[test]
fn every_filter_decides_a_case() {
    let world = World::new();
    let mut facts = vec![
        Fact::Pin(Pin { expires_ms: Some(NOW_MS - 1), ..titled("expired", "") }),
        Fact::Pin(Pin { unsafe_content: true, ..titled("unsafe", "") }),
    ];
    facts.extend(pins(&["a", "saved", "hidden", "seen", "removed", "x1", "x2", "x3"]));
    let others = ["a", "saved", "hidden", "seen", "removed", "expired", "unsafe", "mentioned", "x1", "x2", "x3"];
    facts.extend(others.iter().map(|pin| save("ben", pin)));
    facts.extend([save("ann", "a"), save("ann", "saved")]);
    facts.extend([did("ann", Action::Hide, "hidden"), did("ann", Action::Impression, "seen")]);
    world.tell(facts);
    world.tell(vec![Fact::PinRemoved("removed".into())]);
    let slate = world.home("ann");
    let cases = [
        ("mentioned", "not_servable"),
        ("removed", "removed_or_expired"),
        ("expired", "removed_or_expired"),
        ("unsafe", "unsafe"),
        ("hidden", "hidden"),
        ("saved", "already_saved"),
        ("seen", "seen"),
    ];
    for (pin, filter) in cases {
        assert_eq!(world.dropped_by(&slate, pin), Some(filter), "{pin}");
    }
    let mut keys = world.keys(&slate);
    keys.sort();
    assert_eq!(keys, ["x1", "x2", "x3"]);
    let related = world.related("ann", "x1");
    assert!(!world.keys(&related).contains(&"x1".to_owned()));
    assert!(world.keys(&related).contains(&"seen".to_owned()), "related pins may have been seen");
}

#[test]
fn what_was_seen_comes_back_rather_than_an_empty_page() {
    let world = World::new();
    let mut facts = pins(&["p", "q"]);
    facts.extend([save("ben", "p"), save("ben", "q"), pinner("ann")]);
    facts.extend([did("ann", Action::Impression, "p"), did("ann", Action::Impression, "q")]);
    world.tell(facts);
    let slate = world.home("ann");
    assert_eq!(world.keys(&slate).len(), 2);
    let filter = slate.trace.stages.iter().find(|stage| stage.name == "filter").expect("the filter stage");
    assert_eq!(filter.note.as_deref(), Some("seen: 2 came back, only 0 others are left"));
}

#[test]
fn who_is_not_known_gets_what_is_popular_and_new() {
    let world = World::new();
    world.tell(co_saves());
    world.tell(vec![Fact::Pin(Pin { created_ms: NOW_MS - DAY_MS, ..titled("new", "") })]);
    let slate = world.home("nobody");
    let keys = world.keys(&slate);
    assert!(keys.contains(&"z".to_owned()) && keys.contains(&"new".to_owned()), "{keys:?}");
    let new = slate.items.iter().find(|item| world.views.catalogue().pin_key(item.pin) == "new").expect("new");
    assert!(new.sources.has(Source::Fresh));
}

#[test]
fn words_find_pins_that_have_them_and_nothing_else() {
    let world = World::new();
    world.tell(vec![
        Fact::Pin(titled("mug", "Blue ceramic mug")),
        Fact::Pin(titled("vase", "Green ceramic vase")),
        Fact::Pin(titled("cake", "Chocolate cake")),
        Fact::Pin(Pin { unsafe_content: true, ..titled("bad", "Ceramic horror") }),
        pin("wordless"),
        board("glaze", "Glaze experiments", "ben"),
        save_to("ben", "wordless", "glaze"),
        save("ben", "cake"),
        save("ann", "mug"),
    ]);
    let slate = world.search("ann", "ceramic mug");
    assert_eq!(world.keys(&slate), ["mug", "vase"], "a search finds what was saved, too");
    assert_eq!(world.dropped_by(&slate, "bad"), Some("unsafe"));
    assert!(slate.trace.degraded.is_empty(), "{:?}", slate.trace.degraded);
    assert_eq!(world.keys(&world.search("nobody", "glaze")), ["wordless"], "boards lend their titles to pins");
    let nothing = world.search("ann", "zeppelin");
    assert_eq!(nothing.trace.degraded, ["no pin matches the words: popular pins instead"]);
    assert!(!nothing.items.is_empty());
    world.tell(vec![Fact::PinRemoved("mug".into())]);
    assert!(!world.keys(&world.search("ann", "mug")).contains(&"mug".to_owned()), "removed");
}

#[test]
fn a_board_gets_ideas_from_pins_on_boards_like_it() {
    let world = World::new();
    let mut facts = pins(&["a", "b", "c", "z"]);
    facts.push(board("mine", "Living room", "ann"));
    facts.extend([save_to("ann", "a", "mine"), save_to("ann", "z", "other")]);
    for other in ["ben", "cat"] {
        facts.extend([save(other, "a"), save(other, "b"), save(other, "c")]);
    }
    world.tell(facts);
    let slate = world.board("ann", "mine");
    let mut keys = world.keys(&slate);
    keys.sort();
    assert_eq!(keys, ["b", "c"]);
    let visitor = world.board("nobody", "mine");
    assert_eq!(world.dropped_by(&visitor, "a"), Some("subject"), "{:?}", visitor.trace.dropped);
}

/// Twelve pins in two looks, a model that compares contents, and Ann who likes the first look.
fn looks() -> World {
    let world = World::new();
    let mut facts = Vec::new();
    for i in 0..12u8 {
        let id = format!("p{i}");
        facts.push(Fact::Pin(Pin { creator: Some(format!("maker{}", i % 2)), ..titled(&id, "") }));
        let tilt = f32::from(i) * 0.02;
        facts.push(understood(&id, if i < 6 { [1.0, tilt] } else { [tilt, 1.0] }));
    }
    facts.extend([save("ann", "p0"), save("ann", "p1")]);
    world.tell(facts);
    world
}

fn model(seed: u64) -> Arc<Model> {
    let config = ModelConfig { dim: 16, heads: 2, content_dim: 2, ..ModelConfig::default() };
    Arc::new(Model::untrained(config, seed).expect("a model"))
}

#[test]
fn a_model_is_swapped_under_running_requests() {
    let world = looks();
    assert_eq!(world.home("ann").trace.model, "");
    world.views.install(model(1)).expect("installed");
    let first = world.home("ann");
    assert_eq!(first.trace.model, "untrained-1");
    assert!(first.items.iter().any(|item| item.sources.has(Source::Retrieval)));
    let by_utility = world.serve(world.request("ann", Surface::Home, Subject::None), &params().without_variety());
    let best: Vec<String> = world.keys(&by_utility)[..4].to_vec();
    assert!(best.iter().all(|key| ["p2", "p3", "p4", "p5"].contains(&key.as_str())), "{best:?}");
    std::thread::scope(|scope| {
        let swapping = scope.spawn(|| (2..8).for_each(|seed| _ = world.views.install(model(seed)).expect("installed")));
        for _ in 0..30 {
            let slate = world.home("ann");
            assert!(slate.trace.degraded.is_empty() && !slate.items.is_empty(), "{:?}", slate.trace.degraded);
        }
        swapping.join().expect("swapped");
    });
    assert_eq!(world.home("ann").trace.model, "untrained-7");
    world.tell(vec![pin("late"), understood("late", [1.0, 0.01])]);
    assert!(world.keys(&world.home("ann")).contains(&"late".to_owned()), "a new pin has a vector at once");
    world.views.uninstall();
    assert_eq!(world.home("ann").trace.model, "");
}

#[test]
fn pins_of_one_maker_are_spaced_and_the_moves_are_told() {
    let world = World::new();
    let mut facts = Vec::new();
    for i in 0..8 {
        let creator = Some(if i < 4 { "one".to_owned() } else { format!("other{i}") });
        facts.push(Fact::Pin(Pin { creator, ..titled(&format!("p{i}"), "") }));
        facts.extend((0..10 - i).map(|pinner| save(&format!("pinner{pinner}"), &format!("p{i}"))));
    }
    facts.push(save("ann", "p7"));
    world.tell(facts);
    let makers = |slate: &Slate| -> Vec<bool> {
        let catalogue = world.views.catalogue();
        let creator = |pin| catalogue.pin_view(pin).and_then(|view| view.creator).map(str::to_owned);
        slate.items.iter().map(|item| creator(item.pin).as_deref() == Some("one")).collect()
    };
    let runs = |makers: &[bool]| makers.windows(2).filter(|pair| pair[0] && pair[1]).count();
    let mut plain = params();
    plain.walk.popularity_discount = 0.0;
    plain.home.variety = 0.0;
    let mut spaced = plain.clone();
    spaced.home.variety = 1.0;
    spaced.diversity.creator = domain::SpacingParams { cost: 2.0, window: 1 };
    let request = || world.request("ann", Surface::Home, Subject::None);
    let (plain, spaced) = (world.serve(request(), &plain), world.serve(request(), &spaced));
    assert!(runs(&makers(&spaced)) < runs(&makers(&plain)), "{:?} {:?}", makers(&spaced), makers(&plain));
    let ranked = &spaced.trace.ranked;
    let moves: Vec<&str> = ranked.iter().flat_map(|item| &item.moves).map(|moved| &*moved.by).collect();
    assert!(moves.contains(&"spacing/creator"), "{moves:?}");
    for (place, item) in ranked.iter().enumerate() {
        let way = item.moves.iter().fold(item.l2_rank, |at, moved| if moved.from == at { moved.to } else { u16::MAX });
        assert_eq!(usize::from(way), place, "{:?}", item.moves);
    }
}

#[test]
fn exploration_has_its_slots_and_is_off_in_evaluation() {
    let world = World::new();
    world.tell(co_saves());
    world.tell((0..40).map(|i| pin(&format!("unseen{i}"))).collect());
    let mut exploring = Params { slate_max: 10, ..params() };
    exploring.generators.exploration.on = true;
    (exploring.home.explore_every, exploring.home.explore_any, exploring.home.variety) = (3, 0.0, 0.0);
    let explored =
        |slate: &Slate| -> Vec<bool> { slate.items.iter().map(|item| item.sources.has(Source::Exploration)).collect() };
    let request = || world.request("ann", Surface::Home, Subject::None);
    let slate = world.serve(request(), &exploring);
    assert!(explored(&slate)[2] && explored(&slate)[5], "{:?}", explored(&slate));
    assert!(slate.trace.ranked[2].moves.iter().all(|moved| moved.by == "explore"));
    let chances: Vec<f32> = slate.trace.ranked.iter().map(|item| item.propensity).collect();
    assert!(chances[2] <= 0.1 && chances[5] > chances[2], "one of those that are left: {chances:?}");
    assert_eq!(chances[3..5], [1.0, 1.0], "no choice elsewhere");
    assert!(explored(&world.serve(request(), &params())).iter().all(|explored| !explored));
}

#[test]
fn the_same_seed_gives_the_same_slate_and_evaluation_ranks_as_serving_does() {
    let world = looks();
    world.views.install(model(3)).expect("installed");
    let request = world.request("ann", Surface::Home, Subject::None);
    let served = world.serve(request.clone(), &params());
    let again = world.serve(request.clone(), &params());
    assert_eq!(served.items, again.items);
    assert_eq!(served.trace.ranked, again.trace.ranked);
    let now = world.pipeline.rank_now(request.clone(), &params());
    assert_eq!(now.trace.ranked, served.trace.ranked);
    let evaluated = world.pipeline.evaluate_now(request, &params(), 5);
    assert_eq!(evaluated.slate, served.items.iter().map(|item| item.pin).collect::<Vec<_>>());
    assert!(evaluated.sources.iter().any(|(source, pins)| *source == Source::Retrieval && pins.len() == 5));
    assert_eq!(evaluated.union.len(), 10);
}

#[test]
fn a_replay_is_asked_as_it_would_have_been_and_labelled_rows_come_first() {
    let world = World::new();
    world.tell(co_saves());
    let (ann, c) = {
        let catalogue = world.views.catalogue();
        (catalogue.pinner("ann").expect("ann"), catalogue.pin("c").expect("c"))
    };
    let replay = serving::Replay {
        pinner: ann,
        labels: vec![(c, domain::ActionSet::default().with(Action::Save))],
        surface: Surface::Home,
        subject: Subject::None,
        now_ms: NOW_MS,
        seed: 7,
    };
    let rows = world.pipeline.replay(&replay, &params(), 100);
    assert_eq!((rows.found, rows.labels.len()), (1, rows.candidates));
    assert_eq!(rows.labels[0], domain::HEADS.map(|head| head == Action::Save), "labelled candidates come first");
    let served = world.home("ann").trace.ranked;
    let features = |pin| served.iter().find(|item| item.pin == pin).map(|item| &item.features[..]);
    assert_eq!(features(c), Some(&rows.features[..models::FEATURE_COUNT]), "as they are served");
    assert!(rows.labels.len() > world.pipeline.replay(&replay, &params(), 2).labels.len());
}

#[test]
fn events_that_name_nothing_known_make_placeholders() {
    let world = World::new();
    let search = Event { pin: None, query: Some("x".into()), ..act("ann", Action::Search, "") };
    world.tell(vec![
        Fact::Event(search),
        save("ann", "later"),
        pin("known"),
        save("ben", "later"),
        save("ben", "known"),
    ]);
    assert_eq!(world.keys(&world.home("ann")), ["known"]);
    assert_eq!(world.keys(&world.home("cat")), ["known"]);
    world.tell(vec![pin("later")]);
    assert_eq!(world.keys(&world.home("cat")).len(), 2);
}
