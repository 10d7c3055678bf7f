//! Losses that beginnings of vectors answer for, too, so that the first numbers of one are a vector of their own
//! (Kusupati et al., NeurIPS 2022).

use crate::softmax::Loss;

/// The loss of `users` against `pins` over all `dim` numbers and, times `weight`, over the first half and the first
/// quarter of them; `loss` computes it for unit vectors of a width.
pub(crate) fn nested(
    [users, pins]: [&[f32]; 2],
    dim: usize,
    weight: f32,
    loss: impl Fn(&[f32], &[f32], usize) -> Loss<Vec<f32>>,
) -> Loss<Vec<f32>> {
    let mut whole = loss(users, pins, dim);
    for width in [dim / 2, dim / 4].into_iter().filter(|width| weight > 0.0 && *width > 0) {
        let [from_users, from_pins] = [users, pins].map(|vectors| Beginnings::of(vectors, dim, width));
        let part = loss(&from_users.units, &from_pins.units, width).times(weight);
        whole.mean += part.mean;
        whole.d_scale += part.d_scale;
        from_users.back(&part.d_users, dim, &mut whole.d_users);
        from_pins.back(&part.d_pins, dim, &mut whole.d_pins);
    }
    whole
}

/// The first numbers of vectors, brought to unit length.
struct Beginnings {
    width: usize,
    units: Vec<f32>,
    lengths: Vec<f32>,
}

impl Beginnings {
    fn of(vectors: &[f32], dim: usize, width: usize) -> Beginnings {
        let firsts = vectors.chunks_exact(dim).map(|vector| &vector[..width]);
        let lengths: Vec<f32> =
            firsts.clone().map(|first| first.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6)).collect();
        let units = firsts.zip(&lengths).flat_map(|(first, length)| first.iter().map(move |v| v / length)).collect();
        Beginnings { width, units, lengths }
    }

    /// Adds the gradient of whole vectors, given that of the units.
    fn back(&self, units: &[f32], dim: usize, sum: &mut [f32]) {
        let rows = units.chunks_exact(self.width).zip(self.units.chunks_exact(self.width));
        for ((sum, (gradient, unit)), length) in sum.chunks_exact_mut(dim).zip(rows).zip(&self.lengths) {
            let along: f32 = gradient.iter().zip(unit).map(|(g, u)| g * u).sum();
            for ((sum, gradient), unit) in sum.iter_mut().zip(gradient).zip(unit) {
                *sum += (gradient - along * unit) / length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::softmax::{self, Answers, Scored};
    use domain::Rng;

    #[test]
    fn the_gradient_is_that_of_differences() {
        let (dim, rows, mut rng) = (8, 5, Rng::new(3));
        let mut some = || (0..rows * dim).map(|_| rng.normal()).collect::<Vec<f32>>();
        let (users, pins) = (some(), some());
        let answers = Answers {
            targets: (0..rows as u32).map(|row| vec![(row, 1.0)]).collect(),
            positives: (0..rows as u32).map(|row| vec![row]).collect(),
        };
        let loss = |users: &[f32], pins: &[f32]| {
            nested([users, pins], dim, 0.7, |users, pins, dim| {
                let log_chance = &[0.0; 5];
                softmax::loss(users, pins, &Scored { dim, log_chance, answers: &answers, scale: 1.5, shards: 2 })
            })
        };
        let told = loss(&users, &pins);
        for at in 0..rows * dim {
            let moved = |by: f32, of: &[f32]| {
                let mut moved = of.to_vec();
                moved[at] += by;
                moved
            };
            let slope = |up: f64, down: f64| ((up - down) / 2e-3) as f32;
            let by_user = slope(loss(&moved(1e-3, &users), &pins).mean, loss(&moved(-1e-3, &users), &pins).mean);
            let by_pin = slope(loss(&users, &moved(1e-3, &pins)).mean, loss(&users, &moved(-1e-3, &pins)).mean);
            assert!((by_user - told.d_users[at]).abs() < 3e-3, "{at}: {by_user} {}", told.d_users[at]);
            assert!((by_pin - told.d_pins[at]).abs() < 3e-3, "{at}: {by_pin} {}", told.d_pins[at]);
        }
    }
}
