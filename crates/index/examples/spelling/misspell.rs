//! Mistakes drawn from a seed.

use domain::Rng;

/// Half of all wrong letters are of a neighbouring key, the others any.
const NEAR_KEY_SHARE: f32 = 0.5;

const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// A letter of a key beside `letter`'s, or any.
fn wrong_letter(rng: &mut Rng, letter: char) -> char {
    let place = KEYS.iter().enumerate().find_map(|(row, keys)| Some((row, keys.find(letter)?)));
    if let (Some((row, at)), true) = (place, rng.uniform() < NEAR_KEY_SHARE) {
        let mut near = Vec::new();
        for (other_row, keys) in KEYS.iter().enumerate().filter(|(other, _)| other.abs_diff(row) <= 1) {
            let close = |other_at: usize| (2 * other_at + other_row).abs_diff(2 * at + row) <= 2;
            near.extend(keys.chars().enumerate().filter(|&(at, key)| close(at) && key != letter).map(|(_, key)| key));
        }
        return near[rng.below(near.len() as u32) as usize];
    }
    char::from(b'a' + rng.below(26) as u8)
}

/// One letter left out, added, replaced or swapped with the next, each as often, at any place.
fn edited(rng: &mut Rng, word: &[char]) -> Vec<char> {
    let mut letters = word.to_vec();
    let at = rng.below(letters.len() as u32) as usize;
    match rng.below(4) {
        0 => {
            letters.remove(at);
        }
        1 => {
            let letter = wrong_letter(rng, letters[at]);
            letters.insert(at + rng.below(2) as usize, letter);
        }
        2 => letters[at] = wrong_letter(rng, letters[at]),
        _ => {
            let at = rng.below(letters.len() as u32 - 1) as usize;
            letters.swap(at, at + 1);
        }
    }
    letters
}

/// `word` with so many edits, so that it is no known word; none where twenty draws all are.
pub(crate) fn misspelt(rng: &mut Rng, word: &str, edits: usize, known: impl Fn(&str) -> bool) -> Option<String> {
    for _ in 0..20 {
        let mut letters: Vec<char> = word.chars().collect();
        (0..edits).for_each(|_| letters = edited(rng, &letters));
        let typed: String = letters.into_iter().collect();
        if typed != word && !known(&typed) {
            return Some(typed);
        }
    }
    None
}
