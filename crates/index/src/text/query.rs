//! From text to a weighted union of terms.

use super::fields::{self, Fields};
use crate::error::IndexError;
use domain::limits::QUERY_BYTES_MAX;
use std::collections::BTreeMap;
use tantivy::query::{BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Searcher, Term};

/// Most different words of a text that are searched for; later ones are left out.
const WORDS_MAX: usize = 48;
/// Most words that the last word is taken for the beginning of.
const COMPLETIONS_MAX: usize = 12;
/// Shortest beginning (letters).
const BEGINNING_LETTERS_MIN: usize = 2;
/// Most words that are taken for misspellings, and most words that each of them may mean.
const MISSPELLED_MAX: usize = 3;
const CORRECTIONS_MAX: usize = 4;
/// Most dictionary entries looked at to complete or correct one word, per segment.
const SCAN_MAX: usize = 2_000;

/// Weights of the fields.
const TEXT: f32 = 1.0;
const TITLE: f32 = 0.3;
const TOPICS: f32 = 0.3;
const BOARDS: f32 = 0.5;
/// Weight of the word as written.
const WHOLE: f32 = 0.2;
/// What a completion counts compared with a word that is there.
const COMPLETION: f32 = 0.25;
/// What a correction counts, by the number of letters that are wrong.
const CORRECTION: [f32; 3] = [1.0, 0.5, 0.25];

/// The words of a text, each once, in order.
pub(super) struct Words {
    words: Vec<String>,
    /// Whether the text ends inside its last word, so that more letters may follow.
    open: bool,
}

impl Words {
    pub(super) fn of(text: &str) -> Words {
        if text.len() > QUERY_BYTES_MAX {
            return Words { words: Vec::new(), open: false };
        }
        let mut words = Vec::new();
        fields::plain().token_stream(text).process(&mut |token| {
            // The last one counts, because it may be completed.
            words.retain(|known| *known != token.text);
            words.push(token.text.clone());
        });
        let open = words.len() <= WORDS_MAX && text.chars().next_back().is_some_and(char::is_alphanumeric);
        words.truncate(WORDS_MAX);
        Words { words, open }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// The union of all terms that stand for the words, with their weights.
pub(super) fn build(words: &Words, searcher: &Searcher, fields: &Fields) -> Result<Box<dyn Query>, IndexError> {
    let mut terms = Terms { fields, stemmer: fields::stemmed(), weights: BTreeMap::new() };
    let mut misspelled_left = MISSPELLED_MAX;
    for (at, word) in words.words.iter().enumerate() {
        let last = words.open && at + 1 == words.words.len();
        let completions = if last { complete(searcher, fields.whole, word)? } else { Vec::new() };
        if terms.known(searcher, word)? || !completions.is_empty() {
            terms.add(word, 1.0);
            completions.iter().for_each(|completion| terms.add(completion, COMPLETION));
        } else if misspelled_left > 0 {
            misspelled_left -= 1;
            let (wrong, corrections) = correct(searcher, fields.whole, word)?;
            corrections.iter().for_each(|correction| terms.add(correction, CORRECTION[wrong]));
        }
    }
    Ok(terms.into_query())
}

/// Terms with the largest weight that any word gave them.
struct Terms<'a> {
    fields: &'a Fields,
    stemmer: TextAnalyzer,
    weights: BTreeMap<(Field, String), f32>,
}

impl Terms<'_> {
    fn stem(&mut self, word: &str) -> String {
        let mut stems = self.stemmer.token_stream(word);
        if stems.advance() { std::mem::take(&mut stems.token_mut().text) } else { word.to_owned() }
    }

    fn stemmed_fields(&self) -> [(Field, f32); 4] {
        let Fields { text, title, topics, boards, .. } = *self.fields;
        [(text, TEXT), (title, TITLE), (topics, TOPICS), (boards, BOARDS)]
    }

    /// Whether any pin has the word or another form of it.
    fn known(&mut self, searcher: &Searcher, word: &str) -> Result<bool, IndexError> {
        let stem = self.stem(word);
        for (field, _) in self.stemmed_fields() {
            if searcher.doc_freq(&Term::from_field_text(field, &stem))? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn add(&mut self, word: &str, share: f32) {
        let stem = self.stem(word);
        for (field, weight) in self.stemmed_fields() {
            self.put(field, stem.clone(), weight * share);
        }
        self.put(self.fields.whole, word.to_owned(), WHOLE * share);
    }

    fn put(&mut self, field: Field, text: String, weight: f32) {
        let known = self.weights.entry((field, text)).or_insert(weight);
        *known = known.max(weight);
    }

    fn into_query(self) -> Box<dyn Query> {
        let clause = |((field, text), weight): ((Field, String), f32)| {
            let term = TermQuery::new(Term::from_field_text(field, &text), IndexRecordOption::WithFreqs);
            (Occur::Should, Box::new(BoostQuery::new(Box::new(term), weight)) as Box<dyn Query>)
        };
        Box::new(BooleanQuery::new(self.weights.into_iter().map(clause).collect()))
    }
}

/// How many pins have each of some words.
type Counts = BTreeMap<String, u64>;

/// Words that begin with `beginning`, the most used first, without `beginning` itself.
fn complete(searcher: &Searcher, field: Field, beginning: &str) -> Result<Vec<String>, IndexError> {
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
fn correct(searcher: &Searcher, field: Field, word: &str) -> Result<(usize, Vec<String>), IndexError> {
    let wrong_max: usize = match word.chars().count() {
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
