//! Words of a text and where they stand.

use std::ops::Range;

/// A word as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// In lower case.
    pub(super) word: String,
    /// Where it stands in the text (bytes).
    pub(super) span: Range<usize>,
}

/// The words of a text, as the text index cuts them: runs of letters and digits. At most `words_max`; later ones are
/// left out.
pub(super) fn tokens(text: &str, words_max: usize) -> Vec<Token> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (letter.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if found.len() == words_max {
                    break;
                }
                found.push(Token { word: text[from..at].to_lowercase(), span: from..at });
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Whether a word is a number, a size or a code, which nobody should correct.
pub(super) fn is_code(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let words = |text| tokens(text, 4).into_iter().map(|token| token.word).collect::<Vec<_>>();
        assert_eq!(words("Men's T-Shirt, XL"), ["men", "s", "t", "shirt"]);
        assert_eq!(words("  "), [""; 0]);
        assert_eq!(words("ÉTÉ 35mm"), ["été", "35mm"]);
        assert_eq!(tokens("a bc", 9)[1].span, 2..4);
        assert!(is_code("35mm") && is_code("४") && !is_code("mm"));
    }
}
