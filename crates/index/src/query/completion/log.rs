//! Queries in the order of their letters, and where in them words begin.

use super::best::Maxima;
use super::{CompleterParams, LoggedQuery, TEXT_BYTES_MAX};
use std::ops::Range;

/// Words of a query, beyond the first, that its completions may begin with.
const INSIDE_MAX: usize = 7;

/// Places in the text are 32 bits: no more queries of the greatest length fit.
const ENTRIES_MAX: usize = u32::MAX as usize / (TEXT_BYTES_MAX + 1);

/// Comes before every letter, and is in no query.
const END: char = '\0';

/// Distinct queries with their scores: the logarithm (base 2) of popularity × recency as of [`Log::epoch_ms`]. Recency
/// is a power of two in time, so that scores of different moments differ by a constant and their order never changes.
pub(super) struct Log {
    /// Each query followed by [`END`], so that comparing needs no lengths.
    text: String,
    ends: Vec<u32>,
    scores: Vec<f32>,
    popularity: Vec<f32>,
    last_ms: Vec<u64>,
    half_life_ms: f64,
    epoch_ms: u64,
}

/// Whether a query may be kept.
pub(super) fn is_kept(query: &LoggedQuery) -> bool {
    let weighs = query.popularity > 0.0 && query.popularity.is_finite();
    let fits = query.text.len() <= TEXT_BYTES_MAX && !query.text.contains(END);
    weighs && fits && query.text.chars().any(char::is_alphanumeric)
}

impl Log {
    /// The best `entries_max` of the queries; those with the same text are one.
    pub(super) fn of(mut queries: Vec<LoggedQuery>, params: &CompleterParams) -> Log {
        queries.retain(is_kept);
        queries.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        queries.dedup_by(|next, kept| {
            let same = next.text == kept.text;
            if same {
                kept.popularity += next.popularity;
                kept.last_ms = kept.last_ms.max(next.last_ms);
            }
            same
        });
        let epoch_ms = queries.iter().map(|query| query.last_ms).max().unwrap_or(0);
        let half_life_ms = params.half_life_ms.max(1) as f64;
        let mut log = Log {
            text: String::new(),
            ends: Vec::new(),
            scores: Vec::new(),
            popularity: Vec::new(),
            last_ms: Vec::new(),
            half_life_ms,
            epoch_ms,
        };
        let entries_max = params.entries_max.min(ENTRIES_MAX);
        if queries.len() > entries_max {
            let score = |query: &LoggedQuery| log.score(query.popularity, query.last_ms);
            let best = |a: &LoggedQuery, b: &LoggedQuery| score(b).total_cmp(&score(a)).then(a.text.cmp(&b.text));
            queries.sort_unstable_by(best);
            queries.truncate(entries_max);
            queries.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        }
        for query in &queries {
            log.text.push_str(&query.text);
            log.ends.push(log.text.len() as u32);
            log.text.push(END);
            log.scores.push(log.score(query.popularity, query.last_ms));
            log.popularity.push(query.popularity);
            log.last_ms.push(query.last_ms);
        }
        log
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn text(&self, entry: usize) -> &str {
        &self.text[self.start(entry)..self.ends[entry] as usize]
    }

    fn start(&self, entry: usize) -> usize {
        entry.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1)
    }

    pub(super) fn query(&self, entry: usize) -> LoggedQuery {
        let (popularity, last_ms) = (self.popularity[entry], self.last_ms[entry]);
        LoggedQuery { text: self.text(entry).to_owned(), popularity, last_ms }
    }

    /// The entry with this text.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let found = first(0..self.len(), |entry| self.text(entry) < text);
        Some(found).filter(|&at| at < self.len() && self.text(at) == text)
    }

    pub(super) fn entry_score(&self, entry: usize) -> f32 {
        self.scores[entry]
    }

    /// Of any query.
    pub(super) fn score(&self, popularity: f32, last_ms: u64) -> f32 {
        let since_ms = last_ms as f64 - self.epoch_ms as f64;
        (f64::from(popularity).log2() + since_ms / self.half_life_ms) as f32
    }

    /// Popularity × recency at a moment, from a score.
    pub(super) fn score_at(&self, score: f32, now_ms: u64) -> f32 {
        let since_ms = now_ms as f64 - self.epoch_ms as f64;
        (f64::from(score) - since_ms / self.half_life_ms).exp2() as f32
    }
}

