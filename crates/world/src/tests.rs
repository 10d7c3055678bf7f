//! The planted world replays, is as large as asked for, and its behaviour follows its truth.

use std::collections::{BTreeMap, HashSet};

use domain::{Action, Event, Fact, Rng, Surface};

use crate::{TOPICS, World, WorldConfig};

const NOW_MS: u64 = 1_800_000_000_000;

fn small() -> World {
    World::new(WorldConfig { pins: 1_200, pinners: 400, events: 20_000, ..WorldConfig::new(7, NOW_MS) })
}

fn events(world: &World) -> Vec<Event> {
    let event = |(id, fact)| match fact {
        Fact::Event(event) => {
            assert_eq!(id, event.event_id);
            event
        }
        other => panic!("no event: {other:?}"),
    };
    world.history().map(event).collect()
}

#[test]
fn a_seed_replays_and_another_seed_is_another_world() {
    let (a, b) = (small(), small());
    assert!(a.facts().eq(b.facts()));
    assert_eq!(a.draw(3), b.draw(3));
    let other = World::new(WorldConfig { seed: 8, ..a.config().clone() });
    assert!(!a.catalogue().eq(other.catalogue()));
}

#[test]
fn every_fact_can_be_taken_and_has_an_id_of_its_own() {
    let world = small();
    let mut ids = HashSet::new();
    let mut known: HashSet<String> = HashSet::new();
    for (id, fact) in world.facts() {
        fact.check(NOW_MS).unwrap_or_else(|refusal| panic!("{fact:?}: {refusal}"));
        assert!(ids.insert(id), "{id} comes twice");
        match fact {
            Fact::Pin(pin) => assert!(known.insert(pin.id)),
            Fact::Pinner(pinner) => assert!(known.insert(pinner.id)),
            Fact::Board(board) => {
                assert!(known.contains(&board.pinner.expect("an owner")));
                assert!(known.insert(board.id));
            }
            Fact::Event(event) => {
                assert!(known.contains(&event.pinner));
                assert!(event.pin.iter().chain(&event.board).all(|id| known.contains(id)));
                assert!(event.ts_ms <= NOW_MS);
            }
            other => panic!("not of a planted world: {other:?}"),
        }
    }
    assert_eq!(world.catalogue().count(), world.catalogue_len());
}

