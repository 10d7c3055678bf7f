//! Which pairs are labelled: a part of what the present search finds, from all depths, and some that it does not find.

use super::pairs::{Pair, unlabelled};
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result, ensure};
use domain::{Params, PinId, Request, Rng, Subject, Surface, hash64};
use rayon::prelude::*;
use serving::Pipeline;
use std::path::Path;

/// Part of the pairs that the present search finds; of the others, half are found by another query.
const FOUND: f32 = 0.6;
/// How deep the present search is looked at.
const DEPTH: usize = 200;
/// Most queries of a file.
const QUERIES_MAX: usize = 1_000_000;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawing {
    /// Pairs of each query.
    pub per_query: usize,
    /// Pairs in all, at most.
    pub pairs_max: usize,
    pub seed: u64,
    /// The moment that is asked at (ms, UTC).
    pub now_ms: u64,
}

/// Texts of queries, `id`, a tab and the text a line, or a text alone.
pub(crate) fn read_queries(path: &Path) -> Result<Vec<String>> {
    let all = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = |line: &str| line.split_once('\t').map_or(line, |(_, text)| text).trim().to_owned();
    let mut queries: Vec<String> = all.lines().map(text).filter(|query| !query.is_empty()).collect();
    let mut seen = std::collections::HashSet::new();
    queries.retain(|query| seen.insert(query.clone()));
    ensure!(!queries.is_empty(), "{} holds no query", path.display());
    ensure!(queries.len() <= QUERIES_MAX, "{} holds more than {QUERIES_MAX} queries", path.display());
    Ok(queries)
}

/// Draws pairs of queries in their order, each query's own from all depths of what is found; the same views, queries
/// and seed give the same pairs.
pub(crate) fn draw(
    pipeline: &Pipeline,
    params: &Params,
    queries: &[String],
    drawing: Drawing,
    stop: &Stop,
) -> Result<Vec<Pair>> {
    let wanted = drawing.pairs_max.div_ceil(drawing.per_query.max(1)).min(queries.len());
    let mut params = params.clone().for_evaluation().without_variety();
    // All that is found is of interest, also what a student would leave out.
    params.relevance.on = false;
    let progress = Progress::new("search", wanted as u64);
    let found = |query: &String| {
        stop.check()?;
        let subject = Subject::Query(query.clone());
        let request = Request { subject, limit: DEPTH, ..Request::new(Surface::Search, drawing.now_ms, 1) };
        let mut pins = pipeline.evaluate_now(request, &params, DEPTH).slate;
        pins.truncate(DEPTH);
        progress.add(1);
        anyhow::Ok(pins)
    };
    let found: Vec<Vec<PinId>> = queries[..wanted].par_iter().map(found).collect::<Result<_>>()?;
    progress.finish(&format!("{wanted} queries searched"));
    let catalogue = pipeline.views().catalogue();
    let mut pairs = Vec::new();
    for (at, query) in queries[..wanted].iter().enumerate() {
        let mut rng = Rng::new(hash64(drawing.seed) ^ hash64(at as u64));
        let mut pins = spread(&found[at], (drawing.per_query as f32 * FOUND) as usize, &mut rng);
        let mut tries = 0;
        while pins.len() < drawing.per_query && tries < 8 * drawing.per_query {
            tries += 1;
            let other = &found[rng.below(wanted as u32) as usize];
            let pin = match tries % 2 {
                0 if !other.is_empty() => other[rng.below(other.len() as u32) as usize],
                _ => PinId(rng.below(catalogue.pins().max(1) as u32)),
            };
            if catalogue.servable(pin, drawing.now_ms) && !pins.contains(&pin) {
                pins.push(pin);
            }
        }
        pairs.extend(pins.into_iter().map(|pin| unlabelled(query, catalogue.pin_key(pin))));
    }
    pairs.truncate(drawing.pairs_max);
    Ok(pairs)
}

/// Some of a ranking: the share of the head grows with the logarithm of the depth.
fn spread(ranked: &[PinId], count: usize, rng: &mut Rng) -> Vec<PinId> {
    let mut pins = Vec::with_capacity(count);
    let mut tries = 0;
    while pins.len() < count.min(ranked.len()) && tries < 16 * count {
        tries += 1;
        let place = (ranked.len() as f32).powf(rng.uniform()) as usize - 1;
        let pin = ranked[place.min(ranked.len() - 1)];
        if !pins.contains(&pin) {
            pins.push(pin);
        }
    }
    pins
}
