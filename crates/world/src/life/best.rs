//! The best that a page could be, by who knows the truth.

use super::Life;
use super::visit::{Asked, bare, worth};
use crate::TOPICS;
use crate::plant::World;

/// Up to so many pins, all are looked at.
const ALL_MAX: usize = 20_000;
/// Beyond, those of so many topics: the nearest to the tastes and what is looked for, the newest of each.
const TOPICS_MAX: usize = 8;
const OF_TOPIC_MAX: usize = 2_048;
/// Pins among which the slate is chosen: those of most worth, for a start.
const CONSIDERED: usize = 400;

/// A greedy slate of `count` pins from a place of a ranking on: each is of most worth after those before it. Gives the
/// pins and what they are worth in all, by what is expected to be looked at.
pub(super) fn best(world: &World, life: &Life, asked: &Asked, first: u16, count: usize) -> (Vec<u32>, f32) {
    let (mut life, of_topic) = (life.clone(), life.appetite.of_topics());
    let mut left: Vec<(f32, f32, u32)> = candidates(world, asked)
        .filter(|&pin| Some(pin) != asked.subject)
        .map(|pin| {
            let bare = bare(world, &life, &asked.tastes, asked.wanted, pin);
            (bare * of_topic[world.topic_of(pin)] * life.appetite.of_look(world.look_of(pin)), bare, pin)
        })
        .collect();
    left.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
    left.truncate(CONSIDERED.max(2 * count));
    let (mut slate, mut total) = (Vec::with_capacity(count), 0.0);
    for place in 0..count {
        let of_topic = life.appetite.of_topics();
        let worth = |&(_, bare, pin): &(f32, f32, u32)| {
            bare * of_topic[world.topic_of(pin)] * life.appetite.of_look(world.look_of(pin))
        };
        let worths = left.iter().map(worth).enumerate();
        let Some((at, most)) = worths.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))) else { break };
        let pin = left.swap_remove(at).2;
        let looked = world.examination(asked.surface, first.saturating_add(place as u16));
        total += looked * most.min(1.0);
        life.appetite.see(world.topic_of(pin), world.look_of(pin), looked);
        slate.push(pin);
    }
    (slate, total)
}

/// The pins that exist and may be worth something.
fn candidates<'a>(world: &'a World, asked: &Asked) -> Box<dyn Iterator<Item = u32> + 'a> {
    let at_ms = asked.at_ms;
    let exists = move |pin: &u32| world.pins[*pin as usize].created_ms <= at_ms;
    if world.pins.len() <= ALL_MAX {
        return Box::new((0..world.pins.len() as u32).filter(exists));
    }
    let near = |topic: usize| {
        let likeness = asked.tastes.likeness(world.space.topic(topic));
        let fits = asked.wanted.is_none_or(|wanted| wanted == topic);
        if fits { likeness + 2.0 } else { likeness }
    };
    let mut topics: Vec<(f32, usize)> = (0..TOPICS.len()).map(|topic| (near(topic), topic)).collect();
    topics.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let of = move |(_, topic): (f32, usize)| {
        let pins = &world.by_topic[topic];
        let known = pins.partition_point(exists);
        pins[known.saturating_sub(OF_TOPIC_MAX)..known].iter().copied()
    };
    Box::new(topics.into_iter().take(TOPICS_MAX).flat_map(of))
}

/// What shown pins are worth from a place of a ranking on, by what is expected to be looked at; what is no pin of the
/// world is worth nothing.
pub(super) fn expected(world: &World, life: &Life, asked: &Asked, first: u16, pins: &[Option<u32>]) -> f32 {
    let mut life = life.clone();
    let mut total = 0.0;
    for (place, pin) in (0u16..).zip(pins) {
        let Some(pin) = *pin else { continue };
        let looked = world.examination(asked.surface, first.saturating_add(place));
        total += looked * worth(world, &life, &asked.tastes, asked.wanted, pin);
        life.appetite.see(world.topic_of(pin), world.look_of(pin), looked);
    }
    total
}
