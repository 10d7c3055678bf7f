//! Words that must stand together.

use super::fields::Fields;
use crate::error::IndexError;
use tantivy::query::{EnableScoring, PhraseQuery, Query, TermQuery, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{Searcher, SegmentReader, TERMINATED, Term};

/// How many other words may stand in a phrase.
const SLOP: u32 = 1;

/// What finds the phrases, words as written, in any text of a pin.
pub(super) fn queries(
    phrases: &[Vec<String>],
    searcher: &Searcher,
    fields: &Fields,
) -> Result<Vec<Box<dyn Weight>>, IndexError> {
    let term = |word: &String| Term::from_field_text(fields.written, word);
    let mut weights = Vec::with_capacity(phrases.len());
    for phrase in phrases {
        let terms: Vec<(usize, Term)> = phrase.iter().map(term).enumerate().collect();
        let query: Box<dyn Query> = match terms.as_slice() {
            [(_, one)] => Box::new(TermQuery::new(one.clone(), IndexRecordOption::Basic)),
            _ => Box::new(PhraseQuery::new_with_offset_and_slop(terms, SLOP)),
        };
        weights.push(query.weight(EnableScoring::disabled_from_searcher(searcher))?);
    }
    Ok(weights)
}

/// The rows that hold all of the phrases, in order; `None` when there is no phrase.
pub(super) fn rows(phrases: &[Box<dyn Weight>], segment: &SegmentReader) -> Result<Option<Vec<u32>>, IndexError> {
    let mut all: Option<Vec<u32>> = None;
    for phrase in phrases {
        let mut scorer = phrase.scorer(segment, 1.0)?;
        let mut rows = Vec::new();
        let mut row = scorer.doc();
        while row != TERMINATED {
            if all.as_ref().is_none_or(|all| all.binary_search(&row).is_ok()) {
                rows.push(row);
            }
            row = scorer.advance();
        }
        all = Some(rows);
    }
    Ok(all)
}
