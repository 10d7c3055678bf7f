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

/// Most boards of one pin whose titles are indexed; later ones are left out.
const BOARDS_MAX: usize = 64;

const PLAIN: &str = "plain";
const STEMMED: &str = "stemmed";

/// The fields: the pin's id and its words.
///
/// One field with everything that its owner says of a pin ranks better than a field for each text (cranfield .392
/// for .376, scifact .705 for .645 nDCG@10), because a word counts once for the pin; title and topics are a bonus.
/// Boards have their own field: a pin on many boards must not count as one with a long text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) pin: Field,
    /// Title, description and topics, stemmed.
    pub(super) text: Field,
    /// The title again, stemmed.
    pub(super) title: Field,
    /// The topics again, stemmed.
    pub(super) topics: Field,
    /// Titles of boards, stemmed.
    pub(super) boards: Field,
    /// All of these with words as written: exact matches, beginnings of words and misspellings are found here.
    pub(super) whole: Field,
}

impl Fields {
    pub(super) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let mut words = |name: &str, analyzer: &str| {
            let words =
                TextFieldIndexing::default().set_tokenizer(analyzer).set_index_option(IndexRecordOption::WithFreqs);
            schema.add_text_field(name, TextOptions::default().set_indexing_options(words))
        };
        let [text, title, topics, boards] = ["text", "title", "topics", "boards"].map(|name| words(name, STEMMED));
        let whole = words("whole", PLAIN);
        let pin = schema.add_u64_field("pin", INDEXED | FAST);
        (schema.build(), Fields { pin, text, title, topics, boards, whole })
    }

    pub(super) fn pin_term(&self, pin: PinId) -> Term {
        Term::from_field_u64(self.pin, u64::from(pin.0))
    }

    pub(super) fn fill(&self, document: &mut TantivyDocument, pin: PinId, words: &TextDocument) {
        document.add_u64(self.pin, u64::from(pin.0));
        let title = [words.title].into_iter().map(|title| (Some(self.title), title));
        let description = [words.description].into_iter().map(|description| (None, description));
        let topics = words.topics.iter().map(|topic| (Some(self.topics), topic.as_str()));
        for (again, text) in title.chain(description).chain(topics).filter(|(_, text)| !text.is_empty()) {
            [Some(self.text), Some(self.whole), again].into_iter().flatten().for_each(|f| document.add_text(f, text));
        }
        for board in words.boards.iter().take(BOARDS_MAX).filter(|board| !board.is_empty()) {
            [self.boards, self.whole].into_iter().for_each(|field| document.add_text(field, board));
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
