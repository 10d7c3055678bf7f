//! What a misspelt text was meant to be.

mod builder;
mod channel;
mod deletes;
mod lattice;
mod letters;
mod readings;
mod vocabulary;

use super::text::tokens;
pub use builder::SpellerBuilder;
use deletes::Deletes;
use domain::limits::QUERY_BYTES_MAX;
use lattice::best_way;
use letters::Letters;
use readings::{Reader, Typed};
use vocabulary::Vocabulary;

/// Longest word that is known or corrected (characters); longer ones are left as they are.
const WORD_CHARS_MAX: usize = 32;
/// Most words of a text that are corrected; later ones are left as they are.
const TOKENS_MAX: usize = 24;

/// How a [`Speller`] judges. Shares are probabilities in `0..1`.
#[derive(Clone, Debug, PartialEq)]
pub struct SpellerParams {
    /// Most words that are known: the most frequent ones. Each takes some 300 bytes.
    pub words_max: usize,
    /// Most pairs of neighbours that are known, eight bytes each.
    pub pairs_max: usize,
    /// How many typed words are misspelt.
    pub typo_share: f32,
    /// How many words are typed as two, or two as one.
    pub space_share: f32,
    /// How many typed words are right, but not known.
    pub unknown_share: f32,
    /// How many typed words are the unknown plural or singular of a known word.
    pub inflected_share: f32,
    /// By how much more a change must be likely where what was typed is known (natural logarithm).
    pub known_margin: f32,
    /// Divides what all evidence together says of likelihoods: above 1, confidence is more careful.
    pub temper: f32,
}

impl Default for SpellerParams {
    fn default() -> SpellerParams {
        SpellerParams {
            words_max: 250_000,
            pairs_max: 2_000_000,
            typo_share: 0.1,
            space_share: 0.02,
            unknown_share: 0.02,
            inflected_share: 0.02,
            known_margin: 6.0,
            temper: 1.0,
        }
    }
}

/// Corrects what people type to search, by a noisy channel: how likely words are meant, alone and after each other, and
/// how likely they are typed like that.
///
/// Words within two edits of a typed one are looked at, and one word in place of two or two in place of one. A word
/// that is not known may also be right: its letters say how likely. Numbers and codes are never changed, known words
/// only where something else is much more likely.
///
/// ```
/// let mut words = index::SpellerBuilder::new(index::SpellerParams::default());
/// words.add_text("blue shirt for men", 20.0);
/// let found = words.build().correct("bleu shrt");
/// assert_eq!(found.text, "blue shirt");
/// ```
pub struct Speller {
    params: SpellerParams,
    words: Vocabulary,
    letters: Letters,
    deletes: Deletes,
}

/// What a text was meant to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Spelling {
    /// The corrected text: what was typed, but for the changes.
    pub text: String,
    /// What was changed, in order; empty where nothing was.
    pub changes: Vec<SpellingChange>,
    /// How likely this reading is among all readings that were looked at, `0..=1`. Above some 0.6 it can be searched
    /// for at once, and said so; below it is better asked.
    pub confidence: f32,
}

/// One change of a [`Spelling`].
#[derive(Clone, Debug, PartialEq)]
pub struct SpellingChange {
    /// What was typed: a word, or two and what is between them.
    pub typed: String,
    /// What was meant: a word, or two.
    pub meant: String,
    /// How likely this change is among all readings that were looked at, `0..=1`.
    pub confidence: f32,
}

impl Speller {
    fn of(params: SpellerParams, counts: builder::Counts) -> Speller {
        let words = Vocabulary::of(&counts);
        let (letters, deletes) = (Letters::of(&words), Deletes::of(&words));
        Speller { params, words, letters, deletes }
    }

    /// Whether `word` is one of the known words; case does not matter.
    pub fn knows(&self, word: &str) -> bool {
        let letters: Vec<char> = word.to_lowercase().chars().collect();
        self.words.find(&letters) != vocabulary::UNKNOWN
    }

    /// What `text` was meant to be. Texts longer than [`QUERY_BYTES_MAX`] are left as they are.
    pub fn correct(&self, text: &str) -> Spelling {
        let unchanged = || Spelling { text: text.to_owned(), changes: Vec::new(), confidence: 1.0 };
        if text.len() > QUERY_BYTES_MAX || self.words.len() == 0 {
            return unchanged();
        }
        let tokens = tokens(text, TOKENS_MAX);
        let next = |at: usize| tokens.get(at + 1);
        let typed: Vec<Typed> =
            tokens.iter().enumerate().map(|(at, token)| Typed::of(token, next(at), text, &self.words)).collect();
        let reader =
            Reader { params: &self.params, words: &self.words, letters: &self.letters, deletes: &self.deletes };
        let readings = reader.readings(&typed);
        let way = best_way(&readings, tokens.len(), &self.words, self.params.temper.max(0.01));
        let mut spelling = Spelling { text: String::new(), changes: Vec::new(), confidence: way.share };
        let mut copied = 0;
        for (at, confidence) in way.readings {
            let reading = &readings[at];
            if reading.words.is_empty() {
                continue;
            }
            let span = tokens[reading.start].span.start..tokens[reading.end - 1].span.end;
            let words: Vec<String> = reading.words.iter().map(|&id| self.words.word(id)).collect();
            let change = SpellingChange { typed: text[span.clone()].to_owned(), meant: words.join(" "), confidence };
            spelling.text.push_str(&text[copied..span.start]);
            spelling.text.push_str(&change.meant);
            spelling.changes.push(change);
            copied = span.end;
        }
        spelling.text.push_str(&text[copied..]);
        spelling
    }
}

#[cfg(test)]
mod tests;
