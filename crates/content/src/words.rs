//! Words as terms are made of them: cut at punctuation, shown as they are, compared by a folded key.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::normalise;

/// Longer words are codes and addresses, or text of a script that does not part words.
const WORD_CHARS_MAX: usize = 30;
/// Longest text that is read, in characters.
const CHARS_MAX: usize = 4_000;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it is shown: normalised.
    pub(crate) shown: String,
    /// As it is compared: plurals are folded.
    pub(crate) key: String,
}

/// The runs of words between which no phrase reaches: what punctuation parts is not one phrase. A hyphen behind a
/// single letter joins ("T-shirt", "V-neck"), other hyphens part words.
pub(crate) fn segments(text: &str) -> Vec<Vec<Word>> {
    let mut segments = Vec::new();
    let mut run = String::new();
    let mut letters_before = 0;
    let mut chars = text.chars().take(CHARS_MAX).peekable();
    while let Some(letter) = chars.next() {
        let joins = letter == '-' && letters_before == 1 && chars.peek().is_some_and(|next| next.is_alphabetic());
        letters_before = if letter.is_alphabetic() { letters_before + 1 } else { 0 };
        if joins {
            continue;
        }
        let ends_here = chars.peek().is_none_or(|next| next.is_whitespace());
        let parts = match letter {
            '.' => ends_here,
            '-' => ends_here && run.ends_with(' '),
            _ => PARTS.contains(letter),
        };
        if parts {
            segments.extend(words(&run));
            run.clear();
        } else {
            run.push(letter);
        }
    }
    segments.extend(words(&run));
    segments
}

/// All words of a text in order, whatever parts them.
pub(crate) fn all_words(text: &str) -> Vec<Word> {
    segments(text).into_iter().flatten().collect()
}

/// The key of a phrase: those of its words, parted by spaces.
pub(crate) fn phrase_key(words: &[Word]) -> String {
    joined(words, |word| &word.key)
}

/// A phrase as it is shown.
pub(crate) fn phrase(words: &[Word]) -> String {
    joined(words, |word| &word.shown)
}

/// Whether a phrase may not begin or end with this word.
pub(crate) fn is_stop_word(word: &Word) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());
    WORDS.contains(word.shown.as_str())
}

const PARTS: &str = ",;:!?()[]{}<>\"“”„«»‘|/\\•·…–—+=*~#\n\r\t。、，！？：；「」（）";

fn words(run: &str) -> Option<Vec<Word>> {
    let normal = normalise(run);
    let words = normal.split(' ').filter(|word| !word.is_empty() && word.chars().count() <= WORD_CHARS_MAX);
    let words: Vec<Word> = words.map(|word| Word { shown: word.to_owned(), key: fold(word) }).collect();
    (!words.is_empty()).then_some(words)
}

fn joined(words: &[Word], part: impl Fn(&Word) -> &String) -> String {
    let mut joined = String::new();
    for word in words {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(part(word));
    }
    joined
}

/// English plurals become singulars, roughly: only equality of keys matters. Harman's "s stemmer" (1991) with a few
/// plurals that have no s.
fn fold(word: &str) -> String {
    match word {
        "men" | "mens" => return "man".into(),
        "women" | "womens" => return "woman".into(),
        "children" | "childrens" => return "child".into(),
        "feet" => return "foot".into(),
        "news" | "lens" | "gas" | "bus" | "canvas" | "christmas" | "always" => return word.into(),
        _ => {}
    }
    if word.len() < 4 || !word.ends_with('s') || !word.is_ascii() {
        return word.into();
    }
    if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        word.into()
    } else if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        format!("{stem}y")
    } else if ["sses", "shes", "ches", "xes", "zes"].iter().any(|end| word.ends_with(end)) {
        word[..word.len() - 2].into()
    } else {
        word[..word.len() - 1].into()
    }
}

/// Words that only join others, of the most written languages with Latin letters; those that are also names of things
/// in English ("die", "sin", "pour") are left out.
const STOP_WORDS: &str = "\
    a an and are as at be been but by can did do does for from had has have he her here his how i if in into is it its \
    just me more most my no not of on or our out over she so some than that the their them then there these they this \
    those to too up us very was we were what when where which while who will with you your \
    about after again against also although among any because before being between both during each even few however \
    other same since such though thus until upon via within without \
    aber als am an auch auf aus bei bin bis das dass dem den der des ein eine einem einen einer es fur hat ich ihr im \
    ist mit nach nicht noch oder sich sie sind uber um und vom von wie wir zu zum zur \
    au aux avec ce ces cette dans de du elle en est et il je la le les leur mais ne nous ou par pas plus que qui sa \
    ses son sont sur un une vous \
    al como con del el ella ellos es esta este la las lo los mas muy para pero por se ser si sobre su sus una uno y \
    alla che ci da dal della delle dello di gli i il nel nella non per piu sono tra \
    ao aos com da das do dos e em foi na nas nao no nos o os ou pela pelo que se seu sua um uma \
    aan dat een en het hij ik in is maar met naar niet om onder ook op te uit van voor wat wel zijn";

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        segments(text).iter().map(|words| phrase_key(words)).collect()
    }

    #[test]
    fn punctuation_parts_and_hyphens_join() {
        assert_eq!(keys("Men's T-shirts, blue; size 2.5 (new)."), ["man tshirt", "blue", "size 2 5", "new"]);
        assert_eq!(keys("V-neck – made-to-order - soft"), ["vneck", "made to order", "soft"]);
        assert_eq!(keys("  … \u{0} "), Vec::<String>::new());
        assert_eq!(keys(&"x".repeat(31)), Vec::<String>::new());
    }

    #[test]
    fn plurals_meet_their_singulars() {
        for (plural, singular) in [
            ("shoes", "shoe"),
            ("dresses", "dress"),
            ("watches", "watch"),
            ("accessories", "accessory"),
            ("women", "woman"),
            ("glass", "glass"),
            ("boxes", "box"),
        ] {
            assert_eq!(fold(plural), fold(singular), "{plural}");
        }
        assert_ne!(fold("news"), fold("new"));
        assert_ne!(fold("dress"), fold("dres"));
    }
}
