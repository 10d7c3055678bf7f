//! Did it work?
//!
//! An [`Experiment`] changes parameters for some units (pinners, mostly). [`Layers`] say in which arm a unit is, by a
//! hash alone; [`Exposures`] gather who came to where it mattered. What units did becomes an [`Estimate`] per arm and
//! metric, two of them a [`Lift`] with its interval, and all [`Facts`] of an experiment a [`Readout`]: ship or not, in
//! plain English.
//!
//! ```text
//! Experiment ──► Layers::assign ──► exposures, outcomes ──► Moments, PairMoments ─► Estimate ─┬► lift (at the end)
//!     │                                  │                   ratio, cuped, quantile           ├► Sequential (any time)
//!   check                                │                                                    └► slices, days
//!                                        └──► sample_ratio ────────────────────────────► verdict ──► Readout
//! ```
//!
//! ```
//! use experiments::{Moments, lift};
//! let control = Moments::of_successes(44_700, 8_502)?.estimate();
//! let treatment = Moments::of_successes(45_489, 8_279)?.estimate();
//! let found = lift(&control, &treatment, 0.05)?;
//! assert!(found.p < 0.01 && found.difference.high < 0.0);
//! # Ok::<(), experiments::ExperimentError>(())
//! ```
//!
//! Beside experiments: [`team_draft`] compares two rankings within one page. Rows with logged propensities say what
//! another policy would have earned ([`ips`], [`doubly_robust`], …). [`UpliftModel`] says whom a treatment helps, and
//! [`qini`] how well a model orders them. [`aa`] runs experiments whose truth is known, by the thousand: that is how
//! this room is held to what it promises.
//!
//! Useful for: sums over units that somebody else has gathered. Not useful for: reading logs, drawing, deciding alone.
//!
//! **Architecture invariant:** everything is a function of numbers, definitions and seeds. Assignment depends on the
//! definitions, the unit and its traits and on nothing else, and never changes while an experiment runs.
//! **Architecture invariant:** before its planned end an experiment is decided by always-valid intervals only, and
//! with a mismatch of sample ratios by nothing at all.

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
    LearnerFigures, QiniRow, ResponseModel, UpliftModel, UpliftRow, UpliftTraits, qini, qini_curve, qini_difference,
    qini_interval,
};
pub use verdict::{Better, Check, Decision, Facts, MetricFigures, MetricReading, Readout, verdict};
