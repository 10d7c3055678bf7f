//! The shape of an encoder, and its list of matrices.

use serde::{Deserialize, Serialize};

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
    /// Side of the patches that the first layer reads (pixels).
    pub patch: usize,
    /// Channels of the first stage of the picture tower; each later stage has twice as many.
    pub channels: usize,
    /// Blocks of each stage.
    pub blocks: usize,
    /// Rows of the hashed table of pieces of words.
    pub table_rows: usize,
    /// Width of the table.
    pub text_width: usize,
    /// Width of the text tower's hidden layer.
    pub text_hidden: usize,
}

/// Stages of the picture tower; from one to the next, four places become one.
pub const STAGES: usize = 3;
/// Numbers of a pixel.
pub const COLOURS: usize = 3;

impl Default for EncoderConfig {
    fn default() -> EncoderConfig {
        EncoderConfig {
            dim: 64,
            side: 48,
            patch: 4,
            channels: 48,
            blocks: 2,
            table_rows: 1 << 16,
            text_width: 128,
            text_hidden: 256,
        }
    }
}

/// The matrices outside the stages, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum EncoderPart {
    /// A patch of pixels → a place. `[patch² · 3, channels]`
    Patch,
    /// `[1, channels]`
    PatchBias,
    /// Norm before the places are averaged. `[1, last channels]`
    PictureNorm,
    /// The mean place → the space of contents. `[last channels, dim]`
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
}

/// The matrices of a block, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum PlacePart {
    /// Norm before the block. `[1, channels]`
    Norm,
    /// A place with its eight neighbours → hidden. `[9 · channels, channels]`
    Near,
    /// `[1, channels]`
    NearBias,
    /// Hidden → what is added to the place. `[channels, channels]`
    Out,
}

/// The matrices between two stages, behind the blocks of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum MergePart {
    /// Norm of each place. `[1, channels]`
    Norm,
    /// Four places → one of the next stage. `[4 · channels, 2 · channels]`
    Merge,
    /// `[1, 2 · channels]`
    Bias,
}

const PARTS: usize = EncoderPart::LogTopicScale as usize + 1;
const PLACE_PARTS: usize = PlacePart::Out as usize + 1;
const MERGE_PARTS: usize = MergePart::Bias as usize + 1;

impl EncoderConfig {
    /// Whether every value is inside its bounds; a file from outside may say anything.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounds = [
            ("dim", self.dim, 8, 512),
            ("side", self.side, 16, 256),
            ("patch", self.patch, 2, 16),
            ("channels", self.channels, 8, 256),
            ("blocks", self.blocks, 1, 8),
            ("table_rows", self.table_rows, 16, 1 << 22),
            ("text_width", self.text_width, 8, 1024),
            ("text_hidden", self.text_hidden, 8, 4096),
        ];
        for (name, value, low, high) in bounds {
            if !(low..=high).contains(&value) {
                return Err(ModelError::Config(format!("{name} is {value}, must be {low} to {high}")));
            }
        }
        let step = self.patch << (STAGES - 1);
        if !self.side.is_multiple_of(step) {
            let reason = format!("side {} must be a multiple of {step}, {} patches", self.side, 1 << (STAGES - 1));
            return Err(ModelError::Config(reason));
        }
        Ok(())
    }

    /// Channels of a stage.
    pub fn channels_of(&self, stage: usize) -> usize {
        self.channels << stage
    }

    /// Side of a stage's grid of places.
    pub fn grid_of(&self, stage: usize) -> usize {
        (self.side / self.patch) >> stage
    }

    /// Where in the list of matrices a block's is.
    pub fn place_index(&self, stage: usize, block: usize, part: PlacePart) -> usize {
        PARTS + stage * (self.blocks * PLACE_PARTS + MERGE_PARTS) + block * PLACE_PARTS + part as usize
    }

    /// Where in the list of matrices one is that leads from a stage to the next.
    pub fn merge_index(&self, stage: usize, part: MergePart) -> usize {
        self.place_index(stage, self.blocks, PlacePart::Norm) + part as usize
    }

    /// The list of matrices. Residual branches start at zero.
    pub(crate) fn shapes(&self) -> Vec<Shape> {
        use Start::{Constant, Normal, Zero};
        let (last, patch) = (self.channels_of(STAGES - 1), self.patch * self.patch * COLOURS);
        let mut list = vec![
            shape("patch", patch, self.channels, Normal(1.0)),
            shape("patch.bias", 1, self.channels, Zero),
            shape("picture.norm", 1, last, Constant(1.0)),
            shape("picture", last, self.dim, Normal(1.0)),
            shape("table", self.table_rows, self.text_width, Normal(0.1 * (self.table_rows as f32).sqrt())),
            shape("text.up", self.text_width, self.text_hidden, Normal(1.0)),
            shape("text.up_bias", 1, self.text_hidden, Zero),
            shape("text.down", self.text_hidden, self.text_width, Zero),
            shape("text", self.text_width, self.dim, Normal(1.0)),
            shape("log_scale", 1, 1, Constant(2.6)),
            shape("log_topic_scale", 1, 1, Constant(2.6)),
        ];
        for stage in 0..STAGES {
            let c = self.channels_of(stage);
            for block in 0..self.blocks {
                let name = |part: &str| format!("stage{stage}.block{block}.{part}");
                list.extend([
                    shape(name("norm"), 1, c, Constant(1.0)),
                    shape(name("near"), 9 * c, c, Normal(1.0)),
                    shape(name("near_bias"), 1, c, Zero),
                    shape(name("out"), c, c, Zero),
                ]);
            }
            if stage + 1 < STAGES {
                let name = |part: &str| format!("stage{stage}.{part}");
                list.extend([
                    shape(name("merge_norm"), 1, c, Constant(1.0)),
                    shape(name("merge"), 4 * c, 2 * c, Normal(1.0)),
                    shape(name("merge_bias"), 1, 2 * c, Zero),
                ]);
            }
        }
        list
    }
}

/// A square window that goes over a square grid of places: where it looks for each place that it stops at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side of the grid.
    pub grid: usize,
    /// Side of the window.
    pub size: usize,
    /// Places from one stop to the next.
    pub step: usize,
    /// Places before the first row and column where the first window begins.
    pub before: usize,
}

impl Window {
    /// A place and its eight neighbours, at each place.
    pub fn near(grid: usize) -> Window {
        Window { grid, size: 3, step: 1, before: 1 }
    }

    /// Parts of `size × size` places, side by side.
    pub fn parts(grid: usize, size: usize) -> Window {
        Window { grid, size, step: size, before: 0 }
    }

    /// Side of the grid of stops.
    pub fn stops(&self) -> usize {
        (self.grid + 2 * self.before - self.size) / self.step + 1
    }

    /// What is seen, stop by stop, row by row of the window: places of the grid, none outside of it.
    pub fn seen(self) -> impl Iterator<Item = Option<usize>> {
        let (stops, size) = (self.stops(), self.size);
        let inside = move |stop: usize, at: usize| {
            let place = (stop * self.step + at).checked_sub(self.before)?;
            (place < self.grid).then_some(place)
        };
        (0..stops * stops * size * size).map(move |number| {
            let (stop, at) = (number / (size * size), number % (size * size));
            let (y, x) = (inside(stop / stops, at / size)?, inside(stop % stops, at % size)?);
            Some(y * self.grid + x)
        })
    }
}
