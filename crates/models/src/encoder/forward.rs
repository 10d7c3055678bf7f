//! What both forms of an encoder compute.

use super::conv::Grid;
use super::look::{COLOURS, look};
use super::{EncoderConfig, EncoderPart, EncoderScratch, StagePart, pixel};
use crate::Matrix;
use crate::kernel::{add_scaled, fit, matmul, matmul_add, normalise, repeat, rms_norm, silu};

/// Buffers of convolutions.
#[derive(Clone, Debug, Default)]
pub(super) struct Patches {
    pub(super) wide: Vec<f32>,
    pub(super) small: Vec<i8>,
    pub(super) eight: Vec<i8>,
    inner: Vec<f32>,
}

/// The towers, given their large matrices in whatever form.
pub(super) trait Forward {
    fn config(&self) -> &EncoderConfig;

    /// A matrix that is not one of the large ones below.
    fn part(&self, part: EncoderPart) -> &Matrix;

    /// Adds the first layer of a look.
    fn look(&self, look: &[f32], out: &mut [f32]);

    /// Adds the second layer of the picture tower.
    fn picture_up(&self, x: &[f32], out: &mut [f32]);

    /// Adds what a convolution with this matrix of the list makes of a picture.
    fn convolve(&self, matrix: usize, grid: Grid, x: &[f32], patches: &mut Patches, out: &mut [f32]);

    /// A matrix of the stages that is no convolution.
    fn bias(&self, stage: usize, part: StagePart) -> &Matrix;

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
        self.see(s);
        matmul_add(&s.seen, self.part(EncoderPart::Seen), &mut s.x);
        silu(&mut s.x);
        repeat(&self.part(EncoderPart::PictureUpBias).values, 1, &mut s.hidden);
        self.picture_up(&s.x, &mut s.hidden);
        silu(&mut s.hidden);
        add_scaled(1.0, &s.hidden, &mut s.x);
        self.told(&s.x, EncoderPart::Picture)
    }

    /// What convolutions see in a picture: means over all pixels of what the last stage makes of it.
    fn see(&self, s: &mut EncoderScratch) {
        s.pixels.iter_mut().for_each(|value| *value = centred(*value));
        let (stem, mut x) = (self.config().stem(), std::mem::take(&mut s.seen));
        repeat(&self.part(EncoderPart::StemBias).values, stem.side_after().pow(2), &mut x);
        self.convolve(EncoderPart::Stem as usize, stem, &s.pixels, &mut s.patches, &mut x);
        silu(&mut x);
        for (stage, grid) in self.config().stages().into_iter().enumerate() {
            x = self.stage(stage, grid, &x, &mut s.patches);
        }
        let wide = self.config().channels << super::shape::STAGES;
        let mut sum = vec![0.0; wide];
        x.chunks_exact(wide).for_each(|pixel| add_scaled(1.0, pixel, &mut sum));
        rms_norm(&sum, &vec![1.0; wide], fit(&mut s.seen, wide));
    }

    fn stage(&self, stage: usize, grid: Grid, x: &[f32], patches: &mut Patches) -> Vec<f32> {
        let matrix = |part| EncoderConfig::stage(stage, part);
        let half = Grid { side: grid.side_after(), channels: 2 * grid.channels, stride: 1 };
        let pixels = half.side.pow(2);
        let (mut inner, mut out) = (std::mem::take(&mut patches.inner), Vec::new());
        repeat(&self.bias(stage, StagePart::DownBias).values, pixels, &mut out);
        self.convolve(matrix(StagePart::Down), grid, x, patches, &mut out);
        silu(&mut out);
        repeat(&self.bias(stage, StagePart::InnerBias).values, pixels, &mut inner);
        self.convolve(matrix(StagePart::Inner), half, &out, patches, &mut inner);
        silu(&mut inner);
        self.convolve(matrix(StagePart::Outer), half, &inner, patches, &mut out);
        patches.inner = inner;
        out
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

/// An amount of a colour as convolutions read it: about as often below 0 as above.
pub fn centred(value: f32) -> f32 {
    3.0 * (value - 0.5)
}
