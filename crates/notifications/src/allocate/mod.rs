//! How many notifications a week is each pinner worth?
//!
//! Maximises `Σ R(u, k_u)` subject to `Σ k_u ≤ K` (Zhao et al., Notification Volume Control and Optimization System at
//! Pinterest, KDD 2018): each pinner climbs the steps of the upper concave envelope of their returns for as long as a
//! step gains at least a threshold per notification, and the threshold is the one at which all together use the budget.
//!
//! That is the multiple-choice knapsack, whose linear relaxation is solved exactly by the envelopes: all steps above
//! the threshold, and a part of one at it. What is returned differs from that by less than one step of one pinner.
//! [`Allocation::bound`] is the Lagrangian dual at the threshold, an upper bound whatever was rounded.
//!
//! Nothing is sorted: slopes are counted by the bits of the number, first the upper 16, then the lower 15, so that four
//! readings of the rows are enough and beside them a byte a pinner is held. Rows are read in blocks on all threads of
//! the pool, and sums are added in the order of the blocks: the answer does not depend on the threads.

mod bench;
mod envelope;
mod fill;

pub use bench::{AllocateFigures, bench_allocate, planted_returns};
pub use envelope::VOLUMES_MAX;

use crate::NotifyError;
use envelope::{Envelope, Step};
use rayon::prelude::*;
use serde::Serialize;

/// Pinners of a block.
const BLOCK: usize = 1 << 14;
/// Bits of a slope that are looked at second.
const LOW_BITS: u32 = 15;

/// The volumes of all pinners, and how good they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Allocation {
    /// Notifications of the week, a pinner a place.
    #[serde(skip)]
    pub volumes: Vec<u8>,
    /// Return per notification at which the budget is used; 0 where the budget is more than is worth sending.
    pub threshold: f32,
    /// Sum of the volumes.
    pub sends: u64,
    /// Sum of the returns.
    pub value: f64,
    /// Sum of the returns if nothing was sent.
    pub baseline: f64,
    /// No allocation within the budget has a higher sum of returns.
    pub bound: f64,
}

impl Allocation {
    /// Which part of what could be gained at most is missed.
    pub fn gap(&self) -> f64 {
        let gain = self.bound - self.baseline;
        if gain > 0.0 { ((self.bound - self.value) / gain).max(0.0) } else { 0.0 }
    }
}

/// Where the rows come from, and how wide they are.
struct Rows<'a> {
    pinners: usize,
    volumes: usize,
    fill: &'a (dyn Fn(usize, &mut [f32]) + Sync),
}

/// [`allocate_streamed`] where the returns lie in memory: `volumes` numbers a pinner.
///
/// # Errors
/// [`NotifyError::Invalid`] where the numbers are no whole rows, or rows are too short or too long.
pub fn allocate(returns: &[f32], volumes: usize, budget: u64) -> Result<Allocation, NotifyError> {
    if volumes == 0 || !returns.len().is_multiple_of(volumes) {
        let reason = format!("{} numbers are no whole rows of {volumes}", returns.len());
        return Err(NotifyError::invalid("allocate.returns", reason));
    }
    let fill = |first: usize, rows: &mut [f32]| rows.copy_from_slice(&returns[first * volumes..][..rows.len()]);
    allocate_streamed(returns.len() / volumes, volumes, budget, &fill)
}

/// The volumes that have the highest sum of returns within a budget of notifications.
///
/// `fill(first, rows)` writes the rows of consecutive pinners from `first` on: `R(u, 0)`, `R(u, 1)`, … up to
/// `volumes` numbers each. It is asked four times for each pinner and has to say the same each time. A volume that a
/// pinner may not have is NaN; one whose `R(u, 0)` is no number gets nothing and counts nowhere.
///
/// # Errors
/// [`NotifyError::Invalid`] where rows are shorter than 2 or longer than [`VOLUMES_MAX`].
pub fn allocate_streamed(
    pinners: usize,
    volumes: usize,
    budget: u64,
    fill: &(dyn Fn(usize, &mut [f32]) + Sync),
) -> Result<Allocation, NotifyError> {
    if !(2..=VOLUMES_MAX).contains(&volumes) || u32::try_from(pinners).is_err() {
        let reason = format!("{pinners} pinners with {volumes} volumes; at most 2^32 with 2 to {VOLUMES_MAX}");
        return Err(NotifyError::invalid("allocate.volumes", reason));
    }
    let rows = Rows { pinners, volumes, fill };
    let threshold = threshold(&rows, budget);
    let (mut given, ties) = climb_above(&rows, threshold);
    let sends: u64 = given.par_iter().map(|&volume| u64::from(volume)).sum();
    let left = fill::ties(&mut given, &ties, budget.saturating_sub(sends));
    if left > 0 && threshold > 0.0 {
        fill::rest(&rows, &mut given, left);
    }
    Ok(judged(&rows, given, threshold, budget))
}

