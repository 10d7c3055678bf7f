//! A signed request to an address of the operator.

use super::sign::{SECRET_BYTES_MIN, signature};
use super::{Channel, Outcome, Refused};
use crate::{ChannelKind, Message, NotifyError};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where requests go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookParams {
    /// `https://…`; without TLS on this machine only.
    pub url: String,
    /// Whether other machines are asked without TLS, too: the network between is trusted.
    pub plain: bool,
}

/// Connections are kept open between requests. Without TLS no certificates are read.
enum Connections {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Connections {
    fn new(tls: bool) -> Result<Connections, NotifyError> {
        let builder = Client::builder(TokioExecutor::new());
        if !tls {
            return Ok(Connections::Plain(builder.build(HttpConnector::new())));
        }
        let roots = HttpsConnectorBuilder::new().with_native_roots();
        let roots = roots.map_err(|error| NotifyError::invalid("certificates of this machine", error.to_string()))?;
        Ok(Connections::Tls(builder.build(roots.https_only().enable_http1().build())))
    }

    async fn request(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        match self {
            Connections::Plain(client) => client.request(request).await,
            Connections::Tls(client) => client.request(request).await,
        }
    }
}

/// The channel that posts JSON.
///
/// The body holds `key`, `pinner`, `kind`, `pin`, `title`, `body`, `link`, `unsubscribe`, `at_ms`, `expires_ms`.
/// Headers:
/// `Idempotency-Key` (the receiver drops keys it has seen), `Bowerbird-Timestamp` (seconds since 1970) and
/// `Bowerbird-Signature` (`v1=` and HMAC-SHA-256 over timestamp, a dot and the body; see
/// [`verify_signature`](super::verify_signature)). Any status of 200 to 299 is acceptance; 408, 425, 429 and 500 to 599
/// are tried again, after `Retry-After` where it is told in seconds; everything else, a redirection too, is a refusal.
pub struct Webhook {
    client: Connections,
    url: Uri,
    secret: Vec<u8>,
}

impl Webhook {
    /// A channel that signs with a secret of at least 32 bytes.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] where address or secret will not do.
    pub fn new(params: &WebhookParams, secret: &[u8]) -> Result<Webhook, NotifyError> {
        let wrong = |reason: &str| NotifyError::invalid("webhook.url", reason);
        let url: Uri = params.url.parse().map_err(|_| wrong("it is no address"))?;
        let here = matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if here || params.plain => {}
            Some("http") => return Err(wrong("without TLS on this machine only (webhook.plain allows it)")),
            _ => return Err(wrong("it begins with neither https:// nor http://")),
        }
        if secret.len() < SECRET_BYTES_MIN {
            let reason = format!("{} bytes; {SECRET_BYTES_MIN} at least", secret.len());
            return Err(NotifyError::invalid("webhook.secret", reason));
        }
        let client = Connections::new(url.scheme_str() == Some("https"))?;
        Ok(Webhook { client, url, secret: secret.to_vec() })
    }

    fn request(&self, message: &Message, now_ms: u64) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let Message { key, pinner, kind, pin, title, body, link, unsubscribe, at_ms, expires_ms, .. } = message;
        let body = json!({
            "key": key, "pinner": pinner, "kind": kind, "pin": pin, "title": title, "body": body, "link": link,
            "unsubscribe": unsubscribe, "at_ms": at_ms, "expires_ms": expires_ms,
        });
        let body = body.to_string();
        let sent_s = now_ms / 1_000;
        Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", key.to_string())
            .header("bowerbird-timestamp", sent_s)
            .header("bowerbird-signature", signature(&self.secret, sent_s, body.as_bytes()))
            .body(Full::new(Bytes::from(body)))
    }
}

#[async_trait]
impl Channel for Webhook {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Webhook
    }

    async fn send(&self, message: &Message, now_ms: u64) -> Outcome {
        match self.request(message, now_ms) {
            Err(error) => Outcome::Refused(Refused(error.to_string())),
            Ok(request) => self.client.request(request).await.map_or_else(failed, |answer| judged(&answer)),
        }
    }
}

/// What a broken request means: before there is a connection nothing was sent.
fn failed(error: Error) -> Outcome {
    match error.is_connect() {
        true => Outcome::Failed { reason: format!("no connection: {error}"), after_ms: None },
        false => Outcome::Unknown(error.to_string()),
    }
}

/// What a status means. The body of the answer is not read.
fn judged<B>(answer: &Response<B>) -> Outcome {
    let status = answer.status();
    let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    if status.is_success() {
        return Outcome::Accepted;
    }
    if !again.contains(&status) && !status.is_server_error() {
        return Outcome::Refused(Refused(format!("status {}", status.as_u16())));
    }
    let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    let after_ms = after.map(|after_s| after_s.saturating_mul(1_000));
    Outcome::Failed { reason: format!("status {}", status.as_u16()), after_ms }
}
