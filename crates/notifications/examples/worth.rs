//! `cargo run --release -p bowerbird-notifications --example worth -- 1000000`: how long the values of many pinners take,
//! and with them the allocation of a week. The model is learned from 200,000 rows of six features.

use domain::Rng;
use notifications::{ValueModel, ValueParams, Weeks, allocate_streamed};
use rayon::prelude::*;
use std::time::Instant;

const FEATURES: usize = 6;
const VOLUMES: usize = 8;

fn drawn(rows: usize, seed: u64) -> Vec<f32> {
    let mut features = vec![0.0; rows * FEATURES];
    features.par_chunks_mut(FEATURES).enumerate().for_each(|(row, features)| {
        let mut rng = Rng::new(seed ^ (row as u64) << 20);
        features.fill_with(|| rng.uniform());
    });
    features
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pinners = std::env::args().nth(1).map_or(Ok(1_000_000), |word| word.parse())?;
    let mut rng = Rng::new(1);
    let names = (0..FEATURES).map(|n| format!("feature_{n}")).collect();
    let mut weeks = Weeks { names, features: drawn(200_000, 2), ..Weeks::default() };
    for row in 0..200_000 {
        let activity = weeks.features[row * FEATURES];
        let volume = rng.below(VOLUMES as u32) as u8;
        weeks.allocated.push(volume);
        weeks.visited.push(rng.uniform() < activity + (1.0 - activity) * activity * 0.1 * f32::from(volume));
        weeks.unsubscribed.push(rng.uniform() < 0.004 * f32::from(volume));
        weeks.active_later.push(rng.uniform() < 0.5 * activity);
    }
    let start = Instant::now();
    let model = ValueModel::fit(&ValueParams::default(), &weeks)?;
    println!("learned in {:.2} s", start.elapsed().as_secs_f64());
    let features = drawn(pinners, 3);
    let start = Instant::now();
    let fill = |first: usize, rows: &mut [f32]| model.fill(&features, VOLUMES, first, rows);
    let made = allocate_streamed(pinners, VOLUMES, pinners as u64 * 3 / 2, &fill)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{pinners} pinners in {seconds:.2} s: {} notifications, gap {:.2e}", made.sends, made.gap());
    Ok(())
}
