//! Pins that few have seen, shown to learn about them: Thompson sampling of their save rate.

use crate::context::Context;
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::views::read;
use async_trait::async_trait;
use domain::{Action, PinId, Rng, Source, hash64};
use std::sync::Arc;

/// Pins that are drawn from the newest and from all pins, each.
const DRAWS: u32 = 256;

/// With so many impressions a pin has had its chance.
const IMPRESSIONS_MAX: u32 = 100;

/// What is believed of a pin's save rate before anybody saw it: 1 save and 19 passes.
const PRIOR: (f32, f32) = (1.0, 19.0);

/// Pins with few impressions.
#[derive(Debug, Default)]
pub(crate) struct Exploration;

#[async_trait]
impl CandidateGenerator for Exploration {
    fn source(&self) -> Source {
        Source::Exploration
    }

    fn enabled(&self, context: &Context) -> bool {
        context.is_feed()
    }

    /// Scores are draws from what is believed of the save rates.
    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError> {
        let mut rng = Rng::new(hash64(context.request.seed ^ 0x5EED_0F0C));
        let catalogue = read(&context.views.catalogue);
        let newest: Vec<PinId> = catalogue.newest().map(|(_, pin)| pin).collect();
        let mut pins: Vec<PinId> = Vec::new();
        for _ in 0..DRAWS {
            pins.extend(newest.get(rng.below(newest.len() as u32) as usize));
            pins.push(PinId(rng.below(catalogue.pins() as u32)));
        }
        pins.sort_unstable();
        pins.dedup();
        pins.retain(|&pin| catalogue.servable(pin, context.request.now_ms));
        let signals = read(&context.views.signals);
        let mut offers = Vec::new();
        for pin in pins {
            let (saves, impressions) = (signals.total(pin, Action::Save), signals.total(pin, Action::Impression));
            if impressions < IMPRESSIONS_MAX {
                let passes = impressions.saturating_sub(saves);
                offers.push((pin, beta(&mut rng, PRIOR.0 + saves as f32, PRIOR.1 + passes as f32)));
            }
        }
        offers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        offers.truncate(context.params.generators.exploration.quota_max);
        Ok(offers.into())
    }
}

/// A draw from Beta(a, b), both at least 1.
fn beta(rng: &mut Rng, a: f32, b: f32) -> f32 {
    let (x, y) = (gamma(rng, a), gamma(rng, b));
    x / (x + y)
}

/// A draw from Gamma(shape, 1), shape at least 1 (Marsaglia and Tsang, 2000).
fn gamma(rng: &mut Rng, shape: f32) -> f32 {
    const TRIES_MAX: usize = 64;
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    for _ in 0..TRIES_MAX {
        let x = rng.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - rng.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_of_beta() {
        let mut rng = Rng::new(3);
        for (a, b) in [(1.0f32, 19.0f32), (5.0, 5.0), (30.0, 70.0)] {
            let draws: Vec<f32> = (0..20_000).map(|_| beta(&mut rng, a, b)).collect();
            let mean = draws.iter().sum::<f32>() / draws.len() as f32;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / draws.len() as f32;
            let expected = a * b / ((a + b).powi(2) * (a + b + 1.0));
            assert!((mean - a / (a + b)).abs() < 0.005, "{mean}");
            assert!((variance / expected - 1.0).abs() < 0.1, "{variance} {expected}");
        }
    }
}
