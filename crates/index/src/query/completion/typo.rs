//! Beginnings with one mistake.

use super::log::{Log, Places};
use std::ops::Range;

/// Most different letters that are tried at one place.
const LETTERS_MAX: usize = 64;

/// Ranges of places whose text begins with `typed` after one edit of it: a letter left out, added, replaced, or swapped
/// with the next. Only letters that occur are tried, so that the work grows with the log's variety, not the alphabet's.
pub(super) fn one_edit(log: &Log, places: &Places, typed: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut same = places.all();
    for (depth, letter) in typed.char_indices() {
        let rest = &typed[depth..];
        let after = &rest[letter.len_utf8()..];
        // One too many.
        ranges.push(places.narrowed(log, &same, depth, after));
        if let Some(next) = after.chars().next() {
            let swapped = format!("{next}{letter}{}", &after[next.len_utf8()..]);
            ranges.push(places.narrowed(log, &same, depth, &swapped));
        }
        let mut at = same.start;
        for _ in 0..LETTERS_MAX {
            let Some(other) = (at < same.end).then(|| places.text(log, at)[depth..].chars().next()) else { break };
            let Some(other) = other else {
                // The text ends here.
                at += 1;
                continue;
            };
            let mut bytes = [0; 4];
            let with = places.narrowed(log, &(at..same.end), depth, other.encode_utf8(&mut bytes));
            let deeper = depth + other.len_utf8();
            // The last letter replaced is the last one too many.
            if other != letter && !after.is_empty() {
                ranges.push(places.narrowed(log, &with, deeper, after));
            }
            ranges.push(places.narrowed(log, &with, deeper, rest));
            at = with.end;
        }
        same = places.narrowed(log, &same, depth, &rest[..letter.len_utf8()]);
    }
    ranges.retain(|range| !range.is_empty());
    ranges
}

/// Whether `text` begins with `typed` after at most one edit of it.
pub(super) fn begins_nearly(text: &str, typed: &str) -> bool {
    let same: usize = text.chars().zip(typed.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (text, typed) = (&text[same..], &typed[same..]);
    let without_first = |text: &str| text.chars().next().map_or(0, char::len_utf8);
    let (text_after, after) = (&text[without_first(text)..], &typed[without_first(typed)..]);
    let swapped = || {
        let (mut text, mut typed) = (text.chars(), typed.chars());
        let (first, second) = (text.next(), text.next());
        (second, first) == (typed.next(), typed.next()) && text.as_str().starts_with(typed.as_str())
    };
    text.starts_with(after) || text_after.starts_with(after) || text_after.starts_with(typed) || swapped()
}
