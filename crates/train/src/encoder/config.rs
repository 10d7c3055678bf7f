//! How an encoder is learned.

use models::EncoderConfig;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::bounds::within;

/// How an encoder is learned. Nothing needs to be set for a particular catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderTraining {
    /// Seed of weights, order and what is varied.
    pub seed: u64,
    /// What is learned.
    pub shape: EncoderConfig,
    /// Passes over all pins; chosen from their number when open, see [`EncoderTraining::epochs_for`].
    pub epochs: Option<usize>,
    /// Pins of a step: each is told from all others of it.
    pub batch: usize,
    /// In how many parts a step is computed at once.
    pub shards: usize,
    /// Peak learning rate (AdamW).
    pub rate: f32,
    /// Pull of matrices towards zero, relative to the rate.
    pub weight_decay: f32,
    /// Longest gradient; longer ones are cut.
    pub clip_norm: f32,
    /// Part of all steps in which the rate rises; after it, it falls along a cosine.
    pub warmup: f32,
    /// How often a picture is learned from its pin's title alone instead of all of its words.
    pub title_share: f32,
    /// Part of a picture's hidden numbers that are forgotten in each step (dropout), and half as much of its look.
    pub forgotten: f32,
    /// What a pin's topics count against its words.
    pub topic_weight: f32,
    /// What the first half and the first quarter of all numbers count, beside all of them.
    pub nested_weight: f32,
    /// Part of the pins that are not learned from and validate.
    pub held_back: f32,
    /// At most so many of them.
    pub held_back_max: usize,
}

impl Default for EncoderTraining {
    fn default() -> EncoderTraining {
        EncoderTraining {
            seed: 1,
            shape: EncoderConfig::default(),
            epochs: None,
            batch: 512,
            shards: 2,
            rate: 2e-3,
            weight_decay: 0.02,
            clip_norm: 1.0,
            warmup: 0.05,
            title_share: 0.5,
            forgotten: 0.3,
            topic_weight: 3.0,
            nested_weight: 0.1,
            held_back: 0.05,
            held_back_max: 1_000,
        }
    }
}

impl EncoderTraining {
    /// Whether every value is inside its bounds.
    pub fn check(&self) -> Result<(), TrainError> {
        self.shape.check()?;
        let counts = [
            ("epochs", self.epochs.unwrap_or(1), 1, 10_000),
            ("batch", self.batch, 2, 65_536),
            ("shards", self.shards, 1, 256),
            ("held_back_max", self.held_back_max, 0, 1 << 20),
        ];
        let numbers = [
            ("rate", self.rate, 1.0),
            ("weight_decay", self.weight_decay, 1.0),
            ("clip_norm", self.clip_norm, 1e6),
            ("warmup", self.warmup, 0.9),
            ("title_share", self.title_share, 1.0),
            ("forgotten", self.forgotten, 0.9),
            ("topic_weight", self.topic_weight, 100.0),
            ("nested_weight", self.nested_weight, 10.0),
            ("held_back", self.held_back, 0.5),
        ];
        within("encoder: ", &counts, &numbers)
    }

    /// Passes over so many pins: about 700,000 are read in all: half an hour of two cores at most.
    pub fn epochs_for(&self, pins: usize) -> usize {
        const PINS_READ: usize = 700_000;
        self.epochs.unwrap_or_else(|| (PINS_READ / pins.max(1)).clamp(3, 80))
    }
}
