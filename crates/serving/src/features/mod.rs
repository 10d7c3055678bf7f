//! The ranking features of candidates: one definition, for requests and for training rows.

mod counted;
mod lifelong;
mod lifts;
mod logarithm;

use crate::context::Context;
use crate::relevance::fill_relevance;
use crate::views::read;
use counted::fill_counted;
use domain::{Candidates, PinId, Source, Surface};
use lifelong::fill_lifelong;
pub(crate) use logarithm::ln_1p;
use models::{FEATURE_COUNT, feature};
use std::f32::consts::TAU;

/// A row of [`models::FEATURES`].
type Row = [f32; FEATURE_COUNT];

/// The longest gap (hours), which also stands for never.
const GAP_HOURS_MAX: f32 = 365.0 * 24.0;

const HOUR_MS: f32 = 3_600_000.0;
const DAY_MS: f32 = 24.0 * HOUR_MS;

/// Rows of [`models::FEATURES`], one per candidate, one after the other: those that L1 reads
/// ([`models::FIRST_FEATURES`]) and those of the request. The others are 0 until [`fill_others`].
pub(crate) fn first_features(context: &Context, candidates: &Candidates) -> Vec<f32> {
    let mut values = vec![0.0; candidates.len() * FEATURE_COUNT];
    let rows = values.as_chunks_mut::<FEATURE_COUNT>().0;
    rows.fill(of_request(context));
    fill_sources(rows, context, candidates);
    let (rows, others) = rows.split_at_mut(rows.len() / 2);
    let (pins, other_pins) = candidates.pins.split_at(rows.len());
    let look_up = |rows: &mut [Row], pins: &[PinId]| {
        fill_degrees(rows, context, pins);
        fill_vectors(rows, context, pins);
    };
    context.cpu.beside(|| look_up(rows, pins), || look_up(others, other_pins));
    values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    values
}

/// Fills in what counters, the catalogue and a lifetime of likes know: memory far apart, which is read for few
/// candidates only; and how well they answer what was searched for. Says whether that was judged.
pub(crate) fn fill_others(values: &mut [f32], context: &Context, candidates: &Candidates) -> bool {
    let (rows, pins) = (values.as_chunks_mut::<FEATURE_COUNT>().0, &candidates.pins[..]);
    fill_counted(rows, context, pins);
    fill_lifelong(rows, context, pins);
    let judged = fill_relevance(rows, context, candidates);
    values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    judged
}

fn fill_degrees(rows: &mut [Row], context: &Context, pins: &[PinId]) {
    let graph = read(&context.views.graph);
    for (values, &pin) in rows.iter_mut().zip(pins) {
        values[const { feature("ln_degree") }] = ln_1p(graph.degree(pin) as f32);
    }
}

/// What is the same for all candidates.
fn of_request(context: &Context) -> Row {
    let (mut row, now_ms) = ([0.0; FEATURE_COUNT], context.request.now_ms);
    row[const { feature("ln_history") }] = (context.history.len() as f32).ln_1p();
    row[const { feature("shown_gap") }] = gap(now_ms, context.tastes.shown_ms);
    row[const { feature("session") }] = context.tastes.session.ln_1p();
    let place = match context.request.surface {
        Surface::Home | Surface::Notification => const { feature("home") },
        Surface::Related => const { feature("related") },
        Surface::Search => const { feature("search") },
        Surface::Board => const { feature("board") },
    };
    row[place] = 1.0;
    let day = TAU * ((now_ms % DAY_MS as u64) as f32 / DAY_MS);
    let week = TAU * ((now_ms % (7 * DAY_MS as u64)) as f32 / (7.0 * DAY_MS));
    (row[const { feature("hour_sin") }], row[const { feature("hour_cos") }]) = day.sin_cos();
    (row[const { feature("day_sin") }], row[const { feature("day_cos") }]) = week.sin_cos();
    row
}

fn fill_sources(rows: &mut [Row], context: &Context, candidates: &Candidates) {
    let [walk, text] = [Source::Walks, Source::Text].map(|source| &candidates.source_scores[source.index()]);
    let best_walk = walk.iter().copied().fold(0.0, f32::max);
    for (values, walk) in rows.iter_mut().zip(walk).filter(|(_, walk)| **walk > 0.0) {
        values[const { feature("walk") }] = ln_1p(*walk);
        values[const { feature("walk_share") }] = walk / best_walk;
    }
    for (values, text) in rows.iter_mut().zip(text).filter(|(_, text)| **text > 0.0) {
        values[const { feature("text") }] = *text;
    }
    fill_ranks(rows, context, candidates, Source::Walks, const { feature("walk_rank") });
    fill_ranks(rows, context, candidates, Source::Retrieval, const { feature("retrieval_rank") });
}

/// ln(1 + rank), that of the quota for a pin that the source did not offer.
fn fill_ranks(rows: &mut [Row], context: &Context, candidates: &Candidates, source: Source, place: usize) {
    let missing = ln_1p(context.params.generator(source).quota_max as f32);
    for (values, &rank) in rows.iter_mut().zip(&candidates.source_ranks[source.index()]) {
        values[place] = if rank == u16::MAX { missing } else { ln_1p(f32::from(rank)) };
    }
}

fn fill_vectors(rows: &mut [Row], context: &Context, pins: &[PinId]) {
    const CONTENT: usize = feature("content");
    const DOT: usize = feature("dot");
    let content = read(&context.views.content);
    if content.dim() == context.content.len() {
        content.read_all(pins, |row, vector| {
            let length = dot(vector, vector).sqrt();
            rows[row][CONTENT] = if length > 1e-6 { dot(vector, &context.content) / length } else { 0.0 };
        });
    }
    let Some(installed) = &context.installed else { return };
    read(&installed.vectors).read_all(pins, |row, vector| rows[row][DOT] = dot(vector, context.user()));
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums side by side: the compiler may not reorder one.
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (a, b) in a8.iter().zip(b8) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// ln(1 + hours) since a moment, at most that of the longest gap, which also stands for never.
fn gap(now_ms: u64, then_ms: Option<u64>) -> f32 {
    let hours = then_ms.map_or(GAP_HOURS_MAX, |then_ms| now_ms.saturating_sub(then_ms) as f32 / HOUR_MS);
    ln_1p(hours.min(GAP_HOURS_MAX))
}

/// ln(1 + days) since a moment; 0 when it is not known.
fn ln_days(now_ms: u64, then_ms: u64) -> f32 {
    if then_ms > 0 { ln_1p(now_ms.saturating_sub(then_ms) as f32 / DAY_MS) } else { 0.0 }
}
