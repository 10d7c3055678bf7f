//! How good are the chances that the live model gives to what was really shown?

use crate::engine::{Reading, tell};
use crate::import::read_events;
use crate::learn::{Impressions, Look, Shown};
use crate::output::thousands;
use crate::progress::Progress;
use crate::setup::Setup;
use anyhow::{Context, Result, bail};
use domain::{EventId, Fact, HEADS, Surface, TopicKind};
use serde::Serialize;
use serving::Views;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use train::{ChanceFigures, Judged};

/// Events between two looks at whether to stop.
const CHECK_EVENTS: usize = 4_096;

/// Figures by head, and by `all` or surface.
#[derive(Debug, Serialize)]
pub(crate) struct Ranking {
    /// What is measured.
    pub protocol: &'static str,
    /// The live model; empty when there is none and the prior answers.
    pub model: String,
    /// Impressions that were judged.
    pub rows: usize,
    /// The figures.
    pub heads: BTreeMap<&'static str, BTreeMap<&'static str, ChanceFigures>>,
}

/// What is measured, by whether the views learn of held-out events as they happen.
const PROTOCOL: [&str; 2] = [
    "every held-out impression scored as of its moment, features as of the end of the log",
    "every held-out impression scored as of its moment, features know all that happened before it",
];

/// Goes through a held-out log in order of time: every impression is scored as of its moment, then the views learn of
/// it and of what came of it, unless they are `frozen`.
pub(crate) fn measure_ranking(file: &Path, frozen: bool, setup: &Setup) -> Result<Ranking> {
    let data = Reading::open(setup)?;
    let facts = read_events(file, setup, data.log.as_ref())?;
    let views = Arc::new(Views::numbered(data.log.as_ref()).context("cannot read the numbers of ids")?);
    tell(&views, data.log.as_ref(), &setup.stop, &|_| true)?;
    let (events, catalogue): (Vec<Fact>, Vec<Fact>) =
        facts.into_iter().partition(|fact| matches!(fact, Fact::Event(_)));
    let catalogue: Vec<(u64, EventId, Fact)> = catalogue.into_iter().map(|fact| (0, EventId(0), fact)).collect();
    views.apply(TopicKind::Catalogue, &catalogue);
    let (registry, mut model) = (data.registry(), String::new());
    if let Some(version) = registry.live()? {
        views.install(Arc::new(registry.model(&version)?)).context("cannot install the live model")?;
        model = version;
    }
    let mut events: Vec<_> =
        events.into_iter().filter_map(|fact| if let Fact::Event(e) = fact { Some(e) } else { None }).collect();
    // Stable: what happened at one moment stays in the order of the file.
    events.sort_by_key(|event| event.ts_ms);
    let mut judge = Judge::default();
    let progress = Progress::new("eval", events.len() as u64);
    let mut impressions = Impressions::new(views.clone(), setup.config.params.clone(), Look::Chances);
    impressions.live = !frozen;
    for (number, event) in events.into_iter().enumerate() {
        impressions.event(event, &mut |shown| judge.add(&shown));
        if number.is_multiple_of(CHECK_EVENTS) {
            setup.stop.check()?;
            impressions.tidy();
            progress.set(number as u64);
        }
    }
    impressions.end(&mut |shown| judge.add(&shown));
    progress.finish(&format!("{} impressions", thousands(judge.rows as u64)));
    if judge.rows == 0 {
        bail!("{} shows nothing that the log does not hold", file.display());
    }
    let heads = HEADS.iter().enumerate().map(|(head, action)| (action.as_str(), judge.figures(head))).collect();
    Ok(Ranking { protocol: PROTOCOL[usize::from(!frozen)], model, rows: judge.rows, heads })
}

/// What every head said of every impression, and what happened.
#[derive(Default)]
struct Judge {
    rows: usize,
    requests: u32,
    by_head: [Judged; HEADS.len()],
    surfaces: Vec<Surface>,
}

impl Judge {
    fn add(&mut self, shown: &Shown) {
        let pinner = shown.request.pinner.map_or(u32::MAX, |pinner| pinner.0);
        for (labels, chances) in shown.labels.iter().zip(&shown.given.heads) {
            for (head, judged) in self.by_head.iter_mut().enumerate() {
                judged.push(pinner, self.requests, labels[head], chances[head]);
            }
            self.surfaces.push(shown.request.surface);
        }
        self.rows += shown.pins.len();
        self.requests += 1;
    }

    /// The figures of a head: of all rows, and by surface where there are any.
    fn figures(&self, head: usize) -> BTreeMap<&'static str, ChanceFigures> {
        let all = &self.by_head[head];
        let of = |surface: Surface| {
            let mut part = Judged::default();
            for (row, _) in self.surfaces.iter().enumerate().filter(|(_, known)| **known == surface) {
                part.push(all.pinners[row], all.requests[row], all.labels[row], all.chances[row]);
            }
            (surface.as_str(), part)
        };
        let parts = Surface::ALL.map(of).into_iter().filter(|(_, part)| !part.labels.is_empty());
        let figures = parts.map(|(surface, part)| (surface, part.figures(super::SEED)));
        figures.chain([("all", all.figures(super::SEED))]).collect()
    }
}

impl Ranking {
    /// Writes the figures as a table.
    pub(crate) fn print(&self) {
        println!("{} impressions, {}", thousands(self.rows as u64), self.protocol);
        println!(
            "{:<11} {:<12} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}",
            "head", "surface", "rows", "yes", "AUC", "GAUC", "NE", "Σp/Σy", "ECE"
        );
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        for (head, surfaces) in &self.heads {
            for (surface, figures) in surfaces {
                let ChanceFigures { rows, positives, auc, gauc, ne, calibration, ece, .. } = figures;
                let [auc, gauc, ne, calibration, ece] = [*auc, *gauc, *ne, *calibration, *ece].map(number);
                let counts = format!("{head:<11} {surface:<12} {rows:>8} {positives:>8}");
                println!("{counts} {auc:>7} {gauc:>7} {ne:>7} {calibration:>7} {ece:>7}");
            }
        }
    }
}
