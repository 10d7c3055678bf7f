//! How good is what would be served? Full ranking over the whole catalogue through the real funnel.

mod baselines;
mod cases;
mod figures;
mod measure;
mod off_policy;
mod ranking;
mod relevance;
mod search;
mod sequences;
mod slices;
mod uplift;
mod visual;

pub(crate) use baselines::{baselines, popularity};
pub(crate) use cases::{Case, held_cases, later_cases, sample};
pub(crate) use figures::{About, Figures};
pub(crate) use measure::{measure, request};
pub(crate) use off_policy::{judge_policies, read_policy_logs};
pub(crate) use ranking::measure_ranking;
pub(crate) use relevance::{Distilling, measure_relevance};
pub(crate) use search::{SearchAbout, measure_search};
pub(crate) use sequences::{Target, sequence_cases};
pub(crate) use slices::Slicer;
pub(crate) use uplift::measure_uplift;
pub(crate) use visual::{VisualAbout, measure_visual};

/// Where rankings are cut for recall, NDCG and hits.
pub(crate) const CUTOFFS: [usize; 5] = [5, 10, 20, 50, 100];
/// Where the offers of generators, and of all of them together, are cut.
pub(crate) const OFFER_CUTOFFS: [usize; 4] = [20, 100, 500, 1_000];
/// Where baselines are cut: wherever anything is.
pub(crate) const BASELINE_CUTOFFS: [usize; 7] = [5, 10, 20, 50, 100, 500, 1_000];
/// Seed of the figures' intervals and of draws for them.
pub(crate) const SEED: u64 = 7;
/// What the figures are measured by.
pub(crate) const PROTOCOL: &str = "full ranking of all pins through the served funnel, known saves masked by its \
     filters, exploration off, ideal DCG cut at min(k, held out), mean over pinners with something held out";
