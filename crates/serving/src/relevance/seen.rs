//! What a student and a teacher see of a query and pins.

use super::fill_relevance;
use crate::context::Context;
use crate::features::ln_1p;
use crate::pipeline::Pipeline;
use crate::rows::Rows;
use crate::views::read;
use domain::{Params, PinId, Request};
use index::{TextField, TextMatch, TextMatches};
use models::{
    FEATURE_COUNT, Offered, QUERY_WORDS_MAX, RELEVANCE_COUNT, TITLE_WORDS_MAX, feature, relevance_feature,
    relevance_words, word_run,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Ranking features that a student is told as they are.
const TOLD: [&str; 8] =
    ["content", "query_impressions", "query_acts", "ln_saves", "ln_impressions", "pin_look", "pin_save", "pin_click"];

/// What is seen of the candidates of a request.
pub(super) struct Seen {
    /// Hashed words of the query.
    pub(super) query: Vec<u64>,
    /// Rows of [`models::RELEVANCE_FEATURES`].
    pub(super) features: Vec<[f32; RELEVANCE_COUNT]>,
    /// Hashed words of all titles, and where each title's end.
    titles: Vec<u64>,
    ends: Vec<usize>,
    /// Contents of the pins, a row each, zeros where none is known; empty where nobody knows what the words mean.
    pub(super) contents: Vec<f32>,
}

/// A query and pins as the relevance models read them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelevanceSeen {
    /// Hashed words of the query.
    pub query: Vec<u64>,
    /// What the words mean; empty where nobody knows.
    pub asked: Vec<f32>,
    /// Version of the space of `asked` and of the pins' contents.
    pub space: u32,
    /// The pins, in the order in which they were given.
    pub pins: Vec<SeenPin>,
}

/// A pin as the relevance models read it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenPin {
    /// A row of [`models::RELEVANCE_FEATURES`].
    pub features: [f32; RELEVANCE_COUNT],
    /// Hashed words of its title.
    pub words: Vec<u64>,
    /// Its content, as wide as [`RelevanceSeen::asked`]; zeros where none is known.
    pub content: Vec<f32>,
    /// Its title, for those who read.
    pub title: String,
    /// What else it says: its description, then its topics.
    pub rest: String,
}

impl Seen {
    /// `None` where the query has no words, or they cannot be looked up. `rows` are the ranking features of `pins`.
    pub(super) fn of(context: &Context, rows: &[[f32; FEATURE_COUNT]], pins: &[PinId]) -> Option<Seen> {
        let text = context.words.as_deref()?;
        let found = context.views.text.matches(text, pins);
        let found = found.inspect_err(|error| tracing::warn!(%error, "words cannot be looked up")).ok()?;
        if found.words == 0 {
            return None;
        }
        let mut seen = Seen {
            query: Vec::new(),
            features: vec![[0.0; RELEVANCE_COUNT]; pins.len()],
            titles: Vec::new(),
            ends: Vec::with_capacity(pins.len()),
            contents: Vec::new(),
        };
        relevance_words(text, QUERY_WORDS_MAX, &mut seen.query);
        seen.read_words(&found);
        seen.read_catalogue(context, pins);
        for name in TOLD {
            let (from, to) = (feature(name), relevance_feature(name));
            seen.features.iter_mut().zip(rows).for_each(|(of, row)| of[to] = row[from]);
        }
        seen.read_contents(context, pins);
        Some(seen)
    }

    fn read_words(&mut self, found: &TextMatches) {
        const FIELDS: [(&str, TextField); TextField::COUNT] = [
            ("bm25_own", TextField::Own),
            ("bm25_title", TextField::Title),
            ("bm25_annotations", TextField::Annotations),
            ("bm25_boards", TextField::Boards),
            ("bm25_queries", TextField::Queries),
            ("bm25_written", TextField::Written),
        ];
        let mut column = |name: &str, value: &dyn Fn(&TextMatch) -> f32| {
            let at = relevance_feature(name);
            self.features.iter_mut().zip(&found.pins).for_each(|(of, pin)| of[at] = value(pin));
        };
        column("words", &|_| found.words as f32);
        column("words_known", &|_| found.known as f32 / found.words.max(1) as f32);
        column("words_title", &|pin| pin.title);
        column("words_own", &|pin| pin.own);
        column("words_any", &|pin| pin.any);
        column("whole", &|pin| f32::from(u8::from(pin.whole)));
        for (name, field) in FIELDS {
            column(name, &|pin| ln_1p(pin.fields[field as usize]));
        }
    }

