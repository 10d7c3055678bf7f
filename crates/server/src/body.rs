//! Reads bodies: bounded while they come, judged by their content type.

use crate::admission::Room;
use crate::problem::{Kind, Problem, shortened};
use crate::wire::rows::Layout;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use futures::StreamExt;
use tokio::sync::OwnedSemaphorePermit;

/// A body that was read, and the room that it takes as long as it is kept.
pub(crate) struct Whole {
    bytes: Vec<u8>,
    room: OwnedSemaphorePermit,
}

impl std::ops::Deref for Whole {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of at most `bytes_max`. A longer one is refused from its declared length, or as soon as it grows past
/// the bound; what follows is not kept. All bodies together fit into `room`.
pub(crate) async fn read(room: &Room, headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Whole, Problem> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        let encoding = shortened(&String::from_utf8_lossy(encoding.as_bytes()));
        return Err(Problem::new(Kind::MediaType, format!("bodies are taken as they are, not as '{encoding}'")));
    }
    let mut chunks = body.into_data_stream();
    let bytes = Vec::with_capacity(declared.unwrap_or(0).min(bytes_max as u64) as usize);
    let mut whole = Whole { bytes, room: room.take(0)? };
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Kind::BadBody, "the body ended before it was complete"))?;
        if whole.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        whole.room.merge(room.take(chunk.len())?);
        whole.bytes.extend_from_slice(&chunk);
    }
    Ok(whole)
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(Kind::TooLarge, format!("the body is larger than {bytes_max} bytes: send it in parts"))
        .with("bytes_max", bytes_max)
}

/// How the rows lie in the body, by its content type.
pub(crate) fn layout(headers: &HeaderMap) -> Result<Layout, Problem> {
    match media_type(headers).as_deref() {
        Some("application/json") => Ok(Layout::Json),
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl") => Ok(Layout::Lines),
        other => Err(Problem::new(
            Kind::MediaType,
            format!("send content-type application/json or application/x-ndjson, not {}", named(other)),
        )),
    }
}

/// Whether the body is a picture.
pub(crate) fn must_be_picture(headers: &HeaderMap) -> Result<(), Problem> {
    match media_type(headers).as_deref() {
        Some("image/jpeg" | "image/png" | "image/webp" | "application/octet-stream") => Ok(()),
        other => Err(Problem::new(
            Kind::MediaType,
            format!("send content-type image/jpeg, image/png or image/webp, not {}", named(other)),
        )),
    }
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    Some(essence.to_ascii_lowercase()).filter(|essence| !essence.is_empty())
}

fn named(media_type: Option<&str>) -> String {
    media_type.map_or("none".to_owned(), |given| format!("'{}'", shortened(given)))
}
