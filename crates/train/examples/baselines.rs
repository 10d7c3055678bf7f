//! What popularity, item-kNN and EASE reach on the saves of the data set `pinterest_saves`, 20 % of each board held
//! out: the bars for our own model.
//!
//! `cargo run --release -p bowerbird-train --example baselines -- [train.txt.gz] [seed]`

use domain::PinId;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::time::Instant;
use train::{Ease, Holdout, ItemKnn, Popularity, Report, evaluate, holdout};

const SHARE: f64 = 0.2;
const LAMBDA: f32 = 500.0;
const CUTOFFS: [usize; 3] = [10, 20, 50];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "../shared/data/pinterest_saves/train.txt.gz".to_owned());
    let seed = arguments.next().map_or(Ok(42), |seed| seed.parse())?;
    let rows = read(&path)?;
    let pins = rows.iter().flatten().map(|pin| pin.index() + 1).max().unwrap_or(0);
    let split = holdout(&rows, SHARE, seed);
    let held: usize = split.held.iter().map(Vec::len).sum();
    println!("{} boards, {pins} pins, {held} saves held out with seed {seed}", rows.len());

    let popularity = Popularity::fit(&split.kept, pins);
    measure("popularity", &split, pins, seed, &|known, k| popularity.rank(known, k));
    let knn = ItemKnn::fit(&split.kept, pins);
    measure("item-kNN cosine", &split, pins, seed, &|known, k| knn.rank(known, k));
    let start = Instant::now();
    let ease = Ease::fit(&split.kept, pins, LAMBDA, &|_, _| ()).ok_or("too many pins for EASE")?;
    println!("EASE fitted in {:.1} s", start.elapsed().as_secs_f64());
    measure("EASE λ=500", &split, pins, seed, &|known, k| ease.rank(known, k));
    Ok(())
}

fn read(path: &str) -> Result<Vec<Vec<PinId>>, Box<dyn Error>> {
    let file = std::fs::File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let mut rows = Vec::new();
    for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
        let line = line?;
        let pins = line.split_whitespace().skip(1).map(|word| word.parse().map(PinId));
        rows.push(pins.collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

fn measure(
    name: &str,
    split: &Holdout<PinId>,
    pins: usize,
    seed: u64,
    rank: &(dyn Fn(&[PinId], usize) -> Vec<PinId> + Sync),
) {
    let start = Instant::now();
    let report = evaluate(&split.kept, &split.held, &Report::new(&CUTOFFS, pins), rank, &|_| ());
    let ranked_s = start.elapsed().as_secs_f64();
    let summary = report.summary(seed);
    println!("\n{name}: {} pinners, ranked in {ranked_s:.1} s", summary.pinners);
    for (metric, value) in &summary.metrics {
        match summary.intervals.get(metric) {
            Some([low, high]) => println!("  {metric:<12} {value:.4}  [{low:.4}, {high:.4}]"),
            None => println!("  {metric:<12} {value:.4}"),
        }
    }
}
