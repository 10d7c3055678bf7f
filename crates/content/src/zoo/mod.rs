//! Published encoders: words to tokens, pictures to pixels as their files say; the forward passes are those of
//! [`models::PublishedEncoder`].

mod looks;
mod resample;
mod tokens;

use std::collections::BTreeMap;

use models::PublishedEncoder;
use serde_json::Value;

use self::looks::Looks;
use self::tokens::Tokens;
use crate::files::{CONFIG, MODULES, POOLING, PREPROCESSOR, TOKENIZER, WEIGHTS};
use crate::{ContentError, Picture};

/// An encoder with what brings words and pictures into it.
#[derive(Debug)]
pub(crate) struct Published {
    encoder: PublishedEncoder,
    tokens: Tokens,
    looks: Option<Looks>,
}

impl Published {
    /// Reads an encoder from its files by name.
    pub(crate) fn read(files: &BTreeMap<&str, Vec<u8>>) -> Result<Published, ContentError> {
        let needed = |name: &str| files.get(name).ok_or_else(|| odd(name, "is missing"));
        let optional = |name: &str| files.get(name).map(Vec::as_slice);
        check_modules(optional(MODULES))?;
        let encoder = PublishedEncoder::read(needed(CONFIG)?, needed(WEIGHTS)?, optional(POOLING));
        let encoder = encoder.map_err(|error| ContentError::Encoder { reason: error.to_string() })?;
        let tokens = Tokens::read(needed(TOKENIZER)?, files, &encoder)?;
        let looks = encoder.side().map(|side| Looks::read(needed(PREPROCESSOR)?, side)).transpose()?;
        Ok(Published { encoder, tokens, looks })
    }

    /// What words mean, unit length; `None` where there are none.
    pub(crate) fn text(&self, words: &str) -> Option<Vec<f32>> {
        let tokens = self.tokens.of(words)?;
        unit(self.encoder.texts(&[&tokens]).pop()?)
    }

    /// What a picture shows, unit length; `None` of an encoder that only reads words.
    pub(crate) fn picture(&self, picture: &Picture) -> Option<Vec<f32>> {
        let pixels = self.looks.as_ref()?.of(picture);
        unit(self.encoder.pictures(&[&pixels]).pop()?)
    }
}

/// Nothing where numbers have run over.
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let norm = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32;
    vector.iter_mut().for_each(|value| *value /= norm);
    (norm.is_finite() && norm > 1e-12).then_some(vector)
}

/// What stands behind a transformer in a sentence encoder: more than pooling and a unit length is not computed.
fn check_modules(bytes: Option<&[u8]>) -> Result<(), ContentError> {
    let Some(bytes) = bytes else { return Ok(()) };
    let modules = json(MODULES, bytes)?;
    for module in modules.as_array().ok_or_else(|| odd(MODULES, "is no list"))? {
        let text = |name: &str| module.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = text("type").rsplit('.').next().unwrap_or_default();
        let good = match kind {
            "Transformer" => text("path").is_empty(),
            "Pooling" => POOLING.strip_suffix("/config.json") == Some(text("path")),
            "Normalize" => true,
            _ => false,
        };
        if !good {
            return Err(odd(MODULES, &format!("asks for {kind:?} in {:?}, which is not computed", text("path"))));
        }
    }
    Ok(())
}

fn json(file: &str, bytes: &[u8]) -> Result<Value, ContentError> {
    serde_json::from_slice(bytes).map_err(|error| odd(file, &error.to_string()))
}

fn odd(file: &str, reason: &str) -> ContentError {
    ContentError::Encoder { reason: format!("{file}: {reason}") }
}

#[cfg(test)]
mod tests;
