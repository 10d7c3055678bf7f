//! The incomplete beta function, and Student's and the binomial distribution, which are made of it.

use super::gamma::{away_from_zero, ln_beta};
use super::{TERMS_MAX, normal_quantile};

/// Most of Newton's steps: in the heaviest tails each only doubles the value.
const STEPS_MAX: usize = 2_000;

/// The regularised incomplete beta function Iₓ(a, b) for a, b > 0 and 0 ≤ x ≤ 1; NaN elsewhere.
///
/// The continued fraction of Abramowitz and Stegun 26.5.8 by Lentz's method, on the side where it is quick.
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    if x.is_nan() || a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 || !(0.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp();
    // The other side is quicker from here on; but near 0, 1 − x has lost the digits of x.
    let here = x < (a + 1.0) / (a + b + 2.0) || (x < 1e-4 && b * x < 1e3);
    if here { front * continued_fraction(a, b, x) / a } else { 1.0 - front * continued_fraction(b, a, 1.0 - x) / b }
}

fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0), tiny);
    let mut value = d;
    for m in 1..TERMS_MAX {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d, tiny);
        c = away_from_zero(1.0 + even / c, tiny);
        value *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d, tiny);
        c = away_from_zero(1.0 + odd / c, tiny);
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

/// The chance that Student's t with `degrees` degrees of freedom is at most `t`.
pub fn student_t_cdf(t: f64, degrees: f64) -> f64 {
    if t.is_nan() || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return if t > 0.0 { 1.0 } else { 0.0 };
    }
    // Whichever form keeps its digits: the tail far out, the middle near 0.
    let square = t * t;
    let tail = if square < degrees {
        0.5 - 0.5 * beta_inc(0.5, degrees / 2.0, square / (degrees + square))
    } else {
        0.5 * beta_inc(degrees / 2.0, 0.5, degrees / (degrees + square))
    };
    if t < 0.0 { tail } else { 1.0 - tail }
}

/// The value that Student's t stays below with chance `p`: Newton's steps from the normal quantile. Left of the middle
/// the distribution function is convex and lies above the normal one, so that they walk outwards and never too far.
pub fn student_t_quantile(p: f64, degrees: f64) -> f64 {
    if p.is_nan() || degrees.is_nan() || degrees <= 0.0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -student_t_quantile(1.0 - p, degrees);
    }
    let mut t = normal_quantile(p);
    if p == 0.5 || t.is_infinite() {
        return t;
    }
    for _ in 0..STEPS_MAX {
        let step = (student_t_cdf(t, degrees) - p) / student_t_density(t, degrees);
        t -= step.max(0.0);
        if !t.is_finite() || step.abs() <= 4.0 * f64::EPSILON * t.abs() || step < 0.0 {
            break;
        }
    }
    t
}

fn student_t_density(t: f64, degrees: f64) -> f64 {
    let log = -0.5 * (degrees + 1.0) * (t * t / degrees).ln_1p() - ln_beta(0.5, degrees / 2.0) - 0.5 * degrees.ln();
    log.exp()
}

/// The exact two-sided p of `wins` of `trials` fair coins: twice the smaller tail, at most 1.
pub fn binomial_p(wins: u64, trials: u64) -> f64 {
    let fewer = wins.min(trials.saturating_sub(wins));
    if trials == 0 || 2 * fewer >= trials {
        return 1.0;
    }
    // P(X ≤ k) = I½(n − k, k + 1).
    (2.0 * beta_inc((trials - fewer) as f64, fewer as f64 + 1.0, 0.5)).min(1.0)
}
