//! The forward pass of the ranking head of `models`, on the tape.

use domain::Surface;
use models::{CROSSES, EXPERTS, FEATURE_COUNT, MASKS, OUTS, PHI, RankPart, Ranker};
use std::sync::Arc;

use crate::RankRows;
use crate::net::Dropout;
use crate::tape::{Bags, Cpu, Tape, Var};

/// Rows on their way into the head.
#[derive(Default)]
pub(super) struct RankBatch {
    /// Knots around each feature's value.
    knots: Bags,
    /// Traits of the pinner and of the pin.
    traits: Bags,
    /// Per row its surface.
    surfaces: Bags,
    /// `rows × encoded`, standardised.
    encoded: Vec<f32>,
}

impl RankBatch {
    /// Adds a row, with the traits of its pinner and its pin.
    pub(super) fn push(
        &mut self,
        ranker: &Ranker,
        surface: Surface,
        rows: &RankRows,
        row: usize,
        traits: (&[u32], &[u32]),
    ) {
        let features = rows.features[row * FEATURE_COUNT..][..FEATURE_COUNT].iter().enumerate();
        let knots = features.flat_map(|(feature, &value)| ranker.knots(feature, value));
        self.knots.push(knots.filter(|(_, weight)| *weight > 0.0));
        let share = |rows: &[u32]| 1.0 / (rows.len() as f32).sqrt();
        let of_pinner = traits.0.iter().map(|&row| (row, share(traits.0)));
        self.traits.push(of_pinner.chain(traits.1.iter().map(|&row| (row, share(traits.1)))));
        self.surfaces.push([(u32::from(surface.code()), 1.0)]);
        let standard = ranker.part(RankPart::Standard);
        let encoded = rows.encoded_of(row..row + 1);
        let columns = encoded.iter().zip(standard.row(0)).zip(standard.row(1));
        self.encoded.extend(columns.map(|((value, mean), scale)| (value - mean) * scale));
    }
}

/// Logits per head and the expected look, before calibration: `rows × OUTS`. The tape is over the matrices of the head.
pub(super) fn outs(tape: &mut Tape<Cpu>, ranker: &Ranker, batch: RankBatch, mut dropout: Dropout) -> Var {
    let at = RankPart::place;
    let surfaces = Arc::new(batch.surfaces);
    let table = tape.bag(at(RankPart::Table), Arc::new(batch.knots));
    let traits = tape.bag(at(RankPart::Traits), Arc::new(batch.traits));
    let table = tape.add(table, traits);
    let (phi, plain) = (tape.columns(table, 0, PHI), tape.columns(table, PHI, OUTS));
    let raw = match ranker.encoded() {
        0 => phi,
        width => {
            let encoded = tape.input(width, batch.encoded);
            tape.concat(&[encoded, phi])
        }
    };
    let x = tape.rms(raw, Some(at(RankPart::Gain)));
    let x = dropout.apply(tape, x);
    let mut parts = vec![cross(tape, x)];
    parts.extend((0..MASKS).map(|block| mask(tape, block, phi, x)));
    let both = tape.concat(&parts);
    let both = dropout.apply(tape, both);
    let experts = tape.linear(both, at(RankPart::Expert), Some(at(RankPart::ExpertBias)));
    let experts = tape.silu(experts);
    let experts = dropout.apply(tape, experts);
    let width = tape.shape(experts).1;
    let single = tape.reshape(experts, width / EXPERTS);
    let read = tape.linear(single, at(RankPart::Read), None);
    let read = tape.reshape(read, EXPERTS * OUTS);
    let gates = tape.bag(at(RankPart::Gates), surfaces.clone());
    let gates = tape.softmax(gates, OUTS);
    let mixed = tape.mul(gates, read);
    let mixed = tape.fold(mixed, OUTS);
    let bias = tape.bag(at(RankPart::Bias), surfaces);
    let sum = tape.add(mixed, plain);
    tape.add(sum, bias)
}

fn cross(tape: &mut Tape<Cpu>, x: Var) -> Var {
    let mut crossed = x;
    for layer in 0..CROSSES {
        let low = tape.linear(crossed, RankPart::CrossIn(layer).place(), None);
        let bias = Some(RankPart::CrossBias(layer).place());
        let factor = tape.linear(low, RankPart::CrossOut(layer).place(), bias);
        let product = tape.mul(x, factor);
        crossed = tape.add(crossed, product);
    }
    crossed
}

fn mask(tape: &mut Tape<Cpu>, block: usize, phi: Var, x: Var) -> Var {
    let at = RankPart::place;
    let low = tape.linear(phi, at(RankPart::MaskUp(block)), Some(at(RankPart::MaskUpBias(block))));
    let low = tape.silu(low);
    let mask = tape.linear(low, at(RankPart::MaskDown(block)), Some(at(RankPart::MaskDownBias(block))));
    let masked = tape.mul(mask, x);
    let out = tape.linear(masked, at(RankPart::MaskOut(block)), None);
    let out = tape.rms(out, Some(at(RankPart::MaskGain(block))));
    tape.silu(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Loaded;
    use crate::{POSITION_UNKNOWN, RankRequest, RankRow};
    use domain::{HEAD_COUNT, PinId, Rng};
    use models::{RankInput, RankScratch, RankTraits};

    #[test]
    fn the_tape_says_what_serving_says() {
        const WIDTH: usize = 16;
        let mut rng = Rng::new(5);
        let mut ranker = Ranker::blank(WIDTH, 3);
        for matrix in ranker.matrices_mut() {
            matrix.values.iter_mut().for_each(|value| *value = 0.3 * rng.normal());
        }
        ranker.part_mut(RankPart::Knots).values.chunks_exact_mut(16).for_each(|knots| knots.sort_by(f32::total_cmp));
        let request = RankRequest { pinner: None, surface: Surface::Search, ts_ms: 0, shown: true };
        let (mut rows, mut traits) = (RankRows::of_width(WIDTH), RankTraits::new([4, 5]));
        for pin in 0..50 {
            let features: Vec<f32> = (0..FEATURE_COUNT).map(|_| rng.normal()).collect();
            let encoded: Vec<f32> = (0..WIDTH).map(|_| rng.normal()).collect();
            let (features, encoded, labels) = (&features[..], &encoded[..], [false; HEAD_COUNT]);
            let (pin, look_ms, position) = (PinId(pin), f32::NAN, POSITION_UNKNOWN);
            rows.push(request, RankRow { pin, features, encoded, labels, look_ms, position, weight: 1.0 });
            traits.push((0..u64::from(pin.0 % 3)).map(|key| key + u64::from(pin.0)));
        }
        let mut batch = RankBatch::default();
        for row in 0..rows.len() {
            batch.push(&ranker, Surface::Search, &rows, row, (traits.pinner(), traits.pin(row)));
        }
        let loaded = Loaded::host(ranker.matrices());
        let mut tape = Tape::new(&Cpu, &loaded);
        let ours = outs(&mut tape, &ranker, batch, Dropout { share: 0.0, seed: 1 });
        let input =
            RankInput { surface: Surface::Search, features: &rows.features, encoded: &rows.encoded, traits: &traits };
        let mut scratch = RankScratch::default();
        let served = ranker.outs(input, &mut scratch);
        for (ours, served) in tape.value(ours).iter().zip(served) {
            assert!((ours - served).abs() < 1e-3 * (1.0 + served.abs()), "{ours} {served}");
        }
    }
}
