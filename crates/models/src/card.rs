use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a model version is, where it came from and how good it is: stored beside the weights as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelCard {
    /// Version of the weights.
    pub version: String,
    /// When it was made (ms, UTC).
    pub created_ms: u64,
    /// Earliest and latest action that it learned from (ms, UTC).
    pub data_range_ms: (u64, u64),
    /// What it learned from: `pinners`, `pins`, `actions`, `held_back`, `validation`.
    pub counts: BTreeMap<String, u64>,
    /// Quality figures by name, e.g. `validation/recall@20`, `ranker/save/auc`.
    pub metrics: BTreeMap<String, f64>,
    /// Seeds by name.
    pub seeds: BTreeMap<String, u64>,
    /// Versions that this one was trained from.
    pub parents: Vec<String>,
    /// Version of the code that trained it.
    pub code: String,
    /// The training configuration as JSON.
    pub training: serde_json::Value,
}

impl ModelCard {
    /// The card as readable JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("invariant: a card holds only JSON values")
    }

    /// Reads a card.
    pub fn from_json(text: &str) -> Result<ModelCard, crate::ModelError> {
        serde_json::from_str(text).map_err(|error| crate::ModelError::Header(format!("model card: {error}")))
    }
}
