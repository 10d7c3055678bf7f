//! The two towers of `models`' encoder, on the tape.

use models::{COLOURS, EncoderConfig, EncoderPart, MergePart, PlacePart, STAGES, Window};
use std::sync::Arc;

use crate::tape::{Bags, Engine, Tape, Var};

fn part(part: EncoderPart) -> usize {
    part as usize
}

/// Vectors of pictures, `count` of them: `pixels` are rows of pixels as [`models::pixel`] makes them.
pub(crate) fn pictures<E: Engine>(tape: &mut Tape<E>, config: &EncoderConfig, pixels: Vec<f32>, count: usize) -> Var {
    let pixels = tape.input(COLOURS, tape.engine().upload(pixels));
    let patches = seen(tape, pixels, Window::parts(config.side, config.patch), count);
    let mut x = tape.linear(patches, part(EncoderPart::Patch), Some(part(EncoderPart::PatchBias)));
    for stage in 0..STAGES {
        let grid = config.grid_of(stage);
        for block in 0..config.blocks {
            let at = |part| config.place_index(stage, block, part);
            let normed = tape.rms(x, Some(at(PlacePart::Norm)));
            let near = seen(tape, normed, Window::near(grid), count);
            let hidden = tape.linear(near, at(PlacePart::Near), Some(at(PlacePart::NearBias)));
            let hidden = tape.silu(hidden);
            let out = tape.linear(hidden, at(PlacePart::Out), None);
            x = tape.add(x, out);
        }
        if stage + 1 < STAGES {
            let at = |part| config.merge_index(stage, part);
            let normed = tape.rms(x, Some(at(MergePart::Norm)));
            let four = seen(tape, normed, Window::parts(grid, 2), count);
            x = tape.linear(four, at(MergePart::Merge), Some(at(MergePart::Bias)));
        }
    }
    let normed = tape.rms(x, Some(part(EncoderPart::PictureNorm)));
    let places = config.grid_of(STAGES - 1).pow(2) as u32;
    let mut means = Bags::default();
    (0..count as u32).for_each(|picture| {
        means.push((0..places).map(|place| (picture * places + place, 1.0 / places as f32)));
    });
    let mean = gather(tape, normed, means);
    let told = tape.linear(mean, part(EncoderPart::Picture), None);
    tape.unit(told)
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

/// What a window sees of each of `count` grids, a row a stop.
fn seen<E: Engine>(tape: &mut Tape<E>, x: Var, window: Window, count: usize) -> Var {
    let (cols, places) = (tape.shape(x).1, window.grid * window.grid);
    let mut bags = Bags::default();
    for grid in 0..count {
        window.seen().for_each(|place| bags.push(place.map(|place| ((grid * places + place) as u32, 1.0))));
    }
    let seen = gather(tape, x, bags);
    tape.reshape(seen, window.size * window.size * cols)
}

fn gather<E: Engine>(tape: &mut Tape<E>, x: Var, bags: Bags) -> Var {
    let bags = Arc::new(tape.engine().bags(bags));
    tape.gather(x, bags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Cpu, Loaded};
    use domain::Rng;
    use models::{Encoder, EncoderScratch, pixel};

    #[test]
    fn the_tape_computes_what_is_served() {
        let shape = EncoderConfig {
            dim: 8,
            side: 16,
            patch: 2,
            channels: 8,
            blocks: 2,
            table_rows: 64,
            text_width: 8,
            text_hidden: 16,
        };
        let mut encoder = Encoder::untrained(shape.clone(), 1, 3).expect("a good shape");
        let mut rng = Rng::new(2);
        let some = |values: &mut Vec<f32>, rng: &mut Rng| values.iter_mut().for_each(|v| *v += 0.1 * rng.normal());
        encoder.matrices_mut().iter_mut().for_each(|matrix| some(&mut matrix.values, &mut rng));
        let rgb: Vec<u8> = (0..2 * 16 * 16 * 3).map(|_| rng.below(256) as u8).collect();
        let pieces = [vec![(3, 1.0), (70, 0.4)], vec![(5, 0.3)]];

        let loaded = Loaded::host(encoder.matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let of_pictures = pictures(&mut tape, &shape, rgb.iter().map(|&value| pixel(value)).collect(), 2);
        let mut bags = Bags::default();
        pieces.iter().for_each(|list| bags.push(list.iter().map(|(hash, weight)| (*hash as u32 % 64, *weight))));
        let of_texts = texts(&mut tape, bags);

        let mut s = EncoderScratch::default();
        let served: Vec<f32> = rgb.chunks_exact(768).flat_map(|rgb| encoder.picture(rgb, &mut s)).collect();
        let told: Vec<f32> = pieces.iter().flat_map(|pieces| encoder.text(pieces, &mut s)).collect();
        for (tape, served) in [(tape.value(of_pictures), served), (tape.value(of_texts), told)] {
            assert_eq!(tape.len(), served.len());
            for (a, b) in tape.iter().zip(&served) {
                assert!((a - b).abs() < 1e-4, "{a} on the tape, {b} served");
            }
        }
    }
}
