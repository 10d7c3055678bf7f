//! Logarithms by the thousand: the library's cost more than everything else that a feature does.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2};

/// Natural logarithm of a positive number, good to 2e-6: exponent, and the series of atanh for the rest, which lies
/// within a factor of √2 of 1.
#[inline]
pub(super) fn ln(value: f32) -> f32 {
    let bits = value.to_bits().wrapping_sub(FRAC_1_SQRT_2.to_bits());
    let exponent = (bits as i32 >> 23) as f32;
    let rest = f32::from_bits((bits & 0x007F_FFFF) + FRAC_1_SQRT_2.to_bits());
    let z = (rest - 1.0) / (rest + 1.0);
    let square = z * z;
    let series = 2.0 * z * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square / 9.0))));
    exponent * LN_2 + series
}

/// ln(1 + count), for counts and times, of which the smallest that matter are not near 0.
#[inline]
pub(crate) fn ln_1p(value: f32) -> f32 {
    ln(1.0 + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_the_library() {
        for value in (0..4_000).map(|step| 1e-6 * 1.01f32.powi(step)) {
            assert!(
                (ln(value) - value.ln()).abs() < 2e-6 * value.ln().abs().max(1.0),
                "ln {value} is not {}",
                ln(value)
            );
        }
        assert_eq!((ln(1.0), ln_1p(0.0)), (0.0, 0.0));
    }
}
