//! Logging in with a key: it stays in a cookie that no script can read and no other site makes a browser send.

use super::{Page, see_other};
use crate::access::KEY_COOKIE;
use crate::app::App;
use crate::body;
use crate::parameters::{Parameters, encode};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use maud::html;

const FORM_BYTES_MAX: usize = 4 << 10;
const KEPT_S: u32 = 30 * 24 * 3600;

/// `GET /login`
pub(crate) async fn form(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["next"])?;
    Ok(page(&app, &given.text("next").unwrap_or_default(), None))
}

fn page(app: &App, next: &str, wrong: Option<&str>) -> Response {
    Page::new("Log in").show(html! {
        section.panel {
            h1 { "Log in" }
            @if app.keys().is_empty() {
                p.quiet { "No keys are configured: everybody on this machine may do everything." }
                p { a href="/" { "To the start" } }
            } @else {
                p.quiet { "This server asks for a key. Whoever runs it can make one for you." }
                @if let Some(wrong) = wrong { p.bad role="alert" { (wrong) } }
                form method="post" action="/login" {
                    input type="hidden" name="next" value=(next);
                    label for="key" { "Key" }
                    input.field #key type="password" name="key" autocomplete="current-password" required autofocus;
                    button.button.main { "Log in" }
                }
            }
        }
    })
}

/// `POST /login`
pub(crate) async fn login(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let bytes = body::read(app.room(), &headers, body, FORM_BYTES_MAX).await?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| Problem::parameter("key", "the form is not UTF-8"))?;
    let mut given = Parameters::read(Some(&text), &["key", "next"])?;
    let key = given.text("key").unwrap_or_default();
    let next = given.text("next").filter(|next| is_ours(next)).unwrap_or_else(|| "/".to_owned());
    if app.keys().find(key.trim()).is_none() {
        return Ok(page(&app, &next, Some("This key is not known here.")));
    }
    Ok(with_cookie(see_other(&next), &encode(key.trim()), KEPT_S))
}

/// `POST /logout`
pub(crate) async fn logout() -> Response {
    with_cookie(see_other("/"), "", 0)
}

fn with_cookie(mut response: Response, value: &str, seconds: u32) -> Response {
    let cookie = format!("{KEY_COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    let header = HeaderValue::from_str(&cookie).ok();
    response.headers_mut().extend(header.map(|header| (SET_COOKIE, header)));
    response
}

/// Whether the place is a path of this server and nothing that leads elsewhere.
fn is_ours(place: &str) -> bool {
    place.starts_with('/')
        && !place.starts_with("//")
        && !place.contains('\\')
        && !place.chars().any(|c| c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_never_leads_elsewhere() {
        assert!(is_ours("/as/ann?x=1"));
        for wrong in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/\r\nx: y", "as/ann"] {
            assert!(!is_ours(wrong), "{wrong:?}");
        }
    }
}
