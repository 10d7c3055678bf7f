//! AdamW for the dense weights, on plain slices: what is trained is exactly what the weights file holds.

use models::Weights;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;

/// First and second moments per weight.
#[derive(Clone)]
pub(crate) struct AdamW {
    pub(crate) first: Vec<Vec<f32>>,
    pub(crate) second: Vec<Vec<f32>>,
    pub(crate) steps: u64,
}

impl AdamW {
    pub(crate) fn new(weights: &Weights) -> AdamW {
        let zeros = || weights.matrices().iter().map(|matrix| vec![0.0; matrix.values.len()]).collect();
        AdamW { first: zeros(), second: zeros(), steps: 0 }
    }

    /// One step; the gradient is clipped to `clip_norm` over all weights.
    pub(crate) fn step(
        &mut self,
        weights: &mut Weights,
        gradients: &[Vec<f32>],
        rate: f32,
        decay: f32,
        clip_norm: f32,
    ) {
        let square: f64 = gradients.iter().flatten().map(|value| f64::from(*value).powi(2)).sum();
        let clip = (clip_norm / (square.sqrt() as f32 + 1e-12)).min(1.0);
        self.steps += 1;
        let correct1 = 1.0 - BETA1.powi(self.steps as i32);
        let correct2 = 1.0 - BETA2.powi(self.steps as i32);
        for (i, matrix) in weights.matrices_mut().iter_mut().enumerate() {
            // Gains, biases and tables of facts are not pulled to zero.
            let decay = if matrix.rows > 1 { decay } else { 0.0 };
            let moments = self.first[i].iter_mut().zip(&mut self.second[i]);
            for ((value, gradient), (first, second)) in matrix.values.iter_mut().zip(&gradients[i]).zip(moments) {
                let gradient = gradient * clip;
                *first = BETA1 * *first + (1.0 - BETA1) * gradient;
                *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
                let step = (*first / correct1) / ((*second / correct2).sqrt() + 1e-8);
                *value -= rate * (step + decay * *value);
            }
        }
    }
}
