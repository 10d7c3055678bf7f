//! How are weights learned and judged?
//!
//! Two things are learned, one after the other. [`fit`] makes the sequence model: user and pin vectors whose inner
//! product says what a pinner will act on next. [`fit_ranker`] makes the ranking head: per candidate a calibrated
//! chance of each action, from rows of features that the funnel computed ([`RankRows`]). What serving computes is
//! `models`' business; this room only moves its numbers.
//!
//! ```text
//! Dataset ──► cast: learned | held back ──► probes (validation)      held back ──► replays (the binary) ──► RankRows
//!    │            │                            ▲                                                             │
//!    └─ spectral start ──► Learner: batch ──► graph ──► loss ──► AdamW, Adagrad ──► Model             fit_ranker
//!                             ▲                                        │            best by recall@20        │
//!                             └──────────── epoch, checkpoint ◄────────┘                              Model + Ranker
//! ```
//!
//! A step asks questions at random places of histories: what came next, or what of all that came later, would answer?
//! With cosines `s` times a learned scale, target `t`, candidates `c` that the pinner never acted on, each drawn
//! with chance `q`:
//!
//! ```text
//! loss = mean over questions and their targets of  −ln( eˢᵗ / (eˢᵗ + Σ eˢᶜ / q) )
//! ```
//!
//! That is the softmax over sampled candidates, corrected for how they were sampled (Yi et al., RecSys 2019); many
//! later acts as targets of one user vector are from PinnerFormer (Pancha et al., KDD 2022). A small catalogue is
//! scored as a whole: `q` is 1. The gradient of scores is written out in `softmax`, that of the dense weights comes
//! from the `tape`, that of the id table from `sparse`. What was done to shown pins is learned with it: log loss per
//! action of candidates that went through the trunk. The head's loss is the log loss per action and a little of a
//! softmax over each request; then each action's chance is calibrated (Platt 1999) on requests that taught nothing.
//!
//! Judging is here too: rankings over the whole catalogue ([`Report`]), hold-outs ([`holdout_row`]), the published
//! baselines ([`LinearFilter`], [`Ease`], [`ItemKnn`], [`Popularity`]), any model alone ([`ranked`]) and on the
//! pinners of a run ([`validation_recall`]).
//! Useful for: histories of positive acts, with or without times and contents. Not useful for: learning while
//! serving.
//!
//! **Architecture invariant:** the same data, configuration and seed give the same bytes on a CPU, on any number of
//! threads, stopped and continued or not. No clock: length follows from the data. Acts that tie in time carry no order.

mod adamw;
mod baseline;
mod batch;
mod bounds;
mod candidates;
mod chances;
mod checkpoint;
mod config;
mod dataset;
mod deed;
mod encoder;
mod error;
mod fit;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(not(feature = "gpu"))]
#[path = "no_gpu.rs"]
mod gpu;
mod learner;
mod metrics;
mod net;
mod rank_rows;
mod ranker;
mod relevance;
mod rows;
mod schedule;
mod softmax;
mod sparse;
mod spectral;
mod split;
mod start;
mod tape;
#[cfg(test)]
mod tests;
mod validate;

pub use baseline::{EASE_PINS_MAX, Ease, ItemKnn, LinearFilter, Popularity};
pub use chances::{ChanceFigures, Judged};
pub use config::{Negatives, TrainConfig};
pub use dataset::{Dataset, History, Shown};
pub use encoder::{Described, EncoderData, EncoderTraining, Pieces, fit_encoder};
pub use error::TrainError;
pub use fit::{Device, Progress, Session, Trained, Work, fit};
pub use metrics::{
    Report, ReportSummary, auc, calibration_error, calibration_ratio, evaluate, graded_ndcg_at, hit_at, log_loss,
    ndcg_at, recall_at, reciprocal_rank, reliability,
};
pub use rank_rows::{POSITION_UNKNOWN, RankRequest, RankRow, RankRows, Said};
pub use ranker::{Distilled, FunnelRequest, RankedFit, distil_first_pass, fit_ranker};
pub use relevance::{
    LabelledPin, LabelledQuery, RelevanceData, RelevanceTraining, fit_student, fit_teacher, level_accuracy,
    level_calibration, level_log_loss, teach,
};
pub use split::holdout_row;
pub use start::{HeldBack, held_back};
pub use validate::{Asked, ranked, validation_recall};