    fn read_catalogue(&mut self, context: &Context, pins: &[PinId]) {
        let places = ["phrase", "starts", "title_asked", "ln_title", "topics"].map(relevance_feature);
        let [phrase, starts, asked, ln_title, topics] = places;
        let catalogue = read(&context.views.catalogue);
        let (mut words, mut named) = (Vec::with_capacity(TITLE_WORDS_MAX), HashMap::new());
        for (&pin, of) in pins.iter().zip(&mut self.features) {
            relevance_words(catalogue.pin_view(pin).map_or("", |view| view.title), TITLE_WORDS_MAX, &mut words);
            let run = word_run(&self.query, &words);
            of[phrase] = run.phrase;
            of[starts] = f32::from(u8::from(run.starts));
            of[asked] = run.asked;
            of[ln_title] = ln_1p(words.len() as f32);
            self.titles.extend_from_slice(&words);
            self.ends.push(self.titles.len());
            let own = catalogue.pin_topics(pin);
            let named = own.iter().filter(|&&topic| {
                *named.entry(topic).or_insert_with(|| {
                    relevance_words(catalogue.word(topic), QUERY_WORDS_MAX, &mut words);
                    !words.is_empty() && words.iter().all(|word| self.query.contains(word))
                })
            });
            of[topics] = named.count() as f32 / own.len().max(1) as f32;
        }
    }

    fn read_contents(&mut self, context: &Context, pins: &[PinId]) {
        let index = read(&context.views.content);
        let dim = index.dim();
        if dim > 0 && context.content.len() == dim {
            self.contents = vec![0.0; pins.len() * dim];
            index.read_all(pins, |row, vector| self.contents[row * dim..][..dim].copy_from_slice(vector));
        }
    }

    /// How many words of the query say something.
    pub(super) fn words(&self) -> f32 {
        self.features.first().map_or(0.0, |features| features[const { relevance_feature("words") }])
    }

    fn title(&self, row: usize) -> &[u64] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.titles[start..self.ends[row]]
    }

    pub(super) fn offered(&self) -> impl Iterator<Item = Offered<'_>> {
        self.features.iter().enumerate().map(|(row, features)| Offered { features, title: self.title(row) })
    }
}

impl Pipeline {
    /// How long it takes, on the calling thread, to judge how well given pins answer a search, as it is done while
    /// serving: words looked up, titles and contents read, and the installed student.
    pub fn relevance_took(&self, request: Request, pins: &[PinId], params: &Params) -> Duration {
        let context = self.context_now(request, params);
        let mut rows = Rows::given(pins, &[]).features_of(pins.len(), &context);
        let since = Instant::now();
        fill_relevance(rows.features.as_chunks_mut::<FEATURE_COUNT>().0, &context, &rows.candidates);
        since.elapsed()
    }

    /// What the relevance models read of a search and given pins, on the calling thread, as of the request's moment.
    /// Nothing of a request without words.
    pub fn relevance_now(&self, request: Request, pins: &[PinId], params: &Params) -> RelevanceSeen {
        let context = self.context_now(request, params);
        let rows = Rows::given(pins, &[]).features_of(pins.len(), &context);
        let Some(seen) = Seen::of(&context, rows.features.as_chunks::<FEATURE_COUNT>().0, pins) else {
            return RelevanceSeen::default();
        };
        let catalogue = self.views().catalogue();
        let pin = |(row, (&pin, features)): (usize, (&PinId, &[f32; RELEVANCE_COUNT]))| {
            let view = catalogue.pin_view(pin);
            let width = seen.contents.len() / pins.len().max(1);
            let rest = view.map_or(String::new(), |view| {
                let topics: Vec<&str> = view.topics().collect();
                format!("{} {}", view.description, topics.join(" ")).trim().to_owned()
            });
            SeenPin {
                features: *features,
                words: seen.title(row).to_vec(),
                content: seen.contents[row * width..][..width].to_vec(),
                title: view.map_or("", |view| view.title).to_owned(),
                rest,
            }
        };
        let pins = pins.iter().zip(&seen.features).enumerate().map(pin).collect();
        drop(catalogue);
        let space = self.views().content().space();
        let asked = if seen.contents.is_empty() { Vec::new() } else { context.content.clone() };
        RelevanceSeen { query: seen.query.clone(), asked, space, pins }
    }
}
