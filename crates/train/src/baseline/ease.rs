//! EASE: a linear autoencoder with a closed form.

use super::inverse::negated_inverse;
use super::{Rows, best_unknown};
use domain::PinId;

/// Most pins that EASE is computed for: it takes `4 · pins²` bytes, 8 GB at the most.
pub const EASE_PINS_MAX: usize = 45_000;

/// `B = −P / diag(P)` with `P = (XᵀX + λI)⁻¹` and no diagonal (Steck, WWW 2019), exact.
#[derive(Clone, Debug)]
pub struct Ease {
    pins: usize,
    /// `−P`, symmetric.
    negated: Vec<f32>,
}

impl Ease {
    /// Learns from rows of pins among `0..pins` with ridge `lambda`; tells `progress` how many of how many parts are
    /// done. `None` for more than [`EASE_PINS_MAX`] pins, and when `progress` says false.
    pub fn fit(
        train: &[Vec<PinId>],
        pins: usize,
        lambda: f32,
        progress: &dyn Fn(usize, usize) -> bool,
    ) -> Option<Ease> {
        if pins > EASE_PINS_MAX {
            return None;
        }
        let mut matrix = vec![0.0; pins * pins];
        for row in Rows::new(train, pins).iter() {
            for &a in row {
                let together = &mut matrix[a as usize * pins..][..pins];
                row.iter().for_each(|&b| together[b as usize] += 1.0);
            }
        }
        (0..pins).for_each(|pin| matrix[pin * pins + pin] += lambda.max(1e-3));
        negated_inverse(&mut matrix, pins, progress).then_some(Ease { pins, negated: matrix })
    }

    /// The best `k` pins that are not `known`.
    pub fn rank(&self, known: &[PinId], k: usize) -> Vec<PinId> {
        let known_once = Rows::new(&[known.to_vec()], self.pins);
        let mut scores = vec![0.0f32; self.pins];
        for &pin in known_once.row(0) {
            let row = &self.negated[pin as usize * self.pins..][..self.pins];
            scores.iter_mut().zip(row).for_each(|(score, x)| *score += x);
        }
        for (pin, score) in scores.iter_mut().enumerate() {
            *score /= -self.negated[pin * self.pins + pin];
        }
        best_unknown(&scores, known, k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    /// Regresses a pin on the others by coordinate descent: what the closed form is the solution of.
    fn weights_of(target: usize, rows: &[Vec<PinId>], pins: usize, lambda: f64) -> Vec<f64> {
        let holds = |row: &Vec<PinId>, pin: usize| f64::from(u8::from(row.contains(&PinId(pin as u32))));
        let gram = |a: usize, b: usize| rows.iter().map(|row| holds(row, a) * holds(row, b)).sum::<f64>();
        let mut weights = vec![0.0; pins];
        for _ in 0..500 {
            for i in (0..pins).filter(|&i| i != target) {
                let others: f64 = (0..pins).filter(|&j| j != i).map(|j| gram(i, j) * weights[j]).sum();
                weights[i] = (gram(i, target) - others) / (gram(i, i) + lambda);
            }
        }
        weights
    }

    #[test]
    fn it_solves_the_regression_of_each_pin_on_the_others() {
        let (pins, mut rng) = (9, Rng::new(2));
        let row = |rng: &mut Rng| (0..4).map(|_| PinId(rng.below(pins as u32))).collect::<Vec<_>>();
        let rows: Vec<Vec<PinId>> = (0..30).map(|_| row(&mut rng)).collect();
        let model = Ease::fit(&rows, pins, 2.0, &|_, _| true).expect("few pins");
        let expected: Vec<Vec<f64>> = (0..pins).map(|pin| weights_of(pin, &rows, pins, 2.0)).collect();
        for (j, weights) in expected.iter().enumerate() {
            for i in (0..pins).filter(|&i| i != j) {
                let weight = model.negated[i * pins + j] / -model.negated[j * pins + j];
                assert!((f64::from(weight) - weights[i]).abs() < 1e-4, "{i} {j}: {weight} for {}", weights[i]);
            }
        }
        let best = (1..pins).max_by(|&a, &b| expected[a][0].total_cmp(&expected[b][0])).expect("pins");
        assert_eq!(model.rank(&[PinId(0), PinId(500)], 1), [PinId(best as u32)]);
        assert!(Ease::fit(&[], EASE_PINS_MAX + 1, 1.0, &|_, _| true).is_none());
        assert!(Ease::fit(&rows, pins, 2.0, &|_, _| false).is_none(), "it was told to end");
        assert_eq!(Ease::fit(&[], 0, 1.0, &|_, _| true).expect("no pins").rank(&[PinId(0)], 3), []);
    }
}
