//! How long things take, and how much memory they took.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// Seconds that this thread has computed.
pub(super) fn thread_cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// A running clock.
pub(super) struct Clock {
    wall: Instant,
    cpu_s: f64,
}

impl Clock {
    pub(super) fn start() -> Clock {
        Clock { wall: Instant::now(), cpu_s: thread_cpu_s() }
    }

    /// Seconds that this thread has computed since.
    pub(super) fn cpu_s(&self) -> f64 {
        thread_cpu_s() - self.cpu_s
    }

    /// Seconds by the wall.
    pub(super) fn wall_s(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}

/// Most memory that this process has held so far (bytes), where the system says.
pub(super) fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1_024)
}

/// The value below which a part of the sorted values lies; 0 of none.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// The median; 0 of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}
