//! x

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod definition;
mod error;
mod interleaving;
mod ope;
mod simulate;
mod special;
mod statistics;
mod uplift;
mod verdict;

pub use definition::{
    Arm, Assigned, Assignment, BUCKETS, Buckets, Condition, Experiment, Exposed, Exposure, Exposures, Holdout, Layers,
    Overrides, State, Targeting, Value, free_buckets, unit_hash,
};
pub use error::ExperimentError;
pub use interleaving::{Preference, Team, preference, team_draft};
pub use ope::{
    LoggedRow, OffPolicy, OffPolicyChecks, SumCheck, direct, doubly_robust, ips, off_policy_checks,
    self_normalised_ips, switch_doubly_robust,
};
pub use simulate::{AaConfig, AaReport, Metric, Sensitivity, SensitivityConfig, aa, interleaving_sensitivity};
pub use special::{
    beta_inc, binomial_p, chi_square_p, erf, erfc, gamma_p, gamma_q, ln_gamma, normal_cdf, normal_quantile,
    student_t_cdf, student_t_quantile,
};
pub use statistics::{
    Baseline, Cuped, Day, DayCurve, Estimate, Heterogeneity, Interval, Lift, Look, Moments, PairMoments, Plan,
    SRM_ALPHA, SampleRatio, Sequential, Slice, SliceLift, SliceRatio, adjusted_p, cap_at, cuped, day_curve,
    heterogeneity, lift, quantile, quantile_interval, quantile_of_units, ratio, running, sample_ratio,
    sample_ratio_by_slice, winsorised,
};
pub use uplift::{
    LearnerFigures, QiniRow, UpliftModel, UpliftRow, UpliftTraits, qini, qini_curve, qini_difference, qini_interval,
};
pub use verdict::{Better, Check, Decision, Facts, MetricFigures, MetricReading, Readout, verdict};
