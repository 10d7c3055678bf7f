//! Pictures and words in one space.

mod shape;

pub use shape::{COLOURS, EncoderConfig, EncoderPart, MergePart, PlacePart, STAGES, Window};

use crate::file;
use crate::kernel::{add_scaled, fit, matmul, matmul_add, normalise, repeat, rms_norm, silu};
use crate::weights::fresh;
use crate::{Matrix, ModelError};
use domain::Rng;

/// Two towers that bring pictures and words into one space of unit vectors, learned so that a picture lies near its
/// own words (Radford et al., ICML 2021).
///
/// ```text
/// places  = patches · W + b                                             (side / patch)² of them
/// block   : x += silu(near(norm(x)) · W + b) · W                        near: a place and its eight neighbours
/// merge   : four places → one with twice the channels                   between stages
/// picture = normalise(mean(norm(x)) · W)
/// words   = Σ weight · table[piece]                                     pieces: hashed words and runs of letters
/// text    = normalise((x + MLP(x)) · W),  x = words over their root mean square
/// ```
///
/// A version of the space goes with the weights; vectors of two spaces never meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    space: u32,
    config: EncoderConfig,
    names: Vec<String>,
    matrices: Vec<Matrix>,
}

/// Buffers of one encoding, kept between encodings.
#[derive(Clone, Debug, Default)]
pub struct EncoderScratch {
    /// The residual stream, a row a place.
    x: Vec<f32>,
    normed: Vec<f32>,
    seen: Vec<f32>,
    hidden: Vec<f32>,
}

impl Encoder {
    /// Fresh weights.
    ///
    /// # Errors
    /// When the configuration is outside its bounds.
    pub fn untrained(config: EncoderConfig, space: u32, seed: u64) -> Result<Encoder, ModelError> {
        config.check()?;
        let (names, matrices) = fresh(config.shapes(), &mut Rng::new(seed));
        Ok(Encoder { space, config, names, matrices })
    }

    /// The version of its space.
    pub fn space(&self) -> u32 {
        self.space
    }

    /// The same weights under another version.
    #[must_use]
    pub fn with_space(self, space: u32) -> Encoder {
        Encoder { space, ..self }
    }

    /// Its shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The matrices in the order of the list.
    pub fn matrices(&self) -> &[Matrix] {
        &self.matrices
    }

    /// The matrices in the order of the list, to be trained.
    pub fn matrices_mut(&mut self) -> &mut [Matrix] {
        &mut self.matrices
    }

    fn part(&self, part: EncoderPart) -> &Matrix {
        &self.matrices[part as usize]
    }

    /// The vector of a picture: rows of RGB bytes, `side × side` pixels.
    ///
    /// # Panics
    /// When there are not so many bytes.
    pub fn picture(&self, rgb: &[u8], s: &mut EncoderScratch) -> Vec<f32> {
        let config = &self.config;
        assert_eq!(rgb.len(), config.side * config.side * COLOURS, "a picture of another size");
        let pixels: Vec<f32> = rgb.iter().map(|&value| pixel(value)).collect();
        unfold(&pixels, COLOURS, Window::parts(config.side, config.patch), &mut s.seen);
        let places = config.grid_of(0).pow(2);
        repeat(&self.part(EncoderPart::PatchBias).values, places, &mut s.x);
        matmul_add(&s.seen, self.part(EncoderPart::Patch), &mut s.x);
        for stage in 0..STAGES {
            for block in 0..config.blocks {
                self.block(stage, block, s);
            }
            if stage + 1 < STAGES {
                self.merge(stage, s);
            }
        }
        let norm = self.part(EncoderPart::PictureNorm);
        rms_norm(&s.x, &norm.values, fit(&mut s.normed, s.x.len()));
        let places = s.normed.len() / norm.cols;
        let mean = fit(&mut s.hidden, norm.cols);
        s.normed.chunks_exact(norm.cols).for_each(|place| add_scaled(1.0 / places as f32, place, mean));
        self.told(&s.hidden, EncoderPart::Picture)
    }

    /// The vector of words, as pieces: a hash and a weight each. Zeros for no pieces.
    pub fn text(&self, pieces: &[(u64, f32)], s: &mut EncoderScratch) -> Vec<f32> {
        let table = self.part(EncoderPart::Table);
        let sum = fit(&mut s.x, table.cols);
        for &(hash, weight) in pieces {
            add_scaled(weight, table.row(self.config.row_of(hash)), sum);
        }
        let ones = vec![1.0; table.cols];
        rms_norm(&s.x, &ones, fit(&mut s.normed, table.cols));
        repeat(&self.part(EncoderPart::TextUpBias).values, 1, &mut s.hidden);
        matmul_add(&s.normed, self.part(EncoderPart::TextUp), &mut s.hidden);
        silu(&mut s.hidden);
        matmul_add(&s.hidden, self.part(EncoderPart::TextDown), &mut s.normed);
        self.told(&s.normed, EncoderPart::Text)
    }

    fn told(&self, x: &[f32], head: EncoderPart) -> Vec<f32> {
        let mut vector = vec![0.0; self.config.dim];
        matmul(x, self.part(head), &mut vector);
        normalise(&mut vector);
        vector
    }

