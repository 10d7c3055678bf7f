//! The distributions that tests and intervals are made of, to ten decimals and more.

mod beta;
mod gamma;
mod normal;
#[cfg(test)]
mod tests;

pub use beta::{beta_inc, binomial_p, student_t_cdf, student_t_quantile};
pub use gamma::{chi_square_p, gamma_p, gamma_q, ln_gamma};
pub use normal::{erf, erfc, normal_cdf, normal_quantile};

/// Most terms of a series or continued fraction; they end long before, or their arguments are beyond all use.
const TERMS_MAX: usize = 100_000;
