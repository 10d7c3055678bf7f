//! One visit: what a pinner wants next, what they do with what they are shown, and when they have had enough.

use domain::{Action, Event, Rng, Surface};

use super::Life;
use super::best::{best, expected};
use super::drift::Tastes;
use crate::behaviour::{acts, chance};
use crate::plant::World;
use crate::query::{QUERIES_PER_TOPIC, Query, query};

/// Patience is multiplied by this and the joy of the moment.
const BORED: f32 = 0.5;
/// Joy at the beginning, and at most.
const JOY: (f32, f32) = (0.5, 1.5);
/// The worth of a pin that gives a joy of 1, and how fast joy follows.
const GOOD: f32 = 0.15;
const FOLLOWS: f32 = 0.15;
/// What is left of the worth of a pin that was looked at before.
const AGAIN: f32 = 0.1;
/// Visits that begin with a search.
const SEARCHES: f32 = 0.15;
/// After a close-up of a pin: the chance to see what is related.
const RELATED: f32 = 0.25;
/// On another page than the feed: the chance, after each pin, to go back to it.
const BACK: f32 = 0.08;
/// Most pages of a visit.
const PAGES_MAX: u32 = 16;

/// What a pinner wants to see next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// The home feed from its beginning.
    Home,
    /// The next page of what they are looking at.
    More,
    /// What is like a pin.
    Related(u32),
    /// Pins for words.
    Search(Query),
}

/// What a visit was truly worth: known to reports only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VisitTruth {
    /// The value of the pins that were looked at.
    pub value: f32,
    /// How many were looked at, and scrolled past.
    pub examined: u32,
    /// See `examined`.
    pub passed: u32,
    /// Pages that were shown.
    pub pages: u32,
    /// By surface (the place in [`Surface::ALL`]): what the shown pages were worth, by what is expected to be looked
    /// at, on the states in which they were asked for …
    pub expected: [f32; Surface::ALL.len()],
    /// … and what the best pages would have been worth.
    pub best: [f32; Surface::ALL.len()],
}

/// What a page is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) pinner: u32,
    pub(super) at_ms: u64,
    pub(super) tastes: Tastes,
    pub(super) surface: Surface,
    pub(super) wanted: Option<usize>,
    pub(super) subject: Option<u32>,
    words: Option<String>,
}

/// A visit, driven by whoever shows pages.
#[derive(Debug)]
pub struct Visit<'a> {
    world: &'a World,
    life: Life,
    rng: Rng,
    now_ms: u64,
    asked: Asked,
    /// Where the next page of what is looked at begins.
    first: u16,
    want: Option<Want>,
    joy: f32,
    truth: VisitTruth,
}

