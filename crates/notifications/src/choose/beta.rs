//! Draws of a chance that is only partly known.

use domain::Rng;

fn uniform(rng: &mut Rng) -> f64 {
    // Never 0, so that its logarithm is a number.
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Gamma with shape `shape` (Marsaglia and Tsang, 2000).
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, rng) * uniform(rng).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    // One of 20 tries is in vain at most; a hundred in a row are none that anybody will see.
    for _ in 0..100 {
        let normal = f64::from(rng.normal());
        let v = (1.0 + c * normal).powi(3);
        if v > 0.0 && uniform(rng).ln() < 0.5 * normal * normal + d - d * v + d * v.ln() {
            return d * v;
        }
    }
    d
}

/// A draw of Beta(`yes`, `no`), both above 0.
pub(super) fn beta(yes: f64, no: f64, rng: &mut Rng) -> f64 {
    let (a, b) = (gamma(yes, rng), gamma(no, rng));
    if a + b > 0.0 { a / (a + b) } else { yes / (yes + no) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_are_those_of_the_distribution() {
        let mut rng = Rng::new(4);
        for (yes, no) in [(0.3, 0.7), (1.0, 1.0), (2.0, 38.0), (50.0, 20.0)] {
            let draws: Vec<f64> = (0..40_000).map(|_| beta(yes, no, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
            let (sum, true_mean) = (yes + no, yes / (yes + no));
            assert!((mean - true_mean).abs() < 0.006, "{mean} is not {true_mean}");
            let wanted = yes * no / (sum * sum * (sum + 1.0));
            assert!((variance / wanted - 1.0).abs() < 0.05, "{variance} is not {wanted}");
        }
    }
}
