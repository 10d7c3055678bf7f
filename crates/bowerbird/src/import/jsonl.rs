//! Our own format: one fact a line, `{"type":"pin"|"board"|"pinner"|"event", …}` with the fields of the API.

use super::sink::Sink;
use crate::progress::Progress;
use anyhow::Result;
use domain::{EventId, Fact};
use std::path::Path;
use std::sync::Arc;

/// Imports a file of JSON lines.
pub(crate) fn import(path: &Path, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    sink.each_line(path, progress, |text, _, sink| take(text, sink))
}

fn take(text: &str, sink: &mut Sink) -> Result<()> {
    let taken = match server::read_line(text.as_bytes(), sink.now_ms(), || EventId(0)) {
        Ok(taken) => taken,
        Err(refusal) => return sink.refuse(&refusal.to_string()),
    };
    match (taken.fact, taken.event_id) {
        (Fact::Pin(pin), _) => sink.pin_with_picture(pin, taken.picture),
        (fact, Some(id)) => sink.fact_named(id, fact),
        (fact, None) => sink.fact(fact),
    }
}
