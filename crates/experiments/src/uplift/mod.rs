//! Whom does it pay to treat? Uplift models, and how well they order people.

mod encoder;
mod linear;
mod model;
mod qini;
mod response;
#[cfg(test)]
mod tests;
mod trees;

pub use model::{LearnerFigures, UpliftModel, UpliftRow, UpliftTraits};
pub use qini::{QiniRow, qini, qini_curve, qini_difference, qini_interval};
pub use response::ResponseModel;
