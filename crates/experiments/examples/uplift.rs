//! The uplift model on Hillstrom's e-mail experiment (any e-mail against none, target visit), beside the scores of
//! `bench/peers/uplift`; one JSON object.
//!
//! `BOWERBIRD_DATASETS=DIR cargo run --release -p bowerbird-experiments --example uplift -- [--seed N]
//!  [--write SCORES.csv] [--peers SCORES.csv]`

#[path = "public_data/table.rs"]
mod table;

use experiments::{QiniRow, UpliftModel, UpliftRow, UpliftTraits, qini_difference, qini_interval};
use std::path::Path;
use table::Table;

const RESAMPLES: u32 = 1_000;

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The rows that teach and those that are measured.
fn halves(table: &Table, seed: u64) -> [Vec<UpliftRow>; 2] {
    let numbers = ["recency", "history", "mens", "womens", "newbie"].map(|name| table.column(name));
    let words = ["history_segment", "zip_code", "channel"].map(|name| table.column(name));
    let [segment, visit] = ["segment", "visit"].map(|name| table.column(name));
    let mut halves = [Vec::new(), Vec::new()];
    for (place, row) in table.rows.iter().enumerate() {
        let traits = UpliftTraits {
            numbers: numbers.iter().map(|column| row[*column].parse().expect("a number")).collect(),
            words: words.iter().map(|column| row[*column].clone()).collect(),
        };
        let treated = row[segment] != "No E-Mail";
        let half = (domain::hash64(place as u64 ^ (seed << 32)) & 1) as usize;
        halves[half].push(UpliftRow { traits, treated, outcome: row[visit].parse().expect("a number") });
    }
    halves
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| "../shared/data".into());
    let seed: u64 = option("--seed").map_or(Ok(1), |seed| seed.parse())?;
    let table = Table::read(&Path::new(&root).join("hillstrom_email/hillstrom_half.csv.gz"));
    let [taught, measured] = halves(&table.ok_or("hillstrom_email is not there")?, seed);
    let model = UpliftModel::fit(&taught, seed)?;
    let of =
        |row: &UpliftRow| QiniRow { score: model.score(&row.traits), treated: row.treated, outcome: row.outcome > 0.5 };
    let rows: Vec<QiniRow> = measured.iter().map(of).collect();
    if let Some(path) = option("--write") {
        let lines: String = rows.iter().map(|row| format!("{}\n", row.score)).collect();
        std::fs::write(path, format!("score\n{lines}"))?;
    }
    let mut against = serde_json::Map::new();
    if let Some(path) = option("--peers") {
        let peers = Table::read(Path::new(&path)).ok_or("no scores of peers")?;
        for name in peers.names() {
            let column = peers.column(&name);
            let scores: Result<Vec<f64>, _> = peers.rows.iter().map(|row| row[column].parse()).collect();
            let found = qini_difference(&rows, &scores?, RESAMPLES, 0.05, 7)?;
            against.insert(name, serde_json::to_value(found)?);
        }
    }
    let found = serde_json::json!({
        "seed": seed, "taught": taught.len(), "measured": rows.len(), "learners": model.learners,
        "qini": qini_interval(&rows, RESAMPLES, 0.05, 7)?, "ours_less": against,
    });
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}
