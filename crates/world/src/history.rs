//! What the pinners did in the 30 days before now, under the simple recommender that the world had then.
//!
//! Sessions are planned first (a few bytes each) and played in the order of time; what is open at one moment is merged
//! by a heap, so that events come out sorted by time in little memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::{Action, Event, EventId, Fact, Rng, Surface, hash64};

use crate::TOPICS;
use crate::plant::{DAY_MS, Holds, World};
use crate::query::{QUERIES_PER_TOPIC, Query, query};

/// Days of history.
const DAYS: u64 = 30;
/// Events of a mean session, measured; decides how many sessions are planned.
const EVENTS_PER_SESSION: u32 = 21;
/// Most pages of a session.
const PAGES_MAX: usize = 6;
/// How many pins are tried for one place before it stays empty.
const TRIES_MAX: usize = 64;

/// A session that will be played.
#[derive(Clone, Copy, Debug)]
struct Planned {
    start_ms: u64,
    pinner: u32,
    /// Its place among the pinner's sessions and how many they have.
    ordinal: u16,
    of: u16,
}

impl World {
    /// The events, oldest first, about as many as configured, each with the id that it always has.
    pub fn history(&self) -> impl Iterator<Item = (EventId, Fact)> + '_ {
        Merge { world: self, planned: plan(self).into_iter().peekable(), open: BinaryHeap::new() }
    }

    /// Catalogue and history: the whole world for the log.
    pub fn facts(&self) -> impl Iterator<Item = (EventId, Fact)> + '_ {
        self.catalogue().chain(self.history())
    }
}

fn plan(world: &World) -> Vec<Planned> {
    if world.config.pins == 0 || world.config.pinners == 0 {
        return Vec::new();
    }
    let mut rng = Rng::new(world.seed_of(11, 0));
    let mut reach = 0.0f64;
    let ends: Vec<f64> = world.pinners[..world.config.pinners as usize]
        .iter()
        .map(|pinner| (reach += f64::from(pinner.activity), reach).1)
        .collect();
    let mut counts = vec![0u16; ends.len()];
    let mut sessions: Vec<Planned> = (0..world.config.events.div_ceil(EVENTS_PER_SESSION))
        .map(|number| {
            // Everybody comes once before the active ones come again.
            let drawn = f64::from(rng.uniform()) * reach;
            let drawn = ends.partition_point(|&end| end < drawn);
            let pinner = if (number as usize) < ends.len() { number as usize } else { drawn.min(ends.len() - 1) };
            counts[pinner] = counts[pinner].saturating_add(1);
            Planned { start_ms: start_ms(world, &mut rng), pinner: pinner as u32, ordinal: counts[pinner] - 1, of: 0 }
        })
        .collect();
    sessions.iter_mut().for_each(|session| session.of = counts[session.pinner as usize]);
    sessions.sort_by_key(|session| (session.start_ms, session.pinner, session.ordinal));
    sessions
}

/// A moment of the 30 days, rather in the evening; the last hour is left free so that no session ends after now.
fn start_ms(world: &World, rng: &mut Rng) -> u64 {
    const HOUR_MS: u64 = 3_600_000;
    let day = u64::from(rng.below(DAYS as u32));
    let hour = if rng.uniform() < 0.7 { 20.0 + 2.0 * rng.normal() } else { 13.0 + 3.0 * rng.normal() };
    let within_ms = (hour.rem_euclid(24.0) * HOUR_MS as f32) as u64;
    let midnight_ms = (world.config.now_ms / DAY_MS * DAY_MS).saturating_sub((day + 1) * DAY_MS);
    (midnight_ms + within_ms).min(world.config.now_ms.saturating_sub(HOUR_MS))
}

/// Sessions overlap; their events come out by time.
struct Merge<'a, I: Iterator<Item = Planned>> {
    world: &'a World,
    planned: std::iter::Peekable<I>,
    open: BinaryHeap<Reverse<Timed>>,
}