/// Where the words of a text begin, but for the first (bytes).
pub(super) fn inside(text: &str) -> impl Iterator<Item = usize> {
    let mut before = ' ';
    let starts = text.char_indices().filter_map(move |(at, letter)| {
        let starts = letter.is_alphanumeric() && !before.is_alphanumeric();
        before = letter;
        starts.then_some(at)
    });
    starts.skip(1).take(INSIDE_MAX)
}

/// The first of a range that is not `below`; those that are come before all others.
fn first(range: Range<usize>, below: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if below(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Where in an entry a completion may begin.
#[derive(Clone, Copy)]
struct Place {
    entry: u32,
    /// Where it is in the text of the log.
    start: u32,
}

/// Places in the order of the text that follows them, with their best for every range.
pub(super) struct Places {
    places: Vec<Place>,
    maxima: Maxima,
}

impl Places {
    /// The beginning of every query.
    pub(super) fn whole(log: &Log) -> Places {
        let places =
            (0..log.len()).map(|entry| Place { entry: entry as u32, start: log.start(entry) as u32 }).collect();
        Places { places, maxima: Maxima::of(log.len(), |at| log.entry_score(at)) }
    }

    /// The beginning of every word but the first.
    pub(super) fn inside(log: &Log) -> Places {
        // Eight letters beside the place: most comparisons need no other.
        let mut keyed: Vec<(u64, Place)> = Vec::new();
        for entry in 0..log.len() {
            let text = log.text(entry);
            for skip in inside(text) {
                let mut key = [0; 8];
                let tail = &text.as_bytes()[skip..];
                key.iter_mut().zip(tail).for_each(|(key, letter)| *key = *letter);
                let start = (log.start(entry) + skip) as u32;
                keyed.push((u64::from_be_bytes(key), Place { entry: entry as u32, start }));
            }
        }
        let text = |place: &Place| &log.text[place.start as usize..log.ends[place.entry as usize] as usize];
        keyed.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| text(&a.1).cmp(text(&b.1))).then_with(|| a.1.entry.cmp(&b.1.entry))
        });
        let places: Vec<Place> = keyed.into_iter().map(|(_, place)| place).collect();
        let maxima = Maxima::of(places.len(), |at| log.entry_score(places[at].entry as usize));
        Places { places, maxima }
    }

    pub(super) fn all(&self) -> Range<usize> {
        0..self.places.len()
    }

    /// What follows a place.
    pub(super) fn text<'a>(&self, log: &'a Log, at: usize) -> &'a str {
        let place = self.places[at];
        &log.text[place.start as usize..log.ends[place.entry as usize] as usize]
    }

    /// Of a range whose texts are the same up to `depth` bytes, the part that goes on with `more`.
    pub(super) fn narrowed(&self, log: &Log, range: &Range<usize>, depth: usize, more: &str) -> Range<usize> {
        let part = |at: usize| {
            let text = &log.text.as_bytes()[self.places[at].start as usize + depth..];
            &text[..text.len().min(more.len())]
        };
        let start = first(range.clone(), |at| part(at) < more.as_bytes());
        if start == range.end || part(start) != more.as_bytes() || more.contains(END) {
            return start..start;
        }
        // Most ranges are short: their end is looked for nearby first.
        let mut step = 1;
        while start + step < range.end && part(start + step) == more.as_bytes() {
            step *= 2;
        }
        start..first(start + step / 2..range.end.min(start + step), |at| part(at) == more.as_bytes())
    }

    /// Entries of ranges with their scores, the best first; one may come more than once.
    pub(super) fn best<'a>(&'a self, log: &'a Log, ranges: &[Range<usize>]) -> impl Iterator<Item = (usize, f32)> + 'a {
        let entry = |at: usize| self.places[at].entry as usize;
        let found = self.maxima.best(ranges, move |at| log.entry_score(entry(at)));
        found.map(move |(at, score)| (entry(at), score))
    }
}
