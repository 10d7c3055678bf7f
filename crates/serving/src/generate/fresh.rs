//! New pins: the best for the pinner among the newest, the newest when nothing is known of the pinner.

use crate::context::Context;
use crate::features::dot;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::views::read;
use async_trait::async_trait;
use domain::{PinId, Source};
use std::sync::Arc;

/// How long a pin counts as new (ms): 28 days.
const NEW_MS: u64 = 28 * 86_400_000;

/// New pins.
#[derive(Debug, Default)]
pub(crate) struct Fresh;

#[async_trait]
impl CandidateGenerator for Fresh {
    fn source(&self) -> Source {
        Source::Fresh
    }

    fn enabled(&self, context: &Context) -> bool {
        context.is_feed()
    }

    /// Scores are the inner product with the user vector, else the age in days with a minus.
    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let now_ms = context.request.now_ms;
        let catalogue = read(&context.views.catalogue);
        let young = catalogue.newest().skip_while(|(created_ms, _)| *created_ms > now_ms);
        let young: Vec<(u64, PinId)> = young.take_while(|(created_ms, _)| created_ms + NEW_MS > now_ms).collect();
        drop(catalogue);
        let days = |created_ms: u64| (now_ms - created_ms) as f32 / 86_400_000.0;
        let vectors = context.installed.as_ref().map(|installed| read(&installed.vectors));
        let score = |(created_ms, pin): (u64, PinId)| {
            let vector = vectors.as_ref().and_then(|vectors| vectors.vector(pin));
            let liked = vector.map(|vector| dot(&vector, context.user()));
            (pin, liked.unwrap_or(-days(created_ms)))
        };
        let mut offers: Vec<(PinId, f32)> = young.into_iter().map(score).collect();
        offers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        offers.truncate(context.params.generators.fresh.quota_max);
        Ok(offers.into())
    }
}
