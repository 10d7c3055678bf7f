//! Texts and pictures a second of published encoders on one thread. `bench/peers/published speed --out DIR` writes
//! encoders of common sizes with random weights and measures PyTorch on them; then
//! `cargo run --release -p bowerbird-models --features zoo --example published -- DIR/bert DIR/clip` does the same here.
//! With `--alone` texts and pictures come one by one, not sixteen at a time. A second is one that the thread computed,
//! where the system tells (Linux), so that others on the machine matter less.

use std::error::Error;
use std::fs::read;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use models::PublishedEncoder;

/// Texts or pictures at a time, as PyTorch gets them.
const BATCH: usize = 16;
/// Tokens of a text.
const TOKENS: usize = 32;
/// How long each measurement takes at least.
const AT_LEAST: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let (options, folders): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg == "--alone");
    let many = if options.is_empty() { BATCH } else { 1 };
    for folder in folders {
        let folder = Path::new(&folder);
        let encoder =
            PublishedEncoder::read(&read(folder.join("config.json"))?, &read(folder.join("model.safetensors"))?, None)?;
        let name = folder.display();
        let tokens: Vec<u32> = (0..TOKENS as u32).map(|token| 5 + token * 7).collect();
        let texts = vec![tokens.as_slice(); many];
        println!("{name}: {:.1} texts of {TOKENS} tokens a second", rate(many, || encoder.texts(&texts)));
        if let Some(side) = encoder.side() {
            let pixels: Vec<f32> = (0..3 * side * side).map(|i| (i as f32 * 0.01).sin()).collect();
            let pictures = vec![pixels.as_slice(); many];
            println!("{name}: {:.1} pictures a second", rate(many, || encoder.pictures(&pictures)));
        }
    }
    Ok(())
}

/// How many a second, in runs of `many`; the first run does not count.
fn rate(many: usize, run: impl Fn() -> Vec<Vec<f32>>) -> f64 {
    black_box(run());
    let clock = Clock(Instant::now());
    let (start, mut runs) = (clock.spent(), 0);
    while clock.spent() - start < AT_LEAST {
        black_box(run());
        runs += 1;
    }
    (runs * many) as f64 / (clock.spent() - start).as_secs_f64()
}

/// What this thread has computed.
struct Clock(Instant);

impl Clock {
    fn spent(&self) -> Duration {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let computed = told.and_then(|text| text.split(' ').next()?.parse().ok());
        computed.map_or_else(|| self.0.elapsed(), Duration::from_nanos)
    }
}
