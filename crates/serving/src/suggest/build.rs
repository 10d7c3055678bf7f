//! Making suggestions beside the requests.

use super::phrases::{Phrases, is_small, words};
use super::searches::{Asked, BASE_DAYS, HALF_LIFE_MS, SEARCH_BYTES_MAX};
use super::{Suggestions, Trending, normalised};
use crate::catalogue::Catalogue;
use crate::views::{Views, lock, read};
use domain::{PinId, PinnerId};
use index::{
    Completer, CompleterParams, Engagement, LoggedQuery, QueryCounts, RelatedQueries, SpellerBuilder, SpellerParams,
    TrendingParams, trending,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Most pins and boards that are looked at, spread evenly over all: a million titles are counted in a few seconds.
const LOOKED_AT_MAX: usize = 1_000_000;
/// Pins or boards that are read under one hold of the catalogue.
const BLOCK: usize = 256;
/// Most acts after searches that are looked at.
const ENGAGED_MAX: usize = 300_000;
/// Most completions that come from topics, boards and titles.
const NAMED_MAX: usize = 200_000;
/// The least pins that have a phrase, and pinners a board title, for it to be offered.
const PHRASE_PINS_MIN: u32 = 3;
/// What a topic, and a phrase, counts beside what was searched for once: pins with it add little.
const TOPIC_POPULARITY: f32 = 0.05;
const PHRASE_POPULARITY: f32 = 0.01;
/// Most searches with a word that guides look at: the most popular.
const WITH_WORD_MAX: usize = 200;
/// Most trends that are kept.
const TRENDS_MAX: usize = 100;
/// How far a related search is damped by how much it is asked.
const DAMPING: f32 = 0.25;
/// What is kept of words and pairs of words.
const SPELLER: (usize, usize) = (150_000, 1_000_000);

/// Something new is in the suggestions after so long at the latest; making them takes a twentieth of the time at most.
const PERIOD: Duration = Duration::from_secs(60);
const PERIOD_SHARE: u32 = 20;
/// Where there is twice as much as before it takes a fifth.
const HURRY_SHARE: u32 = 5;

/// Whether suggestions should be made again.
#[derive(Default)]
pub(crate) struct Suggesting {
    /// Facts so far that change them.
    noted: AtomicU64,
    /// Whether a thread makes some.
    busy: AtomicBool,
    made: Mutex<Option<Made>>,
}

/// When suggestions were made last.
#[derive(Clone, Copy)]
struct Made {
    noted: u64,
    at: Instant,
    took: Duration,
}

impl Suggesting {
    /// So many facts came that change suggestions.
    pub(crate) fn note(&self, facts: u64) {
        self.noted.fetch_add(facts, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        let noted = self.noted.load(Ordering::Relaxed);
        let Some(made) = *lock(&self.made) else { return true };
        let since = made.at.elapsed();
        let doubled = noted >= made.noted.saturating_mul(2) && since >= made.took * HURRY_SHARE;
        noted != made.noted && (doubled || since >= PERIOD.max(made.took * PERIOD_SHARE))
    }
}

impl Views {
    /// Makes suggestions on a thread of its own, when enough has changed.
    pub(crate) fn suggest(self: &Arc<Views>) {
        if !self.suggesting.is_due() || self.suggesting.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let views = self.clone();
        std::thread::spawn(move || {
            // A defect there leaves the old ones; the next try is as far away as if it had succeeded.
            if catch_unwind(AssertUnwindSafe(|| views.suggest_now())).is_err() {
                views.made_since(views.suggesting.noted.load(Ordering::Relaxed), Instant::now());
            }
            views.suggesting.busy.store(false, Ordering::Release);
        });
    }

    /// Makes suggestions of what the views know now.
    pub fn suggest_now(&self) {
        let (since, noted) = (Instant::now(), self.suggesting.noted.load(Ordering::Relaxed));
        self.suggestions.store(Some(Arc::new(self.make_suggestions())));
        self.made_since(noted, since);
    }

    fn made_since(&self, noted: u64, since: Instant) {
        *lock(&self.suggesting.made) = Some(Made { noted, at: Instant::now(), took: since.elapsed() });
    }

    /// One lock at a time, and none for longer than a block.
    fn make_suggestions(&self) -> Suggestions {
        let searches = lock(&self.writer).searches.shared();
        let own = lock(&self.writer).searches.own.clone();
        let engaged = lock(&self.writer).queries.engagements(ENGAGED_MAX);
        let mut named = Named::new();
        named.read_pins(self);
        named.read_boards(self);
        let Named { mut words, phrases, topics, titles } = named;
        let phrases = phrases.finished();
        let now_ms = searches.iter().map(|(_, asked)| asked.last_ms).max().unwrap_or(0);
        for (query, asked) in searches.iter().filter(|(query, _)| is_of_catalogue(query, &phrases)) {
            words.add_text(query, asked.popularity);
        }
        let completions = completions(&searches, &phrases, &topics, &titles, now_ms);
        let params = CompleterParams { half_life_ms: HALF_LIFE_MS, live_max: 0, ..CompleterParams::default() };
        let trends = trends(&searches, now_ms);
        let log: Vec<(Box<str>, f32)> =
            searches.into_iter().map(|(query, asked)| (query, faded(&asked, now_ms))).collect();
        Suggestions {
            speller: words.build(),
            completer: Completer::new(params, completions),
            related: related(&engaged, &log),
            with_word: with_word(&log),
            topics: topics.into_keys().collect(),
            phrases,
            log,
            trends,
            own,
        }
    }
}

/// Whether pins have every word of a search: nobody should be led to one that none has.
fn is_of_catalogue(query: &str, phrases: &Phrases) -> bool {
    words(query).all(|word| is_small(&word) || phrases.pins_with(&word) > 0)
}

/// How popular a search is as of a moment.
fn faded(asked: &Asked, now_ms: u64) -> f32 {
    asked.popularity * (-(now_ms.saturating_sub(asked.last_ms) as f32) / HALF_LIFE_MS as f32).exp2()
}

/// What pins and boards are called.
struct Named {
    words: SpellerBuilder,
    phrases: Phrases,
    /// Topics with how many pins have each.
    topics: BTreeMap<Box<str>, u32>,
    /// Titles of boards with who has them.
    titles: BTreeMap<String, BTreeSet<PinnerId>>,
}

/// Numbers below `count`, all or evenly spread, in blocks.
fn blocks(count: usize) -> impl Iterator<Item = std::iter::StepBy<std::ops::Range<u32>>> {
    let step = count.div_ceil(LOOKED_AT_MAX).max(1);
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let wide = (step * BLOCK) as u32;
    (0..count).step_by(wide as usize).map(move |start| (start..count.min(start.saturating_add(wide))).step_by(step))
}

impl Named {
    fn new() -> Named {
        let (words_max, pairs_max) = SPELLER;
        let words = SpellerBuilder::new(SpellerParams { words_max, pairs_max, ..SpellerParams::default() });
        Named { words, phrases: Phrases::default(), topics: BTreeMap::new(), titles: BTreeMap::new() }
    }

    fn read_pins(&mut self, views: &Views) {
        let pins = read(&views.catalogue).pins();
        for block in blocks(pins) {
            let texts = {
                let catalogue = read(&views.catalogue);
                block.filter_map(|pin| texts_of(&catalogue, PinId(pin))).collect::<Vec<_>>()
            };
            for texts in texts {
                self.phrases.add(texts.iter().map(|text| &**text));
                texts.iter().for_each(|text| self.words.add_text(text, 1.0));
                for topic in texts.iter().skip(1).filter_map(|topic| normalised(topic)) {
                    *self.topics.entry(topic.into()).or_default() += 1;
                }
            }
        }
    }

    fn read_boards(&mut self, views: &Views) {
        let boards = read(&views.catalogue).boards();
        for block in blocks(boards) {
            let titles = {
                let catalogue = read(&views.catalogue);
                let title = |board| {
                    let view = catalogue.board_view(domain::BoardId(board))?;
                    Some((view.owner?, normalised(view.title)?))
                };
                block.filter_map(title).collect::<Vec<_>>()
            };
            for (owner, title) in titles {
                let room = self.titles.len() < NAMED_MAX;
                match self.titles.get_mut(&title) {
                    Some(owners) if owners.len() >= PHRASE_PINS_MIN as usize => {}
                    Some(owners) => _ = owners.insert(owner),
                    None if room => _ = self.titles.insert(title, BTreeSet::from([owner])),
                    None => {}
                }
            }
        }
    }
}

/// The title of a pin that may be shown, whatever its time, and its topics.
fn texts_of(catalogue: &Catalogue, pin: PinId) -> Option<Vec<Box<str>>> {
    let view = catalogue.pin_view(pin).filter(|_| catalogue.may_be_shown(pin))?;
    Some([view.title].into_iter().chain(view.topics()).map(Into::into).collect())
}

/// What may be offered while somebody types: searches, and, however rare, topics, titles of boards, phrases of titles.
fn completions(
    searches: &[(Box<str>, Asked)],
    phrases: &Phrases,
    topics: &BTreeMap<Box<str>, u32>,
    titles: &BTreeMap<String, BTreeSet<PinnerId>>,
    now_ms: u64,
) -> Vec<LoggedQuery> {
    let logged = |text: &str, popularity: f32, last_ms: u64| LoggedQuery { text: text.to_owned(), popularity, last_ms };
    let little = |text: &str, least: f32, pins: u32| logged(text, least * (1.0 + (pins as f32).ln_1p()), now_ms);
    let mut found: Vec<LoggedQuery> =
        searches.iter().map(|(text, asked)| logged(text, asked.popularity, asked.last_ms)).collect();
    let fits = |text: &&str| text.len() <= SEARCH_BYTES_MAX;
    let topics = topics.iter().map(|(topic, &pins)| (&**topic, pins)).take(NAMED_MAX);
    found.extend(topics.map(|(topic, pins)| little(topic, TOPIC_POPULARITY, pins)));
    let known: BTreeSet<String> = found.iter().map(|query| query.text.clone()).collect();
    let shared = titles.iter().filter(|(_, owners)| owners.len() >= PHRASE_PINS_MIN as usize);
    let titles = shared.map(|(title, owners)| (title.as_str(), owners.len() as u32));
    let frequent = phrases.frequent(PHRASE_PINS_MIN, NAMED_MAX);
    let others = titles.chain(frequent).filter(|(text, _)| fits(text) && !known.contains(*text));
    found.extend(others.take(NAMED_MAX).map(|(text, pins)| little(text, PHRASE_POPULARITY, pins)));
    found
}

/// Acts after searches, by the numbers of the searches.
fn related(engaged: &[(PinId, String, u32)], log: &[(Box<str>, f32)]) -> RelatedQueries {
    let number = |query: &str| log.binary_search_by(|(known, _)| (**known).cmp(query)).ok().map(|at| at as u32);
    let engagement = |(pin, query, times): &(PinId, String, u32)| {
        let query = normalised(query).and_then(|query| number(&query))?;
        Some(Engagement { query, pin: *pin, weight: *times as f32 })
    };
    RelatedQueries::new(&engaged.iter().filter_map(engagement).collect::<Vec<_>>(), DAMPING)
}

/// The most popular searches with each word.
fn with_word(log: &[(Box<str>, f32)]) -> HashMap<Box<str>, Vec<u32>> {
    let mut order: Vec<u32> = (0..log.len() as u32).collect();
    order.sort_by(|&a, &b| log[b as usize].1.total_cmp(&log[a as usize].1).then(a.cmp(&b)));
    let mut found: HashMap<Box<str>, Vec<u32>> = HashMap::new();
    for number in order {
        let words: BTreeSet<String> = words(&log[number as usize].0).filter(|word| !is_small(word)).collect();
        for word in words {
            let list = found.entry(word.into()).or_default();
            if list.len() < WITH_WORD_MAX {
                list.push(number);
            }
        }
    }
    found
}

/// What trends at a moment, and behind it what is asked most.
fn trends(searches: &[(Box<str>, Asked)], now_ms: u64) -> Vec<Trending> {
    let counts: Vec<QueryCounts> =
        searches.iter().zip(0..).map(|((_, asked), number)| asked.counts(number, now_ms)).collect();
    let params = TrendingParams { base_windows: BASE_DAYS, ..TrendingParams::default() };
    let rising = trending(&counts, TRENDS_MAX, &params);
    let mut popular: Vec<u32> = (0..searches.len() as u32).collect();
    let score = |number: u32| faded(&searches[number as usize].1, now_ms);
    popular.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
    popular.truncate(TRENDS_MAX);
    popular.retain(|number| !rising.iter().any(|trend| trend.query == *number));
    let rising = rising.iter().map(|trend| (trend.query, Some(trend.ratio)));
    let all = rising.chain(popular.into_iter().map(|number| (number, None))).take(TRENDS_MAX);
    all.map(|(number, ratio)| Trending { text: searches[number as usize].0.to_string(), ratio }).collect()
}