impl<I: Iterator<Item = Planned>> Iterator for Merge<'_, I> {
    type Item = (EventId, Fact);

    fn next(&mut self) -> Option<(EventId, Fact)> {
        while let Some(session) = self.planned.peek().copied() {
            let due = self.open.peek().is_some_and(|Reverse(first)| first.0.ts_ms < session.start_ms);
            if due {
                break;
            }
            self.planned.next();
            self.open.extend(Session::new(self.world, session).play().into_iter().map(|event| Reverse(Timed(event))));
        }
        self.open.pop().map(|Reverse(Timed(event))| (event.event_id, Fact::Event(event)))
    }
}

/// An event in the order of its id, which is the order of time.
struct Timed(Event);

impl PartialEq for Timed {
    fn eq(&self, other: &Timed) -> bool {
        self.0.event_id == other.0.event_id
    }
}

impl Eq for Timed {}

impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Timed) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timed {
    fn cmp(&self, other: &Timed) -> std::cmp::Ordering {
        self.0.event_id.cmp(&other.0.event_id)
    }
}

impl World {
    /// The pinner's board that fits a pin best: of the topic, of its family, for everything, or else the first.
    pub(crate) fn board_for(&self, pinner: u32, pin: u32) -> Option<u32> {
        let topic = self.topic_of(pin);
        let family = TOPICS[topic].family;
        let boards = self.pinners[pinner as usize].boards.clone();
        boards.min_by_key(|&board| match self.boards[board as usize].holds {
            Holds::Topic(holds) if holds == topic => 0,
            Holds::Family(holds) if holds == family => 1,
            Holds::Topic(holds) if TOPICS[holds].family == family => 2,
            Holds::Anything => 3,
            _ => 4,
        })
    }
}

/// What a page shows more of.
enum Page {
    Home,
    Related(u32),
    Search(Query),
}

/// One visit of one pinner, while it is played.
struct Session<'a> {
    world: &'a World,
    planned: Planned,
    rng: Rng,
    now_ms: u64,
    shown: Vec<u32>,
    events: Vec<Event>,
}

