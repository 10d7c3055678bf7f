//! Pictures and words in one space.

mod conv;
mod eight;
mod forward;
mod look;
mod shape;

pub use conv::Grid;
pub use eight::ServedEncoder;
pub use forward::centred;
pub use look::{COLOURS, look, look_dim};
pub use shape::{EncoderConfig, EncoderPart, STAGES, StagePart};

use crate::file;
use crate::kernel::{add_scaled, matmul_add};
use crate::weights::fresh;
use crate::{Matrix, ModelError};
use domain::Rng;
use forward::{Forward, Patches};

/// Two towers that bring pictures and words into one space of unit vectors, learned so that a picture lies near its
/// own words (Radford et al., ICML 2021).
///
/// ```text
/// seen    = stem, then three times: half as many pixels a side, twice as many numbers each, plus a block
/// x       = silu(look · W + mean(seen) · W + b)                         look: edges and colours by place
/// picture = normalise((x + silu(x · W + b)) · W)
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
    pixels: Vec<f32>,
    look: Vec<f32>,
    /// The residual stream.
    x: Vec<f32>,
    normed: Vec<f32>,
    hidden: Vec<f32>,
    /// What convolutions saw.
    seen: Vec<f32>,
    patches: Patches,
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

    /// The encoder whose vectors are the first `dim` numbers of these, brought to unit length: training sees to it that
    /// halves and quarters say most of it.
    ///
    /// # Errors
    /// When there are not so many numbers, or too few are left.
    pub fn narrowed(mut self, dim: usize) -> Result<Encoder, ModelError> {
        if dim > self.config.dim {
            return Err(ModelError::Config(format!("dim is {dim}, the encoder has {}", self.config.dim)));
        }
        let config = EncoderConfig { dim, ..self.config };
        config.check()?;
        for part in [EncoderPart::Picture, EncoderPart::Text] {
            let Matrix { rows, cols, values } = &mut self.matrices[part as usize];
            let rows: Vec<&[f32]> = values.chunks_exact(*cols).take(*rows).map(|row| &row[..dim]).collect();
            (*values, *cols) = (rows.concat(), dim);
        }
        Ok(Encoder { config, ..self })
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

    /// The vector of a picture: rows of RGB bytes, `side × side` pixels.
    ///
    /// # Panics
    /// When there are not so many bytes.
    pub fn picture(&self, rgb: &[u8], s: &mut EncoderScratch) -> Vec<f32> {
        Forward::picture(self, rgb, s)
    }

    /// The vector of words, as pieces: a hash and a weight each. Zeros where nothing is known of any piece.
    pub fn text(&self, pieces: &[(u64, f32)], s: &mut EncoderScratch) -> Vec<f32> {
        Forward::text(self, pieces, s)
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

impl Forward for Encoder {
    fn config(&self) -> &EncoderConfig {
        &self.config
    }

    fn part(&self, part: EncoderPart) -> &Matrix {
        &self.matrices[part as usize]
    }

    fn look(&self, look: &[f32], out: &mut [f32]) {
        matmul_add(look, self.part(EncoderPart::Look), out);
    }

    fn picture_up(&self, x: &[f32], out: &mut [f32]) {
        matmul_add(x, self.part(EncoderPart::PictureUp), out);
    }

    fn convolve(&self, matrix: usize, grid: Grid, x: &[f32], patches: &mut Patches, out: &mut [f32]) {
        patches.wide.clear();
        grid.patches(x, &mut patches.wide);
        matmul_add(&patches.wide, &self.matrices[matrix], out);
    }

    fn bias(&self, stage: usize, part: StagePart) -> &Matrix {
        &self.matrices[EncoderConfig::stage(stage, part)]
    }

    fn piece(&self, row: usize, weight: f32, sum: &mut [f32]) {
        add_scaled(weight, self.part(EncoderPart::Table).row(row), sum);
    }
}

/// A byte of a pixel as [`look`] reads it, 0 to 1.
pub fn pixel(value: u8) -> f32 {
    f32::from(value) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> EncoderConfig {
        EncoderConfig {
            dim: 8,
            side: 24,
            picture_hidden: 12,
            channels: 4,
            table_rows: 64,
            text_width: 8,
            text_hidden: 8,
        }
    }

    #[test]
    fn vectors_have_unit_length_and_come_back_from_bytes() {
        let encoder = Encoder::untrained(small(), 7, 3).expect("a good shape");
        let mut rng = Rng::new(1);
        let rgb: Vec<u8> = (0..24 * 24 * 3).map(|_| rng.below(256) as u8).collect();
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
    fn a_narrowed_encoder_gives_the_first_numbers() {
        let encoder = Encoder::untrained(EncoderConfig { dim: 16, ..small() }, 7, 3).expect("a good shape");
        let mut s = EncoderScratch::default();
        let (rgb, words) = (vec![90; 24 * 24 * 3], [(5, 1.0), (900, 0.4)]);
        let whole = [encoder.picture(&rgb, &mut s), encoder.text(&words, &mut s)];
        let narrow = encoder.clone().narrowed(8).expect("half of them");
        for (narrow, whole) in [narrow.picture(&rgb, &mut s), narrow.text(&words, &mut s)].iter().zip(whole) {
            let length = whole[..8].iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!(narrow.len() == 8 && narrow.iter().zip(&whole).all(|(n, w)| (n - w / length).abs() < 1e-5));
        }
        assert_eq!(Encoder::from_bytes(&narrow.to_bytes()).as_ref(), Ok(&narrow));
        assert!(encoder.clone().narrowed(17).is_err() && encoder.narrowed(4).is_err());
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
