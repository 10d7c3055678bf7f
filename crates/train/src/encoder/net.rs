//! The two towers of `models`' encoder, on the tape.

use models::{Encoder, EncoderConfig, EncoderPart, Grid, STAGES, StagePart, look_dim};
use std::sync::Arc;

use crate::tape::{Bags, Cpu, Engine, Loaded, Standard, Tape, Var};

fn part(part: EncoderPart) -> usize {
    part as usize
}

/// Pictures, one after the other.
pub(crate) struct Shown {
    /// Pixels as [`models::centred`] gives them.
    pub(crate) pixels: Vec<f32>,
    /// What they look like, as [`models::look`] tells it.
    pub(crate) looks: Vec<f32>,
}

/// Vectors of pictures, a row each; a part of what is known of them is forgotten.
pub(crate) fn pictures<E: Engine>(
    tape: &mut Tape<E>,
    shape: &EncoderConfig,
    shown: Shown,
    (share, seed): (f32, u64),
) -> Var {
    let forget = |tape: &mut Tape<E>, x, share, at| if share > 0.0 { tape.drop(x, share, seed ^ at) } else { x };
    let looks = tape.input(look_dim(shape.side), tape.engine().upload(shown.looks));
    let looks = forget(tape, looks, 0.5 * share, 1);
    let x = tape.linear(looks, part(EncoderPart::Look), Some(part(EncoderPart::LookBias)));
    let seen = seen(tape, shape, shown.pixels);
    let seen = tape.linear(seen, part(EncoderPart::Seen), None);
    let x = tape.add(x, seen);
    let x = tape.silu(x);
    let x = forget(tape, x, share, 2);
    let more = tape.linear(x, part(EncoderPart::PictureUp), Some(part(EncoderPart::PictureUpBias)));
    let more = tape.silu(more);
    let x = tape.add(x, more);
    let x = forget(tape, x, share, 3);
    let told = tape.linear(x, part(EncoderPart::Picture), None);
    tape.unit(told)
}

/// What convolutions see in pictures; each is standardised over all of these, and [`settled`] by some of a catalogue.
fn seen<E: Engine>(tape: &mut Tape<E>, shape: &EncoderConfig, pixels: Vec<f32>) -> Var {
    let stem = shape.stem();
    let x = tape.input(stem.channels, tape.engine().upload(pixels));
    let convolve = |tape: &mut Tape<E>, x, weight, bias, grid| {
        let x = tape.convolve(x, weight, grid);
        let x = tape.standardise(x, bias);
        tape.silu(x)
    };
    let mut x = convolve(tape, x, part(EncoderPart::Stem), part(EncoderPart::StemBias), stem);
    let mut pixels = stem.side_after().pow(2);
    for (stage, grid) in shape.stages().into_iter().enumerate() {
        let matrix = |part| EncoderConfig::stage(stage, part);
        let half = Grid { side: grid.side_after(), channels: 2 * grid.channels, stride: 1 };
        x = convolve(tape, x, matrix(StagePart::Down), matrix(StagePart::DownBias), grid);
        let inner = convolve(tape, x, matrix(StagePart::Inner), matrix(StagePart::InnerBias), half);
        let more = tape.convolve(inner, matrix(StagePart::Outer), half);
        x = tape.add(x, more);
        pixels = half.side.pow(2);
    }
    let wide = tape.shape(x).1;
    let rows = tape.reshape(x, pixels * wide);
    let sum = tape.fold(rows, wide);
    tape.rms(sum, None)
}

/// The encoder with what these pictures' convolutions are standardised by as a part of its weights.
pub(crate) fn settled(mut encoder: Encoder, pixels: Vec<f32>) -> Encoder {
    let shape = encoder.config().clone();
    let weights = Loaded::host(encoder.matrices());
    let mut tape = Tape::new(&Cpu, &weights);
    seen(&mut tape, &shape, pixels);
    let found: Vec<Standard> = tape.standards().cloned().collect();
    for ((weight, bias), found) in standardised().zip(found) {
        let matrices = encoder.matrices_mut();
        let cols = found.mean.len();
        for row in matrices[weight].values.chunks_exact_mut(cols) {
            row.iter_mut().zip(&found.scale).for_each(|(value, scale)| *value *= scale);
        }
        let shift = found.mean.iter().zip(&found.scale).map(|(mean, scale)| mean * scale);
        matrices[bias].values.iter_mut().zip(shift).for_each(|(bias, shift)| *bias -= shift);
    }
    encoder
}

