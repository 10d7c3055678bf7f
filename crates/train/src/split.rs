//! Holding saves out, to see later whether they are found again.

use domain::{Rng, hash64};

/// Takes `share` of the different pins (rounded to the nearest number) out of one row, at random by `seed` and the
/// row's number; at least one pin is kept. Returns what is kept, in order, and what is held out, sorted.
pub fn holdout_row<T: Copy + Ord>(row: &[T], number: u64, share: f64, seed: u64) -> (Vec<T>, Vec<T>) {
    let pins = distinct(row);
    let wanted = (share.clamp(0.0, 1.0) * pins.len() as f64).round() as usize;
    let held_count = wanted.min(pins.len().saturating_sub(1));
    let mut order: Vec<usize> = (0..pins.len()).collect();
    Rng::new(hash64(seed) ^ hash64(!number)).shuffle(&mut order);
    let mut is_held = vec![false; pins.len()];
    order[..held_count].iter().for_each(|&at| is_held[at] = true);
    let pick = |held: bool| pins.iter().zip(&is_held).filter(move |(_, h)| **h == held).map(|(&pin, _)| pin);
    let mut held: Vec<T> = pick(true).collect();
    held.sort_unstable();
    (pick(false).collect(), held)
}

/// Each value at its first place.
fn distinct<T: Copy + Ord>(row: &[T]) -> Vec<T> {
    let mut places: Vec<usize> = (0..row.len()).collect();
    places.sort_by_key(|&place| row[place]);
    places.dedup_by_key(|place| row[*place]);
    places.sort_unstable();
    places.into_iter().map(|place| row[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_by_share_and_seed() {
        let rows: [Vec<u32>; 4] = [(0..100).rev().collect(), vec![5, 5, 5], vec![], vec![1, 2, 1, 3, 2, 4, 9]];
        let split = |share: f64, seed: u64| -> Vec<(Vec<u32>, Vec<u32>)> {
            (0..).zip(&rows).map(|(number, row)| holdout_row(row, number, share, seed)).collect()
        };
        let parts = split(0.2, 42);
        assert_eq!(parts.iter().map(|(_, held)| held.len()).collect::<Vec<_>>(), [20, 0, 0, 1]);
        assert_eq!(parts[1].0, [5], "one pin is always kept, once");
        assert!(parts[0].0.is_sorted_by(|a, b| a > b), "the order stays");
        for (row, (kept, held)) in rows.iter().zip(&parts) {
            let mut all: Vec<u32> = kept.iter().chain(held).copied().collect();
            all.sort_unstable();
            let mut expected = row.clone();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(all, expected, "nothing is lost or in both");
        }
        assert_eq!(parts, split(0.2, 42));
        assert_ne!(parts, split(0.2, 43));
        assert_eq!(split(9.0, 1).iter().map(|(kept, _)| kept.len()).collect::<Vec<_>>(), [1, 1, 0, 1]);
    }
}
