//! A linear filter on the graph of rows and pins.

use super::{Rows, best_unknown};
use crate::spectral;
use domain::PinId;
use models::{Operand, matmul};

/// Directions of the ideal low-pass, and how much it counts beside one hop.
const DIRECTIONS: usize = 256;
const LOW_PASS: f32 = 0.3;
/// The basis is found from random directions; which ones does not matter.
const SEED: u64 = 1;

/// GF-CF (Shen et al., CIKM 2021), what LightGCN is in the limit: for a row `r` of known pins
///
/// ```text
/// s = r ÃᵀÃ + α · r D⁻¹ᐟ² V Vᵀ D¹ᐟ²          Ã = D_rows⁻¹ᐟ² R D⁻¹ᐟ²
/// ```
///
/// where `D` holds in how many rows each pin is and `V` the 256 strongest right singular vectors of `Ã` (an ideal
/// low-pass filter); α is 0.3, as published. Nothing is learned by steps.
#[derive(Clone, Debug)]
pub struct LinearFilter {
    /// Row → pins.
    rows: Rows,
    /// Pin → rows.
    holders: Rows,
    /// √(rows that hold the pin); 1 for a pin that none holds.
    root: Vec<f32>,
    /// `V`: pins × `directions`.
    basis: Vec<f32>,
    directions: usize,
}

impl LinearFilter {
    /// Learns from rows of pins among `0..pins`.
    pub fn fit(train: &[Vec<PinId>], pins: usize) -> LinearFilter {
        let rows = Rows::new(train, pins);
        let holders = rows.transposed(pins);
        let root = holders.iter().map(|rows| (rows.len().max(1) as f32).sqrt()).collect();
        let lists: Vec<&[u32]> = rows.iter().collect();
        let directions = DIRECTIONS.min(pins / 4);
        let basis = spectral::basis(&lists, pins, directions, SEED);
        LinearFilter { rows, holders, root, basis, directions }
    }

    /// The best `k` pins that are not `known`.
    pub fn rank(&self, known: &[PinId], k: usize) -> Vec<PinId> {
        best_unknown(&self.scores(known), known, k)
    }

    fn scores(&self, known: &[PinId]) -> Vec<f32> {
        let known = Rows::new(&[known.to_vec()], self.root.len());
        let known = known.row(0);
        let mut scores = self.one_hop(known);
        let mut spectrum = vec![0.0; self.directions];
        for &pin in known {
            let row = &self.basis[pin as usize * self.directions..][..self.directions];
            spectrum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / self.root[pin as usize]);
        }
        let mut passed = vec![0.0; scores.len()];
        let basis = Operand::new(&self.basis, scores.len(), self.directions, self.directions);
        matmul(&mut passed, 1, basis, Operand::new(&spectrum, self.directions, 1, 1), 0.0, 1.0);
        for (score, (passed, root)) in scores.iter_mut().zip(passed.iter().zip(&self.root)) {
            *score += LOW_PASS * root * passed;
        }
        scores
    }

    /// `r ÃᵀÃ`, by reading the rows that hold a known pin.
    fn one_hop(&self, known: &[u32]) -> Vec<f32> {
        let mut touched: Vec<(u32, u32)> = Vec::new();
        for &pin in known {
            touched.extend(self.holders.row(pin as usize).iter().map(|&row| (row, pin)));
        }
        // In the order of rows, so that sums do not depend on the order of `known`.
        touched.sort_unstable();
        let mut scores = vec![0.0; self.root.len()];
        for hits in touched.chunk_by(|a, b| a.0 == b.0) {
            let row = self.rows.row(hits[0].0 as usize);
            let weight: f32 = hits.iter().map(|hit| 1.0 / self.root[hit.1 as usize]).sum::<f32>() / row.len() as f32;
            row.iter().for_each(|&pin| scores[pin as usize] += weight);
        }
        scores.iter_mut().zip(&self.root).for_each(|(score, root)| *score /= root);
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    const PINS: usize = 24;

    fn boards() -> Vec<Vec<PinId>> {
        let mut rng = Rng::new(3);
        let board = |rng: &mut Rng| (0..5).map(|_| PinId(rng.below(PINS as u32))).collect();
        (0..60).map(|_| board(&mut rng)).collect()
    }

    /// `Ã`, a row each, in double precision.
    fn normalised(boards: &[Vec<PinId>]) -> Vec<Vec<f64>> {
        let holds = |row: &Vec<PinId>, pin: usize| f64::from(u8::from(row.contains(&PinId(pin as u32))));
        let degree = |pin: usize| boards.iter().map(|row| holds(row, pin)).sum::<f64>().max(1.0);
        let size = |row: &Vec<PinId>| (0..PINS).map(|pin| holds(row, pin)).sum::<f64>();
        let entry = |row: &Vec<PinId>, pin: usize| holds(row, pin) / (size(row) * degree(pin)).sqrt();
        boards.iter().map(|row| (0..PINS).map(|pin| entry(row, pin)).collect()).collect()
    }

    #[test]
    fn one_hop_is_the_product_of_the_normalised_graph() {
        let boards = boards();
        let (model, graph) = (LinearFilter::fit(&boards, PINS), normalised(&boards));
        let known = [0, 7, 9];
        let found = model.one_hop(&known);
        for (pin, found) in found.iter().enumerate() {
            let together = |other: u32| graph.iter().map(|row| row[other as usize] * row[pin]).sum::<f64>();
            let expected: f64 = known.iter().map(|&other| together(other)).sum();
            assert!((f64::from(*found) - expected).abs() < 1e-5, "pin {pin}: {found} for {expected}");
        }
    }

    #[test]
    fn the_low_pass_keeps_what_lies_in_its_directions() {
        let boards = boards();
        let model = LinearFilter::fit(&boards, PINS);
        assert_eq!(model.directions, 6);
        let columns = |a: usize, b: usize| -> f32 { model.basis.chunks_exact(6).map(|row| row[a] * row[b]).sum() };
        for (a, b) in (0..6).flat_map(|a| (0..6).map(move |b| (a, b))) {
            assert!((columns(a, b) - f32::from(u8::from(a == b))).abs() < 1e-4, "orthonormal");
        }
        // The strongest direction of a normalised graph is the square root of the degrees: it passes unchanged.
        let graph = normalised(&boards);
        let energy = |direction: usize| -> f64 {
            let along = |row: &Vec<f64>| -> f64 {
                row.iter().enumerate().map(|(pin, x)| x * f64::from(model.basis[pin * 6 + direction])).sum()
            };
            graph.iter().map(|row| along(row).powi(2)).sum()
        };
        assert!((energy(0) - 1.0).abs() < 1e-3 && energy(5) < 1.0, "{} {}", energy(0), energy(5));
    }

    #[test]
    fn it_ranks_what_is_saved_together_and_takes_any_input() {
        let boards = [&[0u32, 1, 2][..], &[0, 1], &[3, 4], &[3, 4, 5]];
        let boards: Vec<Vec<PinId>> = boards.iter().map(|row| row.iter().copied().map(PinId).collect()).collect();
        let model = LinearFilter::fit(&boards, 8);
        assert_eq!(model.rank(&[PinId(0), PinId(0), PinId(900)], 2), [PinId(1), PinId(2)]);
        assert_eq!(model.rank(&[PinId(4)], 1), [PinId(3)]);
        assert_eq!(LinearFilter::fit(&[], 0).rank(&[PinId(0)], 3), []);
        assert_eq!(LinearFilter::fit(&[], 3).rank(&[], 2).len(), 2);
    }
}
