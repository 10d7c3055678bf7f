//! The two towers of `models`' encoder, on the tape.

use models::EncoderPart;
use std::sync::Arc;

use crate::tape::{Bags, Engine, Tape, Var};

fn part(part: EncoderPart) -> usize {
    part as usize
}

/// Vectors of pictures by what they look like, a row each as [`models::look`] makes them; a part of what is known of
/// them is forgotten.
pub(crate) fn pictures<E: Engine>(tape: &mut Tape<E>, looks: (usize, Vec<f32>), forgotten: (f32, u64)) -> Var {
    let (share, seed) = forgotten;
    let forget = |tape: &mut Tape<E>, x, share, at| if share > 0.0 { tape.drop(x, share, seed ^ at) } else { x };
    let looks = tape.input(looks.0, tape.engine().upload(looks.1));
    let looks = forget(tape, looks, 0.5 * share, 1);
    let x = tape.linear(looks, part(EncoderPart::Look), Some(part(EncoderPart::LookBias)));
    let x = tape.silu(x);
    let x = forget(tape, x, share, 2);
    let more = tape.linear(x, part(EncoderPart::PictureUp), Some(part(EncoderPart::PictureUpBias)));
    let more = tape.silu(more);
    let x = tape.add(x, more);
    let x = forget(tape, x, share, 3);
    let told = tape.linear(x, part(EncoderPart::Picture), None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Cpu, Loaded};
    use domain::Rng;
    use models::{Encoder, EncoderConfig, EncoderScratch, look, look_dim, pixel};

    #[test]
    fn the_tape_computes_what_is_served() {
        let shape =
            EncoderConfig { dim: 8, side: 24, picture_hidden: 12, table_rows: 64, text_width: 8, text_hidden: 16 };
        let mut encoder = Encoder::untrained(shape.clone(), 1, 3).expect("a good shape");
        let mut rng = Rng::new(2);
        let some = |values: &mut Vec<f32>, rng: &mut Rng| values.iter_mut().for_each(|v| *v += 0.1 * rng.normal());
        encoder.matrices_mut().iter_mut().for_each(|matrix| some(&mut matrix.values, &mut rng));
        let rgb: Vec<u8> = (0..2 * 24 * 24 * 3).map(|_| rng.below(256) as u8).collect();
        let pieces = [vec![(3, 1.0), (70, 0.4)], vec![(5, 0.3)]];

        let loaded = Loaded::host(encoder.matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let mut looks = Vec::new();
        for rgb in rgb.chunks_exact(1728) {
            look(&rgb.iter().map(|&value| pixel(value)).collect::<Vec<_>>(), 24, &mut looks);
        }
        let of_pictures = pictures(&mut tape, (look_dim(24), looks), (0.0, 0));
        let mut bags = Bags::default();
        pieces.iter().for_each(|list| bags.push(list.iter().map(|(hash, weight)| (*hash as u32 % 64, *weight))));
        let of_texts = texts(&mut tape, bags);

        let mut s = EncoderScratch::default();
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
