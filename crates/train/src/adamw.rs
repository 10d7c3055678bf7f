//! AdamW for dense weights, on plain slices: what is trained is exactly what the weights file holds.

use models::Matrix;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;

/// First and second moments of every weight.
pub(crate) struct AdamW {
    pub(crate) first: Vec<Vec<f32>>,
    pub(crate) second: Vec<Vec<f32>>,
    pub(crate) steps: u64,
}

/// How far a step goes.
#[derive(Clone, Copy)]
pub(crate) struct Stride {
    pub(crate) rate: f32,
    /// Pull of dense matrices towards zero, relative to the rate.
    pub(crate) decay: f32,
    /// Longest gradient; longer ones are cut.
    pub(crate) clip_norm: f32,
}

impl AdamW {
    pub(crate) fn new(weights: &[Matrix]) -> AdamW {
        let zeros = || weights.iter().map(|matrix| vec![0.0; matrix.values.len()]).collect();
        AdamW { first: zeros(), second: zeros(), steps: 0 }
    }

    /// One step against `gradients`, a list per matrix.
    pub(crate) fn step(&mut self, weights: &mut [Matrix], gradients: &[Vec<f32>], stride: Stride) {
        let square: f64 = gradients.iter().flatten().map(|value| f64::from(*value).powi(2)).sum();
        let clip = (stride.clip_norm / (square.sqrt() as f32 + 1e-12)).min(1.0);
        self.steps += 1;
        let correct1 = 1.0 - f64::from(BETA1).powf(self.steps as f64) as f32;
        let correct2 = 1.0 - f64::from(BETA2).powf(self.steps as f64) as f32;
        for (i, matrix) in weights.iter_mut().enumerate() {
            // Gains, biases and scales are not pulled to zero.
            let decay = if matrix.rows > 1 { stride.decay } else { 0.0 };
            let moments = self.first[i].iter_mut().zip(&mut self.second[i]);
            for ((value, gradient), (first, second)) in matrix.values.iter_mut().zip(&gradients[i]).zip(moments) {
                let gradient = gradient * clip;
                *first += (1.0 - BETA1) * (gradient - *first);
                *second += (1.0 - BETA2) * (gradient * gradient - *second);
                let step = (*first / correct1) / ((*second / correct2).sqrt() + 1e-8);
                *value -= stride.rate * (step + decay * *value);
            }
        }
    }
}
