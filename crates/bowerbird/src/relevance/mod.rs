//! How well pins answer queries: labels by people, by a teacher that was learned, or by an endpoint; teachers and
//! students that are learned from them.

mod attributes;
mod audit;
mod compare;
mod draw;
mod endpoint;
mod judges;
mod kept;
mod labels;
mod learn;
mod pairs;
mod strata;

pub(crate) use attributes::{Graded, grade_attributes};
pub(crate) use audit::{Agreement, audit};
pub(crate) use compare::{Arm, Comparing, compare, read_asked};
pub(crate) use draw::{Drawing, draw, read_queries};
pub(crate) use endpoint::Endpoint;
pub(crate) use judges::{Judge, label_all};
pub(crate) use kept::Kept;
pub(crate) use labels::{Label, LabelFile, one_level};
pub(crate) use learn::{CHECKPOINT, judged_by_student, learn_student, learn_teacher};
pub(crate) use pairs::{Pair, data_of, pairs_of, unlabelled};
