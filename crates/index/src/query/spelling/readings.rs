//! What a typed word may have been meant to be.

use super::channel::{cost, edits, edits_max};
use super::deletes::Deletes;
use super::lattice::Reading;
use super::letters::Letters;
use super::vocabulary::{UNKNOWN, Vocabulary};
use super::{SpellerParams, WORD_CHARS_MAX};
use crate::query::text::{Token, is_code};

/// Most known words that one typed word is taken for.
const READINGS_MAX: usize = 16;
/// What is cut apart has at least so many letters.
const SPLIT_CHARS_MIN: usize = 4;

/// A token with what is known of it.
pub(super) struct Typed {
    letters: Vec<char>,
    id: u32,
    /// Numbers, codes, and what is longer than a word: never changed.
    fixed: bool,
    /// Whether only white space or a hyphen stands between this token and the next.
    joinable: bool,
}

impl Typed {
    /// A token of `text`, before `next`.
    pub(super) fn of(token: &Token, next: Option<&Token>, text: &str, words: &Vocabulary) -> Typed {
        let letters: Vec<char> = token.word.chars().collect();
        let fixed = is_code(&token.word) || letters.len() > WORD_CHARS_MAX;
        let id = if fixed { UNKNOWN } else { words.find(&letters) };
        let between = next.and_then(|next| text.get(token.span.end..next.span.start));
        let joinable = between.is_some_and(|text| text == "-" || text.chars().all(char::is_whitespace));
        Typed { letters, id, fixed, joinable }
    }
}

/// What readings are made from.
pub(super) struct Reader<'a> {
    pub(super) params: &'a SpellerParams,
    pub(super) words: &'a Vocabulary,
    pub(super) letters: &'a Letters,
    pub(super) deletes: &'a Deletes,
}

impl Reader<'_> {
    /// All readings of all tokens, in the order of where they start.
    pub(super) fn readings(&self, typed: &[Typed]) -> Vec<Reading> {
        let mut readings = Vec::new();
        for (at, token) in typed.iter().enumerate() {
            readings.push(self.as_typed(at, token));
            if token.fixed {
                continue;
            }
            if token.id == UNKNOWN {
                self.inflected(at, token, &mut readings);
            }
            self.corrected(at, token, typed, &mut readings);
            self.split(at, token, &mut readings);
            if let Some(next) = typed.get(at + 1).filter(|next| token.joinable && !next.fixed) {
                self.joined(at, token, next, &mut readings);
            }
        }
        readings
    }

    fn as_typed(&self, at: usize, token: &Typed) -> Reading {
        let ln = if token.fixed {
            0.0
        } else if token.id == UNKNOWN {
            self.params.unknown_share.ln() + self.letters.ln_word(&token.letters)
        } else {
            (1.0 - self.params.typo_share).ln()
        };
        Reading { start: at, end: at + 1, words: Vec::new(), first: token.id, last: token.id, ln }
    }

    /// An unknown word as the plural or the singular of a known one: it stays, and goes with the same neighbours.
    fn inflected(&self, at: usize, token: &Typed, readings: &mut Vec<Reading>) {
        let (mut plural, singular) = (token.letters.clone(), token.letters.split_last());
        plural.push('s');
        let singular = singular.filter(|(last, rest)| **last == 's' && rest.last() != Some(&'s')).map(|(_, rest)| rest);
        for form in [Some(plural.as_slice()), singular].into_iter().flatten() {
            let id = self.words.find(form);
            if id != UNKNOWN {
                let ln = self.params.inflected_share.ln();
                readings.push(Reading { start: at, end: at + 1, words: Vec::new(), first: id, last: id, ln });
            }
        }
    }

    /// What it costs to change something, more so where all of it is known.
    fn ln_change(&self, share: f32, known: bool) -> f32 {
        share.ln() - if known { self.params.known_margin } else { 0.0 }
    }

    fn corrected(&self, at: usize, token: &Typed, typed: &[Typed], readings: &mut Vec<Reading>) {
        let ln_change = self.ln_change(self.params.typo_share, token.id != UNKNOWN);
        let left = at.checked_sub(1).map_or(UNKNOWN, |at| typed[at].id);
        let right = typed.get(at + 1).map_or(UNKNOWN, |next| next.id);
        let mut found: Vec<(f32, Reading)> = Vec::new();
        for (id, ln) in self.near(&token.letters) {
            if id == token.id {
                continue;
            }
            let follows = if right == UNKNOWN { 0.0 } else { self.words.ln_after(id, right) };
            let rank = ln + self.words.ln_after(left, id) + follows;
            let ln = ln + ln_change;
            found.push((rank, Reading { start: at, end: at + 1, words: vec![id], first: id, last: id, ln }));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        readings.extend(found.into_iter().take(READINGS_MAX).map(|(_, reading)| reading));
    }

    /// Known words within reach of a typed one, with the logarithm of how likely each is typed like that.
    fn near(&self, typed: &[char]) -> Vec<(u32, f32)> {
        let most = edits_max(typed.len());
        let near = self.deletes.near(typed, most).into_iter();
        let found = near.filter_map(|id| {
            let meant = self.words.letters(id);
            let edits = edits(meant, typed, most.min(edits_max(meant.len())))?;
            Some((id, -cost(meant, typed, edits)))
        });
        found.collect()
    }

    /// Two known words typed as one. A single letter counts as a word where it was seen beside the other.
    fn split(&self, at: usize, token: &Typed, readings: &mut Vec<Reading>) {
        if token.letters.len() < SPLIT_CHARS_MIN {
            return;
        }
        let ln_change = self.ln_change(self.params.space_share, token.id != UNKNOWN);
        for cut in 1..token.letters.len() {
            let (left, right) = token.letters.split_at(cut);
            let (left, right) = (self.words.find(left), self.words.find(right));
            if left == UNKNOWN || right == UNKNOWN {
                continue;
            }
            let short = cut == 1 || cut + 1 == token.letters.len();
            if short && self.words.together(left, right) == 0.0 {
                continue;
            }
            let ln = ln_change + self.words.ln_after(left, right);
            readings.push(Reading { start: at, end: at + 1, words: vec![left, right], first: left, last: right, ln });
        }
    }

    /// One known word typed as two, which may be misspelt where one of them is no word.
    fn joined(&self, at: usize, left: &Typed, right: &Typed, readings: &mut Vec<Reading>) {
        let letters: Vec<char> = left.letters.iter().chain(&right.letters).copied().collect();
        if letters.len() > WORD_CHARS_MAX {
            return;
        }
        let known = left.id != UNKNOWN && right.id != UNKNOWN;
        let ln_change = self.ln_change(self.params.space_share, known);
        let joined = |id: u32, ln: f32| {
            let ln = ln_change + ln;
            Reading { start: at, end: at + 2, words: vec![id], first: id, last: id, ln }
        };
        let id = self.words.find(&letters);
        if id != UNKNOWN {
            readings.push(joined(id, 0.0));
        } else if !known {
            let mut found = self.near(&letters);
            found.sort_by(|a, b| (b.1 + self.words.share(b.0).ln()).total_cmp(&(a.1 + self.words.share(a.0).ln())));
            let typo = self.params.typo_share.ln();
            readings.extend(found.into_iter().take(READINGS_MAX / 4).map(|(id, ln)| joined(id, ln + typo)));
        }
    }
}
