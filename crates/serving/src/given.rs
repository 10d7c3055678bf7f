//! Ranking of pins that the asker brings: the funnel without filters, its generators asked only what they say of them.

use crate::blend::Placed;
use crate::context::Context;
use crate::generator::Offers;
use crate::pipeline::Pipeline;
use crate::rows::Rows;
use crate::run::{Run, block_on};
use crate::scorer::encoded;
use domain::{HEAD_COUNT, Params, PinId, Request, Rng, Slate, Source, Subject, hash64};
use std::collections::HashSet;
use std::sync::Arc;

/// What the model sees and says of given pins, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// Rows of [`models::FEATURES`], one after the other. All pins stand at the first position. What sources say is
    /// what they would have said in a feed, where the request has a subject; without one they are not asked, and it is
    /// missing.
    pub features: Vec<f32>,
    /// Probability per head, in the order of [`domain::HEADS`]; empty where they were not asked for.
    pub heads: Vec<[f32; HEAD_COUNT]>,
    /// What the trunk says of each ([`models::Model::encode_candidates`]); empty without a model, or where it was not
    /// asked.
    pub encoded: Vec<f32>,
    /// Candidates of the same request that were not given, behind the others in all columns; see
    /// [`Pipeline::seen_now`].
    pub others: Vec<PinId>,
}

impl Pipeline {
    /// Ranks given pins, each once, by utility: what the second pass thinks of them for this request, whether or not a
    /// feed would show them. The trace holds features and heads of all.
    pub async fn rank_given(&self, request: Request, pins: &[PinId], params: &Params) -> Slate {
        let mut once = HashSet::new();
        let pins: Vec<PinId> = pins.iter().copied().filter(|&pin| once.insert(pin)).collect();
        let mut run = Run::start(&request, params, false);
        let context = self.context(&mut run, request, params).await;
        let offers = self.said_of(&mut run, &context).await;
        let (pipeline, rows, count) = (self.clone(), Rows::given(&pins, &offers), pins.len());
        let rank = move || {
            let rows = run.stage("features", rows, |rows| rows.features_of(count, &context));
            let rows = run.stage("l2", rows, |rows| rows.second_pass(pipeline.passes().1, &context));
            let placed =
                (0..rows.candidates.len()).map(|row| Placed { row, moves: Vec::new(), propensity: 1.0 }).collect();
            run.finish(&context, rows, placed)
        };
        self.cpu().run(rank).await
    }

    /// Features and chances of given pins on the calling thread, in their order, repeated ones repeated: for
    /// evaluation, as of the request's moment as far as the views know it.
    pub fn given_now(&self, request: Request, pins: &[PinId], params: &Params) -> Given {
        let (context, offers) = self.asked_now(request, params);
        let mut rows = Rows::given(pins, &offers).features_of(pins.len(), &context);
        self.passes().1.score(&context, &rows.features, &mut rows.candidates);
        Given { features: rows.features, heads: rows.candidates.heads, ..Given::default() }
    }

    /// The same as the ranking head reads it, for training rows: features, and what the trunk says. Where the request
    /// has a subject, as many other candidates that a feed could have shown are drawn and told beside them.
    pub fn seen_now(&self, request: Request, pins: &[PinId], params: &Params) -> Given {
        let (context, offers) = self.asked_now(request, params);
        let others = self.others(&context, &offers, pins);
        let all = [pins, &others].concat();
        let rows = Rows::given(&all, &offers).features_of(all.len(), &context);
        Given { encoded: encoded(&context, &all), features: rows.features, heads: Vec::new(), others }
    }

    fn asked_now(&self, request: Request, params: &Params) -> (Arc<Context>, Vec<(Source, Offers)>) {
        let pipeline = self.unpaced();
        block_on(async {
            let mut run = Run::start(&request, params, false);
            let context = pipeline.context(&mut run, request, params).await;
            let offers = pipeline.said_of(&mut run, &context).await;
            (context, offers)
        })
    }

    /// Offered pins that filters leave and that are not given, as many as these, drawn by the request's seed.
    fn others(&self, context: &Context, offers: &[(Source, Offers)], given: &[PinId]) -> Vec<PinId> {
        let mut others = Rows::merge(offers).filter(self.filters(), context).candidates.pins;
        others.retain(|pin| !given.contains(pin));
        Rng::new(hash64(context.request.seed ^ 0x07_E4)).shuffle(&mut others);
        others.truncate(given.len());
        others
    }

    /// What generators offer for a request with a subject: without one they would be asked for nothing that the user
    /// vector does not say, at the cost of a feed.
    async fn said_of(&self, run: &mut Run, context: &Arc<Context>) -> Vec<(Source, Offers)> {
        match context.request.subject {
            Subject::None => Vec::new(),
            _ => self.generate(run, context).await,
        }
    }
}
