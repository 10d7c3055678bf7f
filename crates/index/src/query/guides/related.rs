//! Queries that lead to the same pins.

use domain::PinId;
use std::collections::BTreeMap;

/// Most pins of a query and queries of a pin that are followed: the heaviest.
const FOLLOWED_MAX: usize = 256;
/// Most related queries of an answer.
const RELATED_MAX: usize = 100;

/// What was done with a pin after a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Engagement {
    /// The query, as the caller numbers them.
    pub query: u32,
    /// The pin.
    pub pin: PinId,
    /// How much; what is not above 0 is left out.
    pub weight: f32,
}

/// A query that leads to much the same pins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelatedQuery {
    /// The query.
    pub query: u32,
    /// Cosine of their pins, damped where it is asked a lot.
    pub score: f32,
}

/// Queries by the pins that they lead to.
pub struct RelatedQueries {
    pins: BTreeMap<u32, Vec<(PinId, f32)>>,
    queries: BTreeMap<PinId, Vec<(u32, f32)>>,
    damping: f32,
}

/// The heaviest, in a fixed order.
fn heaviest<T: Copy + Ord>(all: &mut Vec<(T, f32)>) {
    all.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(FOLLOWED_MAX);
}

impl RelatedQueries {
    /// Of these engagements. A pin counts less the more queries lead to it (its weight is divided by the root of how
    /// many do); a query's score is divided by its whole weight to the power of `damping`, 0 where popularity is
    /// welcome.
    pub fn new(engagements: &[Engagement], damping: f32) -> RelatedQueries {
        let mut sums: BTreeMap<(PinId, u32), f32> = BTreeMap::new();
        for done in engagements.iter().filter(|done| done.weight > 0.0 && done.weight.is_finite()) {
            *sums.entry((done.pin, done.query)).or_default() += done.weight;
        }
        let mut queries: BTreeMap<PinId, Vec<(u32, f32)>> = BTreeMap::new();
        sums.into_iter().for_each(|((pin, query), weight)| queries.entry(pin).or_default().push((query, weight)));
        let mut pins: BTreeMap<u32, Vec<(PinId, f32)>> = BTreeMap::new();
        for (&pin, leading) in &mut queries {
            let rarity = 1.0 / (leading.len() as f32).sqrt();
            for (query, weight) in leading.iter_mut() {
                // Ten times done is not ten times as close.
                *weight = weight.ln_1p() * rarity;
                pins.entry(*query).or_default().push((pin, *weight));
            }
            heaviest(leading);
        }
        pins.values_mut().for_each(heaviest);
        RelatedQueries { pins, queries, damping }
    }

    fn length(&self, query: u32) -> f32 {
        let pins = self.pins.get(&query).map_or(&[][..], Vec::as_slice);
        pins.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt()
    }

    fn weight(&self, query: u32) -> f32 {
        self.pins.get(&query).map_or(0.0, |pins| pins.iter().map(|(_, weight)| weight).sum())
    }

    /// The `k` queries (at most 100) that are closest to a query, the closest first.
    pub fn of(&self, query: u32, k: usize) -> Vec<RelatedQuery> {
        let mut products: BTreeMap<u32, f32> = BTreeMap::new();
        for (pin, weight) in self.pins.get(&query).into_iter().flatten() {
            for (other, other_weight) in self.queries.get(pin).into_iter().flatten() {
                *products.entry(*other).or_default() += weight * other_weight;
            }
        }
        products.remove(&query);
        let length = self.length(query);
        let score = |(other, product): (u32, f32)| {
            let cosine = product / (length * self.length(other));
            RelatedQuery { query: other, score: cosine / (1.0 + self.weight(other)).powf(self.damping) }
        };
        let mut related: Vec<RelatedQuery> = products.into_iter().map(score).collect();
        related.retain(|related| related.score.is_finite());
        related.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.query.cmp(&b.query)));
        related.truncate(k.min(RELATED_MAX));
        related
    }
}
