//! Pictures go out: by the hash of their bytes, so that a browser never has to ask twice.

use crate::app::App;
use crate::extract::Segments;
use crate::keys::hex;
use crate::picture::{is_key, picture_format};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// `GET /media/{folder}/{name}`
pub(crate) async fn show(
    State(app): State<App>,
    Segments(folder, name): Segments,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = format!("{folder}/{name}");
    if !is_key(&key) {
        return Err(Problem::missing("picture", &key));
    }
    let named = is_hash(&name);
    // The name is the hash: whoever has it need not be shown again.
    if named && headers.get(IF_NONE_MATCH).is_some_and(|tag| is_tag(tag, name.split('.').next().unwrap_or_default())) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let asked = key.clone();
    let found = tokio::task::spawn_blocking(move || app.blobs().get(&asked)).await;
    let found = found.map_err(|error| Problem::internal("reading a picture", error))?;
    let found = found.map_err(|error| Problem::internal("reading a picture", error))?;
    // Only pictures go out, whatever lies in the blobs and whatever it is called.
    let bytes = found.filter(|bytes| picture_format(bytes).is_some());
    let bytes = bytes.ok_or_else(|| Problem::missing("picture", &key))?;
    let kind = content_type(&bytes);
    let tag = if named { name.split('.').next().unwrap_or_default().to_owned() } else { hex(&Sha256::digest(&bytes)) };
    if headers.get(IF_NONE_MATCH).is_some_and(|given| is_tag(given, &tag)) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let keep = if named { "private, max-age=31536000, immutable" } else { "private, max-age=600" };
    let mut response = Response::new(Body::from(bytes));
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    answer.extend(HeaderValue::try_from(format!("\"{tag}\"")).ok().map(|tag| (ETAG, tag)));
    Ok(response)
}

fn content_type(bytes: &[u8]) -> &'static str {
    match picture_format(bytes) {
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        _ => "image/jpeg",
    }
}

fn is_hash(name: &str) -> bool {
    let stem = name.split(['.', '-']).next().unwrap_or_default();
    stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_tag(given: &HeaderValue, tag: &str) -> bool {
    let given = given.to_str().unwrap_or_default();
    given.split(',').any(|one| one.trim().trim_start_matches("W/").trim_matches('"') == tag)
}
