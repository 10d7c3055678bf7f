//! Figures as JSON and as a table.

use super::SEED;
use super::measure::Measured;
use super::slices::SLICES;
use crate::output::{print_table, thousands};
use domain::Source;
use serde_json::{Map, Value, json};
use train::{Report, ReportSummary};

/// Columns of the table, of the one about generators, and of the one about single targets.
const SHOWN: [&str; 6] = ["recall@10", "ndcg@10", "recall@20", "ndcg@20", "recall@100", "recall@500"];
const SHOWN_OF_GENERATORS: [&str; 5] = ["recall@20", "ndcg@20", "recall@100", "recall@500", "recall@1000"];
const SHOWN_OF_SINGLE: [&str; 7] = ["hit@5", "hit@10", "hit@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr"];

/// What was asked and of whom.
pub(crate) struct About {
    /// What was held out and how it was looked for, as a sentence.
    pub protocol: String,
    /// Version of the model that ranked; empty without one.
    pub model: String,
    /// Whether one pin is right for each pinner: a hit is then called hr, as published tables do.
    pub single: bool,
}

/// Everything that an evaluation says.
pub(crate) struct Figures {
    about: About,
    served: ReportSummary,
    /// Every generator, and `union`: all of them together.
    generators: Vec<(&'static str, ReportSummary)>,
    /// Candidates per pinner, and the part of the right pins that is among them.
    candidates: f64,
    found: f64,
    pub baselines: Vec<(&'static str, ReportSummary)>,
    slices: Vec<(&'static str, ReportSummary)>,
    /// Mean over pinners of how alike the first pins of a slate are.
    similarity: Option<f64>,
    seconds: f64,
}

impl Figures {
    /// The figures of a measurement.
    pub(crate) fn new(measured: &Measured, about: About, seconds: f64) -> Figures {
        let offered = Source::ALL.iter().zip(&measured.sources).filter(|(_, (_, offers))| *offers);
        let generators = offered.map(|(source, (report, _))| (source.as_str(), report));
        let generators = generators.chain([("union", &measured.union)]);
        let summed = |(name, report): (&'static str, &Report)| (name, report.summary(SEED));
        let pinners = measured.pinners.max(1) as f64;
        let (similar, slates) = measured.similarity;
        Figures {
            about,
            served: measured.served.summary(SEED),
            generators: generators.map(summed).collect(),
            candidates: measured.candidates as f64 / pinners,
            found: measured.found / pinners,
            baselines: Vec::new(),
            slices: SLICES.into_iter().zip(&measured.slices).map(summed).collect(),
            similarity: (slates > 0).then(|| similar / slates as f64),
            seconds,
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let About { protocol, model, single } = &self.about;
        let by_name = |rows: &[(&str, ReportSummary)]| -> Map<String, Value> {
            rows.iter().map(|(name, summary)| ((*name).to_owned(), self.metrics(summary).into())).collect()
        };
        let mut value = json!({
            "protocol": protocol,
            "model": model,
            "pinners": self.served.pinners,
            "intervals": self.intervals(&self.served),
            "generators": by_name(&self.generators),
            "candidates": { "per_pinner": self.candidates, "recall": self.found },
            "seconds": self.seconds,
        });
        match (single, self.metrics(&self.served), &mut value) {
            (true, metrics, Value::Object(value)) => value.extend(metrics),
            (_, metrics, value) => value["metrics"] = metrics.into(),
        }
        if !self.baselines.is_empty() {
            value["baselines"] = by_name(&self.baselines).into();
        }
        if !self.slices.is_empty() {
            let slice = |summary: &ReportSummary| {
                let (metrics, intervals) = (self.metrics(summary), self.intervals(summary));
                json!({ "pinners": summary.pinners, "metrics": metrics, "intervals": intervals })
            };
            let slices = self.slices.iter().map(|(name, summary)| ((*name).to_owned(), slice(summary)));
            value["slices"] = slices.collect::<Map<String, Value>>().into();
            value["similarity"] = self.similarity.into();
        }
        value
    }

    /// Metrics by the names that they go by here.
    fn metrics(&self, summary: &ReportSummary) -> Map<String, Value> {
        let named = summary.metrics.iter().filter_map(|(name, value)| Some((self.name(name)?, json!(value))));
        named.collect()
    }

    fn intervals(&self, summary: &ReportSummary) -> Map<String, Value> {
        let named = summary.intervals.iter().filter_map(|(name, value)| Some((self.name(name)?, json!(value))));
        named.collect()
    }

    /// The name of a metric here. With one right pin recall says what hits say, and it is left out.
    fn name(&self, metric: &str) -> Option<String> {
        match metric.split_once('@') {
            Some(("recall", _)) if self.about.single => None,
            Some(("hit", k)) if self.about.single => Some(format!("hr@{k}")),
            _ => Some(metric.to_owned()),
        }
    }

    /// As a table on stdout; with the columns of generators, if they are what was asked for.
    pub(crate) fn print(&self, generators: bool) {
        let About { protocol, model, single } = &self.about;
        let shown = match (generators, single) {
            (true, _) => &SHOWN_OF_GENERATORS[..],
            (false, true) => &SHOWN_OF_SINGLE[..],
            (false, false) => &SHOWN[..],
        };
        println!("{protocol}");
        let model = if model.is_empty() { "no model" } else { model };
        println!("{} pinners, {model}, {:.0} s\n", thousands(self.served.pinners as u64), self.seconds);
        let names = shown.iter().map(|metric| self.name(metric).unwrap_or_else(|| (*metric).to_owned()));
        let headings: Vec<String> = std::iter::once(String::new()).chain(names).collect();
        let row = |name: &str, summary: &ReportSummary| {
            let cell =
                |metric: &&str| summary.metrics.get(*metric).map_or(String::new(), |value| format!("{value:.4}"));
            std::iter::once(name.to_owned()).chain(shown.iter().map(cell)).collect::<Vec<String>>()
        };
        let mut rows = vec![row("served", &self.served)];
        rows.extend(self.slices.iter().map(|(name, summary)| row(&format!("{name} ({})", summary.pinners), summary)));
        rows.extend(self.baselines.iter().map(|(name, summary)| row(name, summary)));
        rows.extend(self.generators.iter().map(|(name, summary)| row(&format!("· {name}"), summary)));
        print_table(&headings, &rows);
        println!("\nall candidates: {:.0} per pinner hold {:.4} of what is right", self.candidates, self.found);
        if let Some(similarity) = self.similarity {
            let coverage = self.served.metrics.iter().find(|(name, _)| name.starts_with("coverage@"));
            let coverage = coverage.map_or(String::new(), |(name, value)| format!(", {name} {value:.4}"));
            println!("pins of a slate are alike by {similarity:.4} (mean cosine of the first 20){coverage}");
        }
    }
}
