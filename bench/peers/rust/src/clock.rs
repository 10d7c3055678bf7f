//! Measures one search setting, as `../runner/clock.py` does: queries one by one, CPU time of the whole process.

use std::time::Instant;

use anyhow::Result;
use cpu_time::{ProcessTime, ThreadTime};
use serde_json::{Value, json};

/// A first pass stops no earlier than this.
const ANSWERED_MIN: usize = 20;

/// Memory of this process that is in RAM, in bytes.
pub fn resident_bytes() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = text.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(pages * 4096)
}

/// Asks every query in turn. Returns the answers and the figures.
///
/// The first pass takes latencies and stops early once `cpu_max_s` is spent; if it took less than `cpu_min_s`, bare
/// passes follow until that much is spent, and the rate is theirs.
pub fn measure<'a>(
    queries: impl Iterator<Item = &'a [f32]> + Clone,
    cpu_min_s: f64,
    cpu_max_s: f64,
    mut search: impl FnMut(&[f32], &mut Vec<u32>) -> Result<()>,
) -> Result<(Vec<Vec<u32>>, Value)> {
    let mut scratch = Vec::new();
    for query in queries.clone().take(5) {
        scratch.clear();
        search(query, &mut scratch)?;
    }
    let (mut found, mut cpu_us, mut wall_us) = (Vec::new(), Vec::new(), Vec::new());
    let started = ProcessTime::now();
    for query in queries.clone() {
        let (cpu, wall) = (ThreadTime::now(), Instant::now());
        let mut ids = Vec::new();
        search(query, &mut ids)?;
        cpu_us.push(cpu.elapsed().as_secs_f64() * 1e6);
        wall_us.push(wall.elapsed().as_secs_f64() * 1e6);
        found.push(ids);
        if found.len() >= ANSWERED_MIN && started.elapsed().as_secs_f64() > cpu_max_s {
            break;
        }
    }
    let (mut answered, mut spent) = (found.len(), started.elapsed().as_secs_f64());
    if spent < cpu_min_s {
        let started = ProcessTime::now();
        (answered, spent) = (0, 0.0);
        while spent < cpu_min_s {
            for query in queries.clone() {
                scratch.clear();
                search(query, &mut scratch)?;
                answered += 1;
            }
            spent = started.elapsed().as_secs_f64();
        }
    }
    let figures = json!({
        "answered": answered,
        "queries_per_cpu_s": answered as f64 / spent,
        "cpu_us_p50": percentile(&mut cpu_us, 0.50),
        "cpu_us_p99": percentile(&mut cpu_us, 0.99),
        "wall_us_p50": percentile(&mut wall_us, 0.50),
        "wall_us_p99": percentile(&mut wall_us, 0.99),
    });
    Ok((found, figures))
}

fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}
