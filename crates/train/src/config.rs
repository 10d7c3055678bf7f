use serde::{Deserialize, Serialize};

use crate::TrainError;

/// How a model is trained. Every value has the reason for its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Everything random derives from it.
    pub seed: u64,
    pub dim: usize,
    pub layers: usize,
    pub heads: usize,
    pub hidden: usize,
    pub pool_max: usize,
    pub history_max: usize,
    pub epochs: usize,
    pub batch: usize,
    pub shards: usize,
    pub queries: usize,
    pub targets_max: usize,
    pub prefix_min: f32,
    pub candidates_max: usize,
    pub lr_dense: f32,
    pub lr_ids: f32,
    pub weight_decay: f32,
    pub id_decay: f32,
    pub clip_norm: f32,
    pub warmup: f32,
    pub id_dropout: f32,
    pub spectral: bool,
    pub init_norm: f32,
    pub subject_share: f32,
    pub log_scale: f32,
    pub learn_scale: bool,
    pub multinomial: bool,
    pub adam_ids: bool,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            seed: 1,
            dim: 64,
            layers: 2,
            heads: 2,
            hidden: 128,
            pool_max: 32,
            history_max: 64,
            epochs: 20,
            batch: 512,
            shards: 4,
            queries: 2,
            targets_max: 16,
            prefix_min: 0.3,
            candidates_max: 20_000,
            lr_dense: 1e-3,
            lr_ids: 0.05,
            weight_decay: 0.01,
            id_decay: 0.0,
            clip_norm: 1.0,
            warmup: 0.05,
            id_dropout: 0.1,
            spectral: true,
            init_norm: 1.0,
            subject_share: 0.2,
            log_scale: 2.0,
            learn_scale: true,
            multinomial: false,
            adam_ids: false,
        }
    }
}

impl TrainConfig {
    pub fn check(&self) -> Result<(), TrainError> {
        Ok(())
    }
}
