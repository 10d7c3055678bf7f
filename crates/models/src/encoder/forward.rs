//! What both forms of an encoder compute.

use super::look::{COLOURS, look};
use super::{EncoderConfig, EncoderPart, EncoderScratch, pixel};
use crate::Matrix;
use crate::kernel::{add_scaled, fit, matmul, matmul_add, normalise, repeat, rms_norm, silu};

/// The towers, given their large matrices in whatever form.
pub(super) trait Forward {
    fn config(&self) -> &EncoderConfig;

    /// A matrix that is not one of the large ones below.
    fn part(&self, part: EncoderPart) -> &Matrix;

    /// Adds the first layer of a look.
    fn look(&self, look: &[f32], out: &mut [f32]);

    /// Adds the second layer of the picture tower.
    fn picture_up(&self, x: &[f32], out: &mut [f32]);

    /// Adds a row of the table, so many times.
    fn piece(&self, row: usize, weight: f32, sum: &mut [f32]);

    fn picture(&self, rgb: &[u8], s: &mut EncoderScratch) -> Vec<f32> {
        let side = self.config().side;
        assert_eq!(rgb.len(), side * side * COLOURS, "a picture of another size");
        s.pixels.clear();
        s.pixels.extend(rgb.iter().map(|&value| pixel(value)));
        s.look.clear();
        look(&s.pixels, side, &mut s.look);
        repeat(&self.part(EncoderPart::LookBias).values, 1, &mut s.x);
        self.look(&s.look, &mut s.x);
        silu(&mut s.x);
        repeat(&self.part(EncoderPart::PictureUpBias).values, 1, &mut s.hidden);
        self.picture_up(&s.x, &mut s.hidden);
        silu(&mut s.hidden);
        add_scaled(1.0, &s.hidden, &mut s.x);
        self.told(&s.x, EncoderPart::Picture)
    }

    fn text(&self, pieces: &[(u64, f32)], s: &mut EncoderScratch) -> Vec<f32> {
        let width = self.config().text_width;
        let sum = fit(&mut s.x, width);
        for &(hash, weight) in pieces {
            self.piece(self.config().row_of(hash), weight, sum);
        }
        if sum.iter().all(|&value| value == 0.0) {
            return vec![0.0; self.config().dim];
        }
        let ones = vec![1.0; width];
        rms_norm(&s.x, &ones, fit(&mut s.normed, width));
        repeat(&self.part(EncoderPart::TextUpBias).values, 1, &mut s.hidden);
        matmul_add(&s.normed, self.part(EncoderPart::TextUp), &mut s.hidden);
        silu(&mut s.hidden);
        matmul_add(&s.hidden, self.part(EncoderPart::TextDown), &mut s.normed);
        self.told(&s.normed, EncoderPart::Text)
    }

    fn told(&self, x: &[f32], head: EncoderPart) -> Vec<f32> {
        let mut vector = vec![0.0; self.config().dim];
        matmul(x, self.part(head), &mut vector);
        normalise(&mut vector);
        vector
    }
}
