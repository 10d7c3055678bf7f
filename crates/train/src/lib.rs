//! How are weights learned: data sets, losses, loops, evaluation, promotion gates.

mod adamw;
mod baseline;
mod batch;
mod checkpoint;
mod config;
mod dataset;
mod error;
mod fit;
mod forward;
mod learner;
mod metrics;
mod ranker;
mod rows;
mod schedule;
mod softmax;
mod sparse;
mod spectral;
mod split;
mod start;
#[cfg(test)]
mod tests;
mod validate;

pub use baseline::{EASE_PINS_MAX, Ease, ItemKnn, Popularity};
pub use config::TrainConfig;
pub use dataset::{Dataset, History};
pub use error::TrainError;
pub use fit::{Progress, Session, Trained, fit};
pub use metrics::{
    Report, ReportSummary, auc, calibration_error, calibration_ratio, evaluate, hit_at, log_loss, ndcg_at, recall_at,
    reciprocal_rank,
};
pub use ranker::{RankRows, RankedFit, fit_ranker};
pub use split::holdout_row;
pub use validate::validation_recall;
