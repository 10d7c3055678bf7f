use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// One pass of training over everybody's history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss of its steps.
    pub loss: f32,
    /// Recall@20 on held-back pinners after it; `None` when nobody validates.
    pub recall: Option<f32>,
}

/// Rows of like chances: what was said of them, and what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Mean chance.
    pub predicted: f32,
    /// How often it happened.
    pub observed: f32,
    /// How many rows there are.
    pub rows: u32,
}

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
    /// Quality figures by name, e.g. `validation/recall@20`, `ranker/save/auc`. One that is no number is read as NaN.
    #[serde(deserialize_with = "figures")]
    pub metrics: BTreeMap<String, f64>,
    /// The epochs of training, first to last.
    pub curve: Vec<Epoch>,
    /// By head, chances of requests that were not learned from, in groups of equally many rows, lowest first.
    pub calibration: BTreeMap<String, Vec<Reliability>>,
    /// How long training took, ranking head included (s); 0 when unknown.
    pub seconds: f64,
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

/// JSON knows no NaN and says null.
fn figures<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let figures = BTreeMap::<String, Option<f64>>::deserialize(from)?;
    Ok(figures.into_iter().map(|(name, figure)| (name, figure.unwrap_or(f64::NAN))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_can_be_read_again() {
        let metrics = BTreeMap::from([("odd".to_owned(), f64::NAN), ("recall".to_owned(), 0.25)]);
        let card = ModelCard { metrics, curve: vec![Epoch { loss: 0.1, recall: None }], ..ModelCard::default() };
        let read = ModelCard::from_json(&card.to_json()).expect("a card");
        assert!(read.metrics["odd"].is_nan());
        assert_eq!((read.metrics["recall"], read.curve), (0.25, card.curve));
    }
}
