//! Do the statistics keep what they promise? Experiments whose truth is known, by the thousand.

mod aa;
mod drafts;
#[cfg(test)]
mod tests;

pub use aa::{AaConfig, AaReport, Metric, aa};
pub use drafts::{Sensitivity, SensitivityConfig, interleaving_sensitivity};

use crate::ExperimentError;
use domain::Rng;

fn refused(what: String) -> ExperimentError {
    ExperimentError::Simulation(what)
}

/// Uniform in [0, 1), in double precision.
fn uniform(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Two independent standard normals (Marsaglia's polar method).
fn normal_pair(rng: &mut Rng) -> [f64; 2] {
    loop {
        let [u, v] = [2.0 * uniform(rng) - 1.0, 2.0 * uniform(rng) - 1.0];
        let square = u * u + v * v;
        if square > 0.0 && square < 1.0 {
            let scale = (-2.0 * square.ln() / square).sqrt();
            return [u * scale, v * scale];
        }
    }
}
