//! What is measured of words.

use std::collections::HashSet;

use crate::words::{all_words, is_stop_word};

/// Longest text that is read, in characters.
const CHARS_MAX: usize = 4_000;
/// Titles of fewer letters may be a name in capitals.
const CAPITALS_LETTERS_MIN: usize = 12;
/// Fewer words repeat by chance.
const REPEATED_WORDS_MIN: usize = 8;

/// What was measured.
pub(super) struct Wording {
    pub(super) letters: f32,
    pub(super) capitals: f32,
    pub(super) repeated: f32,
    pub(super) run: f32,
    pub(super) links: f32,
}

pub(super) fn measure(title: &str, description: &str) -> Wording {
    let text = || title.chars().take(CHARS_MAX).chain(['\n']).chain(description.chars().take(CHARS_MAX));
    let said: Vec<String> = [title, description].into_iter().flat_map(words).collect();
    let different: HashSet<&String> = said.iter().collect();
    let repeated = 1.0 - different.len() as f32 / said.len().max(1) as f32;
    Wording {
        letters: text().filter(|letter| letter.is_alphanumeric()).count() as f32,
        capitals: capitals(title),
        repeated: if said.len() < REPEATED_WORDS_MIN { 0.0 } else { repeated },
        run: longest_run(text()) as f32,
        links: [title, description].into_iter().map(links).sum::<usize>() as f32,
    }
}

/// The words of a text but those that only join others.
fn words(text: &str) -> Vec<String> {
    all_words(text).into_iter().filter(|word| !is_stop_word(word)).map(|word| word.key).collect()
}

/// Share of capitals among the letters that could be small.
fn capitals(title: &str) -> f32 {
    let letters = title.chars().take(CHARS_MAX).filter(|letter| letter.is_uppercase() || letter.is_lowercase());
    let (mut large, mut all) = (0, 0);
    for letter in letters {
        large += usize::from(letter.is_uppercase());
        all += 1;
    }
    if all < CAPITALS_LETTERS_MIN { 0.0 } else { large as f32 / all as f32 }
}

/// Longest run of one sign; digits and blanks may come in any number.
fn longest_run(text: impl Iterator<Item = char>) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, '\n');
    for sign in text {
        run = if sign == last { run + 1 } else { 1 };
        last = sign;
        if !sign.is_whitespace() && !sign.is_numeric() {
            longest = longest.max(run);
        }
    }
    longest
}

fn links(text: &str) -> usize {
    let text: String = text.chars().take(CHARS_MAX).collect();
    let is_link = |word: &str| {
        let word = word.trim_start_matches(['(', '[', '"']);
        ["http://", "https://", "www."].iter().any(|start| word.starts_with(start))
            || word.strip_prefix(['#', '@']).is_some_and(|tag| tag.starts_with(char::is_alphabetic))
    };
    text.split_whitespace().filter(|word| is_link(word)).count()
}
