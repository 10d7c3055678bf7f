//! What `config.json` of a published encoder says, within bounds.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::layer::Act;
use crate::ModelError;

/// Widest stream of a transformer.
const WIDTH_MAX: usize = 8_192;
/// Widest hidden layer.
const HIDDEN_MAX: usize = 65_536;
/// Most blocks.
const BLOCKS_MAX: usize = 128;
/// Most words and pieces.
const VOCABULARY_MAX: usize = 1 << 21;
/// Most tokens of a text.
const TOKENS_MAX: usize = 8_192;
/// Longest side of pictures (pixels).
const SIDE_MAX: usize = 1_024;
/// Most patches of a picture.
const PATCHES_MAX: usize = 4_096;

/// An object of the file.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    file: &'static str,
    values: &'a Value,
}

impl<'a> Settings<'a> {
    pub(super) fn new(file: &'static str, values: &'a Value) -> Settings<'a> {
        Settings { file, values }
    }

    /// An object in it; an empty one where it is missing, so that everything has its standard value.
    pub(super) fn part(&self, name: &str) -> Settings<'a> {
        Settings { values: self.values.get(name).unwrap_or(&Value::Null), ..*self }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &self,
        name: &str,
        standard: usize,
        bounds: RangeInclusive<usize>,
    ) -> Result<usize, ModelError> {
        let value = match self.values.get(name).filter(|value| !value.is_null()) {
            None => standard,
            Some(value) => {
                let whole = value.as_u64().and_then(|whole| usize::try_from(whole).ok());
                whole.ok_or_else(|| self.odd(name, &format!("is {value}, must be a whole number")))?
            }
        };
        let (low, high) = (bounds.start(), bounds.end());
        if bounds.contains(&value) {
            return Ok(value);
        }
        Err(self.odd(name, &format!("is {value}, must be {low} to {high}")))
    }

    /// A small positive number: what keeps norms finite.
    pub(super) fn epsilon(&self, name: &str, standard: f64) -> Result<f32, ModelError> {
        let value = self.values.get(name).map_or(Some(standard), Value::as_f64);
        let good = value.filter(|value| (1e-15..=1e-2).contains(value));
        good.map(|value| value as f32).ok_or_else(|| self.odd(name, "must be 1e-15 to 0.01"))
    }

    /// A text.
    pub(super) fn text(&self, name: &str, standard: &'static str) -> &'a str {
        self.values.get(name).and_then(Value::as_str).unwrap_or(standard)
    }

    /// Refuses a value that what is computed here would not respect.
    pub(super) fn must_be(&self, name: &str, expected: &Value) -> Result<(), ModelError> {
        match self.values.get(name).filter(|value| *value != expected && !value.is_null()) {
            Some(other) => Err(self.odd(name, &format!("is {other}, only {expected} is computed"))),
            None => Ok(()),
        }
    }

    /// What bends the hidden layers.
    pub(super) fn act(&self, name: &str, standard: &'static str) -> Result<Act, ModelError> {
        let text = self.text(name, standard);
        Act::named(text).ok_or_else(|| self.odd(name, &format!("is '{text}', which is not known")))
    }

    pub(super) fn odd(&self, name: &str, reason: &str) -> ModelError {
        ModelError::Config(format!("{}: {name} {reason}", self.file))
    }
}

/// The shape of a stack of transformer blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StackShape {
    pub(super) width: usize,
    pub(super) hidden: usize,
    pub(super) blocks: usize,
    pub(super) heads: usize,
    pub(super) epsilon: f32,
    pub(super) act: Act,
}

/// How a file names the shape of a stack, and what stands for values that it leaves out.
pub(super) struct StackWords {
    /// Width, hidden width, blocks, heads, activation.
    pub(super) names: [&'static str; 5],
    pub(super) standard: [usize; 4],
    pub(super) act: &'static str,
    pub(super) epsilon: f64,
}

impl StackWords {
    pub(super) const NAMES: [&'static str; 5] =
        ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "hidden_act"];

    pub(super) fn read(&self, from: &Settings) -> Result<StackShape, ModelError> {
        let [width, hidden, blocks, heads, act] = self.names;
        let shape = StackShape {
            width: from.number(width, self.standard[0], 1..=WIDTH_MAX)?,
            hidden: from.number(hidden, self.standard[1], 1..=HIDDEN_MAX)?,
            blocks: from.number(blocks, self.standard[2], 1..=BLOCKS_MAX)?,
            heads: from.number(heads, self.standard[3], 1..=WIDTH_MAX)?,
            epsilon: from.epsilon("layer_norm_eps", self.epsilon)?,
            act: from.act(act, self.act)?,
        };
        if !shape.width.is_multiple_of(shape.heads) {
            return Err(from.odd(width, &format!("is {}, which {} heads do not share", shape.width, shape.heads)));
        }
        Ok(shape)
    }
}

/// Words and places of a text tower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TextShape {
    pub(super) vocabulary: usize,
    pub(super) positions: usize,
}

impl TextShape {
    pub(super) fn read(from: &Settings, vocabulary: usize, positions: usize) -> Result<TextShape, ModelError> {
        Ok(TextShape {
            vocabulary: from.number("vocab_size", vocabulary, 1..=VOCABULARY_MAX)?,
            positions: from.number("max_position_embeddings", positions, 1..=TOKENS_MAX)?,
        })
    }
}

/// Sides of pictures and of the squares that they are cut into (pixels).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PictureShape {
    pub(super) side: usize,
    pub(super) patch: usize,
}

impl PictureShape {
    pub(super) fn read(from: &Settings, patch: usize) -> Result<PictureShape, ModelError> {
        from.must_be("num_channels", &Value::from(3))?;
        let side = from.number("image_size", 224, 1..=SIDE_MAX)?;
        let patch = from.number("patch_size", patch, 1..=side)?;
        let shape = PictureShape { side, patch };
        if shape.patches() > PATCHES_MAX {
            return Err(from.odd("patch_size", &format!("cuts {} patches, at most {PATCHES_MAX}", shape.patches())));
        }
        Ok(shape)
    }

    /// What does not fill a patch at the right and below is left out.
    pub(super) fn patches(&self) -> usize {
        (self.side / self.patch).pow(2)
    }
}
