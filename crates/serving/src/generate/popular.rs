//! Much-liked pins, the newest behind them; also what is shown when nothing else was found.

use crate::context::Context;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::views::read;
use async_trait::async_trait;
use domain::Source;
use signals::POPULAR_MAX;
use std::collections::HashSet;
use std::sync::Arc;

/// Much-liked pins.
#[derive(Debug, Default)]
pub(crate) struct Popular;

#[async_trait]
impl CandidateGenerator for Popular {
    fn source(&self) -> Source {
        Source::Popular
    }

    fn enabled(&self, context: &Context) -> bool {
        context.is_feed()
    }

    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let k = context.reach(context.params.generators.popular.quota_max);
        let catalogue = read(&context.views.catalogue);
        let now_ms = context.request.now_ms;
        let mut offers = read(&context.views.signals).popular(now_ms, POPULAR_MAX);
        offers.retain(|&(pin, _)| catalogue.servable(pin, now_ms));
        offers.truncate(k);
        let known: HashSet<_> = offers.iter().map(|(pin, _)| *pin).collect();
        let newest = catalogue.newest().map(|(_, pin)| pin).filter(|pin| !known.contains(pin));
        offers.extend(newest.take(k - offers.len().min(k)).map(|pin| (pin, 0.0)));
        Ok(offers.into())
    }
}
