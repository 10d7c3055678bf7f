//! The shape of an encoder, and its list of matrices.

use serde::{Deserialize, Serialize};

use super::conv::Grid;
use super::look::{COLOURS, look_dim};
use crate::ModelError;
use crate::weights::{Shape, Start, shape};

/// The shape of an [`Encoder`](crate::Encoder). Stored in its file; everything else is derived from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Width of content vectors.
    pub dim: usize,
    /// Side of the square that pictures are stretched to (pixels).
    pub side: usize,
    /// Width of the picture tower's hidden layers.
    pub picture_hidden: usize,
    /// Numbers of a pixel after the first convolution; twice as many after each stage.
    pub channels: usize,
    /// Rows of the hashed table of pieces of words.
    pub table_rows: usize,
    /// Width of the table.
    pub text_width: usize,
    /// Width of the text tower's hidden layer.
    pub text_hidden: usize,
}

impl Default for EncoderConfig {
    fn default() -> EncoderConfig {
        EncoderConfig {
            dim: 64,
            side: 60,
            picture_hidden: 768,
            channels: 24,
            table_rows: 1 << 16,
            text_width: 128,
            text_hidden: 256,
        }
    }
}

/// The matrices, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum EncoderPart {
    /// What a picture looks like → hidden. `[look_dim(side), picture_hidden]`
    Look,
    /// `[1, picture_hidden]`
    LookBias,
    /// Hidden → what is added to it. `[picture_hidden, picture_hidden]`
    PictureUp,
    /// `[1, picture_hidden]`
    PictureUpBias,
    /// Hidden → the space of contents. `[picture_hidden, dim]`
    Picture,
    /// Pieces of words. `[table_rows, text_width]`
    Table,
    /// Hidden layer of the text tower. `[text_width, text_hidden]`
    TextUp,
    /// `[1, text_hidden]`
    TextUpBias,
    /// `[text_hidden, text_width]`
    TextDown,
    /// Words → the space of contents. `[text_width, dim]`
    Text,
    /// Logarithm of the softmax scale (inverse temperature), which only training uses. `[1, 1]`
    LogScale,
    /// The same of topics. `[1, 1]`
    LogTopicScale,
    /// First convolution. `[9 · 3, channels]`
    Stem,
    /// `[1, channels]`
    StemBias,
    /// What convolutions saw → hidden. `[8 · channels, picture_hidden]`
    Seen,
}

/// Convolutions that halve a picture's side and double the numbers of a pixel, each with a block beside it.
pub const STAGES: usize = 3;

/// The matrices of a stage, see [`EncoderConfig::stage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum StagePart {
    /// `[9 · channels, 2 · channels]`, with the channels that come in.
    Down,
    /// `[1, 2 · channels]`
    DownBias,
    /// First convolution of what is added to that. `[9 · 2 · channels, 2 · channels]`
    Inner,
    /// `[1, 2 · channels]`
    InnerBias,
    /// Second one. `[9 · 2 · channels, 2 · channels]`
    Outer,
}

impl EncoderConfig {
    /// Whether every value is inside its bounds; a file from outside may say anything.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounds = [
            ("dim", self.dim, 8, 512),
            ("side", self.side, 24, 240),
            ("picture_hidden", self.picture_hidden, 8, 8192),
            ("channels", self.channels, 1, 256),
            ("table_rows", self.table_rows, 16, 1 << 22),
            ("text_width", self.text_width, 8, 1024),
            ("text_hidden", self.text_hidden, 8, 4096),
        ];
        for (name, value, low, high) in bounds {
            if !(low..=high).contains(&value) {
                return Err(ModelError::Config(format!("{name} is {value}, must be {low} to {high}")));
            }
        }
        if !self.side.is_multiple_of(12) {
            return Err(ModelError::Config(format!("side {} must be a multiple of 12", self.side)));
        }
        Ok(())
    }

    /// The row of the table where a piece with this hash is.
    pub fn row_of(&self, hash: u64) -> usize {
        (hash % self.table_rows as u64) as usize
    }

    /// Where a matrix of a stage is in the list.
    pub fn stage(stage: usize, part: StagePart) -> usize {
        EncoderPart::Seen as usize + 1 + stage * (StagePart::Outer as usize + 1) + part as usize
    }

    /// What the first convolution reads.
    pub fn stem(&self) -> Grid {
        Grid { side: self.side, channels: COLOURS, stride: 2 }
    }

    /// What the stages' first convolutions read.
    pub fn stages(&self) -> [Grid; STAGES] {
        let (mut side, mut channels) = (self.stem().side_after(), self.channels);
        std::array::from_fn(|_| {
            let grid = Grid { side, channels, stride: 2 };
            (side, channels) = (grid.side_after(), 2 * channels);
            grid
        })
    }

    /// The list of matrices. What is added to a stream starts at zero.
    pub(crate) fn shapes(&self) -> Vec<Shape> {
        use Start::{Constant, Normal, Zero};
        let hidden = self.picture_hidden;
        let mut shapes = vec![
            shape("look", look_dim(self.side), hidden, Normal(1.0)),
            shape("look_bias", 1, hidden, Zero),
            shape("picture.up", hidden, hidden, Normal(1.0)),
            shape("picture.up_bias", 1, hidden, Zero),
            shape("picture", hidden, self.dim, Normal(1.0)),
            shape("table", self.table_rows, self.text_width, Normal(0.1 * (self.table_rows as f32).sqrt())),
            shape("text.up", self.text_width, self.text_hidden, Normal(1.0)),
            shape("text.up_bias", 1, self.text_hidden, Zero),
            shape("text.down", self.text_hidden, self.text_width, Zero),
            shape("text", self.text_width, self.dim, Normal(1.0)),
            shape("log_scale", 1, 1, Constant(2.6)),
            shape("log_topic_scale", 1, 1, Constant(2.6)),
            shape("stem", self.stem().patch(), self.channels, Normal(1.0)),
            shape("stem_bias", 1, self.channels, Zero),
            shape("seen", self.channels << STAGES, hidden, Normal(1.0)),
        ];
        for (stage, grid) in self.stages().iter().enumerate() {
            let (patch, wide) = (grid.patch(), 2 * grid.channels);
            let name = |part: &str| format!("stage{stage}.{part}");
            shapes.extend([
                shape(name("down"), patch, wide, Normal(1.0)),
                shape(name("down_bias"), 1, wide, Zero),
                shape(name("inner"), 2 * patch, wide, Normal(1.0)),
                shape(name("inner_bias"), 1, wide, Zero),
                shape(name("outer"), 2 * patch, wide, Zero),
            ]);
        }
        shapes
    }
}
