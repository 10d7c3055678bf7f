//! The gamma function and its incomplete integrals.

use super::TERMS_MAX;

/// B₂ₖ / (2k (2k − 1)), the coefficients of Stirling's series.
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];
/// From here on the series gives all digits.
const STIRLING_FROM: f64 = 12.0;

/// ln Γ(x) for x > 0, by Stirling's series (Abramowitz and Stegun 6.1.41) and Γ(x + 1) = x Γ(x); NaN elsewhere.
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut large, mut product) = (x, 1.0);
    while large < STIRLING_FROM {
        product *= large;
        large += 1.0;
    }
    (large - 0.5) * large.ln() - large + 0.5 * std::f64::consts::TAU.ln() + correction(large) - product.ln()
}

/// What Stirling's series adds to `(x − ½) ln x − x + ½ ln 2π`.
fn correction(large: f64) -> f64 {
    let square = 1.0 / (large * large);
    STIRLING.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient) / large
}

/// ln Γ(a) + ln Γ(b) − ln Γ(a + b). Where one of both is large, the large terms are taken from each other before they
/// are computed, so that digits are left.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = (a.min(b), a.max(b));
    if large < STIRLING_FROM {
        return ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    }
    let sum = small + large;
    let apart = small - (large - 0.5) * (small / large).ln_1p() - small * sum.ln();
    ln_gamma(small) + apart + correction(large) - correction(sum)
}

/// The lower regularised incomplete gamma function P(a, x), for a > 0 and x ≥ 0; NaN elsewhere.
pub fn gamma_p(a: f64, x: f64) -> f64 {
    if outside(a, x) {
        f64::NAN
    } else if x < a + 1.0 {
        series(a, x)
    } else {
        1.0 - continued_fraction(a, x)
    }
}

/// The upper one, Q(a, x) = 1 − P(a, x), with all its digits where it is tiny.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    if outside(a, x) {
        f64::NAN
    } else if x < a + 1.0 {
        1.0 - series(a, x)
    } else {
        continued_fraction(a, x)
    }
}

fn outside(a: f64, x: f64) -> bool {
    a.is_nan() || x.is_nan() || a <= 0.0 || x < 0.0
}

/// xᵃ e⁻ˣ / Γ(a).
fn front(a: f64, x: f64) -> f64 {
    (a * x.ln() - x - ln_gamma(a)).exp()
}

/// Abramowitz and Stegun 6.5.29.
fn series(a: f64, x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for k in 1..TERMS_MAX {
        term *= x / (a + k as f64);
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    front(a, x) * sum
}

/// Abramowitz and Stegun 6.5.31 in its even part, evaluated by Lentz's method.
fn continued_fraction(a: f64, x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut value = d;
    for k in 1..TERMS_MAX {
        let numerator = k as f64 * (a - k as f64);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b, tiny);
        c = away_from_zero(b + numerator / c, tiny);
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    front(a, x) * value
}

pub(super) fn away_from_zero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}

/// The chance of a chi-square of at least `chi_square` with `degrees` degrees of freedom.
pub fn chi_square_p(chi_square: f64, degrees: f64) -> f64 {
    gamma_q(degrees / 2.0, chi_square / 2.0)
}
