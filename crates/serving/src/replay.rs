//! The funnel on the calling thread: training rows for the ranker, and figures for evaluation.

use crate::blend::blend;
use crate::context::Context;
use crate::pipeline::Pipeline;
use crate::rows::Rows;
use domain::{ActionSet, Candidates, HEAD_COUNT, HEADS, Params, PinId, PinnerId, Request};
use domain::{Rng, Source, Subject, Surface, hash64};
use models::FEATURE_COUNT;
use std::collections::HashMap;
use std::sync::Arc;

/// A request that could have been, and what the pinner did after it. It is asked of views that hold what was known at
/// its moment and nothing else, so that it is answered as it would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Who.
    pub pinner: PinnerId,
    /// What was done to which pins after it, each pin once; the views know nothing of it.
    pub labels: Vec<(PinId, ActionSet)>,
    /// Where the slate would have been shown.
    pub surface: Surface,
    /// What it would have been about.
    pub subject: Subject,
    /// The moment (ms, UTC).
    pub now_ms: u64,
    /// Seed of walks and of the sample.
    pub seed: u64,
}

/// Training rows of one replay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayRows {
    /// Rows of [`models::FEATURES`], one after the other.
    pub features: Vec<f32>,
    /// Per row which pin.
    pub pins: Vec<PinId>,
    /// Per row, which heads' actions were done, in the order of [`domain::HEADS`].
    pub labels: Vec<[bool; HEAD_COUNT]>,
    /// Labelled pins among the candidates, before rows were sampled.
    pub found: usize,
    /// Candidates, before rows were sampled.
    pub candidates: usize,
}

/// All candidates of a request as the second pass would rank them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecondPass {
    /// Rows of [`models::FEATURES`], one after the other.
    pub features: Vec<f32>,
    /// Utility of each.
    pub utility: Vec<f32>,
}

/// A ranking with what each generator offered for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated {
    /// The slate, best first.
    pub slate: Vec<PinId>,
    /// The first pins of each source, best first, without those that filters took; in the order of the sources' codes.
    pub sources: Vec<(Source, Vec<PinId>)>,
    /// All candidates that filters left.
    pub union: Vec<PinId>,
}

/// Candidates with all that blending needs of them: the last stage of the funnel by itself.
pub struct Blending {
    context: Arc<Context>,
    rows: Rows,
}

impl Blending {
    /// Blends; the pins in their order.
    pub fn run(&self) -> Vec<PinId> {
        let placed = blend(&self.context, &self.rows).placed;
        placed.iter().map(|placed| self.rows.candidates.pins[placed.row]).collect()
    }
}

impl Pipeline {
    /// The blend of a request for candidates that were ranked elsewhere, best first by their utility.
    pub fn blending(&self, request: Request, params: &Params, candidates: Candidates) -> Blending {
        Blending { context: self.context_now(request, params), rows: Rows { candidates, ..Rows::default() } }
    }

    /// Runs the first half of the funnel for a replay and gives at most `rows_max` training rows: the labelled
    /// candidates first (at most half), and a seeded sample of the others.
    pub fn replay(&self, replay: &Replay, params: &Params, rows_max: usize) -> ReplayRows {
        let (_, rows) = self.gather_now(replay.request(params), params);
        let labels: HashMap<PinId, ActionSet> = replay.labels.iter().copied().collect();
        let labelled = |row: &usize| labels.contains_key(&rows.candidates.pins[*row]);
        let (mut found, mut others): (Vec<usize>, Vec<usize>) = (0..rows.candidates.len()).partition(labelled);
        let mut rng = Rng::new(hash64(replay.seed ^ 0x0005_A3F1));
        let mut made = ReplayRows { found: found.len(), candidates: rows.candidates.len(), ..ReplayRows::default() };
        rng.shuffle(&mut found);
        rng.shuffle(&mut others);
        found.truncate(rows_max.div_ceil(2));
        others.truncate(rows_max - found.len());
        let features = rows.features.as_chunks::<FEATURE_COUNT>().0;
        for row in found.into_iter().chain(others) {
            let done = labels.get(&rows.candidates.pins[row]).copied().unwrap_or_default();
            made.features.extend(features[row]);
            made.pins.push(rows.candidates.pins[row]);
            made.labels.push(HEADS.map(|action| done.has(action)));
        }
        made
    }

    /// The second pass over all candidates that filters left, as if the first kept them all.
    pub fn second_pass_now(&self, request: Request, params: &Params) -> SecondPass {
        let (context, mut rows) = self.gather_now(request, params);
        self.passes().1.score(&context, &rows.features, &mut rows.candidates);
        SecondPass { features: rows.features, utility: rows.candidates.utility }
    }

    /// The vector that the installed model makes of a request's pinner; empty without a model.
    pub fn user_vector(&self, request: Request, params: &Params) -> Vec<f32> {
        self.context_now(request, params).user().to_vec()
    }

    /// Ranks as [`Pipeline::rank_now`] does, and tells what each generator offered (its first `k`).
    pub fn evaluate_now(&self, request: Request, params: &Params, k: usize) -> Evaluated {
        let (context, rows) = self.gather_now(request, params);
        let sources = Source::ALL.into_iter().filter_map(|source| best_of(&rows.candidates, source, k)).collect();
        let union = rows.candidates.pins.clone();
        let (first_pass, second_pass) = self.passes();
        let rows = rows.first_pass(first_pass, &context).floor(&context).second_pass(second_pass, &context);
        let placed = blend(&context, &rows).placed;
        Evaluated { slate: placed.iter().map(|placed| rows.candidates.pins[placed.row]).collect(), sources, union }
    }
}

fn best_of(candidates: &Candidates, source: Source, k: usize) -> Option<(Source, Vec<PinId>)> {
    let ranks = &candidates.source_ranks[source.index()];
    let mut offered: Vec<(u16, PinId)> = ranks.iter().copied().zip(candidates.pins.iter().copied()).collect();
    offered.retain(|(rank, _)| *rank != u16::MAX);
    offered.sort_unstable();
    offered.truncate(k);
    (!offered.is_empty()).then(|| (source, offered.into_iter().map(|(_, pin)| pin).collect()))
}

impl Replay {
    fn request(&self, params: &Params) -> Request {
        Request {
            subject: self.subject.clone(),
            pinner: Some(self.pinner),
            limit: params.slate_max,
            ..Request::new(self.surface, self.now_ms, self.seed)
        }
    }
}
