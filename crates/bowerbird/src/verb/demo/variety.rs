//! How varied the first pins of slates are.

use super::judge::SLATE;
use domain::PinId;
use serde_json::{Value, json};
use serving::Views;

/// Sums over slates, of their first pins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Variety {
    slates: f64,
    /// Different topics.
    topics: f64,
    /// Pins that share a topic with the one before.
    neighbours: f64,
    /// Mean cosine of two pins' contents.
    cosine: f64,
}

impl Variety {
    /// That of one slate.
    pub(super) fn of(views: &Views, slate: &[PinId]) -> Variety {
        let first = &slate[..slate.len().min(SLATE)];
        let catalogue = views.catalogue();
        let topics =
            |pin: &PinId| -> Vec<&str> { catalogue.pin_view(*pin).map_or(Vec::new(), |view| view.topics().collect()) };
        let of_pins: Vec<Vec<&str>> = first.iter().map(topics).collect();
        let shares = |pair: &&[Vec<&str>]| pair[0].iter().any(|topic| pair[1].contains(topic));
        let neighbours = of_pins.windows(2).filter(shares).count() as f64;
        let mut all: Vec<&str> = of_pins.concat();
        all.sort_unstable();
        all.dedup();
        let topics = all.len() as f64;
        drop(catalogue);
        Variety { slates: 1.0, topics, neighbours, cosine: cosine(views, first) }
    }

    #[must_use]
    pub(super) fn plus(self, other: Variety) -> Variety {
        Variety {
            slates: self.slates + other.slates,
            topics: self.topics + other.topics,
            neighbours: self.neighbours + other.neighbours,
            cosine: self.cosine + other.cosine,
        }
    }

    /// The means.
    pub(super) fn json(self) -> Value {
        let mean = |sum: f64| sum / self.slates.max(1.0);
        json!({
            "topics": mean(self.topics),
            "same_topic_neighbours": mean(self.neighbours),
            "cosine": mean(self.cosine),
        })
    }
}

/// The mean cosine of two of the pins, of those that have contents.
fn cosine(views: &Views, pins: &[PinId]) -> f64 {
    let content = views.content();
    let vectors: Vec<Vec<f32>> = pins.iter().filter_map(|&pin| content.vector(pin)).collect();
    drop(content);
    let dot = |a: &[f32], b: &[f32]| f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
    let pairs = || vectors.iter().enumerate().flat_map(|(at, a)| vectors[..at].iter().map(move |b| (a, b)));
    let sum: f64 = pairs().map(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-9)).sum();
    sum / pairs().count().max(1) as f64
}
