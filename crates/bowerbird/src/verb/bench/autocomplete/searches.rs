//! A log of searches of the planted world.

use anyhow::Result;
use domain::{Action, Event, EventId, Fact, Rng, TopicKind};
use serving::Views;
use std::collections::HashMap;
use world::{TOPICS, World, WorldConfig};

/// About so many events does the world have for each search, so that there are enough.
const EVENTS_PER_SEARCH: u32 = 60;
/// Words that people write behind what they look for, the most frequent first.
const BEHIND: [&str; 8] = ["ideas", "art", "print", "photo", "wallpaper", "painting", "diy", "poster"];
/// Words that people write in front, the most frequent first.
const IN_FRONT: [&str; 6] = ["simple", "small", "vintage", "easy", "modern", "big"];
/// When the world's history ends: the same searches in every run.
const NOW_MS: u64 = 1_760_000_000_000;

/// One search.
pub(super) struct Search {
    pub(super) text: String,
    pub(super) ts_ms: u64,
    pub(super) pinner: String,
}

/// A world and its searches, oldest first. Who searches, when and for which topic is the world's; half of them keep its
/// words, the others name what is on its pictures, some with words in front and behind.
pub(super) fn planted(wanted: u32) -> (World, Vec<Search>) {
    let events = wanted.saturating_mul(EVENTS_PER_SEARCH);
    let world = World::new(WorldConfig { events, ..WorldConfig::new(41, NOW_MS) });
    let topics: HashMap<String, usize> = world.queries().into_iter().map(|query| (query.text, query.topic)).collect();
    let mut rng = Rng::new(43);
    let search = |(_, fact): (EventId, Fact)| {
        let Fact::Event(event) = fact else { return None };
        let text = event.query.filter(|_| event.action == Action::Search)?;
        let text = worded(&text, *topics.get(&text)?, &mut rng);
        Some(Search { text, ts_ms: event.ts_ms, pinner: event.pinner })
    };
    let mut all: Vec<Search> = world.history().filter_map(search).collect();
    all.drain(..all.len().saturating_sub(wanted as usize));
    (world, all)
}

/// A word of a list; earlier ones are drawn more often.
fn early<'a>(words: &[&'a str], rng: &mut Rng) -> &'a str {
    let place = (f64::from(rng.uniform()).powi(2) * words.len() as f64) as usize;
    words[place.min(words.len() - 1)]
}

fn worded(text: &str, topic: usize, rng: &mut Rng) -> String {
    let subject = if rng.uniform() < 0.5 { text } else { early(&TOPICS[topic].forms, rng) };
    let mut text = subject.to_lowercase();
    if rng.uniform() < 0.2 {
        text = format!("{} {text}", early(&IN_FRONT, rng));
    }
    if rng.uniform() < 0.3 {
        text = format!("{text} {}", early(&BEHIND, rng));
    }
    text
}

/// Views of the world's catalogue and these searches, with suggestions.
pub(super) fn views(world: &World, searches: &[Search]) -> Result<Views> {
    let views = Views::new()?;
    let numbered = |facts: Vec<Fact>| -> Vec<(u64, EventId, Fact)> {
        (1..).zip(facts).map(|(offset, fact)| (offset, EventId(u128::from(offset)), fact)).collect()
    };
    views.apply(TopicKind::Catalogue, &numbered(world.catalogue().map(|(_, fact)| fact).collect()));
    let event = |search: &Search| {
        let event = Event::new(search.pinner.clone(), Action::Search, search.ts_ms);
        Fact::Event(Event { query: Some(search.text.clone()), ..event })
    };
    views.apply(TopicKind::Events, &numbered(searches.iter().map(event).collect()));
    views.suggest_now();
    Ok(views)
}
