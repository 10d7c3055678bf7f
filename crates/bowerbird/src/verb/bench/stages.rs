//! What the stages of the funnel took, as request records tell.

use super::clock::quantile;
use crate::output::print_table;
use crate::setup::Setup;
use anyhow::{Context, Result};
use domain::{Fact, RequestRecord, TopicKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;

const READ_FACTS: usize = 256;

/// Times and counts of each stage over many requests.
#[derive(Default)]
pub(super) struct Stages {
    /// By stage, in the order in which they were first told.
    stages: Vec<Stage>,
    /// Of each request the sum of its stages (ms): what the funnel took, up to the making of the answer.
    whole_ms: Vec<f64>,
    /// How many requests had to leave something out, by what it was.
    degraded: BTreeMap<String, usize>,
}

struct Stage {
    name: String,
    ms: Vec<f64>,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Stages {
    /// Of the requests that were served in a time (ms, UTC).
    pub(super) fn read(setup: &Setup, times: Range<u64>) -> Result<Stages> {
        let log = setup.log_to_read()?;
        let (mut stages, mut from) = (Stages::default(), 0);
        loop {
            let facts = log.read(TopicKind::Requests, from, READ_FACTS).context("cannot read request records")?;
            let Some(last) = facts.last() else { break };
            from = last.0 + 1;
            for (_, _, fact) in &facts {
                if let Fact::Served(record) = fact
                    && times.contains(&record.ts_ms)
                {
                    stages.add(record);
                }
            }
        }
        stages.sort();
        Ok(stages)
    }

    fn add(&mut self, record: &RequestRecord) {
        for told in &record.trace.stages {
            let ms = f64::from(told.took_us) / 1e3;
            let place = self.stages.iter().position(|stage| stage.name == told.name).unwrap_or_else(|| {
                let (name, none) = (told.name.clone(), Vec::new);
                self.stages.push(Stage { name, ms: none(), before: none(), after: none() });
                self.stages.len() - 1
            });
            let stage = &mut self.stages[place];
            stage.ms.push(ms);
            stage.before.push(told.before.into());
            stage.after.push(told.after.into());
        }
        self.whole_ms.push(record.trace.took_us() as f64 / 1e3);
        for what in &record.trace.degraded {
            *self.degraded.entry(what.clone()).or_default() += 1;
        }
    }

    fn sort(&mut self) {
        let lists = self.stages.iter_mut().flat_map(|stage| [&mut stage.ms, &mut stage.before, &mut stage.after]);
        lists.chain([&mut self.whole_ms]).for_each(|list| list.sort_by(f64::total_cmp));
    }

    /// All figures.
    pub(super) fn json(&self) -> Value {
        let stage = |stage: &Stage| {
            json!({
                "stage": stage.name,
                "requests": stage.ms.len(),
                "ms_p50": quantile(&stage.ms, 0.5),
                "ms_p99": quantile(&stage.ms, 0.99),
                "before_p50": quantile(&stage.before, 0.5),
                "after_p50": quantile(&stage.after, 0.5),
            })
        };
        json!({
            "requests": self.whole_ms.len(),
            "ms_p50": quantile(&self.whole_ms, 0.5),
            "ms_p99": quantile(&self.whole_ms, 0.99),
            "l1_candidates": self.candidates("l1"),
            "l2_candidates": self.candidates("l2"),
            "stages": self.stages.iter().map(stage).collect::<Vec<_>>(),
            "degraded": self.degraded,
        })
    }

    /// How many candidates reach a stage, in the median.
    fn candidates(&self, name: &str) -> f64 {
        self.stages.iter().find(|stage| stage.name == name).map_or(0.0, |stage| quantile(&stage.before, 0.5))
    }

    /// A table.
    pub(super) fn print(&self) {
        let row = |name: &str, ms: &[f64], counts: [String; 2]| {
            let [before, after] = counts;
            let time = |part| format!("{:.2}", quantile(ms, part));
            vec![name.to_owned(), time(0.5), time(0.99), before, after]
        };
        let count = |counts: &[f64]| format!("{:.0}", quantile(counts, 0.5));
        let rows = self.stages.iter().map(|s| row(&s.name, &s.ms, [count(&s.before), count(&s.after)]));
        let whole = row("all stages", &self.whole_ms, Default::default());
        print_table(
            &["stage", "p50 ms", "p99 ms", "before", "after"].map(str::to_owned),
            &rows.chain([whole]).collect::<Vec<_>>(),
        );
        for (what, times) in &self.degraded {
            println!("{what}: {times} of {} requests", self.whole_ms.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{EventId, StageTrace, Subject, Surface, Trace};

    fn record(took_us: u32) -> RequestRecord {
        let stage = |name: &str, took_us| StageTrace { name: name.into(), took_us, before: 7, after: 5, note: None };
        let stages = vec![stage("generate/walks", took_us), stage("generate", took_us), stage("l1", 2_000)];
        let trace = Trace { stages, degraded: vec!["walks: missed its deadline".into()], ..Trace::default() };
        let (request_id, pinner, subject) = (EventId(1), String::new(), Subject::None);
        RequestRecord {
            request_id,
            ts_ms: 1,
            pinner,
            surface: Surface::Home,
            subject,
            offset: 0,
            shown: 1,
            arms: Vec::new(),
            trace,
        }
    }

    #[test]
    fn times_are_those_of_most_requests() {
        let mut stages = Stages::default();
        [3_000, 1_000, 2_000].iter().for_each(|took_us| stages.add(&record(*took_us)));
        stages.sort();
        let told = stages.json();
        assert_eq!((&told["ms_p50"], &told["ms_p99"]), (&json!(4.0), &json!(5.0)));
        assert_eq!((&told["l1_candidates"], &told["l2_candidates"]), (&json!(7.0), &json!(0.0)));
        assert_eq!(told["degraded"], json!({"walks: missed its deadline": 3}));
        assert_eq!(told["stages"][0]["stage"], "generate/walks");
    }
}
