//! A/A tests, planted effects and the sensitivity of interleaving, as one JSON object.
//!
//! `cargo run --release -p bowerbird-experiments --example simulations -- [SIMULATIONS]`

use experiments::{AaConfig, Metric, SensitivityConfig, aa, interleaving_sensitivity};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulations = std::env::args().nth(1).map_or(Ok(10_000), |count| count.parse())?;
    let base = AaConfig { simulations, ..AaConfig::default() };
    let cases = [
        ("A/A, normal", base),
        ("A/A, conversion of 10 %", AaConfig { metric: Metric::Conversion(0.1), ..base }),
        ("A/A, spend", AaConfig { metric: Metric::Spend, ..base }),
        ("A/A, correlation .9", AaConfig { correlation: 0.9, ..base }),
        ("planted .1, normal", AaConfig { effect: 0.1, ..base }),
        ("planted .3, spend", AaConfig { metric: Metric::Spend, effect: 0.3, ..base }),
    ];
    let mut rows = Vec::new();
    for (name, config) in cases {
        rows.push(serde_json::json!({ "case": name, "config": config, "report": aa(&config, 20)? }));
    }
    let mut drafts = Vec::new();
    for (noise_b, eagerness) in [(0.9, 1.0), (0.7, 1.0), (0.9, 0.0), (0.9, 1.5)] {
        let config = SensitivityConfig { noise_b, eagerness, ..SensitivityConfig::default() };
        drafts.push(serde_json::json!({ "config": config, "found": interleaving_sensitivity(&config, 21)? }));
    }
    println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "experiments": rows, "interleaving": drafts }))?);
    Ok(())
}
