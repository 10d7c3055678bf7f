//! What pictures look like, brought to one scale: numbers that hardly vary among a catalogue's pictures say as much
//! where they do as those that always vary.

use models::{COLOURS, Encoder, EncoderPart, look, look_dim, pixel};
use rayon::prelude::*;

use super::EncoderData;

/// Pictures that the scale is taken from.
const PICTURES_MAX: usize = 4_096;
/// What counts as a spread at least, so that noise is not blown up.
const SPREAD_MIN: f32 = 0.05;

/// Mean and spread (standard deviation) of each number of a look, over a catalogue.
pub(crate) struct Looks {
    mean: Vec<f32>,
    spread: Vec<f32>,
}

impl Looks {
    /// The scale of these pictures; none at all where there are none.
    pub(crate) fn of(data: &EncoderData, side: usize) -> Looks {
        let pictures = data.pixels.len() / (side * side * COLOURS);
        let step = pictures.div_ceil(PICTURES_MAX).max(1);
        let told = |picture: usize| {
            let pixels: Vec<f32> = data.picture(picture, side).iter().map(|&value| pixel(value)).collect();
            let mut told = Vec::with_capacity(look_dim(side));
            look(&pixels, side, &mut told);
            told
        };
        let looks: Vec<Vec<f32>> = (0..pictures).into_par_iter().step_by(step).map(told).collect();
        let count = looks.len().max(1) as f64;
        let moments = |at: usize| {
            let sum = |power| looks.iter().map(|look| f64::from(look[at]).powi(power)).sum::<f64>() / count;
            (sum(1), sum(2))
        };
        let scale = |at: usize| {
            let (mean, square) = moments(at);
            (mean as f32, (square - mean * mean).max(0.0).sqrt() as f32 + SPREAD_MIN)
        };
        let (mean, spread) = (0..look_dim(side)).into_par_iter().map(scale).unzip();
        Looks { mean, spread }
    }

    /// Looks, one after the other, in units of the spread around the mean.
    pub(crate) fn scale(&self, looks: &mut [f32]) {
        for look in looks.chunks_exact_mut(self.mean.len()) {
            for ((value, mean), spread) in look.iter_mut().zip(&self.mean).zip(&self.spread) {
                *value = (*value - mean) / spread;
            }
        }
    }

    /// The same encoder for looks as they are: weights of a scaled look become those of the look itself.
    pub(crate) fn fold(&self, mut encoder: Encoder) -> Encoder {
        let (weights, bias) = encoder.matrices_mut().split_at_mut(EncoderPart::LookBias as usize);
        let (weights, bias) = (&mut weights[EncoderPart::Look as usize], &mut bias[0].values);
        for ((row, mean), spread) in weights.values.chunks_exact_mut(weights.cols).zip(&self.mean).zip(&self.spread) {
            for (weight, bias) in row.iter_mut().zip(bias.iter_mut()) {
                *weight /= spread;
                *bias -= mean * *weight;
            }
        }
        encoder
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;
    use models::{EncoderConfig, EncoderScratch};

    #[test]
    fn a_folded_encoder_sees_scaled_looks() {
        let shape = EncoderConfig {
            dim: 8,
            side: 24,
            picture_hidden: 12,
            channels: 3,
            table_rows: 64,
            text_width: 8,
            text_hidden: 8,
        };
        let mut rng = Rng::new(2);
        let pixels: Vec<u8> = (0..40 * 24 * 24 * 3).map(|at| (at % 97 + rng.below(90) as usize) as u8).collect();
        let data = EncoderData { pixels, ..EncoderData::default() };
        let looks = Looks::of(&data, 24);
        let mut told = Vec::new();
        for picture in 0..40 {
            let pixels: Vec<f32> = data.picture(picture, 24).iter().map(|&value| pixel(value)).collect();
            look(&pixels, 24, &mut told);
        }
        looks.scale(&mut told);
        let dim = look_dim(24);
        for at in 0..dim {
            let values: Vec<f32> = told.chunks_exact(dim).map(|look| look[at]).collect();
            let mean = values.iter().sum::<f32>() / 40.0;
            let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 40.0).sqrt();
            assert!(mean.abs() < 1e-3 && spread < 1.001, "{at}: {mean} {spread}");
        }
        // A first layer that passes the scaled numbers 0 to 11 on, as far as they go.
        let mut encoder = Encoder::untrained(shape, 1, 3).expect("a good shape");
        encoder.matrices_mut()[0].values.fill(0.0);
        (0..12).for_each(|at| encoder.matrices_mut()[0].values[at * 12 + at] = 1.0);
        let folded = looks.fold(encoder);
        let (weights, bias) = (&folded.matrices()[0], &folded.matrices()[1].values);
        let mut plain = Vec::new();
        let pixels: Vec<f32> = data.picture(5, 24).iter().map(|&value| pixel(value)).collect();
        look(&pixels, 24, &mut plain);
        for at in 0..12 {
            let passed = plain.iter().enumerate().map(|(row, value)| value * weights.row(row)[at]).sum::<f32>();
            assert!((passed + bias[at] - told[5 * dim + at]).abs() < 1e-3, "{at}");
        }
        assert!(folded.picture(data.picture(5, 24), &mut EncoderScratch::default()).iter().all(|v| v.is_finite()));
    }
}
