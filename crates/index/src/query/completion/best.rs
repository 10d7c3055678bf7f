//! The best of a range, one after the other.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Scores under one node at the bottom.
const BLOCK: usize = 16;

/// The greatest score of each block of [`BLOCK`], and of each pair of these, and so on: the best of any range are found
/// without looking at the others.
pub(super) struct Maxima {
    /// A complete binary tree, the root at 1; the blocks are the second half.
    nodes: Vec<f32>,
}

/// What still has to be looked at: a node of the tree, or a single score.
struct Open {
    score: f32,
    place: Place,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    One(usize),
    Node(usize),
}

impl Ord for Open {
    fn cmp(&self, other: &Open) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.place.cmp(&self.place))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Open) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Open) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

impl Maxima {
    pub(super) fn of(length: usize, score: impl Fn(usize) -> f32) -> Maxima {
        let blocks = length.div_ceil(BLOCK).next_power_of_two();
        let mut nodes = vec![f32::NEG_INFINITY; 2 * blocks];
        for at in 0..length {
            let node = &mut nodes[blocks + at / BLOCK];
            *node = node.max(score(at));
        }
        (1..blocks).rev().for_each(|node| nodes[node] = nodes[2 * node].max(nodes[2 * node + 1]));
        Maxima { nodes }
    }

    /// Places of the ranges by falling score; equal scores in order.
    pub(super) fn best<'a>(
        &'a self,
        ranges: &[Range<usize>],
        score: impl Fn(usize) -> f32 + 'a,
    ) -> impl Iterator<Item = (usize, f32)> + 'a {
        let mut open = BinaryHeap::new();
        ranges.iter().for_each(|range| self.open(range.clone(), &score, &mut open));
        std::iter::from_fn(move || {
            loop {
                let best = open.pop()?;
                let node = match best.place {
                    Place::One(at) => return Some((at, best.score)),
                    Place::Node(node) => node,
                };
                if let Some(block) = node.checked_sub(self.blocks()) {
                    let ones = block * BLOCK..(block + 1) * BLOCK;
                    open.extend(ones.map(|at| Open { score: score(at), place: Place::One(at) }));
                } else {
                    let both = [2 * node, 2 * node + 1];
                    open.extend(both.map(|at| Open { score: self.nodes[at], place: Place::Node(at) }));
                }
            }
        })
    }

    /// The largest nodes that lie in a range, and single places at its ends.
    fn open(&self, range: Range<usize>, score: impl Fn(usize) -> f32, open: &mut BinaryHeap<Open>) {
        let one = |at| Open { score: score(at), place: Place::One(at) };
        let node = |at| Open { score: self.nodes[at], place: Place::Node(at) };
        let (first, last) = (range.start.div_ceil(BLOCK), range.end / BLOCK);
        if first >= last {
            open.extend(range.map(one));
            return;
        }
        open.extend((range.start..first * BLOCK).chain(last * BLOCK..range.end).map(one));
        let (mut left, mut right) = (first + self.blocks(), last + self.blocks());
        while left < right {
            if left % 2 == 1 {
                open.push(node(left));
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                open.push(node(right));
            }
            (left, right) = (left / 2, right / 2);
        }
    }

    fn blocks(&self) -> usize {
        self.nodes.len() / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn the_best_of_every_range_come_in_order() {
        let mut rng = Rng::new(1);
        for length in [0, 1, 15, 16, 17, 100, 1_000] {
            let scores: Vec<f32> = (0..length).map(|_| rng.below(50) as f32).collect();
            let maxima = Maxima::of(length, |at| scores[at]);
            for _ in 0..50 {
                let start = rng.below(length as u32 + 1) as usize;
                let end = start + rng.below((length - start) as u32 + 1) as usize;
                let mut expected: Vec<usize> = (start..end).collect();
                expected.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
                let range = start..end;
                let mut found: Vec<usize> =
                    maxima.best(std::slice::from_ref(&range), |at| scores[at]).map(|(at, _)| at).collect();
                assert_eq!(found.len(), end - start);
                assert!(found.windows(2).all(|pair| scores[pair[0]] >= scores[pair[1]]));
                found.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
                assert_eq!(found, expected);
            }
        }
    }
}
