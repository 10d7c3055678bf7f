//! Pins by words: the query of a search, the title of a board.

use crate::context::Context;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use async_trait::async_trait;
use domain::Source;
use std::sync::Arc;

/// Words.
#[derive(Debug, Default)]
pub(crate) struct Text;

#[async_trait]
impl CandidateGenerator for Text {
    fn source(&self) -> Source {
        Source::Text
    }

    fn enabled(&self, context: &Context) -> bool {
        context.words.is_some()
    }

    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let k = context.reach(context.params.generators.text.quota_max);
        let (text, words) = (&context.views.text, context.words.as_deref().unwrap_or(""));
        context.bound(|filter| match filter {
            None => Ok(text.search(words, k)?.into()),
            Some(filter) => Ok(text.search_within(words, k, filter)?.into()),
        })
    }
}
