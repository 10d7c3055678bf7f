//! From words to weighted terms.

use super::fields::{self, Fields, Searched};
use super::weights::TextWeights;
use super::words::Words;
use crate::error::IndexError;
use std::collections::BTreeMap;
use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Searcher, Term};

/// Most words that the last word is taken for the beginning of.
const COMPLETIONS_MAX: usize = 12;
/// Shortest beginning (letters).
const BEGINNING_LETTERS_MIN: usize = 2;
/// Most words that are taken for misspellings, and most words that each of them may mean.
const MISSPELLED_MAX: usize = 3;
const CORRECTIONS_MAX: usize = 4;
/// Most dictionary entries looked at to complete or correct one word, per segment.
const SCAN_MAX: usize = 2_000;

/// A term that pins may have, and what it counts.
pub(super) struct WeighedTerm {
    pub(super) field: Searched,
    /// What it counts, the field's weight included.
    pub(super) weight: f32,
    /// How many pins have it, dead ones included.
    pub(super) pins: u64,
    /// Where its pins are in each segment.
    pub(super) places: Vec<Option<TermInfo>>,
}

/// All terms that stand for the words, with their weights, in an order that depends on the words only.
pub(super) fn terms(
    words: &Words,
    searcher: &Searcher,
    fields: &Fields,
    weights: &TextWeights,
) -> Result<Vec<WeighedTerm>, IndexError> {
    let (stemmed, written) = (fields.stemmed(weights), fields.written(weights));
    let mut terms = Terms { searcher, stemmed, written, stemmer: fields::stemmed(), found: BTreeMap::new() };
    let mut misspelled_left = MISSPELLED_MAX;
    for (at, word) in words.words.iter().enumerate() {
        let last = words.open && at + 1 == words.words.len();
        let completions = if last { complete(searcher, fields.written, word)? } else { Vec::new() };
        if terms.add(word, 1.0)? || !completions.is_empty() {
            completions.iter().try_for_each(|completion| terms.add(completion, weights.completion).map(|_| ()))?;
        } else if misspelled_left > 0 {
            misspelled_left -= 1;
            let (wrong, corrections) = correct(searcher, fields.written, word)?;
            let share = weights.correction.powi(wrong);
            corrections.iter().try_for_each(|correction| terms.add(correction, share).map(|_| ()))?;
        }
    }
    Ok(terms.found.into_values().filter(|term| term.pins > 0 && term.weight > 0.0).collect())
}

/// Terms with the largest weight that any word gave them.
struct Terms<'a> {
    searcher: &'a Searcher,
    stemmed: [Searched; 5],
    written: Searched,
    stemmer: TextAnalyzer,
    found: BTreeMap<(Field, String), WeighedTerm>,
}

impl Terms<'_> {
    /// Adds a word and tells whether any pin has it or another form of it.
    fn add(&mut self, word: &str, share: f32) -> Result<bool, IndexError> {
        let stem = self.stem(word);
        let mut known = false;
        for field in self.stemmed {
            known |= self.put(field, &stem, share)?;
        }
        self.put(self.written, word, share)?;
        Ok(known)
    }

    fn stem(&mut self, word: &str) -> String {
        let mut stems = self.stemmer.token_stream(word);
        if stems.advance() { std::mem::take(&mut stems.token_mut().text) } else { word.to_owned() }
    }

    fn put(&mut self, field: Searched, text: &str, share: f32) -> Result<bool, IndexError> {
        let weight = field.weight * share;
        let key = (field.field, text.to_owned());
        if let Some(term) = self.found.get_mut(&key) {
            term.weight = term.weight.max(weight);
            return Ok(term.pins > 0);
        }
        let term = Term::from_field_text(field.field, text);
        let segments = self.searcher.segment_readers().iter();
        let places = segments
            .map(|segment| Ok(segment.inverted_index(field.field)?.get_term_info(&term)?))
            .collect::<Result<Vec<_>, tantivy::TantivyError>>()?;
        let pins = places.iter().flatten().map(|place| u64::from(place.doc_freq)).sum();
        self.found.insert(key, WeighedTerm { field, weight, pins, places });
        Ok(pins > 0)
    }
}

/// How many pins have each of some words.
type Counts = BTreeMap<String, u64>;

/// Words that begin with `beginning`, the most used first, without `beginning` itself.
pub(super) fn complete(searcher: &Searcher, field: Field, beginning: &str) -> Result<Vec<String>, IndexError> {
    if beginning.chars().count() < BEGINNING_LETTERS_MIN {
        return Ok(Vec::new());
    }
    let mut counts = Counts::new();
    for segment in searcher.segment_readers() {
        let words = segment.inverted_index(field)?;
        let mut stream = words.terms().range().gt(beginning).into_stream().map_err(tantivy::TantivyError::from)?;
        let mut left = SCAN_MAX;
        while left > 0 && stream.advance() && stream.key().starts_with(beginning.as_bytes()) {
            count(&mut counts, stream.key(), stream.value().doc_freq);
            left -= 1;
        }
    }
    Ok(most_used(counts, COMPLETIONS_MAX))
}

/// Words with the fewest wrong letters: how many are wrong, and the words, the most used first.
pub(super) fn correct(searcher: &Searcher, field: Field, word: &str) -> Result<(i32, Vec<String>), IndexError> {
    let wrong_max = match word.chars().count() {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    for wrong in 1..=wrong_max {
        let alike = FuzzyTermQuery::new(Term::from_field_text(field, word), wrong as u8, true);
        let mut counts = Counts::new();
        for segment in searcher.segment_readers() {
            let words = segment.inverted_index(field)?;
            let stream = words.terms().search(alike.automaton()?).into_stream();
            let mut stream = stream.map_err(tantivy::TantivyError::from)?;
            let mut left = SCAN_MAX;
            while left > 0 && stream.advance() {
                count(&mut counts, stream.key(), stream.value().doc_freq);
                left -= 1;
            }
        }
        if !counts.is_empty() {
            return Ok((wrong, most_used(counts, CORRECTIONS_MAX)));
        }
    }
    Ok((0, Vec::new()))
}

fn count(counts: &mut Counts, word: &[u8], pins: u32) {
    if let Ok(word) = std::str::from_utf8(word) {
        *counts.entry(word.to_owned()).or_default() += u64::from(pins);
    }
}

fn most_used(counts: Counts, max: usize) -> Vec<String> {
    let mut words: Vec<(String, u64)> = counts.into_iter().collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    words.truncate(max);
    words.into_iter().map(|(word, _)| word).collect()
}