impl<'a> Visit<'a> {
    /// Begins a visit at a moment (ms, UTC).
    ///
    /// # Panics
    /// When there is no such pinner.
    pub fn begin(world: &'a World, mut life: Life, pinner: u32, at_ms: u64) -> Visit<'a> {
        life.appetite.wait(at_ms);
        let mut rng = Rng::new(world.seed_of(24, u64::from(pinner) ^ at_ms << 20));
        let tastes = Tastes::at(world, pinner, at_ms);
        let surface = Surface::Home;
        let asked = Asked { pinner, at_ms, tastes, surface, wanted: None, subject: None, words: None };
        let want = if rng.uniform() < SEARCHES { search(world, pinner, &mut rng) } else { Want::Home };
        let truth = VisitTruth::default();
        Visit { world, life, rng, now_ms: at_ms, asked, first: 0, want: Some(want), joy: JOY.0, truth }
    }

    /// What they want to see next; nothing when they have left.
    pub fn wants(&self) -> Option<&Want> {
        self.want.as_ref()
    }

    /// The moment that the visit has reached (ms, UTC).
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Who visits.
    pub fn pinner(&self) -> u32 {
        self.asked.pinner
    }

    /// The best page of so many pins for what is wanted.
    pub fn best(&self, count: usize) -> Vec<u32> {
        let Some((asked, first)) = self.next() else { return Vec::new() };
        best(self.world, &self.life, &asked, first, count).0
    }

    /// Shows the page that was wanted, from the top; `None` is something that is no pin of this world. Gives what they
    /// do with it, impressions among it, without ids. Afterwards they want something else, or nothing any more. A page
    /// without pins sends them back to the feed, and from there away.
    pub fn shown(&mut self, pins: &[Option<u32>]) -> Vec<Event> {
        let Some((asked, first)) = self.next() else { return Vec::new() };
        self.truth.pages += 1;
        let mut events = Vec::new();
        if let (Some(words), 0) = (&asked.words, first) {
            let search = Event::new(self.world.pinner_id(asked.pinner), Action::Search, self.now_ms);
            events.push(Event { surface: Surface::Search, query: Some(words.clone()), ..search });
        }
        self.asked = asked;
        let before = self.life.clone();
        let (passed, next) = self.scroll(pins, first, &mut events);
        let (seen, surface) = (&pins[..passed], usize::from(self.asked.surface.code()));
        self.truth.passed += passed as u32;
        self.truth.expected[surface] += expected(self.world, &before, &self.asked, first, seen);
        self.truth.best[surface] += best(self.world, &before, &self.asked, first, passed).1;
        self.first = first.saturating_add(passed as u16);
        self.want = next.filter(|_| self.truth.pages < PAGES_MAX);
        events
    }

    /// Ends the visit: the pinner as they are now, and what it was truly worth.
    pub fn end(mut self) -> (Life, VisitTruth) {
        self.life.satisfied(self.truth.value);
        (self.life, self.truth)
    }

    /// What the wanted page is asked for, and where it begins.
    fn next(&self) -> Option<(Asked, u16)> {
        let page = |surface, wanted, subject, words| Asked {
            surface,
            wanted,
            subject,
            words,
            at_ms: self.now_ms,
            ..self.asked.clone()
        };
        Some(match self.want.as_ref()? {
            Want::Home => (page(Surface::Home, None, None, None), 0),
            Want::More => (Asked { at_ms: self.now_ms, ..self.asked.clone() }, self.first),
            Want::Related(pin) => (page(Surface::Related, Some(self.world.topic_of(*pin)), Some(*pin), None), 0),
            Want::Search(query) => (page(Surface::Search, Some(query.topic), None, Some(query.text.clone())), 0),
        })
    }

    /// Goes down the page. Gives how many pins were passed, and what is wanted then.
    fn scroll(&mut self, pins: &[Option<u32>], first: u16, events: &mut Vec<Event>) -> (usize, Option<Want>) {
        let home = self.asked.surface == Surface::Home;
        for (place, pin) in (0u16..).zip(pins) {
            let position = first.saturating_add(place);
            let close = pin.is_some_and(|pin| self.meet(pin, position, events));
            let passed = usize::from(place) + 1;
            if self.rng.uniform() < 1.0 / (self.life.patience * (BORED + self.joy)) {
                return (passed, None);
            }
            if let Some(pin) = pin.filter(|_| close && self.rng.uniform() < RELATED) {
                return (passed, Some(Want::Related(pin)));
            }
            if !home && self.rng.uniform() < BACK {
                return (passed, Some(Want::Home));
            }
        }
        match pins.is_empty() {
            false => (pins.len(), Some(Want::More)),
            true => (0, Some(Want::Home).filter(|_| !home)),
        }
    }

    /// Passes one pin, and looks at it or not; says whether they looked closely.
    fn meet(&mut self, pin: u32, position: u16, events: &mut Vec<Event>) -> bool {
        self.now_ms += 400 + u64::from(self.rng.below(800));
        self.tell(pin, position, (Action::Impression, 0.0), events);
        if self.rng.uniform() >= self.world.examination(self.asked.surface, position) {
            return false;
        }
        let fit = self.world.fit(self.asked.wanted, pin);
        let worth = worth(self.world, &self.life, &self.asked.tastes, self.asked.wanted, pin);
        self.truth.value += worth;
        self.truth.examined += 1;
        self.joy = (self.joy + FOLLOWS * (worth / GOOD - self.joy)).min(JOY.1);
        let likeness = self.asked.tastes.likeness(&self.world.pins[pin as usize].point);
        let done = acts(worth, fit, likeness, &mut self.rng);
        self.life.appetite.see(self.world.topic_of(pin), self.world.look_of(pin), 1.0);
        self.life.learn(pin);
        let close = done.iter().any(|(action, _)| *action == Action::Closeup);
        done.into_iter().for_each(|act| self.tell(pin, position, act, events));
        close
    }

    fn tell(&mut self, pin: u32, position: u16, (action, value): (Action, f32), events: &mut Vec<Event>) {
        self.now_ms += 200;
        let event = Event::new(self.world.pinner_id(self.asked.pinner), action, self.now_ms);
        let board = self.world.board_for(self.asked.pinner, pin).filter(|_| action == Action::Save);
        events.push(Event {
            surface: self.asked.surface,
            pin: Some(self.world.pin_id(pin)),
            position: Some(position),
            value: (value > 0.0).then_some(value),
            board: board.map(|board| self.world.board_id(board)),
            query: self.asked.words.clone(),
            ..event
        });
        self.now_ms += value as u64;
    }
}

/// What a pin is worth to a pinner now, 0 to 1, while they look for a topic or for nothing in particular.
pub(super) fn worth(world: &World, life: &Life, tastes: &Tastes, wanted: Option<usize>, pin: u32) -> f32 {
    let hunger = life.appetite.of_topic(world.topic_of(pin)) * life.appetite.of_look(world.look_of(pin));
    (bare(world, life, tastes, wanted, pin) * hunger).min(1.0)
}

/// The same to somebody who is neither tired of its topic and look nor misses them.
pub(super) fn bare(world: &World, life: &Life, tastes: &Tastes, wanted: Option<usize>, pin: u32) -> f32 {
    let planted = &world.pins[pin as usize];
    let known = if life.knows(pin) { AGAIN } else { 1.0 };
    chance(tastes.likeness(&planted.point), planted.quality) * known * world.fit(wanted, pin)
}

/// A search for something that the pinner likes.
fn search(world: &World, pinner: u32, rng: &mut Rng) -> Want {
    let tastes = world.tastes_of(pinner);
    let mut left = rng.uniform();
    let hit = tastes.iter().find(|taste| (left -= taste.weight, left < 0.0).1);
    match hit.or(tastes.first()) {
        Some(taste) => Want::Search(query(taste.topic, rng.below(QUERIES_PER_TOPIC as u32) as usize)),
        None => Want::Home,
    }
}