    fn block(&self, stage: usize, block: usize, s: &mut EncoderScratch) {
        let of = |part| &self.matrices[self.config.place_index(stage, block, part)];
        let norm = of(PlacePart::Norm);
        rms_norm(&s.x, &norm.values, fit(&mut s.normed, s.x.len()));
        unfold(&s.normed, norm.cols, Window::near(self.config.grid_of(stage)), &mut s.seen);
        repeat(&of(PlacePart::NearBias).values, s.x.len() / norm.cols, &mut s.hidden);
        matmul_add(&s.seen, of(PlacePart::Near), &mut s.hidden);
        silu(&mut s.hidden);
        matmul_add(&s.hidden, of(PlacePart::Out), &mut s.x);
    }

    fn merge(&self, stage: usize, s: &mut EncoderScratch) {
        let of = |part| &self.matrices[self.config.merge_index(stage, part)];
        let norm = of(MergePart::Norm);
        rms_norm(&s.x, &norm.values, fit(&mut s.normed, s.x.len()));
        unfold(&s.normed, norm.cols, Window::parts(self.config.grid_of(stage), 2), &mut s.seen);
        repeat(&of(MergePart::Bias).values, self.config.grid_of(stage + 1).pow(2), &mut s.x);
        matmul_add(&s.seen, of(MergePart::Merge), &mut s.x);
    }

    /// The encoder as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tensors: Vec<(String, &Matrix)> = self.names.iter().cloned().zip(&self.matrices).collect();
        file::pack(file::ENCODER, &self.space.to_string(), &self.config, &tensors, &[])
    }

    /// Reads an encoder.
    ///
    /// # Errors
    /// When the bytes are damaged, of another kind or format, or do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Encoder, ModelError> {
        let mut packed = file::unpack::<EncoderConfig>(file::ENCODER, bytes)?;
        packed.config.check()?;
        let space = packed.version.parse().map_err(|_| ModelError::Header("the space is no number".into()))?;
        let (mut names, mut matrices) = (Vec::new(), Vec::new());
        for shape in packed.config.shapes() {
            matrices.push(crate::weights::take(&mut packed.tensors, &shape.name, shape.rows, shape.cols)?);
            names.push(shape.name);
        }
        Ok(Encoder { space, config: packed.config, names, matrices })
    }
}

impl EncoderConfig {
    /// The row of the table where a piece with this hash is.
    pub fn row_of(&self, hash: u64) -> usize {
        (hash % self.table_rows as u64) as usize
    }
}

/// A byte of a pixel as the towers read it.
pub fn pixel(value: u8) -> f32 {
    f32::from(value) / 127.5 - 1.0
}

/// What a window sees at each stop, side by side; zeros outside of the grid.
fn unfold(x: &[f32], cols: usize, window: Window, out: &mut Vec<f32>) {
    out.clear();
    for place in window.seen() {
        match place {
            Some(place) => out.extend_from_slice(&x[place * cols..][..cols]),
            None => out.resize(out.len() + cols, 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> EncoderConfig {
        EncoderConfig {
            dim: 8,
            side: 16,
            patch: 2,
            channels: 8,
            blocks: 1,
            table_rows: 64,
            text_width: 8,
            text_hidden: 8,
        }
    }

    #[test]
    fn windows_see_the_grid() {
        assert_eq!(Window::parts(4, 2).seen().flatten().collect::<Vec<_>>()[..8], [0, 1, 4, 5, 2, 3, 6, 7]);
        let near: Vec<Option<usize>> = Window::near(3).seen().collect();
        assert_eq!(near.len(), 81);
        assert_eq!(near[..9], [None, None, None, None, Some(0), Some(1), None, Some(3), Some(4)]);
        assert!(near[36..45].iter().copied().eq((0..9).map(Some)), "the middle sees all");
    }

    #[test]
    fn vectors_have_unit_length_and_come_back_from_bytes() {
        let encoder = Encoder::untrained(small(), 7, 3).expect("a good shape");
        let mut rng = Rng::new(1);
        let rgb: Vec<u8> = (0..16 * 16 * 3).map(|_| rng.below(256) as u8).collect();
        let mut s = EncoderScratch::default();
        let (picture, text) = (encoder.picture(&rgb, &mut s), encoder.text(&[(5, 1.0), (900, 0.4)], &mut s));
        for vector in [&picture, &text] {
            assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4, "{vector:?}");
        }
        let read = Encoder::from_bytes(&encoder.to_bytes()).expect("its own bytes");
        assert_eq!(read, encoder);
        assert_eq!((read.picture(&rgb, &mut s), read.text(&[(5, 1.0), (900, 0.4)], &mut s)), (picture, text));
        assert_eq!(encoder.text(&[], &mut s), [0.0; 8]);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let good = Encoder::untrained(small(), 7, 3).expect("a good shape").to_bytes();
        let mut rng = Rng::new(5);
        for _ in 0..200 {
            let mut bytes = good.clone();
            let place = rng.below(bytes.len() as u32) as usize;
            bytes[place] ^= 1 << rng.below(8);
            assert!(Encoder::from_bytes(&bytes).is_err(), "byte {place} changed");
            assert!(Encoder::from_bytes(&good[..place]).is_err(), "cut at {place}");
        }
        assert_eq!(Encoder::from_bytes(b"BOWERBM1 and so on"), Err(ModelError::NotAModel));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        for config in [EncoderConfig { side: 20, ..small() }, EncoderConfig { dim: 0, ..small() }] {
            assert!(matches!(Encoder::untrained(config, 1, 1), Err(ModelError::Config(_))));
        }
    }
}
