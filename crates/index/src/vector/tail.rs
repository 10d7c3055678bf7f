//! The upper tail of the normal distribution, by a table.

use std::sync::LazyLock;

/// Places per standard deviation, and how far the table reaches to both sides.
const PER: f32 = 32.0;
const REACH: f32 = 8.0;
const PLACES: usize = (2.0 * REACH * PER) as usize;

static TABLE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    // Simpson's rule from the far end inwards.
    let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let step = 1.0 / f64::from(PER);
    let mut tail = 0.0;
    let mut table: Vec<f32> = (0..PLACES)
        .rev()
        .map(|place| {
            let x = place as f64 * step - f64::from(REACH);
            tail += step / 6.0 * (density(x) + 4.0 * density(x + step / 2.0) + density(x + step));
            tail as f32
        })
        .collect();
    table.reverse();
    table
});

/// The chance that a standard normal number is above `x`, to two digits.
#[inline]
pub(super) fn above(x: f32) -> f32 {
    // `as` takes what is no number for 0, what is too large for the largest.
    let place = ((x + REACH) * PER + 0.5) as usize;
    TABLE[place.min(PLACES - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles_come_out() {
        for (x, chance) in [(0.0, 0.5), (1.0, 0.158_66), (1.96, 0.025), (-1.0, 0.841_34), (3.0, 0.001_35)] {
            assert!((above(x) / chance - 1.0).abs() < 0.05, "{x}: {}", above(x));
        }
        assert!(above(f32::INFINITY) < 1e-9 && above(f32::NEG_INFINITY) > 0.999);
    }
}
