//! The sequence model's user vector against the pin vectors.

use crate::context::Context;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::views::read;
use async_trait::async_trait;
use domain::{Source, Subject};
use index::Want;
use std::sync::Arc;

/// Learned retrieval.
#[derive(Debug, Default)]
pub(crate) struct Retrieval;

#[async_trait]
impl CandidateGenerator for Retrieval {
    fn source(&self) -> Source {
        Source::Retrieval
    }

    /// Not for words: the model has not read them, and pins that have nothing to do with them must not come.
    fn enabled(&self, context: &Context) -> bool {
        context.user.iter().any(|&x| x != 0.0) && !matches!(context.request.subject, Subject::Query(_))
    }

    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let Some(installed) = &context.installed else { return Ok(Offers::default()) };
        let k = context.reach(context.params.generators.retrieval.quota_max);
        context.bound(|filter| {
            let want = Want { filter, ..Want::best(k) };
            Ok(read(&installed.vectors).search(installed.model.space(), &context.user, &want)?.into())
        })
    }
}
