//! Published baselines, measured like our own model: a model that does not beat them has learned nothing.

mod ease;
mod inverse;
mod item_knn;
mod linear_filter;

pub use ease::{EASE_PINS_MAX, Ease};
pub use item_knn::ItemKnn;
pub use linear_filter::LinearFilter;

use domain::PinId;
use std::cmp::Ordering;

/// The most saved pins, the same for everybody.
#[derive(Clone, Debug)]
pub struct Popularity {
    /// All pins, the most saved first.
    ranking: Vec<PinId>,
}

impl Popularity {
    /// Counts the rows (boards or pinners) of `train` that hold each of the pins `0..pins`.
    pub fn fit(train: &[Vec<PinId>], pins: usize) -> Popularity {
        let rows = Rows::new(train, pins);
        let mut counts = vec![0.0; pins];
        rows.values.iter().for_each(|&pin| counts[pin as usize] += 1.0);
        Popularity { ranking: best_unknown(&counts, &[], pins) }
    }

    /// The best `k` pins that are not `known`.
    pub fn rank(&self, known: &[PinId], k: usize) -> Vec<PinId> {
        let mut known = known.to_vec();
        known.sort_unstable();
        self.ranking.iter().filter(|pin| known.binary_search(pin).is_err()).take(k).copied().collect()
    }
}

/// Rows of pins one after another, each pin once per row, in the order of ids.
#[derive(Clone, Debug)]
struct Rows {
    starts: Vec<usize>,
    values: Vec<u32>,
}

impl Rows {
    /// Pins from `pins` on are left out.
    fn new(rows: &[Vec<PinId>], pins: usize) -> Rows {
        let mut all = Rows { starts: vec![0], values: Vec::new() };
        for row in rows {
            let mut row: Vec<u32> = row.iter().filter(|pin| pin.index() < pins).map(|pin| pin.0).collect();
            row.sort_unstable();
            row.dedup();
            all.values.extend(row);
            all.starts.push(all.values.len());
        }
        all
    }

    fn row(&self, at: usize) -> &[u32] {
        &self.values[self.starts[at]..self.starts[at + 1]]
    }

    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|bounds| &self.values[bounds[0]..bounds[1]])
    }

    /// For each of the pins `0..pins`, the rows that hold it.
    fn transposed(&self, pins: usize) -> Rows {
        let mut starts = vec![0; pins + 1];
        self.values.iter().for_each(|&pin| starts[pin as usize + 1] += 1);
        (0..pins).for_each(|pin| starts[pin + 1] += starts[pin]);
        let (mut ends, mut values) = (starts.clone(), vec![0; self.values.len()]);
        for (number, row) in self.iter().enumerate() {
            for &pin in row {
                values[ends[pin as usize]] = number as u32;
                ends[pin as usize] += 1;
            }
        }
        Rows { starts, values }
    }
}

/// The `k` pins with the largest scores that are not `known`, best first, equal ones by id; what is not a number
/// sinks. `scores` has one value per pin.
fn best_unknown(scores: &[f32], known: &[PinId], k: usize) -> Vec<PinId> {
    let mut open = vec![true; scores.len()];
    known.iter().filter(|pin| pin.index() < scores.len()).for_each(|pin| open[pin.index()] = false);
    let score = |pin: u32| Some(scores[pin as usize]).filter(|score| !score.is_nan()).unwrap_or(f32::NEG_INFINITY);
    let best_first = |a: &u32, b: &u32| -> Ordering { score(*b).total_cmp(&score(*a)).then(a.cmp(b)) };
    let mut pins: Vec<u32> = (0..scores.len() as u32).filter(|&pin| open[pin as usize]).collect();
    if k < pins.len() {
        pins.select_nth_unstable_by(k, best_first);
        pins.truncate(k);
    }
    pins.sort_unstable_by(best_first);
    pins.into_iter().map(PinId).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn rows(rows: &[&[u32]]) -> Vec<Vec<PinId>> {
        rows.iter().map(|row| row.iter().copied().map(PinId).collect()).collect()
    }

    #[test]
    fn the_most_saved_come_first_and_known_ones_never() {
        let popular = Popularity::fit(&rows(&[&[2, 3, 3, 3], &[2, 1], &[2, 1, 99]]), 5);
        assert_eq!(popular.rank(&[], 5), [2, 1, 3, 0, 4].map(PinId), "a row counts once; ties go by id");
        assert_eq!(popular.rank(&[PinId(2), PinId(77)], 2), [1, 3].map(PinId));
    }

    #[test]
    fn the_best_unknown_are_those_of_sorting() {
        let scores = [0.5, f32::NAN, 2.0, 0.5, -1.0, f32::INFINITY];
        assert_eq!(best_unknown(&scores, &[PinId(2)], 9), [5, 0, 3, 4, 1].map(PinId));
        assert_eq!(best_unknown(&scores, &[], 2), [5, 2].map(PinId));
        assert_eq!(best_unknown(&scores, &[], 0), []);
        assert_eq!(best_unknown(&[], &[PinId(0)], 3), []);
    }

    #[test]
    fn rows_turn_around() {
        let boards = Rows::new(&rows(&[&[2, 0], &[], &[0, 0, 7]]), 3);
        assert_eq!(boards.row(0), [0, 2]);
        let pins = boards.transposed(3);
        assert_eq!([pins.row(0), pins.row(1), pins.row(2)], [&[0, 2][..], &[], &[0]]);
    }
}
