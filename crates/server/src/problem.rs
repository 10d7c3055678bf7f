//! Errors as answers: RFC 9457 problem documents.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::any::Any;

/// What kind of thing went wrong: decides status, `type` and `title`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadParameter,
    BadBody,
    RowsRefused,
    BadCursor,
    KeyMissing,
    KeyTooWeak,
    ForeignOrigin,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    CursorExpired,
    TooLarge,
    MediaType,
    Overloaded,
    NotReady,
    Internal,
}

impl Kind {
    /// Every kind, for the documentation.
    pub(crate) const ALL: [Kind; 16] = [
        Kind::BadParameter,
        Kind::BadBody,
        Kind::RowsRefused,
        Kind::BadCursor,
        Kind::KeyMissing,
        Kind::KeyTooWeak,
        Kind::ForeignOrigin,
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::TooSlow,
        Kind::CursorExpired,
        Kind::TooLarge,
        Kind::MediaType,
        Kind::Overloaded,
        Kind::NotReady,
        Kind::Internal,
    ];

    fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Kind::BadParameter => (StatusCode::BAD_REQUEST, "bad-parameter", "A parameter is wrong"),
            Kind::BadBody => (StatusCode::BAD_REQUEST, "bad-body", "The body cannot be read"),
            Kind::RowsRefused => (StatusCode::BAD_REQUEST, "rows-refused", "No row was taken"),
            Kind::BadCursor => (StatusCode::BAD_REQUEST, "bad-cursor", "The cursor does not fit this request"),
            Kind::KeyMissing => (StatusCode::UNAUTHORIZED, "key-missing", "A key is needed"),
            Kind::KeyTooWeak => (StatusCode::FORBIDDEN, "key-too-weak", "The key does not allow this"),
            Kind::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign-origin", "The request comes from elsewhere"),
            Kind::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Kind::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This cannot be done here")
            }
            Kind::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The request took too long"),
            Kind::CursorExpired => (StatusCode::GONE, "cursor-expired", "The ranking behind the cursor is gone"),
            Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "That is too much at once"),
            Kind::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "This kind of body is not read"),
            Kind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too much is going on"),
            Kind::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready yet"),
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke on our side"),
        }
    }

    /// The HTTP status.
    pub(crate) fn status(self) -> StatusCode {
        self.row().0
    }

    /// The last part of `type`.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// The human sentence of the kind.
    pub(crate) fn title(self) -> &'static str {
        self.row().2
    }
}

/// An error answer: `application/problem+json` with `type`, `title`, `status`, `detail` and, where it is about one,
/// the `field`.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    field: Option<String>,
    more: Map<String, Value>,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of a kind; `detail` says what happened this time.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), field: None, more: Map::new(), retry_after_s: None }
    }

    /// A wrong parameter.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Problem {
        Problem::new(Kind::BadParameter, detail).on(name)
    }

    /// Something that is not there.
    pub(crate) fn missing(what: &str, id: &str) -> Problem {
        Problem::new(Kind::NotFound, format!("there is no {what} '{}'", shortened(id)))
    }

    /// Our own failure: the cause goes to the log, not to the caller.
    pub(crate) fn internal(doing: &str, cause: impl std::fmt::Display) -> Problem {
        tracing::error!(%cause, "{doing} failed");
        Problem::new(Kind::Internal, format!("{doing} failed; the server's log knows why"))
    }

    /// The same problem, naming the field it is about.
    pub(crate) fn on(mut self, field: &str) -> Problem {
        self.field = Some(field.to_owned());
        self
    }

    /// The same problem with one more member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same problem, asking to come back later.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after_s = Some(seconds);
        self
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:bowerbird:problem:{}", self.kind.name()),
            "title": self.kind.title(),
            "status": self.kind.status().as_u16(),
            "detail": self.detail,
        });
        if let Some(members) = document.as_object_mut() {
            members.extend(self.field.iter().map(|field| ("field".to_owned(), Value::from(field.as_str()))));
            members.extend(self.more.clone());
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.document().to_string()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::KeyMissing {
            headers.insert("www-authenticate", HeaderValue::from_static("Bearer realm=\"bowerbird\""));
        }
        // The faces dress it as a page for people.
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer for a path that does not exist.
pub(crate) async fn no_such_path(uri: Uri) -> Problem {
    Problem::missing("path", uri.path()).with("documentation", "/openapi.json")
}

/// The answer for a method that a path does not know. axum adds `Allow` on its way out.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("'{}' does not take {method}", shortened(uri.path()));
    Problem::new(Kind::MethodNotAllowed, detail)
}

/// The answer for a panic: nothing of it leaves the house.
pub(crate) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    Problem::internal("answering", text.unwrap_or("a panic without words")).into_response()
}

/// Text of strangers as it may stand in a message.
pub(crate) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut short: String = text.chars().take(CHARS_MAX).map(|c| if c.is_control() { '·' } else { c }).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    #[tokio::test]
    async fn a_panic_becomes_a_problem_that_tells_nothing() {
        async fn fails() -> &'static str {
            panic!("a secret of the house")
        }
        let router: Router = Router::new().route("/", get(fails)).layer(CatchPanicLayer::custom(panicked));
        let request = axum::http::Request::builder().uri("/").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        assert_eq!(shortened("a\nb"), "a·b");
        assert_eq!(shortened(&"x".repeat(100)).chars().count(), 81);
    }
}
