//! A small HTTP client: what `query`, `explain`, `world` and `bench` ask a running server with.

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Longest that an answer may take.
const ANSWER_S_MAX: u64 = 60;

/// Asks one server. Cheap to clone; connections are shared.
#[derive(Clone)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    base: String,
    key: Option<String>,
}

/// What is asked: a GET, or a POST or PUT of a body of some content type.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    path: String,
    puts: bool,
    body: Option<(&'static str, Bytes)>,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Ask {
        Ask { path: path.into(), puts: false, body: None }
    }

    pub(crate) fn post(path: impl Into<String>, kind: &'static str, body: impl Into<Bytes>) -> Ask {
        Ask { path: path.into(), puts: false, body: Some((kind, body.into())) }
    }

    pub(crate) fn put(path: impl Into<String>, kind: &'static str, body: impl Into<Bytes>) -> Ask {
        Ask { puts: true, ..Ask::post(path, kind, body) }
    }
}

impl Client {
    /// A client of the server at `base` (`http://127.0.0.1:8080`), with the secret of a key if one is needed.
    pub(crate) fn new(base: &str, key: Option<String>) -> Client {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(2)));
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Client { pool, base: base.trim_end_matches('/').to_owned(), key }
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> Result<(StatusCode, Bytes)> {
        self.ask(&Ask::get(path)).await
    }

    /// Status and body of the answer.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<(StatusCode, Bytes)> {
        let method = match &ask.body {
            Some(_) if ask.puts => Method::PUT,
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = Request::builder().method(method).uri(format!("{}{}", self.base, ask.path));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = ask.body.as_ref().map(|(kind, body)| {
            request = std::mem::take(&mut request).header("content-type", *kind);
            Full::new(body.clone())
        });
        let request = request.body(body.unwrap_or_default()).with_context(|| format!("{} is no address", self.base))?;
        let exchange = async {
            let answer = self.pool.request(request).await.with_context(|| format!("{} does not answer", self.base))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
            Ok((status, body.to_bytes()))
        };
        match tokio::time::timeout(Duration::from_secs(ANSWER_S_MAX), exchange).await {
            Ok(answer) => answer,
            Err(_) => bail!("{} did not answer within {ANSWER_S_MAX} s", self.base),
        }
    }

    /// The JSON of a GET; a problem document becomes an error with its words.
    pub(crate) async fn json(&self, path: &str) -> Result<Value> {
        let (status, body) = self.get(path).await?;
        told(status, &body)
    }
}

/// The JSON of a good answer; a problem document becomes an error with its words.
pub(crate) fn told(status: StatusCode, body: &[u8]) -> Result<Value> {
    let value: Value = serde_json::from_slice(body).with_context(|| format!("{status}: the answer is no JSON"))?;
    if status.is_success() {
        return Ok(value);
    }
    let words = value["detail"].as_str().or(value["title"].as_str()).unwrap_or("no reason given");
    bail!("{status}: {words}")
}

/// A word as it may stand in a path or a query.
pub(crate) fn encoded(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for byte in word.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_encoded() {
        assert_eq!(encoded("oak table/ü?"), "oak%20table%2F%C3%BC%3F");
    }
}
