//! An encoder as it serves: its large matrices in 8-bit numbers, a quarter of the memory that is read for a picture.

use super::conv::Grid;
use super::forward::{Forward, Patches};
use super::shape::STAGES;
use super::{Encoder, EncoderConfig, EncoderPart, EncoderScratch, StagePart};
use crate::Matrix;
use std::collections::BTreeMap;

/// Largest 8-bit number that is used, so that negation stays inside.
const MOST: f32 = 127.0;

/// An [`Encoder`] with its table and the picture tower in 8-bit numbers, each with the scale of its column (of its row
/// in the table). What goes through the picture tower is brought to 8 bits by its own largest number; sums are whole.
#[derive(Clone, Debug)]
pub struct ServedEncoder {
    /// Without the values of what is in 8 bits.
    rest: Encoder,
    look: Columns,
    picture_up: Columns,
    /// By their place in the list.
    convolutions: BTreeMap<usize, Columns>,
    table: Rows,
}

/// A matrix `[rows, cols]`, column after column.
#[derive(Clone, Debug)]
struct Columns {
    rows: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

/// A matrix, row after row.
#[derive(Clone, Debug)]
struct Rows {
    cols: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl ServedEncoder {
    /// The same encoder, to be served.
    pub fn of(mut encoder: Encoder) -> ServedEncoder {
        let [look, picture_up] =
            [EncoderPart::Look, EncoderPart::PictureUp].map(|part| Columns::of(&encoder.matrices[part as usize]));
        let of_stage =
            |stage| [StagePart::Down, StagePart::Inner, StagePart::Outer].map(|part| EncoderConfig::stage(stage, part));
        let convolved = (0..STAGES).flat_map(of_stage).chain([EncoderPart::Stem as usize]);
        let convolutions: BTreeMap<usize, Columns> =
            convolved.map(|matrix| (matrix, Columns::of(&encoder.matrices[matrix]))).collect();
        let table = Rows::of(&encoder.matrices[EncoderPart::Table as usize]);
        let others = [EncoderPart::Look, EncoderPart::PictureUp, EncoderPart::Table].map(|part| part as usize);
        for matrix in convolutions.keys().chain(&others) {
            encoder.matrices[*matrix].values = Vec::new();
        }
        ServedEncoder { rest: encoder, look, picture_up, convolutions, table }
    }

    /// The version of its space.
    pub fn space(&self) -> u32 {
        self.rest.space
    }

    /// Its shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.rest.config
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
}

impl Forward for ServedEncoder {
    fn config(&self) -> &EncoderConfig {
        &self.rest.config
    }

    fn part(&self, part: EncoderPart) -> &Matrix {
        &self.rest.matrices[part as usize]
    }

    fn look(&self, look: &[f32], out: &mut [f32]) {
        self.look.add(look, out);
    }

    fn picture_up(&self, x: &[f32], out: &mut [f32]) {
        self.picture_up.add(x, out);
    }

    fn convolve(&self, matrix: usize, grid: Grid, x: &[f32], patches: &mut Patches, out: &mut [f32]) {
        let columns = &self.convolutions[&matrix];
        patches.small.clear();
        let scale = eight(x, &mut patches.small);
        patches.eight.clear();
        grid.patches(&patches.small, &mut patches.eight);
        let rows = patches.eight.chunks_exact(columns.rows).zip(out.chunks_exact_mut(columns.scales.len()));
        rows.for_each(|(patch, out)| columns.add_products(patch, scale, out));
    }

    fn bias(&self, stage: usize, part: StagePart) -> &Matrix {
        &self.rest.matrices[EncoderConfig::stage(stage, part)]
    }

    fn piece(&self, row: usize, weight: f32, sum: &mut [f32]) {
        let scale = weight * self.table.scales[row];
        let values = &self.table.values[row * self.table.cols..][..self.table.cols];
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += scale * f32::from(*value));
    }
}

impl Columns {
    fn of(matrix: &Matrix) -> Columns {
        let columns = (0..matrix.cols).map(|column| (0..matrix.rows).map(move |row| matrix.row(row)[column]));
        let (mut values, mut scales) = (Vec::with_capacity(matrix.values.len()), Vec::with_capacity(matrix.cols));
        for column in columns {
            scales.push(eight(&column.collect::<Vec<f32>>(), &mut values));
        }
        Columns { rows: matrix.rows, values, scales }
    }

