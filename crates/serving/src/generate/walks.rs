//! Random walks from recent pins, or from the subject, over the pin-board graph.

use crate::context::Context;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::spare::Spare;
use crate::views::read;
use async_trait::async_trait;
use domain::{Source, hash64};
use graph::{WalkConfig, WalkScratch, walk_with};
use std::sync::Arc;

/// Walks.
#[derive(Default)]
pub(crate) struct Walks {
    scratches: Spare<WalkScratch>,
}

#[async_trait]
impl CandidateGenerator for Walks {
    fn source(&self) -> Source {
        Source::Walks
    }

    fn enabled(&self, context: &Context) -> bool {
        !context.starts.is_empty() && context.request.surface != domain::Surface::Search
    }

    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let k = context.reach(context.params.generators.walks.quota_max);
        let config = WalkConfig::new(&context.params.walk, hash64(context.request.seed));
        let walked = self.scratches.with(|scratch| {
            let graph = read(&context.views.graph);
            walk_with(scratch, &graph, &context.starts, &context.excluded, &config, k)
        });
        let early = if walked.stopped_early { ", stopped early" } else { "" };
        Ok(Offers { pins: walked.pins, note: Some(format!("{} steps{early}", walked.steps)) })
    }
}
