//! How good is search, by queries whose answers were judged?

use super::SEED;
use crate::import::JudgedQuery;
use crate::output::{print_table, thousands};
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::Result;
use domain::{Params, PinId, Request, Source, Subject, Surface, hash64};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use serving::{Catalogue, Evaluated, Pipeline};
use train::{Report, ReportSummary};

/// Where rankings are cut; recall looks as far as the deepest.
const CUTOFFS: [usize; 3] = [10, 20, 100];
/// Columns of the table.
const SHOWN: [&str; 5] = ["ndcg@10", "ndcg@20", "recall@10", "recall@100", "mrr"];
/// Queries that one thread asks at a time.
const BLOCK: usize = 16;
/// What is measured, in the order of the table: the words alone, the meaning alone, and the funnel without a model.
const WAYS: [&str; 3] = ["bm25", "vectors", "hybrid"];

/// What was asked, and when.
pub(crate) struct SearchAbout {
    /// As a sentence.
    pub(crate) protocol: String,
    /// Version of the model that ranked; empty without one.
    pub(crate) model: String,
    /// The moment (ms, UTC).
    pub(crate) now_ms: u64,
}

/// A query, and which pins answer it.
struct Judged<'a> {
    text: &'a str,
    /// Sorted by pin. A document that is no pin counts as missed.
    grades: Vec<(PinId, f32)>,
}

/// What was found.
pub(crate) struct SearchFigures {
    about: SearchAbout,
    queries: usize,
    /// Judged documents that are no pins.
    unknown: usize,
    ways: Vec<(&'static str, ReportSummary)>,
}

/// Asks every query, for nobody, over all pins: without a model and, where one is installed, with it.
pub(crate) fn measure_search(
    pipeline: &Pipeline,
    params: &Params,
    queries: &[JudgedQuery],
    about: SearchAbout,
    stop: &Stop,
) -> Result<SearchFigures> {
    let params = params.clone().for_evaluation();
    let (judged, pins) = {
        let catalogue = pipeline.views().catalogue();
        (queries.iter().map(|query| Judged::of(query, &catalogue)).collect::<Vec<_>>(), catalogue.pins())
    };
    let unknown = judged.iter().flat_map(|query| &query.grades).filter(|(pin, _)| pin.index() >= pins).count();
    let ask = |stop: &Stop| asked(pipeline, &params, &judged, about.now_ms, stop);
    let model = pipeline.views().installed();
    let served = model.as_ref().map(|_| ask(stop)).transpose()?;
    pipeline.views().uninstall();
    let mut ways: Vec<(&str, ReportSummary)> = WAYS.into_iter().zip(ask(stop)?).collect();
    ways.extend(served.map(|[.., served]| ("served", served)));
    Ok(SearchFigures { about, queries: judged.len(), unknown, ways })
}

fn asked(
    pipeline: &Pipeline,
    params: &Params,
    judged: &[Judged],
    now_ms: u64,
    stop: &Stop,
) -> Result<[ReportSummary; WAYS.len()]> {
    let empty = WAYS.map(|_| Report::new(&CUTOFFS, pipeline.views().catalogue().pins()));
    // Meaning alone says all that it knows.
    let mut open = params.clone();
    open.answer.meaning_from = 0.0;
    let progress = Progress::new("eval", judged.len() as u64);
    let block = |block: &[Judged]| {
        let mut part = empty.clone();
        for query in block {
            stop.check()?;
            let ask = |params| {
                let request = request(query.text, params, now_ms);
                pipeline.evaluate_now(request, params, CUTOFFS[CUTOFFS.len() - 1])
            };
            let (all, found) = (ask(&open), ask(params));
            let ranked = [offered(&all, Source::Text), offered(&all, Source::Content), &found.slate];
            part.iter_mut().zip(ranked).for_each(|(report, ranked)| report.add_graded(ranked, &query.grades));
        }
        progress.add(block.len() as u64);
        anyhow::Ok(part)
    };
    let parts: Vec<[Report; WAYS.len()]> = judged.par_chunks(BLOCK).map(block).collect::<Result<_>>()?;
    let mut whole = empty.clone();
    for part in &parts {
        whole.iter_mut().zip(part).for_each(|(whole, part)| whole.merge(part));
    }
    progress.finish(&format!("{} queries asked", judged.len()));
    Ok(whole.map(|report| report.summary(SEED)))
}

/// What a source offered, best first.
fn offered(found: &Evaluated, source: Source) -> &[PinId] {
    found.sources.iter().find(|(known, _)| *known == source).map_or(&[][..], |(_, pins)| pins.as_slice())
}

fn request(text: &str, params: &Params, now_ms: u64) -> Request {
    let seed = text.bytes().fold(7, |seed, byte| hash64(seed ^ u64::from(byte)));
    let subject = Subject::Query(text.to_owned());
    Request { subject, limit: params.slate_max, ..Request::new(Surface::Search, now_ms, seed) }
}

impl<'a> Judged<'a> {
    fn of(query: &'a JudgedQuery, catalogue: &Catalogue) -> Judged<'a> {
        let unknown = (0u32..).map(|number| PinId(u32::MAX - number));
        let graded = query.grades.iter().zip(unknown);
        let graded = graded.map(|((key, &grade), unknown)| (catalogue.pin(key).unwrap_or(unknown), grade));
        let mut grades: Vec<(PinId, f32)> = graded.collect();
        grades.sort_unstable_by_key(|(pin, _)| *pin);
        Judged { text: &query.text, grades }
    }
}

impl SearchFigures {
    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let ways = self.ways.iter().map(|(name, summary)| {
            let mut figures = json!(summary.metrics);
            figures["intervals"] = json!(summary.intervals);
            ((*name).to_owned(), figures)
        });
        let about = [
            ("protocol", json!(self.about.protocol)),
            ("model", json!(self.about.model)),
            ("queries", self.queries.into()),
            ("unknown_documents", self.unknown.into()),
        ];
        about
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain(ways)
            .collect::<Map<String, Value>>()
            .into()
    }

    /// As a table on stdout.
    pub(crate) fn print(&self) {
        let SearchAbout { protocol, model, .. } = &self.about;
        println!("{protocol}");
        let model = if model.is_empty() { "no model" } else { model };
        println!(
            "{} queries, {model}, {} judged documents are no pins\n",
            thousands(self.queries as u64),
            self.unknown
        );
        let headings: Vec<String> = [""].into_iter().chain(SHOWN).map(str::to_owned).collect();
        let cell = |summary: &ReportSummary, metric| {
            summary.metrics.get(metric).map_or(String::new(), |value| format!("{value:.4}"))
        };
        let row = |(name, summary): &(&'static str, ReportSummary)| {
            std::iter::once((*name).to_owned())
                .chain(SHOWN.map(|metric| cell(summary, metric)))
                .collect::<Vec<String>>()
        };
        print_table(&headings, &self.ways.iter().map(row).collect::<Vec<_>>());
    }
}
