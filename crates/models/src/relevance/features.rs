//! What the student is told of a query and a pin, besides their words.

use crate::features::same;

/// How many there are.
pub const RELEVANCE_COUNT: usize = RELEVANCE_FEATURES.len();

/// Names of the student's features, in order.
///
/// | feature | what |
/// |---|---|
/// | `words`, `words_known` | words of the query that say something; share of them that any pin has |
/// | `words_title`, `words_own`, `words_any` | share of the words, each as much as it is rare, in the title, in |
/// |  | all that the owner says, anywhere |
/// | `whole` | 1 when the owner's text has all words that say something |
/// | `bm25_…` | ln(1 + BM25) in each field of the index |
/// | `phrase` | longest run of the query's words that the title has in that order, over the query's words |
/// | `starts` | 1 when the title begins with the query's first word |
/// | `title_asked` | share of the title's words that the query has |
/// | `ln_title` | ln(1 + words of the title) |
/// | `topics` | share of the pin's topics that the query names |
/// | `content` | cosine of what the words mean with the pin's content; 0 where either is unknown |
/// | `query_impressions`, `query_acts` | ln(1 + …) of the pin when it was found with this query |
/// | `ln_saves`, `ln_impressions`, `pin_look`, `pin_save`, `pin_click` | of the pin, as in [`crate::FEATURES`] |
pub const RELEVANCE_FEATURES: [&str; 25] = [
    "words",
    "words_known",
    "words_title",
    "words_own",
    "words_any",
    "whole",
    "bm25_own",
    "bm25_title",
    "bm25_annotations",
    "bm25_boards",
    "bm25_queries",
    "bm25_written",
    "phrase",
    "starts",
    "title_asked",
    "ln_title",
    "topics",
    "content",
    "query_impressions",
    "query_acts",
    "ln_saves",
    "ln_impressions",
    "pin_look",
    "pin_save",
    "pin_click",
];

/// Position of a feature in [`RELEVANCE_FEATURES`]; also for constants, where a wrong name does not compile.
///
/// # Panics
/// When there is no such feature; names are written in code, so this is a mistake in the code.
pub const fn relevance_feature(name: &str) -> usize {
    let mut place = 0;
    while place < RELEVANCE_FEATURES.len() {
        if same(RELEVANCE_FEATURES[place].as_bytes(), name.as_bytes()) {
            return place;
        }
        place += 1;
    }
    panic!("invariant: a name in RELEVANCE_FEATURES")
}
