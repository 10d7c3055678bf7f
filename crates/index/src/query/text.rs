//! Words of a text and where they stand.

use domain::hash64;
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

/// The word without a plural's ending, as far as English spelling says.
pub(super) fn singular(word: &str) -> String {
    if word.len() > 4 {
        if let Some(stem) = word.strip_suffix("ies") {
            return format!("{stem}y");
        }
        let hissing = ["s", "x", "z", "ch", "sh"];
        if let Some(stem) = word.strip_suffix("es").filter(|stem| hissing.iter().any(|end| stem.ends_with(end))) {
            return stem.to_owned();
        }
    }
    let stem = word.strip_suffix('s').filter(|stem| word.len() > 3 && !stem.ends_with(['s', 'u', 'i']));
    stem.unwrap_or(word).to_owned()
}

/// The same number for texts that differ by case, plurals, punctuation and the order of words only.
pub(super) fn form(text: &str, words_max: usize) -> u64 {
    let mut words: Vec<String> = tokens(text, words_max).iter().map(|token| singular(&token.word)).collect();
    words.sort_unstable();
    let hash = |hash: u64, byte: &u8| hash64(hash ^ u64::from(*byte));
    words.iter().fold(0, |number, word| hash64(word.as_bytes().iter().fold(number, hash)))
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

    #[test]
    fn forms_are_the_same_for_what_means_the_same() {
        let same = |a: &str, b: &str| form(a, 9) == form(b, 9);
        assert!(same("Blue shirts", "shirt, blue") && same("dresses", "dress") && same("bodies", "body"));
        assert!(!same("blue shirt", "blue skirt") && !same("blue", "blue blue") && !same("glass", "glas"));
        assert_eq!(["shoes", "boxes", "dress", "bus", "gas"].map(singular), ["shoe", "box", "dress", "bus", "gas"]);
    }
}
