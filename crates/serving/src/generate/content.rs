//! Pins that look and read like what is searched for, like the subject or like recent pins.

use crate::context::Context;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::views::read;
use async_trait::async_trait;
use domain::{Source, Surface};
use index::Want;
use std::sync::Arc;

/// Content neighbours.
#[derive(Debug, Default)]
pub(crate) struct Content;

#[async_trait]
impl CandidateGenerator for Content {
    fn source(&self) -> Source {
        Source::Content
    }

    fn enabled(&self, context: &Context) -> bool {
        !context.content.is_empty()
    }

    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let k = context.reach(context.params.generators.content.quota_max);
        context.views.watched.content.note(&context.content, k);
        context.bound(|filter| {
            let content = read(&context.views.content);
            if content.dim() != context.content.len() {
                // A newer embedding space arrived since the request began.
                return Ok(Offers::default());
            }
            let marked = context.marked(("content", &content), filter);
            let want = Want { filter, marked: marked.as_deref(), ..Want::best(k) };
            let mut found = content.search(content.space(), &context.content, &want)?;
            if context.request.surface == Surface::Search && !context.by_look {
                // What is only the least far away answers nothing.
                let best = found.pins.first().map_or(0.0, |(_, score)| *score);
                found.pins.retain(|(_, score)| *score >= context.params.answer.meaning_from * best);
            }
            Ok(found.into())
        })
    }
}
