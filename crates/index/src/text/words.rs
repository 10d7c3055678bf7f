//! What somebody typed.

use super::fields;
use domain::limits::QUERY_BYTES_MAX;

/// Most different words of a text that are searched for; later ones are left out.
const WORDS_MAX: usize = 48;
/// Most phrases of a text, and most words of one; later ones are left out.
const PHRASES_MAX: usize = 4;
const PHRASE_WORDS_MAX: usize = 12;

/// The words of a text, each once, in order, and its phrases.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Words {
    pub(super) words: Vec<String>,
    /// Words in quotes, which must stand together.
    pub(super) phrases: Vec<Vec<String>>,
    /// Whether the text ends inside its last word, so that more letters may follow.
    pub(super) open: bool,
}

impl Words {
    /// Text longer than [`QUERY_BYTES_MAX`] has no words.
    pub(super) fn of(text: &str) -> Words {
        let mut words = Words::default();
        if text.len() > QUERY_BYTES_MAX {
            return words;
        }
        let parts: Vec<&str> = text.split(is_quote).collect();
        for (at, part) in parts.iter().enumerate() {
            let found = words.read(part);
            // A quote that nothing closes is no quote.
            let quoted = at % 2 == 1 && at + 1 < parts.len();
            if quoted && !found.is_empty() && words.phrases.len() < PHRASES_MAX {
                words.phrases.push(found.into_iter().take(PHRASE_WORDS_MAX).collect());
            }
        }
        words.open = words.words.len() <= WORDS_MAX && text.chars().next_back().is_some_and(char::is_alphanumeric);
        words.words.truncate(WORDS_MAX);
        words
    }

    fn read(&mut self, part: &str) -> Vec<String> {
        let mut found = Vec::new();
        fields::plain().token_stream(part).process(&mut |token| {
            // The last one counts, because it may be completed.
            self.words.retain(|known| *known != token.text);
            self.words.push(token.text.clone());
            found.push(token.text.clone());
        });
        found
    }
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_closed_quotes_mean_something() {
        let check = |text: &str, words: &[&str], phrases: &[&[&str]], open| {
            let found = Words::of(text);
            assert_eq!(found.words, words, "{text}");
            assert_eq!(found.phrases, phrases, "{text}");
            assert_eq!(found.open, open, "{text}");
        };
        check("Red chair", &["red", "chair"], &[], true);
        check("\"Red chair\"", &["red", "chair"], &[&["red", "chair"]], false);
        check("oak \"red, red chair\" leg", &["oak", "red", "chair", "leg"], &[&["red", "red", "chair"]], true);
        check("„rote Stühle“ «bleu»", &["rote", "stuhle", "bleu"], &[&["rote", "stuhle"], &["bleu"]], false);
        check("12\" vinyl", &["12", "vinyl"], &[], true);
        check("\"\" \"?\" \"", &[], &[], false);
        check("title:red AND -chair*", &["title", "red", "and", "chair"], &[], false);
        let many = Words::of(&"\"a b\" ".repeat(20));
        assert_eq!(many.phrases.len(), PHRASES_MAX);
    }
}
