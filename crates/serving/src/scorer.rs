//! The seam of scorers: L1, L2, and what stands in for L2 when time is short.

use crate::context::Context;
use crate::relevance;
use crate::spare::Spare;
use crate::views::read;
use domain::{Candidates, HEAD_COUNT, PinId, Surface};
use models::{CandidatePins, CandidateScratch, FEATURE_COUNT, RankInput, RankScratch, RankTraits, Ranker, feature};

/// Candidates at the head of the list whose spread scales what is added to and taken from utilities.
pub(crate) const HEAD: usize = 100;

/// Fills a score column of candidates from their features.
pub trait Scorer: Send + Sync {
    /// Its name in traces.
    fn name(&self) -> &'static str;

    /// Scores all candidates; `features` holds rows of [`models::FEATURES`] in their order.
    fn score(&self, context: &Context, features: &[f32], candidates: &mut Candidates);
}

/// L1: the linear first pass, into `l1`.
pub(crate) struct FirstPass;

/// L2: candidates through the trunk, where the head reads it, then probabilities per head and their weighted sum, into
/// `heads` and `utility`.
#[derive(Default)]
pub(crate) struct Heads {
    rooms: Spare<Room>,
}

/// Room for one second pass.
#[derive(Default)]
struct Room {
    content: Vec<f32>,
    candidates: CandidateScratch,
    encoded: Vec<f32>,
    rank: RankScratch,
}

/// The first pass for want of time: `utility` is `l1`, and no head is known.
pub(crate) struct FirstPassOnly;

fn ranker(context: &Context) -> &Ranker {
    context.installed.as_ref().map_or_else(|| Ranker::prior(), |installed| installed.model.ranker())
}

impl Scorer for FirstPass {
    fn name(&self) -> &'static str {
        "first_pass"
    }

    fn score(&self, context: &Context, features: &[f32], candidates: &mut Candidates) {
        let ranker = ranker(context);
        let rows = features.as_chunks::<FEATURE_COUNT>().0;
        candidates.l1.iter_mut().zip(rows).for_each(|(l1, row)| *l1 = ranker.l1(row));
        if relevance::applies(context) {
            bound(&mut candidates.l1);
        }
        pull(context, rows, &mut candidates.l1);
    }
}

impl Scorer for Heads {
    fn name(&self) -> &'static str {
        "heads"
    }

    fn score(&self, context: &Context, features: &[f32], candidates: &mut Candidates) {
        let half = candidates.len() / 2;
        let ((pins, others), (own, rest)) = (candidates.pins.split_at(half), features.split_at(half * FEATURE_COUNT));
        let chances = |pins: &[PinId], features: &[f32]| self.chances(context, pins, features);
        let (mut heads, more) = context.cpu.beside(|| chances(pins, own), || chances(others, rest));
        heads.extend(more);
        candidates.heads = heads;
        let weights = context.params.surface(context.request.surface).weights;
        for (utility, heads) in candidates.utility.iter_mut().zip(&candidates.heads) {
            *utility = heads.iter().zip(weights).map(|(p, weight)| p * weight).sum();
        }
        pull(context, features.as_chunks::<FEATURE_COUNT>().0, &mut candidates.utility);
    }
}

impl Heads {
    /// Chances of each action, for each of `pins`.
    fn chances(&self, context: &Context, pins: &[PinId], features: &[f32]) -> Vec<[f32; HEAD_COUNT]> {
        let (traits, mut chances) = (traits(context, pins), Vec::with_capacity(pins.len()));
        self.rooms.with(|room| {
            encode(context, pins, &mut room.content, &mut room.candidates, &mut room.encoded);
            let input =
                RankInput { surface: context.request.surface, features, encoded: &room.encoded, traits: &traits };
            ranker(context).rank(input, &mut room.rank, &mut chances);
        });
        chances
    }
}

/// Candidates as the trunk sees them for the pinner and the question, a row each; none where no head reads them.
pub(crate) fn encoded(context: &Context, pins: &[PinId]) -> Vec<f32> {
    let mut encoded = Vec::new();
    encode(context, pins, &mut Vec::new(), &mut CandidateScratch::default(), &mut encoded);
    encoded
}

