//! Planting: who and what exists, as columns of plain numbers. Words and pictures are made from them on demand.

use std::ops::Range;

use domain::{Rng, hash64};

use crate::taste::{Point, Space, Taste, add, direction};
use crate::{Family, Mood, TOPICS};

/// What a world is a function of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldConfig {
    /// Another seed is another world.
    pub seed: u64,
    /// How many pins.
    pub pins: u32,
    /// How many pinners.
    pub pinners: u32,
    /// About how many events the history has.
    pub events: u32,
    /// The moment at which the history ends (ms, UTC).
    pub now_ms: u64,
}

impl WorldConfig {
    /// The usual world: 3,000 pins, 3,000 pinners, about 150,000 events.
    pub fn new(seed: u64, now_ms: u64) -> WorldConfig {
        WorldConfig { seed, pins: 3_000, pinners: 3_000, events: 150_000, now_ms }
    }
}

/// How a world grows after the moment at which its history ends, which is the beginning of its day 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Days that the world is lived in.
    pub days: u32,
    /// New pins at the beginning of each day but the first.
    pub pins: u32,
    /// New pinners, likewise.
    pub pinners: u32,
}

impl Growth {
    /// Days on which something is new.
    fn grows(self) -> u32 {
        self.days.saturating_sub(1)
    }
}

/// A planted world.
#[derive(Debug)]
pub struct World {
    pub(crate) config: WorldConfig,
    pub(crate) growth: Growth,
    pub(crate) space: Space,
    pub(crate) pins: Vec<PlantedPin>,
    pub(crate) pinners: Vec<PlantedPinner>,
    pub(crate) boards: Vec<PlantedBoard>,
    /// Pins of each topic, oldest first.
    pub(crate) by_topic: Vec<Vec<u32>>,
}

#[derive(Debug)]
pub(crate) struct PlantedPin {
    pub(crate) topic: u8,
    pub(crate) mood: Mood,
    pub(crate) form: u8,
    pub(crate) creator: u32,
    /// How well made it is, about standard normal.
    pub(crate) quality: f32,
    pub(crate) created_ms: u64,
    pub(crate) point: Point,
}

#[derive(Debug)]
struct Creator {
    topic: usize,
    quality: f32,
    style: Point,
}

#[derive(Debug)]
pub(crate) struct PlantedPinner {
    pub(crate) tastes: Vec<Taste>,
    /// Relative chance that a session is theirs.
    pub(crate) activity: f32,
    pub(crate) language: Language,
    pub(crate) created_ms: u64,
    pub(crate) boards: Range<u32>,
}

#[derive(Debug)]
pub(crate) struct PlantedBoard {
    pub(crate) pinner: u32,
    pub(crate) holds: Holds,
}

/// What goes on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Topic(usize),
    Family(Family),
    Anything,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
    Spanish,
}

impl Language {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::Spanish => "es",
        }
    }

    fn draw(rng: &mut Rng) -> Language {
        match rng.below(100) {
            0..7 => Language::German,
            7..13 => Language::Spanish,
            _ => Language::English,
        }
    }
}

pub(crate) const DAY_MS: u64 = 86_400_000;
/// Pins were made, and pinners joined, within this many days before now.
const CATALOGUE_DAYS: u64 = 60;
const PINS_PER_CREATOR: u32 = 20;
const CREATOR_SHARE: f32 = 0.35;
const OWN_SHARE: f32 = 0.3;

impl World {
    /// Plants the world. Takes memory in proportion to pins and pinners, not to events.
    pub fn new(config: WorldConfig) -> World {
        World::growing(config, Growth::default())
    }

    /// Plants a world with all who will join it. Its beginning is that of [`World::new`].
    pub fn growing(config: WorldConfig, growth: Growth) -> World {
        let space = Space::new(config.seed);
        let creators = plant_creators(&config);
        let pins = plant_pins(&config, growth, &space, &creators);
        let mut by_topic = vec![Vec::new(); TOPICS.len()];
        for (number, pin) in (0u32..).zip(&pins) {
            by_topic[usize::from(pin.topic)].push(number);
        }
        let (pinners, boards) = plant_pinners(&config, growth, &space);
        World { config, growth, space, pins, pinners, boards, by_topic }
    }

    /// What the world was planted from.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The topic of a pin: its place in [`TOPICS`].
    pub fn topic_of(&self, pin: u32) -> usize {
        usize::from(self.pins[pin as usize].topic)
    }

    /// The colours of a pin.
    pub fn mood_of(&self, pin: u32) -> Mood {
        self.pins[pin as usize].mood
    }

    /// What a pinner likes, most liked first.
    pub fn tastes_of(&self, pinner: u32) -> &[Taste] {
        &self.pinners[pinner as usize].tastes
    }

    /// A seed of this world for one purpose and one thing.
    pub(crate) fn seed_of(&self, purpose: u64, number: u64) -> u64 {
        seed(&self.config, purpose, number)
    }

    pub(crate) fn language_of(&self, pin: u32) -> Language {
        Language::draw(&mut Rng::new(self.seed_of(8, u64::from(pin))))
    }
}

fn seed(config: &WorldConfig, purpose: u64, number: u64) -> u64 {
    hash64(hash64(config.seed ^ (purpose << 56)) ^ number)
}

