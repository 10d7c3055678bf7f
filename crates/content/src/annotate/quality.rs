//! Which runs of words are phrases.
//!
//! Two measures that are old and hold: how much more often the weaker halves of a run stand together than chance would
//! have them (normalised pointwise mutual information, Bouma 2009, at the weakest place where the run can be cut), and
//! how much of its use is its own and not that of longer runs (the C-value of Frantzi, Ananiadou and Mima 2000, as a
//! share). "running shoes" passes both; "shoes men" fails the first and "cooper men" of "Lee Cooper men" the second.

use std::collections::HashMap;

use super::AnnotationCounts;

/// Association at which a run is as likely a phrase as not, and how steep that is.
const ASSOCIATION_MIDDLE: f32 = 0.25;
const ASSOCIATION_SLOPE: f32 = 12.0;
/// Share of own use at which a run is as likely a phrase as not, and how steep that is.
const OWN_MIDDLE: f32 = 0.25;
const OWN_SLOPE: f32 = 6.0;

/// How much longer phrases use each run of two words: sum of their pins and how many they are.
pub(super) type Nested = HashMap<String, (u64, u32)>;

/// What longer phrases use of shorter ones. Longer runs that are no phrases themselves take nothing away: that "john
/// players" is mostly followed by "men" makes it no less a name.
pub(super) fn nested(counts: &AnnotationCounts) -> Nested {
    let mut nested = Nested::new();
    for (key, counted) in counts.terms.iter().filter(|(_, counted)| counted.count >= counts.params.pins_min) {
        let words: Vec<&str> = key.split(' ').collect();
        let [first, second, third] = words[..] else { continue };
        if association(counts, &words, counted.count) < ASSOCIATION_MIDDLE {
            continue;
        }
        for part in [format!("{first} {second}"), format!("{second} {third}")] {
            let (pins, runs) = nested.entry(part).or_default();
            *pins += u64::from(counted.count);
            *runs += 1;
        }
    }
    nested
}

/// Quality of a term, 0..1: for a single word how much it looks like one, for a run of words how much it is a phrase.
pub(super) fn quality(counts: &AnnotationCounts, nested: &Nested, key: &str, pins: u32) -> f32 {
    let words: Vec<&str> = key.split(' ').collect();
    if let [word] = words[..] {
        return word_quality(word);
    }
    let association = association(counts, &words, pins);
    let own = nested.get(key).map_or(1.0, |&(used, runs)| 1.0 - used as f32 / runs as f32 / pins as f32);
    let weakest = words.iter().map(|word| word_quality(word)).fold(1.0, f32::min).max(0.5);
    let middles = logistic(ASSOCIATION_SLOPE * (association - ASSOCIATION_MIDDLE));
    weakest * middles * logistic(OWN_SLOPE * (own - OWN_MIDDLE))
}

/// Normalised pointwise mutual information of the two parts, at the place where it is least: −1 never together, 0 as by
/// chance, 1 always.
fn association(counts: &AnnotationCounts, words: &[&str], pins: u32) -> f32 {
    let share = |pins: u32| pins.max(1) as f32 / counts.pins.max(1) as f32;
    let together = share(pins);
    // A part that was forgotten is rarer than what is held, but has at least these pins.
    let part = |words: &[&str]| {
        let known = counts.terms.get(words.join(" ").as_str()).map(|counted| counted.count);
        share(known.unwrap_or(counts.terms.floor()).max(pins))
    };
    let cut = |at: usize| {
        let (left, right) = words.split_at(at);
        let independent = match words {
            // "mother of" is no term, so that only the outer words can be compared.
            [first, _, last] if counts.terms.get(words[1]).is_none() => part(&[first]) * part(&[last]),
            _ => part(left) * part(right),
        };
        (together / independent).ln() / -together.ln().min(-1e-6)
    };
    (1..words.len()).map(cut).fold(1.0, f32::min)
}

fn word_quality(word: &str) -> f32 {
    let letters = word.chars().filter(|letter| letter.is_alphabetic()).count();
    let others = word.chars().count() - letters;
    match (letters, others) {
        (0, _) => 0.0,
        (1, _) if word.is_ascii() => 0.1,
        (2, 0) if word.is_ascii() => 0.5,
        (_, 0) => 1.0,
        _ => 0.5,
    }
}

fn logistic(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}
