//! What kinds of knowledge are worth in a world that is lived in: the part of the best that is reached by who shows
//! pages knowing pinners' tastes, by day.
//!
//! `cargo run --release -p bowerbird-world --example knowing [pins] [pinners] [days]`

use std::collections::HashSet;

use world::{Growth, Life, Visit, Want, World, WorldConfig};

const NOW_MS: u64 = 1_767_225_600_000;
const KNOWS: [&str; 4] = ["topics", "topics and colours", "all but what tires", "all"];

fn main() {
    let given: Vec<u32> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let number = |place: usize, usual| given.get(place).copied().unwrap_or(usual);
    let (pins, pinners, days) = (number(0, 3_000), number(1, 300), number(2, 14));
    let config = WorldConfig { pins, pinners, events: 0, ..WorldConfig::new(7, NOW_MS) };
    let world = World::growing(config, Growth { days, pins: pins / 50, pinners: pinners / 100 });
    for (knowledge, name) in KNOWS.iter().enumerate() {
        let mut lives = world.lives();
        for day in 0..days {
            let (mut got, mut best, mut value, mut visits) = (0.0, 0.0, 0.0, 0);
            for (at_ms, pinner) in world.visits_of(day, &lives) {
                let (life, truth) = play(&world, lives[pinner as usize].clone(), (pinner, at_ms), knowledge);
                lives[pinner as usize] = life;
                got += truth.expected.iter().sum::<f32>();
                best += truth.best.iter().sum::<f32>();
                value += truth.value;
                visits += 1;
            }
            println!(
                "{name}: day {}, share {:.3}, value {:.3} a visit, {visits} visits",
                day + 1,
                got / best,
                value / visits as f32
            );
        }
    }
}

fn play(world: &World, life: Life, (pinner, at_ms): (u32, u64), knowledge: usize) -> (Life, world::VisitTruth) {
    let known: HashSet<u32> = (0..world.pins_by(at_ms)).filter(|&pin| life.knows(pin)).collect();
    let mut visit = Visit::begin(world, life, pinner, at_ms);
    let (mut shown, mut wanted) = (known, None);
    while let Some(want) = visit.wants() {
        wanted = match want {
            Want::Home => None,
            Want::More => wanted,
            Want::Related(pin) => Some(world.topic_of(*pin)),
            Want::Search(query) => Some(query.topic),
        };
        let page =
            if knowledge == 3 { visit.best(25) } else { guess(world, (pinner, at_ms), knowledge, wanted, &shown) };
        shown.extend(&page);
        visit.shown(&page.into_iter().map(Some).collect::<Vec<_>>());
    }
    visit.end()
}

fn guess(
    world: &World,
    (pinner, at_ms): (u32, u64),
    knowledge: usize,
    wanted: Option<usize>,
    shown: &HashSet<u32>,
) -> Vec<u32> {
    let tastes = world.tastes_of(pinner);
    let chance = |pin: u32| (f64::from(domain::hash64(u64::from(pin) ^ at_ms) as u32) / 1e12) as f32;
    let worth = |pin: u32| match knowledge {
        0 => f32::from(u8::from(tastes.iter().any(|taste| taste.topic == world.topic_of(pin)))) + 0.01 + chance(pin),
        1 => {
            let fits = |taste: &world::Taste| {
                let topic = f32::from(u8::from(taste.topic == world.topic_of(pin)));
                topic + topic * f32::from(u8::from(taste.mood == world.mood_of(pin)))
            };
            tastes.iter().map(fits).fold(0.0, f32::max) + 0.01 + chance(pin)
        }
        _ => world.affinity(pinner, pin),
    };
    let mut pins: Vec<(f32, u32)> = (0..world.pins_by(at_ms))
        .filter(|pin| !shown.contains(pin))
        .map(|pin| (world.fit(wanted, pin) * worth(pin), pin))
        .collect();
    pins.sort_by(|a, b| b.0.total_cmp(&a.0));
    pins.into_iter().take(25).map(|(_, pin)| pin).collect()
}
