//! Off-policy estimates on the Open Bandit Dataset's sample, as `bench/peers/bandit` computes them; one JSON object.
//!
//! `BOWERBIRD_DATASETS=DIR cargo run --release -p bowerbird-experiments --example off_policy`

#[path = "public_data/table.rs"]
mod table;

use experiments::{
    LoggedRow, direct, doubly_robust, ips, off_policy_checks, self_normalised_ips, switch_doubly_robust,
};
use std::path::Path;
use table::Table;

const POSITIONS: usize = 3;
/// Impressions that draw an item's click rate towards the mean.
const PRIOR: f64 = 100.0;
/// The weight above which the model is trusted instead.
const SWITCH: f64 = 1.5;
const ALPHA: f64 = 0.05;

/// One impression: item, position, click, propensity.
type Impression = (usize, usize, f64, f64);

fn log(root: &Path, policy: &str, campaign: &str) -> Option<Vec<Impression>> {
    let table = Table::read(&root.join(format!("open_bandit_sample/{policy}/{campaign}.csv.gz")))?;
    let [item, position, click, propensity] =
        ["item_id", "position", "click", "propensity_score"].map(|name| table.column(name));
    let of = |row: &Vec<String>| {
        let number = |column: usize| row[column].parse::<f64>().expect("a number");
        (number(item) as usize, number(position) as usize - 1, number(click), number(propensity))
    };
    Some(table.rows.iter().map(of).collect())
}

fn rows(logged: &[Impression], judged: &[Impression], is_random: bool) -> (Vec<LoggedRow>, u32) {
    let items = logged.iter().chain(judged).map(|row| row.0 + 1).max().unwrap_or(0);
    let mut policy = vec![[1.0; POSITIONS]; items];
    if !is_random {
        judged.iter().for_each(|(item, position, ..)| policy[*item][*position] += 1.0);
    }
    for position in 0..POSITIONS {
        let sum: f64 = policy.iter().map(|item| item[position]).sum();
        policy.iter_mut().for_each(|item| item[position] /= sum);
    }
    let mean = logged.iter().map(|row| row.2).sum::<f64>() / logged.len() as f64;
    let (mut clicks, mut seen) = (vec![[0.0; POSITIONS]; items], vec![[0.0; POSITIONS]; items]);
    for (item, position, click, _) in logged {
        clicks[*item][*position] += click;
        seen[*item][*position] += 1.0;
    }
    let expected =
        |item: usize, position: usize| (clicks[item][position] + PRIOR * mean) / (seen[item][position] + PRIOR);
    let of_policy: [f64; POSITIONS] =
        std::array::from_fn(|position| (0..items).map(|item| policy[item][position] * expected(item, position)).sum());
    let row = |&(item, position, reward, propensity): &Impression| LoggedRow {
        action: item as u32,
        position: position as u32,
        reward,
        propensity,
        probability: policy[item][position],
        expected_logged: expected(item, position),
        expected_policy: of_policy[position],
    };
    (logged.iter().map(row).collect(), items as u32)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| "../shared/data".into());
    let root = Path::new(&root);
    let mut cases = Vec::new();
    for (from, to) in [("random", "bts"), ("bts", "random")] {
        for campaign in ["men", "women"] {
            let logs = log(root, from, campaign).zip(log(root, to, campaign));
            let (logged, judged) = logs.ok_or("open_bandit_sample is not there")?;
            let (rows, items) = rows(&logged, &judged, to == "random");
            cases.push(serde_json::json!({
                "logged": from, "judged": to, "campaign": campaign, "rows": rows.len(),
                "ips": ips(&rows, ALPHA)?,
                "snips": self_normalised_ips(&rows, ALPHA)?,
                "dm": direct(&rows, ALPHA)?,
                "dr": doubly_robust(&rows, ALPHA)?,
                "switch": switch_doubly_robust(&rows, SWITCH, ALPHA)?,
                "checks": off_policy_checks(&rows, Some(items))?,
            }));
        }
    }
    println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "cases": cases }))?);
    Ok(())
}
