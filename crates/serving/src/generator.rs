//! The seam of candidate generators.

use crate::context::Context;
use async_trait::async_trait;
use domain::{PinId, Source};
use index::{Found, TextFound};
use std::ops::Deref;
use std::sync::Arc;

/// What a generator offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers {
    /// Pins with the generator's own scores, best first.
    pub pins: Vec<(PinId, f32)>,
    /// How they were found, for the trace.
    pub note: Option<String>,
}

impl From<Vec<(PinId, f32)>> for Offers {
    fn from(pins: Vec<(PinId, f32)>) -> Self {
        Offers { pins, note: None }
    }
}

impl From<Found> for Offers {
    fn from(found: Found) -> Self {
        let note = format!("{}: {} rows", found.plan.as_str(), found.rows);
        Offers { pins: found.pins, note: Some(note) }
    }
}

impl From<TextFound> for Offers {
    fn from(found: TextFound) -> Self {
        Offers { note: Some(found.plan.to_string()), pins: found.pins }
    }
}

impl Deref for Offers {
    type Target = [(PinId, f32)];

    fn deref(&self) -> &[(PinId, f32)] {
        &self.pins
    }
}

/// Why a generator has nothing to offer. The request goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// An index failed.
    #[error(transparent)]
    Index(#[from] index::IndexError),
    /// An engine elsewhere does not answer.
    #[error("{engine} is not available: {reason}")]
    Unavailable {
        /// Which engine.
        engine: String,
        /// What it said.
        reason: String,
    },
}

/// Finds pins for a request. The pipeline gives each its own deadline and place on the processor; an error or a missed
/// deadline leaves the answer without its pins and is told in the trace.
#[async_trait]
pub trait CandidateGenerator: Send + Sync {
    /// Where its pins come from; one generator a source.
    fn source(&self) -> Source;

    /// Whether it has something to say to this request. Parameters can switch it off besides.
    fn enabled(&self, context: &Context) -> bool;

    /// The pins, best first, at most [`Context::reach`] of its quota. May compute: it does not run on the event loop.
    async fn generate(&self, context: Arc<Context>) -> Result<Offers, GeneratorError>;
}
