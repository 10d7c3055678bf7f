//! The ranking features of candidates: one definition, for requests and for training rows.

use crate::context::Context;
use crate::views::read;
use domain::{Action, Candidates, PinId, Source, Surface};
use models::FEATURE_COUNT;
use signals::Horizon;

/// Rows of [`models::FEATURES`], one per candidate, one after the other.
pub(crate) fn features(context: &Context, candidates: &Candidates) -> Vec<f32> {
    let mut rows = vec![0.0; candidates.len() * FEATURE_COUNT];
    fill(rows.as_chunks_mut::<FEATURE_COUNT>().0, context, candidates);
    rows.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    rows
}

/// The places are those of [`models::FEATURES`]; a test holds them together.
fn fill(rows: &mut [[f32; FEATURE_COUNT]], context: &Context, candidates: &Candidates) {
    let [walk, text] = [Source::Walks, Source::Text].map(|source| &candidates.source_scores[source.index()]);
    let best_walk = walk.iter().copied().fold(0.0, f32::max);
    let surface = context.request.surface;
    for (row, values) in rows.iter_mut().enumerate() {
        values[1] = present(walk[row]).ln_1p();
        values[2] = if best_walk > 0.0 { present(walk[row]) / best_walk } else { 0.0 };
        values[3] = ln_rank(context, candidates, Source::Walks, row);
        values[4] = present(text[row]);
        values[14] = (context.history.len() as f32).ln_1p();
        values[15] = ln_rank(context, candidates, Source::Retrieval, row);
        values[16] = flag(matches!(surface, Surface::Home | Surface::Notification));
        values[17] = flag(surface == Surface::Related);
        values[18] = flag(surface == Surface::Search);
        values[19] = flag(surface == Surface::Board);
    }
    fill_catalogue(rows, context, &candidates.pins);
    fill_counts(rows, context, &candidates.pins);
    fill_vectors(rows, context, &candidates.pins);
}

fn fill_catalogue(rows: &mut [[f32; FEATURE_COUNT]], context: &Context, pins: &[PinId]) {
    let catalogue = read(&context.views.catalogue);
    for (values, &pin) in rows.iter_mut().zip(pins) {
        let Some(row) = catalogue.row(pin) else { continue };
        if row.created_ms() > 0 {
            values[11] = (context.request.now_ms.saturating_sub(row.created_ms()) as f32 / 86_400_000.0).ln_1p();
        }
        let known = |creator| context.creators.get(&creator).copied().unwrap_or(0.0);
        values[12] = row.creator().map_or(0.0, known);
        // The best of its topics: shares of topics overlap, so a sum would count acts twice.
        let shares = row.topics().iter().filter_map(|topic| context.topics.get(topic));
        values[13] = shares.copied().fold(0.0, f32::max);
    }
}

fn fill_counts(rows: &mut [[f32; FEATURE_COUNT]], context: &Context, pins: &[PinId]) {
    let signals = read(&context.views.signals);
    let graph = read(&context.views.graph);
    for (values, &pin) in rows.iter_mut().zip(pins) {
        let known = signals.pin(pin, context.request.now_ms);
        let [saves, impressions] = [Action::Save, Action::Impression].map(|action| known.count(action, Horizon::Week));
        values[6] = (graph.degree(pin) as f32).ln_1p();
        values[7] = known.count(Action::Save, Horizon::Ever).ln_1p();
        values[8] = saves.ln_1p();
        values[9] = impressions.ln_1p();
        values[10] = (saves + 1.0) / (impressions + 20.0);
    }
}

fn fill_vectors(rows: &mut [[f32; FEATURE_COUNT]], context: &Context, pins: &[PinId]) {
    let content = read(&context.views.content);
    let fits = content.dim() == context.content.len();
    for (values, &pin) in rows.iter_mut().zip(pins).filter(|_| fits) {
        let Some(vector) = content.vector(pin) else { continue };
        let length = dot(&vector, &vector).sqrt();
        values[5] = if length > 1e-6 { dot(&vector, &context.content) / length } else { 0.0 };
    }
    let Some(installed) = &context.installed else { return };
    let vectors = read(&installed.vectors);
    for (values, &pin) in rows.iter_mut().zip(pins) {
        values[0] = vectors.vector(pin).map_or(0.0, |vector| dot(&vector, &context.user));
    }
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

/// ln(1 + rank), that of the quota for a pin that the source did not offer.
fn ln_rank(context: &Context, candidates: &Candidates, source: Source, row: usize) -> f32 {
    match candidates.source_ranks[source.index()][row] {
        u16::MAX => (context.params.generator(source).quota_max as f32).ln_1p(),
        rank => f32::from(rank).ln_1p(),
    }
}

fn present(score: f32) -> f32 {
    if score.is_finite() { score.max(0.0) } else { 0.0 }
}

fn flag(on: bool) -> f32 {
    f32::from(u8::from(on))
}

#[cfg(test)]
mod tests {
    use models::FEATURES;

    #[test]
    fn places_are_those_of_the_models() {
        let places = [
            (0, "dot"),
            (1, "walk"),
            (2, "walk_share"),
            (3, "walk_rank"),
            (4, "text"),
            (5, "content"),
            (6, "ln_degree"),
            (7, "ln_saves"),
            (8, "ln_saves_week"),
            (9, "ln_impressions_week"),
            (10, "save_rate"),
            (11, "ln_age_days"),
            (12, "creator_known"),
            (13, "topic_known"),
            (14, "ln_history"),
            (15, "retrieval_rank"),
            (16, "home"),
            (17, "related"),
            (18, "search"),
            (19, "board"),
        ];
        assert_eq!(FEATURES.len(), places.len());
        places.iter().for_each(|&(place, name)| assert_eq!(FEATURES[place], name));
    }
}