impl Rows<'_> {
    /// Calls `each` with the number of the block's first pinner and its rows, for all blocks at once; the answers come
    /// in the order of the blocks.
    fn blocks<T: Send>(&self, each: impl Fn(usize, &[f32]) -> T + Sync) -> Vec<T> {
        let read = |rows: &mut Vec<f32>, block: usize| {
            let first = block * BLOCK;
            rows.resize(BLOCK.min(self.pinners - first) * self.volumes, f32::NAN);
            (self.fill)(first, rows);
            each(first, rows)
        };
        (0..self.pinners.div_ceil(BLOCK)).into_par_iter().map_init(Vec::new, read).collect()
    }

    /// Adds up, over all steps of all envelopes, what `place` says of their slopes: notifications by place.
    fn count(&self, places: usize, place: impl Fn(u32) -> Option<usize> + Sync) -> Vec<u64> {
        let read = |(mut counts, mut rows): (Vec<u64>, Vec<f32>), block: usize| {
            let first = block * BLOCK;
            rows.resize(BLOCK.min(self.pinners - first) * self.volumes, f32::NAN);
            (self.fill)(first, &mut rows);
            let mut envelope = Envelope::default();
            for row in rows.chunks_exact(self.volumes) {
                for step in envelope.of(row) {
                    if let Some(at) = place(step.slope.to_bits()) {
                        counts[at] += step.sends();
                    }
                }
            }
            (counts, rows)
        };
        let blocks = (0..self.pinners.div_ceil(BLOCK)).into_par_iter();
        // Few accumulators: each is as large as a block.
        let parts = blocks.with_min_len(16).fold(|| (vec![0; places], Vec::new()), read).map(|(counts, _)| counts);
        parts.reduce(
            || vec![0; places],
            |mut left, right| {
                left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
                left
            },
        )
    }
}

/// The slope at which the steps above use less than the budget, and those above or at it more; 0 where all fit.
fn threshold(rows: &Rows, budget: u64) -> f32 {
    // Slopes are above 0: their bits are sorted as they are.
    let high = rows.count(1 << (u32::BITS - LOW_BITS - 1), |bits| Some((bits >> LOW_BITS) as usize));
    let Some((bucket, above)) = reached(&high, 0, budget) else { return 0.0 };
    let low = rows.count(1 << LOW_BITS, |bits| {
        ((bits >> LOW_BITS) as usize == bucket).then_some((bits & ((1 << LOW_BITS) - 1)) as usize)
    });
    let (place, _) = reached(&low, above, budget).expect("invariant: the bucket passes the budget");
    f32::from_bits((bucket as u32) << LOW_BITS | place as u32)
}

/// From the highest place down, the one at which more than the budget is counted, and what was counted above it.
fn reached(counts: &[u64], mut above: u64, budget: u64) -> Option<(usize, u64)> {
    for (place, &count) in counts.iter().enumerate().rev() {
        if above + count > budget {
            return Some((place, above));
        }
        above += count;
    }
    None
}

/// A step at the threshold: who could climb it.
struct Tie {
    pinner: u32,
    step: Step,
}

/// The volumes that steps above the threshold lead to, and the steps at the threshold, in the order of the pinners.
fn climb_above(rows: &Rows, threshold: f32) -> (Vec<u8>, Vec<Tie>) {
    let blocks = rows.blocks(|first, block| {
        let (mut given, mut ties) = (Vec::with_capacity(BLOCK), Vec::new());
        let mut envelope = Envelope::default();
        for (row, pinner) in block.chunks_exact(rows.volumes).zip(first as u32..) {
            let mut volume = 0;
            for step in envelope.of(row) {
                if step.slope > threshold {
                    volume = step.to;
                } else if step.slope == threshold {
                    ties.push(Tie { pinner, step: *step });
                }
            }
            given.push(volume);
        }
        (given, ties)
    });
    let mut given = Vec::with_capacity(rows.pinners);
    let mut all = Vec::new();
    for (block, ties) in blocks {
        given.extend(block);
        all.extend(ties);
    }
    (given, all)
}

/// Value, baseline and bound of what was given.
fn judged(rows: &Rows, volumes: Vec<u8>, threshold: f32, budget: u64) -> Allocation {
    let price = f64::from(threshold);
    let sums = rows.blocks(|first, block| {
        let mut sums = [0.0; 3];
        for (row, &volume) in block.chunks_exact(rows.volumes).zip(&volumes[first..]) {
            if !row[0].is_finite() {
                continue;
            }
            let net = |(k, &reached): (usize, &f32)| f64::from(reached) - price * k as f64;
            let best = row.iter().enumerate().filter(|(_, reached)| reached.is_finite()).map(net);
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            let values = [f64::from(row[usize::from(volume)]), f64::from(row[0]), best];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        sums
    });
    let total = |at: usize| sums.iter().map(|sums| sums[at]).sum::<f64>();
    let sends = volumes.iter().map(|&volume| u64::from(volume)).sum();
    let bound = total(2) + price * budget as f64;
    Allocation { threshold, sends, value: total(0), baseline: total(1), bound, volumes }
}

#[cfg(test)]
mod tests;
