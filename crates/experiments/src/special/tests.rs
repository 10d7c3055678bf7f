//! Against values that were computed with 40 digits.

use super::*;

fn near(name: &str, found: f64, expected: f64) {
    let wrong = (found - expected).abs() / expected.abs().max(1.0);
    assert!(wrong < 1e-10, "{name}: {found:e}, not {expected:e}");
    // Small values keep their digits, too.
    assert!((found / expected - 1.0).abs() < 1e-9, "{name}: {found:e}, not {expected:e}");
}

#[test]
fn gamma_functions_have_ten_digits() {
    let logarithms = [
        (0.001, 6.907178885383853),
        (0.5, 0.5723649429247001),
        (1.5, -0.12078223763524522),
        (3.7, 1.4280723266653879),
        (12.25, 18.115669505710894),
        (100.0, 359.1342053695754),
        (12345.5, 103958.24296512322),
    ];
    logarithms.iter().for_each(|&(x, expected)| near("ln_gamma", ln_gamma(x), expected));
    let upper = [
        (0.5, 0.1, 0.654720846018577),
        (0.5, 3.2, 0.011412036386001655),
        (2.5, 2.5, 0.41588018699550794),
        (10.0, 20.0, 0.004995412308307587),
        (50.0, 40.0, 0.9296649333406051),
        (1000.0, 1050.0, 0.05867111137731808),
        (5000.0, 5200.0, 0.002584813495353809),
    ];
    for (a, x, expected) in upper {
        near("gamma_q", gamma_q(a, x), expected);
        near("gamma_p", gamma_p(a, x), 1.0 - expected);
    }
    near("chi-square of one", chi_square_p(3.841458820694124, 1.0), 0.05);
    near("chi-square of one", chi_square_p(10.827566170662733, 1.0), 0.001);
    near("chi-square of five", chi_square_p(30.0, 5.0), 1.4748581038443052e-05);
}

#[test]
fn normal_functions_have_ten_digits() {
    for (x, expected) in [(0.1, 0.11246291601828488), (0.5, 0.5204998778130465), (3.5, 0.9999992569016276)] {
        near("erf", erf(x), expected);
        near("erf", erf(-x), -expected);
    }
    let complements = [
        (0.5, 0.4795001221869535),
        (2.0, 0.004677734981047266),
        (5.0, 1.537459794428035e-12),
        (10.0, 2.088487583762545e-45),
    ];
    complements.iter().for_each(|&(x, expected)| near("erfc", erfc(x), expected));
    let chances = [
        (-8.0, 6.220960574271784e-16),
        (-3.0, 0.0013498980316300946),
        (0.25, 0.5987063256829237),
        (1.96, 0.9750021048517795),
    ];
    chances.iter().for_each(|&(x, expected)| near("normal_cdf", normal_cdf(x), expected));
    let quantiles = [
        (1e-7, -5.1993375821928165),
        (0.001, -3.0902323061678136),
        (0.3, -0.5244005127080408),
        (0.8, 0.8416212335729142),
        (0.975, 1.9599639845400543),
        (0.9999, 3.7190164854556804),
    ];
    quantiles.iter().for_each(|&(p, expected)| near("normal_quantile", normal_quantile(p), expected));
    assert!(normal_quantile(0.5).abs() < 1e-15 && normal_quantile(0.0) == f64::NEG_INFINITY);
    assert!(normal_quantile(1.5).is_nan() && normal_quantile(1e-300) < -37.0);
}

#[test]
fn beta_student_and_binomial_have_ten_digits() {
    let parts = [
        (0.5, 0.5, 0.3, 0.36901011956554536),
        (2.0, 3.0, 0.4, 0.5248),
        (10.0, 0.5, 0.9, 0.15164090963470991),
        (50.0, 60.0, 0.5, 0.8309072939016694),
        (300.0, 200.0, 0.61, 0.6741626935263776),
    ];
    parts.iter().for_each(|&(a, b, x, expected)| near("beta_inc", beta_inc(a, b, x), expected));
    let chances = [
        (-12.7, 1.0, 0.02501216384467208),
        (-2.0, 5.0, 0.05096973941492918),
        (0.3, 10.0, 0.6148396962171007),
        (-1.0, 20_000.0, 0.15866130312395355),
        (-5.0, 123_456.0, 2.870431686242831e-7),
        (-1.96, 8e7, 0.024997896881274958),
        (-2.5, 1e9, 0.006209665405201247),
        (1.96, 1000.0, 0.9748634075221256),
    ];
    chances.iter().for_each(|&(t, v, expected)| near("student_t_cdf", student_t_cdf(t, v), expected));
    let quantiles = [
        (0.975, 1.0, 12.706204736174705),
        (0.975, 5.0, 2.5705818356363155),
        (0.975, 30.0, 2.042272456301238),
        (1e-9, 1.0, -318309886.1837907),
        (0.0005, 12.0, -4.3177912836061845),
    ];
    quantiles.iter().for_each(|&(p, v, expected)| near("student_t_quantile", student_t_quantile(p, v), expected));
    near("beta_inc", beta_inc(0.5, 1000.0, 0.002), 0.9545807714930365);
    near("binomial", binomial_p(40, 100), 0.05688793364098079);
    near("binomial", binomial_p(6, 7), 0.125);
    assert_eq!([binomial_p(0, 0), binomial_p(5, 10), binomial_p(5, 9)], [1.0; 3]);
}

#[test]
fn outside_of_their_range_they_say_nothing() {
    let nothing = [ln_gamma(-1.0), gamma_p(0.0, 1.0), gamma_q(1.0, -1.0), beta_inc(1.0, 1.0, 2.0)];
    assert!(nothing.iter().chain(&[student_t_cdf(1.0, 0.0), student_t_quantile(2.0, 3.0)]).all(|value| value.is_nan()));
    assert_eq!([gamma_q(2.0, f64::INFINITY), student_t_cdf(f64::NEG_INFINITY, 3.0)], [0.0; 2]);
}
