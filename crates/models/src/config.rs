use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The shape of a model. Stored in the weights file; everything else is derived from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Width of tokens, user vectors, pin vectors and id rows.
    pub dim: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Attention heads; divides `dim`.
    pub heads: usize,
    /// Width of a block's hidden layer.
    pub hidden: usize,
    /// Width of content vectors; 0 when no pin has content.
    pub content_dim: usize,
    /// Version of the content embedding space; vectors of two spaces never meet.
    pub content_space: u32,
    /// Rows of the hashed id table.
    pub id_rows: usize,
    /// Longest history that is read (the newest tokens).
    pub history_max: usize,
    /// Most graph neighbours that a pin's vector pools, and most pins of a condition.
    pub pool_max: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            dim: 64,
            layers: 2,
            heads: 2,
            hidden: 128,
            content_dim: 64,
            content_space: 1,
            id_rows: 1 << 14,
            history_max: 256,
            pool_max: 32,
        }
    }
}

impl ModelConfig {
    /// Whether every value is inside its bounds; a file from outside may say anything.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounds = [
            ("dim", self.dim, 8, 512),
            ("layers", self.layers, 1, 12),
            ("heads", self.heads, 1, 16),
            ("hidden", self.hidden, 8, 2048),
            ("content_dim", self.content_dim, 0, 2048),
            ("id_rows", self.id_rows, 16, 1 << 22),
            ("history_max", self.history_max, 1, 1024),
            ("pool_max", self.pool_max, 1, 256),
        ];
        for (name, value, low, high) in bounds {
            if !(low..=high).contains(&value) {
                return Err(ModelError::Config(format!("{name} is {value}, must be {low} to {high}")));
            }
        }
        if !self.dim.is_multiple_of(8) || !self.dim.is_multiple_of(self.heads) {
            let reason = format!("dim {} must be a multiple of 8 and of heads {}", self.dim, self.heads);
            return Err(ModelError::Config(reason));
        }
        Ok(())
    }
}
