//! How people misspell: how likely it is that one word was typed for another.

use super::WORD_CHARS_MAX;

/// Letters that differ, beyond those that any two words may have.
pub(super) const EDITS_MAX: usize = 2;

/// Costs are negative logarithms of probabilities. An edit costs what it costs to be made at one of some seven places
/// and to be one of four kinds; a letter of all others costs more than one that is near the finger.
const EDIT: f32 = 3.3;
const ANOTHER_EDIT: f32 = 0.7;
const FIRST_LETTER: f32 = 0.5;
const SWAPPED: f32 = 0.0;
const LEFT_OUT: f32 = 0.0;
const LEFT_OUT_OF_TWO: f32 = -0.7;
const TYPED_TWICE: f32 = 0.7;
const NEAR_KEY: f32 = 2.0;
const VOWEL_FOR_VOWEL: f32 = 2.5;
const PLAIN_FOR_MARKED: f32 = 0.7;
const ANY_LETTER: f32 = 3.6;

/// How many letters of a word of this length may be wrong.
pub(super) fn edits_max(letters: usize) -> usize {
    match letters {
        0 | 1 => 0,
        2 | 3 => 1,
        _ => EDITS_MAX,
    }
}

/// For each letter those of the keys beside it on the most common keyboard, a bit each. Rows are moved by half a key.
const NEAR_KEYS: [u32; 26] = {
    let rows: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let mut places = [(0, 0); 26];
    let mut row = 0;
    while row < rows.len() {
        let mut at = 0;
        while at < rows[row].len() {
            places[(rows[row][at] - b'a') as usize] = (row, 2 * at + row);
            at += 1;
        }
        row += 1;
    }
    let mut near = [0; 26];
    let mut pair = 0;
    while pair < 26 * 26 {
        let (a, b) = (places[pair / 26], places[pair % 26]);
        if a.0.abs_diff(b.0) <= 1 && a.1.abs_diff(b.1) <= 2 {
            near[pair / 26] |= 1 << (pair % 26);
        }
        pair += 1;
    }
    near
};

fn near_keys(a: char, b: char) -> bool {
    let key = |letter: char| letter.is_ascii_lowercase().then(|| letter as usize - 'a' as usize);
    matches!((key(a), key(b)), (Some(a), Some(b)) if NEAR_KEYS[a] >> b & 1 == 1)
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

fn replaced(meant: char, typed: char) -> f32 {
    if near_keys(meant, typed) {
        NEAR_KEY
    } else if !meant.is_ascii() && typed.is_ascii_alphabetic() {
        // Most of these are the letter without its mark.
        PLAIN_FOR_MARKED
    } else if is_vowel(meant) && is_vowel(typed) {
        VOWEL_FOR_VOWEL
    } else {
        ANY_LETTER
    }
}

/// A letter typed that was not meant, after and before others.
fn added(typed: &[char], at: usize) -> f32 {
    let beside = [at.checked_sub(1).and_then(|at| typed.get(at)), typed.get(at + 1)];
    let beside = || beside.iter().copied().flatten();
    if beside().any(|&other| other == typed[at]) {
        TYPED_TWICE
    } else if beside().any(|&other| near_keys(other, typed[at])) {
        NEAR_KEY
    } else {
        ANY_LETTER
    }
}

fn left_out(meant: &[char], at: usize) -> f32 {
    let twice = at > 0 && meant[at - 1] == meant[at] || meant.get(at + 1) == Some(&meant[at]);
    if twice { LEFT_OUT_OF_TWO } else { LEFT_OUT }
}

/// Edits between two words, if there are at most `most`: letters left out, added, replaced, and neighbours swapped
/// (optimal string alignment). Words are at most [`WORD_CHARS_MAX`] letters long.
pub(super) fn edits(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let mut rows = [[0usize; WORD_CHARS_MAX + 1]; 3];
    (0..=b.len()).for_each(|at| rows[0][at] = at);
    for i in 1..=a.len() {
        let (now, before, earlier) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[now][0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let mut cost = rows[before][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            cost = cost.min(rows[before][j] + 1).min(rows[now][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[earlier][j - 2] + 1);
            }
            rows[now][j] = cost;
            least = least.min(cost);
        }
        if least > most {
            return None;
        }
    }
    Some(rows[a.len() % 3][b.len()]).filter(|edits| *edits <= most)
}

/// What it costs to have typed `typed` for `meant` in `edits` edits (Kernighan, Church and Gale 1990 call it the
/// channel), by the cheapest way.
pub(super) fn cost(meant: &[char], typed: &[char], edits: usize) -> f32 {
    let mut rows = [[f32::INFINITY; WORD_CHARS_MAX + 1]; 3];
    let first = |at: usize| if at == 0 { EDIT + FIRST_LETTER } else { EDIT };
    for i in 0..=meant.len() {
        let (now, before, earlier) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[now] = [f32::INFINITY; WORD_CHARS_MAX + 1];
        // More letters apart is more edits.
        for j in i.saturating_sub(edits)..=(i + edits).min(typed.len()) {
            let mut cost = if i + j == 0 { 0.0 } else { f32::INFINITY };
            if i > 0 {
                cost = cost.min(rows[before][j] + first(i - 1) + left_out(meant, i - 1));
            }
            if j > 0 {
                cost = cost.min(rows[now][j - 1] + first(j - 1) + added(typed, j - 1));
            }
            if i > 0 && j > 0 {
                let same = meant[i - 1] == typed[j - 1];
                let replaced = if same { 0.0 } else { first(i - 1) + replaced(meant[i - 1], typed[j - 1]) };
                cost = cost.min(rows[before][j - 1] + replaced);
            }
            if i > 1 && j > 1 && meant[i - 1] == typed[j - 2] && meant[i - 2] == typed[j - 1] {
                cost = cost.min(rows[earlier][j - 2] + first(i - 2) + SWAPPED);
            }
            rows[now][j] = cost;
        }
    }
    rows[meant.len() % 3][typed.len()] + ANOTHER_EDIT * edits.saturating_sub(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(word: &str) -> Vec<char> {
        word.chars().collect()
    }

    #[test]
    fn edits_count_and_stop() {
        let check = |a: &str, b: &str, most, expected| {
            assert_eq!(edits(&letters(a), &letters(b), most), expected, "{a} {b}");
            assert_eq!(edits(&letters(b), &letters(a), most), expected, "{b} {a}");
        };
        check("shirt", "shirt", 0, Some(0));
        check("shirt", "shrit", 1, Some(1));
        check("shirt", "hsrit", 2, Some(2));
        check("shirt", "hsrit", 1, None);
        check("", "ab", 2, Some(2));
        check("größe", "grose", 2, Some(2));
        check("abcdefgh", "bcdefghi", 2, Some(2));
        check("kitten", "sitting", 2, None);
    }

    #[test]
    fn what_fingers_do_is_cheaper() {
        let cost = |meant, typed| cost(&letters(meant), &letters(typed), 1);
        assert!(cost("shirt", "shrit") < cost("shirt", "shift"), "swapped before replaced");
        assert!(cost("shirt", "shift") < cost("shirt", "shizt"), "a near key before a far one");
        assert!(cost("dress", "dres") < cost("dress", "dess"), "one of two letters before another");
        assert!(cost("shirt", "shiirt") < cost("shirt", "shipirt"), "twice before any");
        assert!(cost("shirt", "shrt") < cost("shirt", "hirt"), "inside before the first letter");
        assert_eq!(super::cost(&letters("red"), &letters("red"), 0), 0.0);
    }
}