fn encode(
    context: &Context,
    pins: &[PinId],
    content: &mut Vec<f32>,
    scratch: &mut CandidateScratch,
    encoded: &mut Vec<f32>,
) {
    encoded.clear();
    let Some((installed, state)) = context.installed.as_ref().zip(context.state.as_ref()) else { return };
    let model = &installed.model;
    if model.ranker().encoded() == 0 {
        return;
    }
    let width = model.config().content_dim;
    content.clear();
    content.resize(pins.len() * width, 0.0);
    let index = read(&context.views.content);
    if (index.space(), index.dim()) == (model.config().content_space, width) {
        index.read_all(pins, |row, vector| content[row * width..][..width].copy_from_slice(vector));
    }
    drop(index);
    model.encode_candidates(state, CandidatePins { pins, content }, scratch, encoded);
}

/// What is said of the pinner and of candidates.
fn traits(context: &Context, pins: &[PinId]) -> RankTraits {
    let catalogue = read(&context.views.catalogue);
    let pinner = context.known_pinner().into_iter().flat_map(|pinner| catalogue.pinner_keys(pinner));
    let mut traits = RankTraits::new(pinner);
    pins.iter().for_each(|&pin| traits.push(catalogue.pin_keys(pin)));
    traits
}

impl Scorer for FirstPassOnly {
    fn name(&self) -> &'static str {
        "first_pass_only"
    }

    fn score(&self, _: &Context, _: &[f32], candidates: &mut Candidates) {
        candidates.utility.clone_from(&candidates.l1);
    }
}

/// Where something was asked for, the answer to it counts beside what the pinner likes: BM25 for words, walks and
/// content for a subject, each as its share of the best.
fn pull(context: &Context, rows: &[[f32; FEATURE_COUNT]], scores: &mut [f32]) {
    let answer = &context.params.answer;
    if context.by_look {
        return look_alike(answer.look_words, rows, scores);
    }
    let columns = match context.request.surface {
        Surface::Search => [("text", answer.words), ("content", answer.meaning)],
        Surface::Related | Surface::Board => [("walk_share", answer.subject), ("content", answer.subject)],
        Surface::Home | Surface::Notification => return,
    };
    let scale = spread(scores);
    for (column, weight) in columns.map(|(name, weight)| (feature(name), weight)) {
        let best = rows.iter().map(|row| row[column]).fold(0.0, f32::max);
        if best > 0.0 {
            let share = |row: &[f32; FEATURE_COUNT]| row[column].max(0.0) / best;
            scores.iter_mut().zip(rows).for_each(|(score, row)| *score += weight * scale * share(row));
        }
    }
}

/// Where a picture is asked with, its likeness decides, and words beside it: whoever shows something wants that.
fn look_alike(look_words: f32, rows: &[[f32; FEATURE_COUNT]], scores: &mut [f32]) {
    let (text, content) = (feature("text"), feature("content"));
    let best = rows.iter().map(|row| row[text]).fold(f32::MIN_POSITIVE, f32::max);
    scores.iter_mut().zip(rows).for_each(|(score, row)| *score = row[content] + look_words * row[text] / best);
}

/// Brings scores within a spread around their mean, so that no liking takes a pin out of reach of what answers
/// a search.
fn bound(scores: &mut [f32]) {
    let (mean, reach) = (scores.iter().sum::<f32>() / scores.len().max(1) as f32, spread(scores));
    if mean.is_finite() && reach > 0.0 {
        scores.iter_mut().for_each(|score| *score = score.clamp(mean - reach, mean + reach));
    }
}

/// Standard deviation of the largest scores.
pub(crate) fn spread(scores: &[f32]) -> f32 {
    let mut head: Vec<f32> = scores.iter().copied().filter(|score| score.is_finite()).collect();
    head.sort_unstable_by(|a, b| b.total_cmp(a));
    head.truncate(HEAD);
    let mean = head.iter().sum::<f32>() / head.len().max(1) as f32;
    (head.iter().map(|score| (score - mean).powi(2)).sum::<f32>() / head.len().max(1) as f32).sqrt()
}
