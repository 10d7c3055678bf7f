//! Layers around the handlers: who asks, from where, for how long, and how it went.

use crate::App;
use crate::keys::Role;
use crate::parameters;
use crate::problem::{Kind, Problem};
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::time::Instant;

/// The cookie that carries a key for the faces.
pub(crate) const KEY_COOKIE: &str = "bowerbird_key";

/// What of a request's sender is known to handlers: what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed(pub(crate) Role);

/// Counts and times every answer, and bounds its time.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other".to_owned(), |path| path.as_str().to_owned());
    let answer = tokio::time::timeout(app.limits().request(), next.run(request)).await;
    let response = answer.unwrap_or_else(|_| {
        let detail = format!("no answer within {} ms", app.limits().request_ms_max);
        Problem::new(Kind::TooSlow, detail).into_response()
    });
    let method = if known_method(&method) { method.as_str() } else { "other" };
    app.metrics().answered(method, &route, response.status().as_u16(), started.elapsed());
    response
}

fn known_method(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS].contains(method)
}

/// Headers that keep browsers from doing what nobody meant.
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: data: blob:; \
                  connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

/// Says so where a refusal ends the connection: a body that nobody reads would be taken for the next request.
pub(crate) async fn part(request: Request, next: Next) -> Response {
    let empty = request.body().is_end_stream();
    let mut response = next.run(request).await;
    if !empty && !response.status().is_success() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Refuses what a foreign web page makes a browser send. A server without keys trusts this machine, so it answers to
/// no name but its own; and nobody's page may change anything from elsewhere.
pub(crate) async fn keep_home(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if app.keys().is_empty() && !host.is_empty() && !is_this_machine(host) {
        let detail = "without keys this server answers only as localhost or an IP address; to serve it under a name, \
                      configure keys";
        return Problem::new(Kind::ForeignOrigin, detail).into_response();
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    if changes && origin.is_some_and(|origin| origin.split_once("://").is_none_or(|(_, from)| from != host)) {
        return Problem::new(Kind::ForeignOrigin, "a page of another origin may not change anything here")
            .into_response();
    }
    next.run(request).await
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Lets a request through when its key's role is at least `needed`. Without keys everybody may do everything.
pub(crate) fn check(app: &App, headers: &HeaderMap, needed: Option<Role>) -> Result<Allowed, Problem> {
    if app.keys().is_empty() {
        return Ok(Allowed(Role::Admin));
    }
    let Some(needed) = needed else { return Ok(Allowed(Role::Read)) };
    let secret = secret(headers).ok_or_else(|| {
        Problem::new(Kind::KeyMissing, "send `Authorization: Bearer KEY`, or log in at /login with a browser")
    })?;
    let key = app.keys().find(&secret);
    let key = key.ok_or_else(|| Problem::new(Kind::KeyMissing, "this key is not known here"))?;
    if key.role < needed {
        let detail = format!("the key '{}' may {}, this needs {needed}", key.name, key.role);
        return Err(Problem::new(Kind::KeyTooWeak, detail));
    }
    Ok(Allowed(key.role))
}

fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().to_owned());
    }
    cookie(headers, KEY_COOKIE)
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find(|(given, _)| *given == name)?.1;
    parameters::decode(value, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_few_names() {
        for host in
            ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "LOCALHOST:1", "10.0.0.1:80"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:80", "", "[evil]:1", "127.0.0.1.evil.example"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; bowerbird_key=bbk_2; c=3"));
        assert_eq!(cookie(&headers, KEY_COOKIE).as_deref(), Some("bbk_2"));
        assert_eq!(cookie(&headers, "key"), None);
    }
}
