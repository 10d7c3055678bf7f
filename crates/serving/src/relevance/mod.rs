//! How well do candidates answer what was searched for? Expected levels of relevance, and what they bound.
//!
//! After L1 each candidate's words are looked up in the index and its level is judged: by the student, where one was
//! learned, else by the share of the words that it has. Levels are ranking features; pins below the floor are left
//! out; and the others come in bands, so that taste and variety decide among pins that answer alike, never between
//! those that do and those that do not.

mod seen;

pub use seen::{RelevanceSeen, SeenPin};

use crate::context::Context;
use domain::{Candidates, RelevanceParams, Surface};
use models::{
    FEATURE_COUNT, LEVELS, Levels, Offered, Student, StudentScratch, expected_level, feature, levels_before_learning,
    relevance_feature,
};
use seen::Seen;

/// A row of [`models::FEATURES`].
type Row = [f32; FEATURE_COUNT];

/// A text of more words that say something is no list of wishes: how many of them a pin has does not tell whether it
/// answers, and a bound by them makes the order of judged sentences (`scifact`) worse.
const WORDS_MAX: f32 = 3.0;

/// What the floor did.
pub(crate) struct Floored {
    /// The rows that stay, in their order.
    pub(crate) kept: Vec<usize>,
    /// How many of all are at the floor or above it.
    pub(crate) answering: usize,
}

/// Whether relevance bounds a request: searches by words. A picture that is asked with decides by itself.
pub(crate) fn applies(context: &Context) -> bool {
    context.params.relevance.on
        && context.request.surface == Surface::Search
        && context.words.is_some()
        && !context.by_look
}

/// Fills in the levels of candidates and what they are judged by; says whether there was anything to judge by.
pub(crate) fn fill_relevance(rows: &mut [Row], context: &Context, candidates: &Candidates) -> bool {
    if !applies(context) || rows.is_empty() {
        return false;
    }
    let Some(seen) = Seen::of(context, rows, &candidates.pins) else { return false };
    let Some(levels) = judged(context, &seen) else { return false };
    let told = ["words_title", "words_own", "words_any", "phrase"].map(|name| (feature(name), relevance_feature(name)));
    for ((row, features), levels) in rows.iter_mut().zip(&seen.features).zip(levels) {
        told.iter().for_each(|(to, from)| row[*to] = features[*from]);
        row[const { feature("level") }] = expected_level(&levels);
        row[const { feature("level_0") }..][..LEVELS].copy_from_slice(&levels);
    }
    true
}

/// Who judges, in words for the trace.
pub(crate) fn by(context: &Context) -> String {
    match context.views.student() {
        Some(student) if fits(&student, context) => format!("by student {}", student.version()),
        Some(student) => format!("by words: student {} learned from other contents", student.version()),
        None => "by words".to_owned(),
    }
}

/// `None` for a text that only a student can judge.
fn judged(context: &Context, seen: &Seen) -> Option<Vec<Levels>> {
    match context.views.student().filter(|student| fits(student, context)) {
        Some(student) => {
            let offered: Vec<Offered> = seen.offered().collect();
            let asked = (&seen.query[..], &context.content[..]);
            Some(student.judge(asked, &offered, &seen.contents, &mut StudentScratch::default()))
        }
        None if seen.words() > WORDS_MAX => None,
        None => {
            let near = relevance_feature("content");
            let best = seen.features.iter().map(|row| row[near]).fold(f32::MIN_POSITIVE, f32::max);
            Some(seen.features.iter().map(|row| levels_before_learning(row, row[near] / best)).collect())
        }
    }
}

/// Whether a student learned from contents like those of now.
fn fits(student: &Student, context: &Context) -> bool {
    let (config, content) = (student.config(), context.views.content());
    config.content_dim == 0 || (config.content_space, config.content_dim) == (content.space(), content.dim())
}

/// Which rows stay: those that answer, or, where they are too few, the nearest after them.
pub(crate) fn floored(params: &RelevanceParams, features: &[f32]) -> Floored {
    let level = |row: &Row| row[const { feature("level") }];
    let rows = features.as_chunks::<FEATURE_COUNT>().0;
    let answers = |row: &&Row| level(row) >= params.floor;
    let answering = rows.iter().filter(answers).count();
    let mut kept: Vec<usize> = (0..rows.len()).collect();
    if answering > 0 {
        kept.sort_by(|&a, &b| level(&rows[b]).total_cmp(&level(&rows[a])));
        kept.truncate(answering.max(params.floor_pins));
        kept.sort_unstable();
    }
    Floored { kept, answering }
}

/// The band of each row.
pub(crate) fn bands(params: &RelevanceParams, features: &[f32]) -> Vec<u8> {
    let rows = features.as_chunks::<FEATURE_COUNT>().0.iter();
    rows.map(|row| params.band_of(row[const { feature("level") }])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(levels: &[f32]) -> Vec<f32> {
        let row = |level: &f32| {
            let mut row = [0.0; FEATURE_COUNT];
            row[feature("level")] = *level;
            row
        };
        levels.iter().flat_map(row).collect()
    }

    #[test]
    fn what_does_not_answer_goes_unless_too_few_are_left() {
        let params = RelevanceParams { floor: 1.0, floor_pins: 2, ..RelevanceParams::default() };
        let check = |levels: &[f32], kept: &[usize], answering| {
            let found = floored(&params, &rows(levels));
            assert_eq!((&found.kept[..], found.answering), (kept, answering), "{levels:?}");
        };
        check(&[0.5, 4.0, 1.0, 0.9, 2.0], &[1, 2, 4], 3);
        check(&[0.5, 4.0, 0.2, 0.9], &[1, 3], 1);
        check(&[0.5, 0.2], &[0, 1], 0);
        check(&[], &[], 0);
    }

    #[test]
    fn bands_are_a_level_wide_around_levels() {
        let params = RelevanceParams::default();
        let features = rows(&[4.0, 3.6, 3.4, 0.0, f32::NAN]);
        assert_eq!(bands(&params, &features), [0, 0, 1, 4, 4]);
        let wide = RelevanceParams { band: 5.0, ..params };
        assert_eq!(bands(&wide, &features), [0; 5]);
    }
}