/// Weights and biases of the convolutions that are standardised, in the order in which they are computed.
fn standardised() -> impl Iterator<Item = (usize, usize)> {
    let stages = (0..STAGES).flat_map(|stage| {
        [(StagePart::Down, StagePart::DownBias), (StagePart::Inner, StagePart::InnerBias)]
            .map(|(weight, bias)| (EncoderConfig::stage(stage, weight), EncoderConfig::stage(stage, bias)))
    });
    std::iter::once((part(EncoderPart::Stem), part(EncoderPart::StemBias))).chain(stages)
}

/// Vectors of words, a list of rows of the table each.
pub(crate) fn texts<E: Engine>(tape: &mut Tape<E>, words: Bags) -> Var {
    let words = Arc::new(tape.engine().bags(words));
    let sum = tape.bag(part(EncoderPart::Table), words);
    let x = tape.rms(sum, None);
    let hidden = tape.linear(x, part(EncoderPart::TextUp), Some(part(EncoderPart::TextUpBias)));
    let hidden = tape.silu(hidden);
    let out = tape.linear(hidden, part(EncoderPart::TextDown), None);
    let x = tape.add(x, out);
    let told = tape.linear(x, part(EncoderPart::Text), None);
    tape.unit(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;
    use models::{EncoderScratch, centred, look, pixel};

    #[test]
    fn the_tape_computes_what_is_served() {
        let shape = EncoderConfig {
            dim: 8,
            side: 24,
            picture_hidden: 12,
            channels: 3,
            table_rows: 64,
            text_width: 8,
            text_hidden: 16,
        };
        let mut encoder = Encoder::untrained(shape.clone(), 1, 3).expect("a good shape");
        let mut rng = Rng::new(2);
        let some = |values: &mut Vec<f32>, rng: &mut Rng| values.iter_mut().for_each(|v| *v += 0.1 * rng.normal());
        encoder.matrices_mut().iter_mut().for_each(|matrix| some(&mut matrix.values, &mut rng));
        let rgb: Vec<u8> = (0..2 * 24 * 24 * 3).map(|_| rng.below(256) as u8).collect();
        let pieces = [vec![(3, 1.0), (70, 0.4)], vec![(5, 0.3)]];

        let loaded = Loaded::host(encoder.matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let (mut looks, mut pixels) = (Vec::new(), Vec::new());
        for rgb in rgb.chunks_exact(1728) {
            let amounts: Vec<f32> = rgb.iter().map(|&value| pixel(value)).collect();
            look(&amounts, 24, &mut looks);
            pixels.extend(amounts.into_iter().map(centred));
        }
        let of_pictures = pictures(&mut tape, &shape, Shown { pixels: pixels.clone(), looks }, (0.0, 0));
        let mut bags = Bags::default();
        pieces.iter().for_each(|list| bags.push(list.iter().map(|(hash, weight)| (*hash as u32 % 64, *weight))));
        let of_texts = texts(&mut tape, bags);

        let (encoder, mut s) = (settled(encoder.clone(), pixels), EncoderScratch::default());
        let served: Vec<f32> = rgb.chunks_exact(1728).flat_map(|rgb| encoder.picture(rgb, &mut s)).collect();
        let told: Vec<f32> = pieces.iter().flat_map(|pieces| encoder.text(pieces, &mut s)).collect();
        for (tape, served) in [(tape.value(of_pictures), served), (tape.value(of_texts), told)] {
            assert_eq!(tape.len(), served.len());
            for (a, b) in tape.iter().zip(&served) {
                assert!((a - b).abs() < 1e-4, "{a} on the tape, {b} served");
            }
        }
    }
}
