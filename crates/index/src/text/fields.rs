//! Fields of the text index and how text becomes words.

use super::document::TextDocument;
use super::weights::TextWeights;
use domain::PinId;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer,
};
use tantivy::{Index, TantivyDocument, Term};

/// Longest word that is indexed (bytes).
const WORD_BYTES_MAX: usize = 40;

/// Most boards, annotations and queries of one pin that are indexed, each; later ones are left out.
const TEXTS_MAX: usize = 64;

/// An annotation is written once for each so much of its confidence.
const CONFIDENCE_STEPS: f32 = 4.0;

/// Most times that a query is written.
const QUERY_TIMES_MAX: u32 = 8;

const PLAIN: &str = "plain";
const STEMMED: &str = "stemmed";

/// The fields: the pin's id and its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) pin: Field,
    /// Title, description, topics and annotations, stemmed.
    text: Field,
    /// The title again, stemmed.
    title: Field,
    /// Topics and annotations again, stemmed, each [`CONFIDENCE_STEPS`] times its confidence.
    annotations: Field,
    /// Titles of boards, stemmed.
    boards: Field,
    /// Queries after which the pin was acted on, stemmed, more often the more often that happened.
    queries: Field,
    /// All of these with words as written and where they stand: exact matches, phrases, beginnings of words and
    /// misspellings are found here.
    pub(super) written: Field,
}

/// A field that is searched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Searched {
    pub(super) field: Field,
    pub(super) weight: f32,
    /// How often a word that counts once is written.
    pub(super) times: f32,
}

impl Fields {
    pub(super) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let mut words = |name: &str, analyzer: &str, option: IndexRecordOption| {
            let words = TextFieldIndexing::default().set_tokenizer(analyzer).set_index_option(option);
            schema.add_text_field(name, TextOptions::default().set_indexing_options(words))
        };
        let names = ["text", "title", "annotations", "boards", "queries"];
        let stemmed = names.map(|name| words(name, STEMMED, IndexRecordOption::WithFreqs));
        let written = words("written", PLAIN, IndexRecordOption::WithFreqsAndPositions);
        let pin = schema.add_u64_field("pin", INDEXED | FAST);
        let [text, title, annotations, boards, queries] = stemmed;
        (schema.build(), Fields { pin, text, title, annotations, boards, queries, written })
    }

    pub(super) fn pin_term(&self, pin: PinId) -> Term {
        Term::from_field_u64(self.pin, u64::from(pin.0))
    }

    /// The fields with words without their endings.
    pub(super) fn stemmed(&self, weights: &TextWeights) -> [Searched; 5] {
        let once = |field, weight| Searched { field, weight, times: 1.0 };
        [
            once(self.text, weights.text),
            once(self.title, weights.title),
            Searched { field: self.annotations, weight: weights.annotations, times: CONFIDENCE_STEPS },
            once(self.boards, weights.boards),
            once(self.queries, weights.queries),
        ]
    }

    /// The field with words as written.
    pub(super) fn written(&self, weights: &TextWeights) -> Searched {
        Searched { field: self.written, weight: weights.written, times: 1.0 }
    }

    pub(super) fn fill(&self, document: &mut TantivyDocument, pin: PinId, words: &TextDocument) {
        document.add_u64(self.pin, u64::from(pin.0));
        let mut add = |fields: &[Field], text: &str, times: u32, again: Option<Field>| {
            if !text.is_empty() {
                fields.iter().for_each(|&field| document.add_text(field, text));
                (0..times).for_each(|_| again.into_iter().for_each(|field| document.add_text(field, text)));
            }
        };
        let own = [self.text, self.written];
        add(&own, words.title, 1, Some(self.title));
        add(&own, words.description, 0, None);
        let sure = words.topics.iter().map(|topic| (topic, 1.0));
        let found = words.annotations.iter().take(TEXTS_MAX).map(|(annotation, confidence)| (annotation, *confidence));
        for (annotation, confidence) in sure.chain(found) {
            // `NaN` becomes 0.
            let times = (confidence.clamp(0.0, 1.0) * CONFIDENCE_STEPS).round() as u32;
            if times > 0 {
                add(&own, annotation, times, Some(self.annotations));
            }
        }
        for board in words.boards.iter().take(TEXTS_MAX) {
            add(&[self.written], board, 1, Some(self.boards));
        }
        for (query, acts) in words.queries.iter().take(TEXTS_MAX).filter(|(_, acts)| *acts > 0) {
            add(&[self.written], query, (1 + acts.ilog2()).min(QUERY_TIMES_MAX), Some(self.queries));
        }
    }
}

fn base() -> tantivy::tokenizer::TextAnalyzerBuilder<impl tantivy::tokenizer::Tokenizer> {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
}

/// Text → lower-case words without accents.
pub(super) fn plain() -> TextAnalyzer {
    base().build()
}

/// The same words without their English endings.
pub(super) fn stemmed() -> TextAnalyzer {
    base().filter(Stemmer::new(Language::English)).build()
}

pub(super) fn register_analyzers(index: &Index) {
    index.tokenizers().register(PLAIN, plain());
    index.tokenizers().register(STEMMED, stemmed());
}
