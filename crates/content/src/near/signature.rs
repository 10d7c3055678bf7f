//! What is kept of a picture to know it again.

use super::frame::Frame;
use crate::{ContentError, Picture};

/// Side of the grid of lumas (cells).
pub(super) const LUMA_SIDE: usize = 20;
/// Side of the two grids of chroma (cells).
pub(super) const CHROMA_SIDE: usize = 8;
pub(super) const LUMAS: usize = LUMA_SIDE * LUMA_SIDE;
pub(super) const CHROMAS: usize = CHROMA_SIDE * CHROMA_SIDE;

/// Bits that a cell's luma and a cell's chroma take.
const BITS: usize = 5;
/// Cells are whole steps from −15 to 15.
const STEPS_MAX: f32 = 15.0;
/// Steps of luma in one standard deviation of the picture's lumas.
pub(super) const LUMA_STEPS: f32 = 5.0;
/// Chroma at the last step. Steps are of its root, so that greys are told apart better than what is garish anyway.
const CHROMA_MAX: f32 = 128.0;
/// Steps of aspect when it doubles.
const ASPECT_STEPS: f32 = 1_000.0;
/// Standard deviation of lumas (0 to 255) below which a picture counts as blank: what is left is noise.
const BLANK_DEVIATION: f32 = 2.5;

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = HEAD_BYTES + ((LUMAS + 2 * CHROMAS) * BITS).div_ceil(8);
/// Mean, standard deviation, aspect.
const HEAD_BYTES: usize = 4;

/// What is kept of a picture to know it again: coarse grids of luma and chroma of what lies inside its uniform borders,
/// how light and how rich in contrast it is, and its aspect. Luma is relative to the picture's own mean and contrast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    packed: [u8; SIGNATURE_BYTES],
}

impl Signature {
    /// The signature of a picture.
    pub fn of(picture: &Picture) -> Signature {
        let frame = Frame::new(picture);
        let lumas = frame.cells(LUMA_SIDE);
        let mean = lumas.iter().map(|cell| cell[0]).sum::<f32>() / LUMAS as f32;
        let deviation = (lumas.iter().map(|cell| (cell[0] - mean).powi(2)).sum::<f32>() / LUMAS as f32).sqrt();
        let scale = if deviation < BLANK_DEVIATION { 0.0 } else { LUMA_STEPS / deviation };
        let aspect = (frame.aspect().log2() * ASPECT_STEPS).round() as i16;
        let mut packed = [0; SIGNATURE_BYTES];
        packed[0] = mean.round() as u8;
        packed[1] = (deviation * 2.0).round() as u8;
        packed[2..HEAD_BYTES].copy_from_slice(&aspect.to_le_bytes());
        let chromas = frame.cells(CHROMA_SIDE);
        let cells = lumas.iter().map(|cell| (cell[0] - mean) * scale);
        let cells = cells.chain(chromas.iter().flat_map(|cell| [chroma_step(cell[1]), chroma_step(cell[2])]));
        for (number, cell) in cells.enumerate() {
            put(&mut packed[HEAD_BYTES..], number, (cell.round().clamp(-STEPS_MAX, STEPS_MAX) + STEPS_MAX) as u16);
        }
        Signature { packed }
    }

    /// The signature as bytes.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        self.packed
    }

    /// The signature that was written as bytes; an error when they are of another length or say what no picture says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Signature, ContentError> {
        let packed = bytes.try_into().ok();
        let signature = packed.map(|packed| Signature { packed }).filter(|signature| {
            (0..LUMAS + 2 * CHROMAS).all(|number| f32::from(signature.cell(number)).abs() <= STEPS_MAX)
        });
        signature.ok_or_else(|| ContentError::Damaged {
            what: "signature of a picture",
            reason: "another length".to_owned(),
        })
    }

    fn cell(&self, number: usize) -> i8 {
        take(&self.packed[HEAD_BYTES..], number) as i8 - STEPS_MAX as i8
    }

    /// The grids as numbers.
    pub(super) fn grids(&self) -> Grids {
        let [mean, deviation, low, high, ..] = self.packed;
        let mut grids = Grids {
            luma: [0.0; LUMAS],
            chroma: [[0.0; CHROMAS]; 2],
            mean: f32::from(mean),
            deviation: f32::from(deviation) / 2.0,
            aspect: (f32::from(i16::from_le_bytes([low, high])) / ASPECT_STEPS).exp2(),
        };
        for (number, luma) in grids.luma.iter_mut().enumerate() {
            *luma = f32::from(self.cell(number)) / LUMA_STEPS;
        }
        for i in 0..2 * CHROMAS {
            let step = f32::from(self.cell(LUMAS + i)) / STEPS_MAX;
            grids.chroma[i % 2][i / 2] = step * step.abs() * CHROMA_MAX;
        }
        grids
    }
}

/// A signature's grids, row by row.
#[derive(Clone, Debug)]
pub(super) struct Grids {
    /// In standard deviations from the mean.
    pub(super) luma: [f32; LUMAS],
    /// Blue and red difference, −128 to 128.
    pub(super) chroma: [[f32; CHROMAS]; 2],
    /// Mean of the lumas (0 to 255).
    pub(super) mean: f32,
    /// Their standard deviation.
    pub(super) deviation: f32,
    /// Width by height of what was kept, in pixels of the picture.
    pub(super) aspect: f32,
}

impl Grids {
    /// Those of the mirrored picture.
    pub(super) fn mirrored(&self) -> Grids {
        let mut mirrored = self.clone();
        mirrored.luma.chunks_exact_mut(LUMA_SIDE).for_each(<[f32]>::reverse);
        mirrored.chroma.iter_mut().for_each(|grid| grid.chunks_exact_mut(CHROMA_SIDE).for_each(<[f32]>::reverse));
        mirrored
    }

    /// Lumas of 0 to 255.
    pub(super) fn lumas(&self) -> [f32; LUMAS] {
        self.luma.map(|luma| self.mean + luma * self.deviation)
    }

    /// Whether luma says nothing.
    pub(super) fn is_blank(&self) -> bool {
        self.deviation < BLANK_DEVIATION
    }
}

fn chroma_step(chroma: f32) -> f32 {
    chroma.signum() * (chroma.abs() / CHROMA_MAX).sqrt() * STEPS_MAX
}

/// Writes field `number` of [`BITS`] bits.
fn put(bytes: &mut [u8], number: usize, value: u16) {
    let (byte, shift) = (number * BITS / 8, number * BITS % 8);
    let [low, high] = (value << shift).to_le_bytes();
    bytes[byte] |= low;
    if let Some(next) = bytes.get_mut(byte + 1) {
        *next |= high;
    }
}

/// Reads field `number` of [`BITS`] bits.
fn take(bytes: &[u8], number: usize) -> u16 {
    let (byte, shift) = (number * BITS / 8, number * BITS % 8);
    let pair = [bytes[byte], bytes.get(byte + 1).copied().unwrap_or(0)];
    u16::from_le_bytes(pair) >> shift & ((1 << BITS) - 1)
}
