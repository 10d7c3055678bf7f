//! Boosted trees of two levels on squared errors (Friedman 2001).

use serde::{Deserialize, Serialize};

/// Most places at which a column is split.
const SPLITS_MAX: usize = 24;
/// Part of a tree's answer that is taken.
const RATE: f64 = 0.05;
/// Trees.
const TREES: usize = 30;
/// Fewest rows of a leaf, as a part of all.
const LEAF_MIN: f64 = 0.02;

/// A sum of small trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trees {
    start: f64,
    trees: Vec<Tree>,
}

/// A split, and below it a split on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    root: Split,
    /// Splits of what is at most the root's threshold, and of what is above.
    below: [Split; 2],
}

/// What is at most `threshold` in `column` gets the first value, the rest the second one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Split {
    column: usize,
    threshold: f64,
    values: [f64; 2],
}

impl Split {
    fn side(&self, row: &[f64]) -> usize {
        usize::from(row[self.column] > self.threshold)
    }
}

impl Trees {
    pub(super) fn at(&self, row: &[f64]) -> f64 {
        let of = |tree: &Tree| {
            let leaf = &tree.below[tree.root.side(row)];
            leaf.values[leaf.side(row)]
        };
        self.start + self.trees.iter().map(of).sum::<f64>()
    }

    /// Minimises Σ (y − scale · trees(x))² of rows (x, scale, y), none of which has the scale 0.
    pub(super) fn boosted(rows: &[(&[f64], f64, f64)], columns: usize) -> Trees {
        let weights: Vec<f64> = rows.iter().map(|(_, scale, _)| scale * scale).collect();
        let mut left: Vec<f64> = rows.iter().map(|(_, scale, y)| y / scale).collect();
        let start = mean(&weights, &left);
        left.iter_mut().for_each(|value| *value -= start);
        let grid = Grid::of(rows, columns);
        let all: Vec<usize> = (0..rows.len()).collect();
        let mut trees = Vec::new();
        for _ in 0..TREES {
            let Some(root) = grid.best(&all, &weights, &left) else { break };
            let halves = [0, 1].map(|side| {
                let part: Vec<usize> = all.iter().copied().filter(|row| root.side(rows[*row].0) == side).collect();
                let leaf = Split { values: [root.values[side]; 2], ..root };
                grid.best(&part, &weights, &left).unwrap_or(leaf)
            });
            let below = halves.map(|half| Split { values: half.values.map(|value| RATE * value), ..half });
            let tree = Tree { root, below };
            for (value, (row, ..)) in left.iter_mut().zip(rows) {
                let leaf = &tree.below[tree.root.side(row)];
                *value -= leaf.values[leaf.side(row)];
            }
            trees.push(tree);
        }
        Trees { start, trees }
    }
}

fn mean(weights: &[f64], values: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 { weights.iter().zip(values).map(|(w, v)| w * v).sum::<f64>() / sum } else { 0.0 }
}

/// Every row's bin in every column.
struct Grid {
    thresholds: Vec<Vec<f64>>,
    bins: Vec<u8>,
    leaf_min: usize,
}

impl Grid {
    fn of(rows: &[(&[f64], f64, f64)], columns: usize) -> Grid {
        let thresholds: Vec<Vec<f64>> = (0..columns)
            .map(|column| {
                let mut values: Vec<f64> = rows.iter().map(|(x, ..)| x[column]).collect();
                values.sort_unstable_by(f64::total_cmp);
                let at = |part: usize| values[part * values.len() / (SPLITS_MAX + 1)];
                let mut found: Vec<f64> = (1..=SPLITS_MAX).map(at).collect();
                found.dedup();
                found
            })
            .collect();
        let bin = |x: &[f64], column: usize| thresholds[column].partition_point(|t| *t < x[column]) as u8;
        let bins = rows.iter().flat_map(|(x, ..)| (0..columns).map(move |column| (*x, column)));
        let bins = bins.map(|(x, column)| bin(x, column)).collect();
        Grid { thresholds, bins, leaf_min: ((LEAF_MIN * rows.len() as f64) as usize).max(1) }
    }

    /// The split of some rows that leaves the least error; none where no side may be smaller.
    fn best(&self, part: &[usize], weights: &[f64], values: &[f64]) -> Option<Split> {
        let columns = self.thresholds.len();
        let (mut best, mut gain) = (None, 1e-12);
        for (column, thresholds) in self.thresholds.iter().enumerate() {
            let mut sums = vec![(0.0, 0.0, 0usize); thresholds.len() + 1];
            for &row in part {
                let sum = &mut sums[usize::from(self.bins[row * columns + column])];
                *sum = (sum.0 + weights[row], sum.1 + weights[row] * values[row], sum.2 + 1);
            }
            let all = sums.iter().fold((0.0, 0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
            let mut low = (0.0, 0.0, 0);
            for (sum, &threshold) in sums.iter().zip(thresholds) {
                low = (low.0 + sum.0, low.1 + sum.1, low.2 + sum.2);
                let high = (all.0 - low.0, all.1 - low.1, all.2 - low.2);
                if low.2 < self.leaf_min || high.2 < self.leaf_min {
                    continue;
                }
                let found = low.1 * low.1 / low.0 + high.1 * high.1 / high.0 - all.1 * all.1 / all.0;
                if found > gain {
                    gain = found;
                    best = Some(Split { column, threshold, values: [low.1 / low.0, high.1 / high.0] });
                }
            }
        }
        best
    }
}
