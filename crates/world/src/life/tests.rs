//! Lives follow their rules, and replay.

use domain::{Action, Rng, Surface};

use super::appetite::Appetite;
use super::drift::Tastes;
use crate::plant::DAY_MS;
use crate::{Growth, Life, Response, TOPICS, Visit, VisitTruth, Want, World, WorldConfig};

const NOW_MS: u64 = 1_800_057_600_000;

fn world() -> World {
    let config = WorldConfig { pins: 1_200, pinners: 200, events: 0, ..WorldConfig::new(7, NOW_MS) };
    World::growing(config, Growth { days: 20, pins: 30, pinners: 5 })
}

/// A visit to whoever shows these pages; the first `count` pins of a shuffled world when there is none.
fn visit(
    world: &World,
    life: Life,
    (pinner, at_ms): (u32, u64),
    page: impl Fn(&Visit) -> Vec<u32>,
) -> (Life, VisitTruth) {
    let mut visit = Visit::begin(world, life, pinner, at_ms);
    while visit.wants().is_some() {
        let pins: Vec<Option<u32>> = page(&visit).into_iter().map(Some).collect();
        let events = visit.shown(&pins);
        assert!(events.is_sorted_by_key(|event| event.ts_ms));
    }
    visit.end()
}

fn anything(visit: &Visit) -> Vec<u32> {
    let mut rng = Rng::new(visit.now_ms());
    (0..25).map(|_| rng.below(1_200)).collect()
}

#[test]
fn a_growing_world_begins_as_the_same_world_and_grows_every_day() {
    let world = world();
    let still = World::new(world.config().clone());
    assert!(still.catalogue().eq(world.catalogue()));
    assert_eq!(world.catalogue().count(), world.catalogue_len());
    assert_eq!(world.catalogue_of_day(0).count(), 0);
    let mut pins = 1_200;
    for day in 1..20 {
        let facts: Vec<_> = world.catalogue_of_day(day).collect();
        let of = |kind: fn(&domain::Fact) -> bool| facts.iter().filter(|(_, fact)| kind(fact)).count();
        assert_eq!(of(|fact| matches!(fact, domain::Fact::Pin(_))), 30);
        assert_eq!(of(|fact| matches!(fact, domain::Fact::Pinner(_))), 5);
        assert!(of(|fact| matches!(fact, domain::Fact::Board(_))) >= 10);
        for (_, fact) in &facts {
            assert!(fact.check(NOW_MS + u64::from(day) * DAY_MS).is_ok());
            if let domain::Fact::Pin(pin) = fact {
                assert_eq!(world.pin_number(&pin.id), Some(pins));
                assert_eq!(pin.created_ms, NOW_MS + u64::from(day) * DAY_MS);
                pins += 1;
            }
        }
    }
    assert_eq!(world.catalogue_of_day(20).count(), 0);
}

#[test]
fn tastes_drift_within_bounds_and_begin_as_planted() {
    let world = world();
    let mut moved = 0.0f32;
    for pinner in 0..100 {
        let planted = |pin: u32| world.likeness(pinner, pin);
        let first = Tastes::at(&world, pinner, NOW_MS);
        for pin in 0..50 {
            assert!((first.likeness(&world.pins[pin as usize].point) - planted(pin)).abs() < 1e-5);
        }
        for day in 1..120u64 {
            let (today, before) = (NOW_MS + day * DAY_MS, NOW_MS + (day - 1) * DAY_MS);
            let (today, before) = (Tastes::at(&world, pinner, today), Tastes::at(&world, pinner, before));
            let point = &world.pins[pinner as usize].point;
            let step = (today.likeness(point) - before.likeness(point)).abs();
            assert!(step < 0.2, "pinner {pinner} jumps by {step} on day {day}");
            moved = moved.max((today.likeness(point) - planted(pinner)).abs());
        }
    }
    assert!((0.1..1.0).contains(&moved), "{moved}");
}

#[test]
fn satiation_grows_with_what_is_seen_and_fades() {
    let mut appetite = Appetite::new(0.5);
    appetite.wait(NOW_MS);
    let fresh = appetite.of_topic(3);
    assert!((fresh - 1.5).abs() < 1e-6, "never seen: missed");
    (0..150).for_each(|_| appetite.see(3, 40, 1.0));
    let (full, relative) = (appetite.of_topic(3), appetite.had(4));
    assert!((full - (-1.0f32).exp()).abs() < 1e-3, "full, and nothing is missed: {full}");
    assert!(TOPICS[3].family == TOPICS[4].family && (relative - 30.0).abs() < 1e-3);
    assert_eq!((appetite.had(20), appetite.of_topic(20)), (0.0, fresh));
    assert!(appetite.of_look(40) < 0.65 && appetite.of_look(41) == 1.0);
    appetite.wait(NOW_MS + 3 * DAY_MS);
    assert!((appetite.had(3) - 75.0).abs() < 0.1);
    appetite.wait(NOW_MS + 60 * DAY_MS);
    assert!(appetite.of_topic(3) > 0.99 * fresh);
}

