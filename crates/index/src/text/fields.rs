//! Fields of the text index and how text becomes words.

use super::TextDocument;
use domain::PinId;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer,
};
use tantivy::{Index, TantivyDocument, Term};

/// Longest word that is indexed (bytes).
pub(super) const WORD_BYTES_MAX: usize = 40;

const PLAIN: &str = "plain";
const STEMMED: &str = "stemmed";

/// The fields: the pin's id, its texts with stemmed words, and all its texts together with whole words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) pin: Field,
    pub(super) title: Field,
    pub(super) description: Field,
    pub(super) topics: Field,
    pub(super) boards: Field,
    /// Every text of the pin, words as written: exact matches, beginnings of words and misspellings are found here.
    pub(super) whole: Field,
}

impl Fields {
    pub(super) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let mut text = |name: &str, analyzer: &str| {
            let words =
                TextFieldIndexing::default().set_tokenizer(analyzer).set_index_option(IndexRecordOption::WithFreqs);
            schema.add_text_field(name, TextOptions::default().set_indexing_options(words))
        };
        let [title, description, topics, boards] =
            ["title", "description", "topics", "boards"].map(|name| text(name, STEMMED));
        let whole = text("whole", PLAIN);
        let pin = schema.add_u64_field("pin", INDEXED | FAST);
        (schema.build(), Fields { pin, title, description, topics, boards, whole })
    }

    pub(super) fn pin_term(&self, pin: PinId) -> Term {
        Term::from_field_u64(self.pin, u64::from(pin.0))
    }

    pub(super) fn fill(&self, document: &mut TantivyDocument, pin: PinId, words: &TextDocument) {
        document.add_u64(self.pin, u64::from(pin.0));
        let topics = words.topics.iter().map(|topic| (self.topics, topic.as_str()));
        let boards = words.boards.iter().map(|board| (self.boards, board.as_str()));
        let texts = [(self.title, words.title), (self.description, words.description)];
        for (field, text) in texts.into_iter().chain(topics).chain(boards) {
            if !text.is_empty() {
                document.add_text(field, text);
                document.add_text(self.whole, text);
            }
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
