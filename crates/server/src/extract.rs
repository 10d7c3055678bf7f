//! Parts of a request's address.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use domain::limits;

/// The one variable segment of a path: an id.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::parameter("id", "the id in the path is not percent-encoded UTF-8"))?;
        bounded(id).map(Segment)
    }
}

/// The two variable segments of a path.
pub(crate) struct Segments(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::parameter("id", "an id in the path is not percent-encoded UTF-8"))?;
        Ok(Segments(bounded(first)?, bounded(second)?))
    }
}

fn bounded(id: String) -> Result<String, Problem> {
    if id.len() > limits::ID_BYTES_MAX || id.chars().any(char::is_control) {
        let detail = format!("an id has at most {} bytes and no control characters", limits::ID_BYTES_MAX);
        return Err(Problem::parameter("id", detail));
    }
    Ok(id)
}
