//! Searching: words → terms with weights → the best pins.

use super::fields::Fields;
use super::query::{self, Words};
use crate::error::IndexError;
use crate::top::Top;
use domain::PinId;
use tantivy::query::{EnableScoring, Query};
use tantivy::{IndexReader, Searcher};

/// A handle that searches what was last committed. Clones are cheap, need no lock, and see every later commit.
#[derive(Clone)]
pub struct TextSearcher {
    reader: IndexReader,
    fields: Fields,
}

impl TextSearcher {
    pub(super) fn new(reader: IndexReader, fields: Fields) -> TextSearcher {
        TextSearcher { reader, fields }
    }

    pub(super) fn reload(&self) -> Result<(), IndexError> {
        Ok(self.reader.reload()?)
    }

    /// How many pins have words.
    pub fn len(&self) -> usize {
        self.reader.searcher().num_docs() as usize
    }

    /// Whether no pin has words.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `k` pins that fit `text` best by BM25, best first, equal ones by id.
    ///
    /// Any text is fine: it is cut into words, nothing in it is syntax. Text without a word, and text longer than
    /// [`domain::limits::QUERY_BYTES_MAX`], finds nothing. The last word also matches words that it begins; a word
    /// that no pin has is taken for a misspelling of words that pins have.
    pub fn search(&self, text: &str, k: usize) -> Result<Vec<(PinId, f32)>, IndexError> {
        let words = Words::of(text);
        let searcher = self.reader.searcher();
        let k = k.min(searcher.num_docs() as usize);
        if k == 0 || words.is_empty() {
            return Ok(Vec::new());
        }
        let query = query::build(&words, &searcher, &self.fields)?;
        best(&*query, &searcher, k)
    }
}

fn best(query: &dyn Query, searcher: &Searcher, k: usize) -> Result<Vec<(PinId, f32)>, IndexError> {
    let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
    let mut top = Top::new(k);
    for segment in searcher.segment_readers() {
        let pins = segment.fast_fields().u64("pin")?.first_or_default_col(0);
        let alive = segment.alive_bitset();
        // Skipping by block maxima would not pay: it took 2 times (3 words) to 9 times (48) as long on 50,000 pins.
        weight.for_each(segment, &mut |row, score| {
            let score = steady(score);
            if score >= top.threshold() && alive.is_none_or(|alive| alive.is_alive(row)) {
                top.offer(PinId(pins.get_val(row) as u32), score);
            }
        })?;
    }
    Ok(top.into_best())
}

/// The score without its last bits, which depend on the order in which terms were added up.
fn steady(score: f32) -> f32 {
    f32::from_bits(score.to_bits() & !0xFFF)
}
