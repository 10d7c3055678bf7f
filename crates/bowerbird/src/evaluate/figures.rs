//! Figures as JSON and as a table.

use super::measure::Measured;
use super::{PROTOCOL, SEED};
use crate::output::{print_table, thousands};
use domain::Source;
use serde_json::{Map, Value, json};
use train::ReportSummary;

/// Columns of the table, and of the one about generators.
const SHOWN: [&str; 6] = ["recall@10", "ndcg@10", "recall@20", "ndcg@20", "recall@100", "recall@500"];
const SHOWN_OF_GENERATORS: [&str; 5] = ["recall@20", "ndcg@20", "recall@100", "recall@500", "recall@1000"];

/// Everything that an evaluation says.
pub(crate) struct Figures {
    /// What was held out.
    pub split: String,
    /// Version of the model that ranked; empty without one.
    pub model: String,
    pub served: ReportSummary,
    /// Every generator, and `union`: all of them together.
    generators: Vec<(&'static str, ReportSummary)>,
    /// Candidates per pinner, and the part of the right pins that is among them.
    candidates: f64,
    found: f64,
    pub baselines: Vec<(&'static str, ReportSummary)>,
    pub seconds: f64,
}

impl Figures {
    /// The figures of a measurement.
    pub(crate) fn new(measured: &Measured, split: String, model: String, seconds: f64) -> Figures {
        let offered = Source::ALL.iter().zip(&measured.sources).filter(|(_, (_, offers))| *offers);
        let generators = offered.map(|(source, (report, _))| (source.as_str(), report));
        let generators = generators.chain([("union", &measured.union)]);
        let pinners = measured.pinners.max(1) as f64;
        Figures {
            split,
            model,
            served: measured.served.summary(SEED),
            generators: generators.map(|(name, report)| (name, report.summary(SEED))).collect(),
            candidates: measured.candidates as f64 / pinners,
            found: measured.found / pinners,
            baselines: Vec::new(),
            seconds,
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let by_name = |rows: &[(&str, ReportSummary)]| -> Map<String, Value> {
            rows.iter().map(|(name, summary)| ((*name).to_owned(), json!(summary.metrics))).collect()
        };
        let mut value = json!({
            "protocol": format!("{}; {}", self.split, PROTOCOL),
            "model": self.model,
            "pinners": self.served.pinners,
            "metrics": self.served.metrics,
            "intervals": self.served.intervals,
            "generators": by_name(&self.generators),
            "candidates": { "per_pinner": self.candidates, "recall": self.found },
            "seconds": self.seconds,
        });
        if !self.baselines.is_empty() {
            value["baselines"] = by_name(&self.baselines).into();
        }
        value
    }

    /// As a table on stdout; with the columns of generators, if they are what was asked for.
    pub(crate) fn print(&self, generators: bool) {
        let shown = if generators { &SHOWN_OF_GENERATORS[..] } else { &SHOWN[..] };
        println!("{}; {PROTOCOL}", self.split);
        let model = if self.model.is_empty() { "no model" } else { &self.model };
        println!("{} pinners, {model}, {:.0} s\n", thousands(self.served.pinners as u64), self.seconds);
        let headings: Vec<String> = std::iter::once("").chain(shown.iter().copied()).map(str::to_owned).collect();
        let row = |name: &str, summary: &ReportSummary| {
            let cell =
                |metric: &&str| summary.metrics.get(*metric).map_or(String::new(), |value| format!("{value:.4}"));
            std::iter::once(name.to_owned()).chain(shown.iter().map(cell)).collect::<Vec<String>>()
        };
        let mut rows = vec![row("served", &self.served)];
        rows.extend(self.baselines.iter().map(|(name, summary)| row(name, summary)));
        rows.extend(self.generators.iter().map(|(name, summary)| row(&format!("· {name}"), summary)));
        print_table(&headings, &rows);
        println!("\nall candidates: {:.0} per pinner hold {:.4} of what is right", self.candidates, self.found);
    }
}
