//! The built-in embedding: words and look in one vector.

use crate::look::{LOOK_DIM, look};
use crate::{Picture, normalise, text};

/// Length of a content embedding.
pub const CONTENT_DIM: usize = TEXT_DIM + LOOK_DIM;
/// Version of the built-in embedding space; every change to the numbers below is a new one. Learned spaces have higher
/// numbers.
pub const SPACE: u32 = 1;
/// How many of the numbers speak of words (the first ones); the rest speak of the look.
pub const TEXT_DIM: usize = 32;

/// Share of the words in the squared length of a vector that has both parts.
const TEXT_SHARE: f32 = 0.5;

/// The embedding of words and a picture, unit length; empty when there is neither a word nor a picture.
pub(crate) fn embed(words: &str, picture: Option<&Picture>) -> Vec<f32> {
    let words = text_part(words);
    let look = picture.and_then(|picture| unit(look(picture)));
    let (text_norm, look_norm) = match (&words, &look) {
        (Some(_), Some(_)) => (TEXT_SHARE.sqrt(), (1.0 - TEXT_SHARE).sqrt()),
        _ => (1.0, 1.0),
    };
    if words.is_none() && look.is_none() {
        return Vec::new();
    }
    let words = words.unwrap_or([0.0; TEXT_DIM]).map(|value| value * text_norm);
    let look = look.unwrap_or([0.0; LOOK_DIM]).map(|value| value * look_norm);
    [words.as_slice(), look.as_slice()].concat()
}

/// Hashed pieces, each a fixed random direction (the bits of its hash are the signs), summed and normalised.
fn text_part(words: &str) -> Option<[f32; TEXT_DIM]> {
    let mut sum = [0.0; TEXT_DIM];
    for (hash, weight) in text::pieces(&normalise(words)) {
        for (bit, value) in sum.iter_mut().enumerate() {
            *value += if hash >> bit & 1 == 0 { weight } else { -weight };
        }
    }
    unit(sum)
}

fn unit<const N: usize>(vector: [f32; N]) -> Option<[f32; N]> {
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    (norm > 1e-6).then(|| vector.map(|value| value / norm))
}