fn plant_creators(config: &WorldConfig) -> Vec<Creator> {
    let count = (config.pins / PINS_PER_CREATOR).max(TOPICS.len() as u32);
    (0..count)
        .map(|number| {
            let mut rng = Rng::new(seed(config, 1, u64::from(number)));
            let topic = number as usize % TOPICS.len();
            Creator { topic, quality: rng.normal(), style: direction(&mut rng) }
        })
        .collect()
}

/// When the `number`-th joins, of whom `first` are there from the beginning and `daily` join every day.
fn joins_ms(config: &WorldConfig, number: u32, first: u32, daily: u32) -> Option<u64> {
    let later = number.checked_sub(first)?;
    Some(config.now_ms + u64::from(1 + later / daily.max(1)) * DAY_MS)
}

fn plant_pins(config: &WorldConfig, growth: Growth, space: &Space, creators: &[Creator]) -> Vec<PlantedPin> {
    let span_ms = CATALOGUE_DAYS * DAY_MS;
    let first_ms = config.now_ms.saturating_sub(span_ms);
    let joins = |number| joins_ms(config, number, config.pins, growth.pins);
    (0..config.pins.saturating_add(growth.pins.saturating_mul(growth.grows())))
        .map(|number| {
            let mut rng = Rng::new(seed(config, 2, u64::from(number)));
            let creator = rng.below(creators.len() as u32);
            let maker = &creators[creator as usize];
            let topic = if rng.uniform() < 0.85 { maker.topic } else { relative(maker.topic, &mut rng) };
            let mood = TOPICS[topic].moods[(rng.uniform().powf(1.4) * 5.0) as usize % 5];
            let form = rng.below(3) as usize;
            let own = add(direction(&mut rng), maker.style, CREATOR_SHARE / OWN_SHARE);
            let age = (f64::from(number) + f64::from(rng.uniform())) / f64::from(config.pins.max(1));
            PlantedPin {
                topic: topic as u8,
                mood,
                form: form as u8,
                creator,
                quality: 0.5 * maker.quality + 0.866 * rng.normal(),
                created_ms: joins(number).unwrap_or(first_ms + (age * span_ms as f64) as u64),
                point: space.point(topic, mood, form, own, OWN_SHARE),
            }
        })
        .collect()
}

/// Another topic of the same family, or the topic itself.
fn relative(topic: usize, rng: &mut Rng) -> usize {
    let family = TOPICS[topic].family;
    let relatives: Vec<usize> = (0..TOPICS.len()).filter(|&other| TOPICS[other].family == family).collect();
    relatives[rng.below(relatives.len() as u32) as usize]
}

fn plant_pinners(config: &WorldConfig, growth: Growth, space: &Space) -> (Vec<PlantedPinner>, Vec<PlantedBoard>) {
    let mut boards = Vec::new();
    let joins = |number| joins_ms(config, number, config.pinners, growth.pinners);
    let pinners = (0..config.pinners.saturating_add(growth.pinners.saturating_mul(growth.grows())))
        .map(|number| {
            let mut rng = Rng::new(seed(config, 3, u64::from(number)));
            let tastes = plant_tastes(space, &mut rng);
            let first = boards.len() as u32;
            boards.extend(
                plant_boards(&tastes, &mut rng).into_iter().map(|holds| PlantedBoard { pinner: number, holds }),
            );
            let age_ms = (30.0 + 30.0 * rng.uniform()) as u64 * DAY_MS + u64::from(rng.below(DAY_MS as u32));
            PlantedPinner {
                tastes,
                activity: (0.8 * rng.normal()).exp(),
                language: Language::draw(&mut rng),
                created_ms: joins(number).unwrap_or(config.now_ms.saturating_sub(age_ms)),
                boards: first..boards.len() as u32,
            }
        })
        .collect();
    (pinners, boards)
}

/// Two to four tastes that differ in topic; now and then two of one family.
fn plant_tastes(space: &Space, rng: &mut Rng) -> Vec<Taste> {
    let count = 2 + rng.below(3) as usize;
    let liked = Mood::ALL[rng.below(Mood::ALL.len() as u32) as usize];
    let mut tastes: Vec<Taste> = Vec::with_capacity(count);
    while tastes.len() < count {
        let near = tastes.last().filter(|_| rng.uniform() < 0.25).map(|taste| taste.topic);
        let topic = match near {
            Some(topic) => relative(topic, rng),
            None => rng.below(TOPICS.len() as u32) as usize,
        };
        if tastes.iter().any(|taste| taste.topic == topic) {
            continue;
        }
        let moods = &TOPICS[topic].moods;
        // A pinner's favourite colours run through all their tastes, where the topic comes in them.
        let mood = if moods.contains(&liked) { liked } else { moods[rng.below(5) as usize] };
        let point = space.point(topic, mood, rng.below(3) as usize, direction(rng), OWN_SHARE);
        tastes.push(Taste { topic, mood, weight: 0.3 + rng.uniform(), point });
    }
    tastes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let total: f32 = tastes.iter().map(|taste| taste.weight).sum();
    tastes.iter_mut().for_each(|taste| taste.weight /= total);
    tastes
}

/// A board for each taste, and for some a wider one and one for everything: two to six.
fn plant_boards(tastes: &[Taste], rng: &mut Rng) -> Vec<Holds> {
    let mut boards: Vec<Holds> = tastes.iter().map(|taste| Holds::Topic(taste.topic)).collect();
    if rng.uniform() < 0.4 {
        boards.push(Holds::Family(TOPICS[tastes[0].topic].family));
    }
    if rng.uniform() < 0.5 {
        boards.push(Holds::Anything);
    }
    boards
}
