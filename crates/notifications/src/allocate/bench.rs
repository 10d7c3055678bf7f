//! How long does a week of many pinners take?

use super::{Allocation, allocate};
use crate::NotifyError;
use domain::hash64;
use rayon::prelude::*;
use serde::Serialize;
use std::fmt;
use std::time::Instant;

/// Volumes of a row: none to seven notifications a week.
const VOLUMES: usize = 8;

/// What `bench_allocate` measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AllocateFigures {
    /// Pinners, each with volumes from 0 to 7.
    pub pinners: usize,
    /// The budget: 1.5 notifications a pinner.
    pub budget: u64,
    /// Threads of the pool.
    pub threads: usize,
    /// How long the allocation took, without the making of the returns.
    pub seconds: f64,
    /// Returns of the week, and of a week without notifications.
    pub value: f64,
    /// See `value`.
    pub baseline: f64,
    /// No allocation reaches more.
    pub lp_bound: f64,
    /// Part of the possible gain that is missed.
    pub gap: f64,
    /// Return per notification at which the budget is used.
    pub threshold: f32,
    /// Notifications given.
    pub sends: u64,
    /// Part of the pinners whose envelope leaves out a volume: their returns bend upwards somewhere.
    pub bent: f64,
}

impl fmt::Display for AllocateFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} pinners in {:.2} s on {} threads: {} of {} notifications, gap {:.2e}, threshold {:.3e}",
            self.pinners, self.seconds, self.threads, self.sends, self.budget, self.gap, self.threshold
        )
    }
}

/// Planted returns of none to seven notifications a week, eight numbers a pinner; a third of the pinners need more than
/// one before they come.
pub fn planted_returns(pinners: usize, seed: u64) -> Vec<f32> {
    let mut returns = vec![0.0; pinners * VOLUMES];
    returns.par_chunks_mut(VOLUMES).enumerate().for_each(|(pinner, row)| planted(row, seed, pinner as u64));
    returns
}

/// Allocates 1.5 notifications a pinner by [`planted_returns`].
///
/// # Errors
/// [`NotifyError::Invalid`] where there are more than 2³² pinners.
pub fn bench_allocate(pinners: usize, seed: u64) -> Result<AllocateFigures, NotifyError> {
    let returns = planted_returns(pinners, seed);
    let budget = pinners as u64 * 3 / 2;
    let start = Instant::now();
    let allocation: Allocation = allocate(&returns, VOLUMES, budget)?;
    let seconds = start.elapsed().as_secs_f64();
    let bends = |row: &[f32]| row.windows(3).any(|at| at[2] - at[1] > at[1] - at[0] && at[2] > at[1]);
    let bent = returns.par_chunks(VOLUMES).filter(|row| bends(row)).count();
    Ok(AllocateFigures {
        pinners,
        budget,
        threads: rayon::current_num_threads(),
        seconds,
        value: allocation.value,
        baseline: allocation.baseline,
        lp_bound: allocation.bound,
        gap: allocation.gap(),
        threshold: allocation.threshold,
        sends: allocation.sends,
        bent: bent as f64 / pinners.max(1) as f64,
    })
}

/// `1 − (1 − base)·(1 − lift)^s(k) − k·harm`, where `s` starts late for a third.
fn planted(row: &mut [f32], seed: u64, pinner: u64) {
    let mut state = hash64(seed ^ hash64(pinner));
    let mut uniform = || {
        state = hash64(state);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let (base, lift, harm) = (uniform(), uniform() * uniform() * 0.4, uniform() * 0.01);
    let late = if uniform() < 1.0 / 3.0 { 1.0 + 2.0 * uniform() } else { 0.0 };
    for (k, slot) in row.iter_mut().enumerate() {
        let felt = (k as f32 - late).max(0.0);
        *slot = 1.0 - (1.0 - base) * (1.0 - lift).powf(felt) - harm * k as f32;
    }
}
