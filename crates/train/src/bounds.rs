//! Bounds of what may be configured.

use crate::TrainError;

/// Whether all counts (name, value, least, most) and numbers (name, value, most; from 0 on) of a configuration are
/// inside their bounds; `of` says whose they are.
pub(crate) fn within(
    of: &str,
    counts: &[(&str, usize, usize, usize)],
    numbers: &[(&str, f32, f32)],
) -> Result<(), TrainError> {
    for &(name, value, low, high) in counts {
        if !(low..=high).contains(&value) {
            return Err(TrainError::Config(format!("{of}{name} is {value}, must be {low} to {high}")));
        }
    }
    for &(name, value, high) in numbers {
        if !(0.0..=high).contains(&value) {
            return Err(TrainError::Config(format!("{of}{name} is {value}, must be 0 to {high}")));
        }
    }
    Ok(())
}
