//! Recall against speed.

use super::super::clock::{quantile, thread_cpu_s};
use super::exchange::{Exchange, Truth};
use crate::progress::Progress;
use anyhow::Result;
use index::{Columns, Filter, Marked, PinSet, Plan, VectorIndex, Want};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

/// What is asked for, at each k.
const RECALLS: [f32; 11] = [0.0, 0.25, 0.35, 0.45, 0.6, 0.72, 0.8, 0.88, 0.95, 0.98, 0.998];
const COUNTS: [usize; 3] = [10, 100, 1_000];

/// The same with filters.
const FILTERED_RECALLS: [f32; 4] = [0.8, 0.9, 0.95, 0.99];
const FILTERED_COUNT: usize = 100;

/// Each point is asked again until this much was computed.
const POINT_CPU_S: f64 = 0.3;

/// A point of the curve.
pub(super) struct Point {
    k: usize,
    asked: f32,
    filter: Option<String>,
    /// Whether the pins that pass were marked before, once for all queries.
    marked: bool,
    plan: Plan,
    recall: f64,
    queries: usize,
    answered: usize,
    queries_per_cpu_s: f64,
    cpu_us: [f64; 2],
    wall_us: [f64; 2],
    rows: f64,
}

impl Point {
    pub(super) fn json(&self) -> Value {
        let params = json!({ "recall": self.asked, "marked": self.marked, "plan": self.plan.as_str() });
        json!({
            "setting": {
                "k": self.k,
                "filter": self.filter,
                "filtered_by": self.filter.as_ref().map(|_| "itself"),
                "fetch": null,
                "params": params,
            },
            "recall": self.recall,
            "queries": self.queries,
            "answered": self.answered,
            "queries_per_cpu_s": self.queries_per_cpu_s,
            "cpu_us_p50": self.cpu_us[0],
            "cpu_us_p99": self.cpu_us[1],
            "wall_us_p50": self.wall_us[0],
            "wall_us_p99": self.wall_us[1],
            "rows_scanned": self.rows,
        })
    }

    pub(super) fn cells(&self) -> Vec<String> {
        let marked = if self.marked { ", marked before" } else { "" };
        vec![
            self.k.to_string(),
            self.filter.clone().unwrap_or_default(),
            format!("{}{marked}", self.plan.as_str()),
            self.asked.to_string(),
            format!("{:.4}", self.recall),
            format!("{:.0}", self.queries_per_cpu_s),
            format!("{:.0}", self.cpu_us[0]),
            format!("{:.0}", self.cpu_us[1]),
            format!("{:.0}", self.rows),
        ]
    }
}

/// All points: each k, then each filter.
pub(super) fn walk(exchange: &Exchange, index: &VectorIndex, filtered: bool) -> Result<Vec<Point>> {
    let filters = if filtered { &exchange.filters[..] } else { &[] };
    let total = COUNTS.len() * RECALLS.len() + filters.len() * FILTERED_RECALLS.len() * 2;
    let progress = Progress::new("asking", total as u64);
    let mut points = Vec::new();
    for k in COUNTS {
        for recall in RECALLS {
            points.push(point(exchange, index, &Want { recall, ..Want::best(k) }, &exchange.truths[0], None)?);
            progress.add(1);
        }
    }
    for ((name, set), truth) in filters.iter().zip(&exchange.truths[1..]) {
        under_filter(exchange, index, name, set, truth, &mut points)?;
        progress.add(2 * FILTERED_RECALLS.len() as u64);
    }
    progress.finish("asked");
    Ok(points)
}

fn under_filter(
    exchange: &Exchange,
    index: &VectorIndex,
    name: &str,
    set: &PinSet,
    truth: &Truth,
    points: &mut Vec<Point>,
) -> Result<()> {
    let (columns, filter) = (Columns::new(), Filter::Pins(Arc::new(set.clone())));
    let bound = filter.bind(&columns)?;
    let marked: Marked = index.mark(&bound);
    for marked in [None, Some(&marked)] {
        for recall in FILTERED_RECALLS {
            let want = Want { k: FILTERED_COUNT, recall, filter: Some(&bound), marked };
            points.push(point(exchange, index, &want, truth, Some(name))?);
        }
    }
    Ok(())
}

fn point(exchange: &Exchange, index: &VectorIndex, want: &Want, truth: &Truth, filter: Option<&str>) -> Result<Point> {
    let queries = exchange.queries.rows();
    let (mut cpu_us, mut wall_us) = (Vec::new(), Vec::new());
    let (mut shares, mut rows, mut plan) = (0.0, 0, Plan::Scan);
    let begun = thread_cpu_s();
    let mut first = true;
    while first || thread_cpu_s() - begun < POINT_CPU_S {
        for query in 0..queries {
            let (since, cpu_s) = (Instant::now(), thread_cpu_s());
            let found = index.search(1, exchange.queries.row(query), want)?;
            cpu_us.push((thread_cpu_s() - cpu_s) * 1e6);
            wall_us.push(since.elapsed().as_secs_f64() * 1e6);
            if first {
                let exact: HashSet<u32> = truth.best(query, want.k).iter().copied().collect();
                let hits = found.pins.iter().filter(|(pin, _)| exact.contains(&pin.0)).count();
                shares += if exact.is_empty() { 1.0 } else { hits as f64 / exact.len() as f64 };
                (rows, plan) = (rows + found.rows, found.plan);
            }
        }
        first = false;
    }
    let busy_s = cpu_us.iter().sum::<f64>() / 1e6;
    Ok(Point {
        k: want.k,
        asked: want.recall,
        filter: filter.map(str::to_owned),
        marked: want.marked.is_some(),
        plan,
        recall: shares / queries as f64,
        queries,
        answered: cpu_us.len(),
        queries_per_cpu_s: cpu_us.len() as f64 / busy_s,
        cpu_us: quantiles(&mut cpu_us),
        wall_us: quantiles(&mut wall_us),
        rows: rows as f64 / queries as f64,
    })
}

/// The median and the 99 % quantile.
fn quantiles(times: &mut [f64]) -> [f64; 2] {
    times.sort_unstable_by(f64::total_cmp);
    [0.5, 0.99].map(|part| quantile(times, part))
}