impl<'a> Session<'a> {
    fn new(world: &'a World, planned: Planned) -> Session<'a> {
        let number = u64::from(planned.pinner) << 16 | u64::from(planned.ordinal);
        let rng = Rng::new(world.seed_of(12, number));
        Session { world, planned, rng, now_ms: planned.start_ms, shown: Vec::new(), events: Vec::new() }
    }

    fn play(mut self) -> Vec<Event> {
        let mut next = Some(if self.rng.uniform() < 0.25 { self.search() } else { Page::Home });
        for _ in 0..PAGES_MAX {
            let Some(page) = next.take() else { break };
            let liked = self.show(&page);
            self.now_ms += 1_500 + u64::from(self.rng.below(6_000));
            next = match (liked, self.rng.uniform()) {
                (Some(pin), chance) if chance < 0.3 => Some(Page::Related(pin)),
                (_, chance) if chance < 0.4 => Some(Page::Home),
                (_, chance) if chance < 0.47 => Some(self.search()),
                _ => None,
            };
        }
        self.events
    }

    fn search(&mut self) -> Page {
        let topic = self.liked_topic();
        Page::Search(query(topic, self.rng.below(QUERIES_PER_TOPIC as u32) as usize))
    }

    /// Shows one page and gives back the last pin that was looked at closely.
    fn show(&mut self, page: &Page) -> Option<u32> {
        let (surface, length) = match page {
            Page::Home => (Surface::Home, 7 + self.rng.below(8)),
            Page::Related(_) => (Surface::Related, 4 + self.rng.below(5)),
            Page::Search(_) => (Surface::Search, 5 + self.rng.below(7)),
        };
        if let Page::Search(query) = page {
            let mut event = self.event(Action::Search, surface);
            event.query = Some(query.text.clone());
            self.push(event);
        }
        let mut liked = None;
        let mut position = 0;
        for _ in 0..length {
            let Some(pin) = self.choose(page) else { continue };
            liked = self.meet(pin, page, surface, position).or(liked);
            position += 1;
        }
        liked
    }

    /// Shows one pin; gives it back when it was looked at closely.
    fn meet(&mut self, pin: u32, page: &Page, surface: Surface, position: u16) -> Option<u32> {
        self.shown.push(pin);
        let wanted = match page {
            Page::Home => None,
            Page::Related(subject) => Some(self.world.topic_of(*subject)),
            Page::Search(query) => Some(query.topic),
        };
        let reaction = self.world.react(self.planned.pinner, pin, (surface, position), wanted, &mut self.rng);
        let acts = std::iter::once((Action::Impression, 0.0)).chain(reaction.acts);
        let mut liked = None;
        for (action, value) in acts {
            self.now_ms += 300 + u64::from(self.rng.below(900));
            let mut event = self.event(action, surface);
            event.pin = Some(self.world.pin_id(pin));
            event.position = Some(position);
            event.value = (value > 0.0).then_some(value);
            match page {
                Page::Home => {}
                Page::Related(subject) => {
                    event.props = Some(format!("{{\"subject\":\"{}\"}}", self.world.pin_id(*subject)));
                }
                Page::Search(query) => event.query = Some(query.text.clone()),
            }
            if action == Action::Save {
                event.board = self.world.board_for(self.planned.pinner, pin).map(|board| self.world.board_id(board));
            }
            self.push(event);
            self.now_ms += value as u64;
            if action == Action::Closeup {
                liked = Some(pin);
            }
        }
        liked
    }

    /// The simple recommender of old: partly what the pinner likes, partly what is well made, partly anything.
    fn choose(&mut self, page: &Page) -> Option<u32> {
        let chance = self.rng.uniform();
        match page {
            Page::Home if chance < 0.5 => {
                let topic = self.liked_topic();
                self.of_topic(topic)
            }
            Page::Home if chance < 0.7 => {
                let offers: Vec<u32> = (0..3).filter_map(|_| self.anything()).collect();
                let quality = |pin: &u32| self.world.pins[*pin as usize].quality;
                offers.into_iter().max_by(|a, b| quality(a).total_cmp(&quality(b)))
            }
            Page::Related(subject) if chance < 0.8 => self.of_topic(self.world.topic_of(*subject)),
            Page::Search(query) if chance < 0.85 => self.of_topic(query.topic),
            _ => self.anything(),
        }
    }

    fn liked_topic(&mut self) -> usize {
        let tastes = self.world.tastes_of(self.planned.pinner);
        let mut left = self.rng.uniform();
        let hit = tastes.iter().find(|taste| {
            left -= taste.weight;
            left < 0.0
        });
        hit.unwrap_or(&tastes[0]).topic
    }

    fn of_topic(&mut self, topic: usize) -> Option<u32> {
        let world = self.world;
        self.probe(&world.by_topic[topic])
    }

    fn anything(&mut self) -> Option<u32> {
        let topic = self.rng.below(TOPICS.len() as u32) as usize;
        self.of_topic(topic)
    }

    /// A pin of the list that exists by now and that this pinner is shown in no other session.
    fn probe(&mut self, pins: &[u32]) -> Option<u32> {
        let known = pins.partition_point(|&pin| self.world.pins[pin as usize].created_ms <= self.now_ms);
        let first = self.rng.below(known as u32) as usize;
        let candidates = (0..known.min(TRIES_MAX)).map(|step| pins[(first + step) % known]);
        candidates.into_iter().find(|&pin| self.is_due(pin) && !self.shown.contains(&pin))
    }

    /// Each pin is dealt to one of a pinner's sessions, so that nothing need be remembered between them.
    fn is_due(&self, pin: u32) -> bool {
        let pair = u64::from(self.planned.pinner) << 32 | u64::from(pin);
        hash64(self.world.config.seed ^ hash64(pair)) % u64::from(self.planned.of.max(1))
            == u64::from(self.planned.ordinal)
    }

    fn event(&self, action: Action, surface: Surface) -> Event {
        Event { surface, ..Event::new(self.world.pinner_id(self.planned.pinner), action, self.now_ms) }
    }

    fn push(&mut self, mut event: Event) {
        let number = u64::from(self.planned.pinner) << 32 | u64::from(self.planned.ordinal) << 16;
        let seed = self.world.seed_of(13, number | self.events.len() as u64);
        // Events of one moment keep their order.
        let entropy = (self.events.len() as u128) << 64 | u128::from(seed);
        event.event_id = EventId::new(event.ts_ms, entropy);
        self.events.push(event);
    }
}