#[test]
fn the_history_is_sorted_and_about_as_long_as_asked() {
    let world = World::new(WorldConfig::new(1, NOW_MS));
    let events = events(&world);
    assert!(events.is_sorted_by_key(|event| event.event_id));
    assert!((135_000..165_000).contains(&events.len()), "{} events", events.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    events.iter().for_each(|event| *counts.entry(event.action.as_str()).or_default() += 1);
    println!("{counts:?}");
    assert!(counts["impression"] > counts["closeup"] && counts["closeup"] > counts["click"]);
    assert!(counts["save"] > 8_000 && counts["hide"] > 200 && counts["search"] > 1_000);
    let people: HashSet<&str> = events.iter().map(|event| event.pinner.as_str()).collect();
    assert!(people.len() > 2_900, "{} pinners came", people.len());
}

#[test]
fn a_pin_is_shown_before_it_is_acted_on_and_once_only() {
    let world = small();
    let mut shown = HashSet::new();
    for event in events(&world) {
        let pair = (event.pinner.clone(), event.pin.clone());
        match event.action {
            Action::Impression => assert!(shown.insert(pair), "shown twice"),
            Action::Search => assert!(event.query.is_some()),
            _ => assert!(shown.contains(&pair), "{} without an impression", event.action),
        }
        assert_eq!(event.position.is_some(), event.pin.is_some());
        assert_eq!(event.board.is_some(), event.action == Action::Save);
        if let Some(pin) = event.pin.as_deref().and_then(|id| world.pin_number(id)) {
            assert!(world.pin(pin).created_ms <= event.ts_ms, "shown before it was made");
        }
    }
}

#[test]
fn saves_follow_the_planted_taste() {
    let world = small();
    let (mut expected, mut saved, mut shown) = (0.0, 0.0, 0.0);
    for pinner in 0..400 {
        let mut rng = Rng::new(u64::from(pinner));
        for _ in 0..60 {
            let pin = rng.below(1_200);
            let reaction = world.react(pinner, pin, (Surface::Home, 0), None, &mut rng);
            expected += world.affinity(pinner, pin);
            saved += f32::from(u8::from(reaction.acts.iter().any(|act| act.0 == Action::Save)));
            shown += 1.0;
        }
    }
    assert!((saved - expected).abs() / shown < 0.005, "{saved} of {shown}, expected {expected}");
    let liked = |pinner: u32, fits: bool| {
        let topics: Vec<usize> = world.tastes_of(pinner).iter().map(|taste| taste.topic).collect();
        let pins: Vec<u32> = (0..1_200).filter(|&pin| topics.contains(&world.topic_of(pin)) == fits).collect();
        pins.iter().map(|&pin| world.affinity(pinner, pin)).sum::<f32>() / pins.len() as f32
    };
    assert!((0..50).all(|pinner| liked(pinner, true) > 5.0 * liked(pinner, false)));
}

#[test]
fn what_is_looked_for_is_what_is_liked() {
    let world = small();
    let saves = |wanted: &dyn Fn(u32) -> Option<usize>| {
        let mut rng = Rng::new(8);
        let saved = |pinner: u32, pin: u32, rng: &mut Rng| {
            let acts = world.react(pinner, pin, (Surface::Related, 0), wanted(pin), rng).acts;
            acts.iter().any(|act| act.0 == Action::Save)
        };
        (0..400u32)
            .flat_map(|pinner| (0..60u32).map(move |pin| (pinner, pin)))
            .filter(|&(a, b)| saved(a, b, &mut rng))
            .count()
    };
    let (none, same) = (saves(&|_| None), saves(&|pin| Some(world.topic_of(pin))));
    let other = saves(&|pin| Some((world.topic_of(pin) + TOPICS.len() / 2) % TOPICS.len()));
    assert_eq!(none, same);
    assert!(none > 500 && other * 3 < none, "{other} of {none}");
}

#[test]
fn boards_and_searches_are_about_what_they_say() {
    let world = small();
    for query in world.queries() {
        assert!(query.topic < TOPICS.len() && !query.text.is_empty());
    }
    let mut boards: BTreeMap<String, usize> = BTreeMap::new();
    for (_, fact) in world.catalogue() {
        if let Fact::Board(board) = fact {
            *boards.entry(board.pinner.expect("an owner")).or_default() += 1;
        }
    }
    assert!(boards.len() == 400 && boards.values().all(|count| (2..=6).contains(count)));
}

#[test]
fn every_topic_form_and_size_is_drawn() {
    let world = World::new(WorldConfig { pins: 400, pinners: 0, events: 0, ..WorldConfig::new(11, NOW_MS) });
    let mut sizes = HashSet::new();
    for pin in 0..400 {
        let drawing = world.draw(pin);
        assert_eq!(drawing.rgba.len() as u32, drawing.width * drawing.height * 4);
        let first = &drawing.rgba[..4];
        assert!(drawing.rgba.chunks_exact(4).any(|pixel| pixel != first), "pin {pin} is empty");
        sizes.insert(drawing.height);
    }
    assert_eq!(sizes.len(), 5);
    assert!(world.draw(0).to_png().starts_with(b"\x89PNG"));
}

#[test]
fn an_empty_world_is_empty() {
    let world = World::new(WorldConfig { pins: 0, pinners: 0, events: 100, ..WorldConfig::new(1, 0) });
    assert_eq!(world.facts().count(), 0);
    let lonely = World::new(WorldConfig { pins: 1, pinners: 1, events: 100, ..WorldConfig::new(1, NOW_MS) });
    assert!(lonely.facts().count() >= 4);
    assert_eq!(lonely.pin_number("pin-00001"), None);
    assert_eq!(lonely.pin_number(&lonely.pin_id(0)), Some(0));
}