#[test]
fn visits_come_every_day_at_local_hours() {
    let world = world();
    let lives = world.lives();
    let mut evening = 0;
    let mut all = 0;
    for day in 0..20 {
        let visits = world.visits_of(day, &lives);
        assert!(visits.is_sorted());
        for &(at_ms, pinner) in &visits {
            assert!((NOW_MS + u64::from(day) * DAY_MS..NOW_MS + u64::from(day + 1) * DAY_MS).contains(&at_ms));
            assert!(world.pinners[pinner as usize].created_ms <= at_ms);
            evening += usize::from((15.0..24.0).contains(&world.hour_of(pinner, at_ms)));
            all += 1;
        }
        assert_eq!(visits, world.visits_of(day, &lives), "a day replays");
    }
    assert!(all > 600 && evening * 10 > all * 6, "{evening} of {all}");
    let zones: std::collections::BTreeSet<i64> = (0..200).map(|pinner| world.zone_of(pinner)).collect();
    assert!(zones.len() >= 6);
}

#[test]
fn a_good_visit_lasts_longer_is_worth_more_and_brings_them_back() {
    let world = world();
    let (mut good, mut bad, mut passed, mut chances) = (0.0, 0.0, [0, 0], (0.0, 0.0));
    for pinner in 0..150 {
        let at = (pinner, NOW_MS + 20 * 3_600_000);
        let (pleased, best) = visit(&world, Life::new(&world, pinner), at, |visit| visit.best(25));
        let (bored, random) = visit(&world, Life::new(&world, pinner), at, anything);
        (good, bad) = (good + best.value, bad + random.value);
        passed = [passed[0] + best.passed, passed[1] + random.passed];
        let all = |truth: &VisitTruth| (truth.expected.iter().sum::<f32>(), truth.best.iter().sum::<f32>());
        let ((got, could), (random_got, random_could)) = (all(&best), all(&random));
        assert!((got - could).abs() <= 0.02 * could + 1e-3, "the best is the best: {got} of {could}");
        assert!(random_got <= random_could + 1e-3);
        chances = (chances.0 + world.daily_chance(pinner, &pleased), chances.1 + world.daily_chance(pinner, &bored));
    }
    assert!(chances.0 > 1.1 * chances.1, "{chances:?}");
    assert!(good > 5.0 * bad && passed[0] > passed[1] * 5 / 4, "{good} {bad} {passed:?}");
}

#[test]
fn what_was_seen_is_worth_little_and_monotony_tires() {
    let world = world();
    let mut values = [0.0; 2];
    for pinner in 0..60 {
        let first = Visit::begin(&world, Life::new(&world, pinner), pinner, NOW_MS).best(25);
        let same = |visit: &Visit| if visit.wants() == Some(&Want::Home) { first.clone() } else { Vec::new() };
        let (life, once) = visit(&world, Life::new(&world, pinner), (pinner, NOW_MS), same);
        let (_, again) = visit(&world, life, (pinner, NOW_MS + DAY_MS), same);
        values = [values[0] + once.value, values[1] + again.value];
    }
    assert!(values[1] < 0.5 * values[0] && values[1] > 0.0, "{values:?}");
}

#[test]
fn a_visit_replays_and_asks_for_what_it_says() {
    let world = world();
    let mut wanted = [0; 4];
    for pinner in 0..100 {
        let play = || {
            let mut visit = Visit::begin(&world, Life::new(&world, pinner), pinner, NOW_MS);
            let (mut wants, mut events) = (Vec::new(), Vec::new());
            while let Some(want) = visit.wants().cloned() {
                let surface = match &want {
                    Want::Home => Some(Surface::Home),
                    Want::Related(_) => Some(Surface::Related),
                    Want::Search(_) => Some(Surface::Search),
                    Want::More => None,
                };
                let page: Vec<Option<u32>> = visit.best(10).into_iter().map(Some).collect();
                let told = visit.shown(&page);
                assert!(told.iter().all(|event| surface.is_none_or(|surface| event.surface == surface)));
                assert_eq!(told[0].action == Action::Search, matches!(want, Want::Search(_)));
                assert!(told.iter().all(|event| (event.action == Action::Save) == event.board.is_some()));
                events.extend(told);
                wants.push(want);
            }
            (wants, events, visit.end())
        };
        let (wants, events, end) = play();
        assert_eq!((&wants, &events, &end), (&play().0, &play().1, &play().2));
        for want in wants {
            wanted[match want {
                Want::Home => 0,
                Want::More => 1,
                Want::Related(_) => 2,
                Want::Search(_) => 3,
            }] += 1;
        }
    }
    assert!(wanted.iter().all(|&count| count > 5), "{wanted:?}");
    let mut visit = Visit::begin(&world, Life::new(&world, 1), 1, NOW_MS);
    (0..2).for_each(|_| drop(visit.shown(&[])));
    assert!(visit.wants().is_none(), "nothing to see sends them away");
}

#[test]
fn notifications_tire_and_are_left() {
    let world = world();
    let mut opened = [0; 2];
    let mut left = [0; 2];
    for pinner in 0..200 {
        for (daily, hours) in [(0, 96), (1, 6)] {
            let mut rng = Rng::new(u64::from(pinner));
            let mut life = Life::new(&world, pinner);
            for number in 0..10u64 {
                let at_ms = NOW_MS + number * hours * 3_600_000;
                let response = world.notified(pinner, &mut life, (pinner + number as u32) % 1_200, at_ms, &mut rng);
                opened[daily] += usize::from(response == Response::Opened);
                if response == Response::Unsubscribed {
                    left[daily] += 1;
                    assert!(!life.is_subscribed());
                    let more = world.notified(pinner, &mut life, 1, at_ms + 1, &mut rng);
                    assert_eq!(more, Response::Unreached);
                }
            }
        }
    }
    assert!(opened[0] > opened[1] && left[1] > 3 * left[0].max(1), "{opened:?} {left:?}");
}