    /// Adds `x · self` to `out`.
    fn add(&self, x: &[f32], out: &mut [f32]) {
        let mut small = Vec::with_capacity(x.len());
        let scale = eight(x, &mut small);
        self.add_products(&small, scale, out);
    }

    /// The same of numbers that are in 8 bits already, each step worth `scale`.
    fn add_products(&self, small: &[i8], scale: f32, out: &mut [f32]) {
        for ((out, column), of) in out.iter_mut().zip(self.values.chunks_exact(self.rows)).zip(&self.scales) {
            *out += scale * of * products(small, column) as f32;
        }
    }
}

impl Rows {
    fn of(matrix: &Matrix) -> Rows {
        let mut values = Vec::with_capacity(matrix.values.len());
        let scales = matrix.values.chunks_exact(matrix.cols).map(|row| eight(row, &mut values)).collect();
        Rows { cols: matrix.cols, values, scales }
    }
}

/// Appends numbers in 8 bits; gives what each step is worth.
fn eight(numbers: &[f32], out: &mut Vec<i8>) -> f32 {
    let most = numbers.iter().fold(0.0f32, |most, number| most.max(number.abs()));
    let per = if most > 0.0 { MOST / most } else { 0.0 };
    out.extend(numbers.iter().map(|number| (number * per).round() as i8));
    most / MOST
}

/// Sum of products; exact, in any order.
fn products(a: &[i8], b: &[i8]) -> i32 {
    #[cfg(target_arch = "x86_64")]
    if crate::kernel::fast() {
        // SAFETY: this machine has AVX2.
        return unsafe { products_wide(a, b) };
    }
    plain_products(a, b)
}

#[inline(always)]
fn plain_products(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum()
}

/// The same loop, compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn products_wide(a: &[i8], b: &[i8]) -> i32 {
    plain_products(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn eight_bits_say_nearly_the_same() {
        let config = EncoderConfig {
            dim: 32,
            side: 48,
            picture_hidden: 96,
            channels: 8,
            table_rows: 512,
            text_width: 64,
            text_hidden: 64,
        };
        let encoder = Encoder::untrained(config, 7, 3).expect("a good shape");
        let served = ServedEncoder::of(encoder.clone());
        assert_eq!((served.space(), served.config()), (7, encoder.config()));
        let (mut rng, mut s) = (Rng::new(9), EncoderScratch::default());
        for _ in 0..20 {
            let shade = rng.below(200);
            let rgb: Vec<u8> = (0..48 * 48 * 3).map(|at| (shade + at % 50 + rng.below(6)) as u8).collect();
            let pieces: Vec<(u64, f32)> = (0..6).map(|_| (rng.next_u64(), rng.uniform())).collect();
            for (whole, eight) in [
                (encoder.picture(&rgb, &mut s), served.picture(&rgb, &mut s)),
                (encoder.text(&pieces, &mut s), served.text(&pieces, &mut s)),
            ] {
                let likeness: f32 = whole.iter().zip(&eight).map(|(a, b)| a * b).sum();
                assert!(likeness > 0.998, "{likeness}");
            }
        }
        assert_eq!(served.text(&[], &mut s), [0.0; 32]);
    }

    #[test]
    fn all_kernels_give_the_same_whole_numbers() {
        let mut rng = Rng::new(4);
        for length in [0, 1, 7, 16, 33, 2_640] {
            let mut some = || (0..length).map(|_| rng.below(255) as i32 - 127).map(|v| v as i8).collect::<Vec<i8>>();
            let (a, b) = (some(), some());
            let exact: i64 = a.iter().zip(&b).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
            assert_eq!(i64::from(products(&a, &b)), exact);
            assert_eq!(i64::from(plain_products(&a, &b)), exact);
        }
    }
}
