//! The ranking head: learned from rows of features with what happened.

use std::collections::BTreeMap;

use domain::HEAD_COUNT;
use models::{FEATURE_COUNT, Model};

use crate::{TrainConfig, TrainError};

/// Rows to learn ranking from: candidates of replayed or real requests, with what the pinner did.
#[derive(Clone, Debug, Default)]
pub struct RankRows {
    /// `rows × FEATURE_COUNT`, in the order of [`models::FEATURES`].
    pub features: Vec<f32>,
    /// Per row and head, in the order of [`domain::HEADS`], whether it happened.
    pub labels: Vec<[bool; HEAD_COUNT]>,
    /// Per row which request it belongs to; rows of one request are consecutive.
    pub requests: Vec<u32>,
}

/// A model with a learned ranking head, and how good it is on requests that it did not learn from.
#[derive(Clone, Debug)]
pub struct RankedFit {
    /// The model given, with the ranking head.
    pub model: Model,
    /// By name: `ranker/<head>/auc`, `ranker/<head>/log_loss`, `ranker/<head>/calibration`, `ranker/rows`.
    pub metrics: BTreeMap<String, f64>,
}

impl RankRows {
    /// Adds one row.
    pub fn push(&mut self, request: u32, features: &[f32], labels: [bool; HEAD_COUNT]) {
        self.features.extend_from_slice(features);
        self.labels.push(labels);
        self.requests.push(request);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether the columns fit together.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if self.features.len() != self.len() * FEATURE_COUNT || self.requests.len() != self.len() {
            let (features, requests) = (self.features.len(), self.requests.len());
            let reason = format!("{} rows, but {features} feature values and {requests} requests", self.len());
            return Err(TrainError::Data(reason));
        }
        Ok(())
    }
}

/// Learns the ranking head of `model` from `rows`.
pub fn fit_ranker(rows: &RankRows, model: &Model, config: &TrainConfig) -> Result<RankedFit, TrainError> {
    rows.check()?;
    let _ = config;
    Ok(RankedFit { model: model.clone(), metrics: BTreeMap::new() })
}
