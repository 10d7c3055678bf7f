//! Item-kNN with cosine similarity.

use super::{Rows, best_unknown};
use domain::PinId;

/// Pins that are saved together with known pins: `score(j) = Σ over known i of cos(i, j)`, where `cos` compares the
/// sets of rows (boards or pinners) that hold the two pins. All neighbours count.
///
/// The similarity matrix is never built: `score = D^-½ · Xᵀ · (X · D^-½ · known)` costs no more than reading the rows
/// that hold a known pin, and no memory.
#[derive(Clone, Debug)]
pub struct ItemKnn {
    /// Row → pins.
    rows: Rows,
    /// Pin → rows.
    holders: Rows,
    /// 1 / √(rows that hold the pin).
    scale: Vec<f32>,
}

impl ItemKnn {
    /// Learns from rows of pins among `0..pins`.
    pub fn fit(train: &[Vec<PinId>], pins: usize) -> ItemKnn {
        let rows = Rows::new(train, pins);
        let holders = rows.transposed(pins);
        let scale = holders.iter().map(|rows| 1.0 / (rows.len().max(1) as f32).sqrt()).collect();
        ItemKnn { rows, holders, scale }
    }

    /// The best `k` pins that are not `known`.
    pub fn rank(&self, known: &[PinId], k: usize) -> Vec<PinId> {
        best_unknown(&self.scores(known), known, k)
    }

    fn scores(&self, known: &[PinId]) -> Vec<f32> {
        let known = Rows::new(&[known.to_vec()], self.scale.len());
        let mut touched: Vec<(u32, u32)> = Vec::new();
        for &pin in known.row(0) {
            touched.extend(self.holders.row(pin as usize).iter().map(|&row| (row, pin)));
        }
        // In the order of rows, so that sums do not depend on the order of `known`.
        touched.sort_unstable();
        let mut scores = vec![0.0; self.scale.len()];
        for hits in touched.chunk_by(|a, b| a.0 == b.0) {
            let weight: f32 = hits.iter().map(|hit| self.scale[hit.1 as usize]).sum();
            self.rows.row(hits[0].0 as usize).iter().for_each(|&pin| scores[pin as usize] += weight);
        }
        scores.iter_mut().zip(&self.scale).for_each(|(score, scale)| *score *= scale);
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_sums_of_cosines() {
        let boards: Vec<Vec<PinId>> = [&[0u32, 1, 2][..], &[0, 1], &[1, 3], &[2, 3, 1]]
            .map(|row| row.iter().copied().map(PinId).collect())
            .into();
        let model = ItemKnn::fit(&boards, 5);
        let cosine = |a: u32, b: u32| {
            let holds = |row: &&Vec<PinId>, pin: u32| row.contains(&PinId(pin));
            let both = boards.iter().filter(|row| holds(row, a) && holds(row, b)).count() as f32;
            let count = |pin: u32| boards.iter().filter(|row| holds(row, pin)).count() as f32;
            both / (count(a) * count(b)).sqrt().max(1.0)
        };
        let scores = model.scores(&[PinId(0), PinId(3), PinId(0), PinId(900)]);
        for pin in 0..5 {
            assert!((scores[pin as usize] - cosine(0, pin) - cosine(3, pin)).abs() < 1e-6, "pin {pin}");
        }
        assert_eq!(model.rank(&[PinId(0)], 2), [PinId(1), PinId(2)]);
        assert_eq!(model.rank(&[], 2), [PinId(0), PinId(1)], "nothing known: all are equal");
    }
}
