//! Ranking of pins that the asker brings: the funnel without generators and filters.

use crate::blend::Placed;
use crate::context::Context;
use crate::pipeline::Pipeline;
use crate::rows::Rows;
use crate::run::Run;
use crate::scorer::encoded;
use domain::{HEAD_COUNT, Params, PinId, Request, Slate};
use std::sync::Arc;

/// What the model sees and says of given pins, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// Rows of [`models::FEATURES`], one after the other. Nobody offered the pins, so what sources say is missing, and
    /// all stand at the first position.
    pub features: Vec<f32>,
    /// Probability per head, in the order of [`domain::HEADS`]; empty where they were not asked for.
    pub heads: Vec<[f32; HEAD_COUNT]>,
    /// What the trunk says of each ([`models::Model::encode_candidates`]); empty without a model, or where it was not
    /// asked.
    pub encoded: Vec<f32>,
}

impl Pipeline {
    /// Ranks given pins, each once, by utility: what the second pass thinks of them for this request, whether or not a
    /// feed would show them. The trace holds features and heads of all.
    pub async fn rank_given(&self, request: Request, pins: &[PinId], params: &Params) -> Slate {
        let mut run = Run::start(&request, params, false);
        let context = self.context(&mut run, request, params).await;
        let (pipeline, rows) = (self.clone(), Rows::given(pins));
        let rank = move || {
            let rows = run.stage("features", rows, |rows| rows.all_features(&context));
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
        let (context, mut rows) = self.features_now(request, pins, params);
        self.passes().1.score(&context, &rows.features, &mut rows.candidates);
        Given { features: rows.features, heads: rows.candidates.heads, encoded: Vec::new() }
    }

    /// The same as the ranking head reads it, for training rows: features, and what the trunk says.
    pub fn seen_now(&self, request: Request, pins: &[PinId], params: &Params) -> Given {
        let (context, rows) = self.features_now(request, pins, params);
        Given { encoded: encoded(&context, pins), features: rows.features, heads: Vec::new() }
    }

    fn features_now(&self, request: Request, pins: &[PinId], params: &Params) -> (Arc<Context>, Rows) {
        let context: Arc<Context> = self.context_now(request, params);
        let mut rows = Rows::default();
        pins.iter().for_each(|&pin| _ = rows.candidates.push(pin));
        let rows = rows.all_features(&context);
        (context, rows)
    }
}
