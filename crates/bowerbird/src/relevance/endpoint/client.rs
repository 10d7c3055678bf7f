//! One question over HTTP, asked again where that may help.

use super::prompt;
use crate::config::RelevanceConfig;
use anyhow::{Context, Result};
use domain::hash64;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use std::time::Duration;

/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// First wait before asking again; it doubles each time. An endpoint may ask for more, up to a minute.
const WAIT: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) level: usize,
    /// Tokens asked and answered, over all tries; zeros where they were not told.
    pub(super) tokens: [u64; 2],
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The endpoint does not want to: asking about other pairs is in vain.
    Refused(String),
    /// Nothing that could be read came, however often it was asked; and what that took, where it was told.
    Unread(String, Option<[u64; 2]>),
}

/// What came of one try.
enum Try {
    Answer(Bytes),
    /// Later may be better, after so long a wait if the endpoint said so.
    Again(String, Option<Duration>),
    Refused(String),
}

#[derive(Clone)]
enum Connections {
    Plain(Pool<HttpConnector, Full<Bytes>>),
    Tls(Pool<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// Asks one endpoint. Cheap to clone; connections are shared.
#[derive(Clone)]
pub(super) struct Client {
    connections: Connections,
    address: Arc<str>,
    model: Arc<str>,
    key: Option<Arc<str>>,
    retries_max: usize,
    timeout: Duration,
    /// First wait before asking again.
    wait: Duration,
}

impl Client {
    pub(super) fn new(config: &RelevanceConfig, key: Option<String>) -> Result<Client> {
        let connections = match config.url.starts_with("https://") {
            true => {
                let connector = HttpsConnectorBuilder::new().with_native_roots();
                let connector = connector.context("cannot read this machine's certificates")?;
                let connector = connector.https_only().enable_http1().build();
                Connections::Tls(Pool::builder(TokioExecutor::new()).build(connector))
            }
            false => Connections::Plain(Pool::builder(TokioExecutor::new()).build(HttpConnector::new())),
        };
        Ok(Client {
            connections,
            address: format!("{}/chat/completions", config.url.trim_end_matches('/')).into(),
            model: config.model.as_str().into(),
            key: key.map(Into::into),
            retries_max: config.retries_max,
            timeout: Duration::from_secs(config.timeout_s),
            wait: WAIT,
        })
    }

    /// The same client that waits less.
    #[cfg(test)]
    pub(super) fn hasty(self) -> Client {
        Client { wait: Duration::from_millis(1), timeout: Duration::from_millis(300), ..self }
    }

    /// The level that the endpoint gives for a prompt.
    pub(super) async fn level(&self, text: &str) -> Result<Answer, Failed> {
        let body = Bytes::from(prompt::body(&self.model, text).to_string());
        let (mut why, mut tokens) = (String::new(), None::<[u64; 2]>);
        for turn in 0..=self.retries_max {
            let wait = match self.once(body.clone()).await {
                Try::Answer(answer) => {
                    let (level, took) = prompt::level(&answer);
                    if let Some(took) = took {
                        let before = tokens.unwrap_or_default();
                        tokens = Some([before[0] + took[0], before[1] + took[1]]);
                    }
                    match level {
                        Ok(level) => return Ok(Answer { level, tokens: tokens.unwrap_or_default() }),
                        Err(unread) => why = unread,
                    }
                    None
                }
                Try::Again(reason, wait) => {
                    why = reason;
                    wait
                }
                Try::Refused(why) => return Err(Failed::Refused(why)),
            };
            if turn < self.retries_max {
                // Those that failed together do not come back together.
                let scatter = 0.5 + (hash64(text.len() as u64 ^ turn as u64) % 1_000) as f64 / 1_000.0;
                let own = self.wait.mul_f64(scatter * f64::from(1u32 << turn.min(10)));
                tokio::time::sleep(wait.unwrap_or(own).min(WAIT_MAX)).await;
            }
        }
        Err(Failed::Unread(why, tokens))
    }

    async fn once(&self, body: Bytes) -> Try {
        let mut request = Request::builder().method(Method::POST).uri(&*self.address);
        request = request.header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = match request.body(Full::new(body)) {
            Ok(request) => request,
            Err(error) => return Try::Refused(format!("{} cannot be asked: {error}", self.address)),
        };
        let exchange = async {
            let answer = match &self.connections {
                Connections::Plain(pool) => pool.request(request).await,
                Connections::Tls(pool) => pool.request(request).await,
            };
            let answer = answer.map_err(|error| format!("{} does not answer: {error}", self.address))?;
            let (status, wait) = (answer.status(), retry_after(answer.headers()));
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| format!("the answer broke off: {error}"))?;
            Ok::<_, String>((status, wait, body.to_bytes()))
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Err(_) => Try::Again(format!("no answer within {:?}", self.timeout), None),
            Ok(Err(why)) => Try::Again(why, None),
            Ok(Ok((status, _, body))) if status.is_success() => Try::Answer(body),
            Ok(Ok((status, wait, body))) => {
                let told: String = String::from_utf8_lossy(&body).chars().take(300).collect();
                let why = format!("{} answered {status}: {told}", self.address);
                let later = status.is_server_error()
                    || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                if later { Try::Again(why, wait) } else { Try::Refused(why) }
            }
        }
    }
}

fn retry_after(headers: &hyper::HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(WAIT_MAX.as_secs_f64())))
}
