//! Searching: words → terms with weights → the best pins that pass.

use super::fields::Fields;
use super::phrase;
use super::score::Bm25;
use super::segment::Pins;
use super::terms::terms;
use super::weights::TextWeights;
use super::words::Words;
use crate::error::IndexError;
use crate::filter::Bound;
use crate::top::Top;
use domain::PinId;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tantivy::{Searcher, SegmentReader};

/// What looking a row up in one list costs, compared with coming to it in its turn. Tried: 12, 5 and 3 (1 % of 100,000
/// pins pass, 3 words: 2,050 to 2,500, 2,800 to 3,280 and 3,150 to 3,450 queries a CPU second).
const LOOK_UP_COST: u64 = 3;

/// How a filter was applied. Scores do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPlan {
    /// There was nothing to filter by.
    Unfiltered,
    /// Pins with the words were scored, and the best asked whether they pass.
    WordsFirst,
    /// The pins that pass, so many, were listed and looked up among those with the words.
    FilterFirst(usize),
}

impl fmt::Display for TextPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextPlan::Unfiltered => f.write_str("no filter"),
            TextPlan::WordsFirst => f.write_str("words first, then the filter"),
            TextPlan::FilterFirst(pins) => write!(f, "filter first: {pins} pins pass"),
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct TextFound {
    /// Pins with their scores, best first, equal ones by id.
    pub pins: Vec<(PinId, f32)>,
    /// How the filter was applied.
    pub plan: TextPlan,
}

/// What was last committed.
pub(super) struct Published {
    pub(super) searcher: Searcher,
    /// The pins of each segment.
    pub(super) pins: Vec<Arc<Pins>>,
}

/// A handle that searches what was last committed. Clones are cheap, wait for no writer, and see every later commit.
#[derive(Clone)]
pub struct TextSearcher {
    published: Arc<RwLock<Arc<Published>>>,
    pub(super) fields: Fields,
    pub(super) weights: Arc<TextWeights>,
}

impl TextSearcher {
    pub(super) fn new(published: Published, fields: Fields, weights: TextWeights) -> TextSearcher {
        TextSearcher { published: Arc::new(RwLock::new(Arc::new(published))), fields, weights: Arc::new(weights) }
    }

    /// The lock is held for the copy of a pointer only.
    pub(super) fn published(&self) -> Arc<Published> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn publish(&self, published: Published) {
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(published);
    }

    /// How many pins have words.
    pub fn len(&self) -> usize {
        self.published().searcher.num_docs() as usize
    }

    /// Whether no pin has words.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same index, searched with other weights.
    pub fn weighed(&self, weights: TextWeights) -> TextSearcher {
        TextSearcher { weights: Arc::new(weights), ..self.clone() }
    }

    /// The `k` pins that fit `text` best by BM25, best first, equal ones by id.
    ///
    /// Any text is fine: it is cut into words, and only quotes mean something: what is between two of them must stand
    /// in the pin like that, with at most one other word in between. Text without a word, and text longer than
    /// [`domain::limits::QUERY_BYTES_MAX`], finds nothing. The last word also matches words that it begins; a word
    /// that no pin has is taken for a misspelling of words that pins have.
    pub fn search(&self, text: &str, k: usize) -> Result<Vec<(PinId, f32)>, IndexError> {
        Ok(self.search_within(text, k, &Bound::everything())?.pins)
    }

    /// The `k` pins among those that pass `filter` that fit `text` best, see [`search`](TextSearcher::search). What a
    /// word counts does not depend on the filter.
    pub fn search_within(&self, text: &str, k: usize, filter: &Bound) -> Result<TextFound, IndexError> {
        let words = Words::of(text);
        let published = self.published();
        let searcher = &published.searcher;
        let k = k.min(searcher.num_docs() as usize);
        let mut plan = if filter.is_everything() { TextPlan::Unfiltered } else { TextPlan::WordsFirst };
        if k == 0 || words.words.is_empty() {
            return Ok(TextFound { pins: Vec::new(), plan });
        }
        let bm25 = Bm25::new(terms(&words, searcher, &self.fields, &self.weights)?, searcher, &self.weights)?;
        let listed = listed(&bm25, filter);
        if let Some(pins) = &listed {
            plan = TextPlan::FilterFirst(pins.len());
        }
        let phrases = phrase::queries(&words.phrases, searcher, &self.fields)?;
        let mut top = Top::new(k);
        for (at, segment) in searcher.segment_readers().iter().enumerate() {
            let pins = &*published.pins[at];
            let rows = match (phrase::rows(&phrases, segment)?, &listed) {
                (None, None) => None,
                (Some(phrase), None) => Some(phrase),
                (None, Some(listed)) => Some(pins.rows(listed)),
                (Some(phrase), Some(listed)) => Some(both(phrase, &pins.rows(listed))),
            };
            let mut offers = Offers { top: &mut top, pins, segment, filter, listed: listed.is_some() };
            match rows {
                None => bm25.each(at, segment, offers.top.threshold(), |row, score| offers.take(row, score))?,
                Some(rows) => {
                    let scores = bm25.of(at, segment, &rows)?;
                    rows.into_iter().zip(scores).filter(|(_, score)| *score > 0.0).for_each(|(row, score)| {
                        offers.take(row, score);
                    });
                }
            }
        }
        Ok(TextFound { pins: top.into_best(), plan })
    }
}

/// The pins that pass, when they are so few that looking them up costs less than scoring everything.
fn listed(bm25: &Bm25, filter: &Bound) -> Option<Vec<PinId>> {
    let max = (bm25.postings() / (LOOK_UP_COST * bm25.lists().max(1) as u64)) as usize;
    // An estimate that is far off costs one listing in vain, or a plan that is not the best one.
    (!filter.is_everything() && filter.count() <= max.saturating_mul(2)).then(|| filter.pins(max)).flatten()
}

/// What two lists in order share.
fn both(mut rows: Vec<u32>, others: &[u32]) -> Vec<u32> {
    rows.retain(|row| others.binary_search(row).is_ok());
    rows
}

/// Rows of one segment on their way to the best.
struct Offers<'a> {
    top: &'a mut Top,
    pins: &'a Pins,
    segment: &'a SegmentReader,
    filter: &'a Bound<'a>,
    /// Whether only rows come that pass.
    listed: bool,
}

impl Offers<'_> {
    /// Takes a row into account; the least score that still counts. The filter is asked last: most rows score too low.
    #[inline]
    fn take(&mut self, row: u32, score: f32) -> f32 {
        if score >= self.top.threshold() {
            let pin = self.pins.pin(row);
            let alive = self.segment.alive_bitset().is_none_or(|alive| alive.is_alive(row));
            if alive && (self.listed || self.filter.passes(pin)) {
                self.top.offer(pin, score);
            }
        }
        self.top.threshold()
    }
}
