//! The faces: pages for pinners and operators, rendered here, escaped by construction (maud), alive without the script.

mod boards;
mod choose;
mod closeup;
mod console;
mod experiments;
mod feed;
mod icons;
mod login;
mod look;
mod narrow;
mod parts;
mod review;
mod search;
mod trace;
mod why;

pub(crate) use boards::{board, boards};
pub(crate) use choose::choose;
pub(crate) use closeup::closeup;
pub(crate) use console::console;
pub(crate) use experiments::{experiments, steer};
pub(crate) use feed::feed;
pub(crate) use login::{form, login, logout};
pub(crate) use look::{look, look_up};
pub(crate) use review::{decide, review};
pub(crate) use search::search;
pub(crate) use trace::trace;

use crate::app::App;
use crate::people;
use crate::problem::{Kind, Problem};
use axum::extract::Request;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../assets/app.css");
const SCRIPT: &str = include_str!("../assets/app.js");
const SUGGEST: &str = include_str!("../assets/suggest.js");
const LOOK: &str = include_str!("../assets/look.js");
const MARK: &str = include_str!("../assets/mark.svg");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A page, with what belongs around it.
pub(crate) struct Page<'a> {
    pub(crate) title: String,
    /// Who looks, once somebody was chosen: id and name.
    pub(crate) pinner: Option<(&'a str, String)>,
    /// Which entry of the bar is lit.
    pub(crate) tab: Tab,
    /// What the search field holds.
    pub(crate) words: &'a str,
}

/// An entry of the bar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    None,
    Home,
    Boards,
    Console,
}

impl<'a> Page<'a> {
    pub(crate) fn new(title: impl Into<String>) -> Page<'a> {
        Page { title: title.into(), pinner: None, tab: Tab::None, words: "" }
    }

    pub(crate) fn of(app: &App, title: impl Into<String>, pinner: &'a str, tab: Tab) -> Page<'a> {
        Page { title: title.into(), pinner: Some((pinner, people::name(app, pinner))), tab, words: "" }
    }

    pub(crate) fn show(&self, content: Markup) -> Response {
        let pinner = self.pinner.as_ref().map(|(id, _)| *id);
        page_response(html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Bowerbird" }
                    link rel="icon" href={ "/assets/mark.svg?v=" (*ASSET_VERSION) } type="image/svg+xml";
                    link rel="stylesheet" href={ "/assets/app.css?v=" (*ASSET_VERSION) };
                    script src={ "/assets/app.js?v=" (*ASSET_VERSION) } defer {}
                    script src={ "/assets/suggest.js?v=" (*ASSET_VERSION) } defer {}
                    script src={ "/assets/look.js?v=" (*ASSET_VERSION) } defer {}
                }
                body data-pinner=[pinner] {
                    a.skip href="#content" { "Skip to the content" }
                    (self.bar())
                    main #content { (content) }
                    @if pinner.is_some() {
                        dialog.sheet aria-label="Close-up" { div.inside {} }
                    }
                    div.toasts role="status" aria-live="polite" {}
                }
            }
        })
    }

    fn bar(&self) -> Markup {
        let lit = |tab| (self.tab == tab).then_some("page");
        let home = self.pinner.as_ref().map_or("/".to_owned(), |(id, _)| parts::home(id));
        html! {
            header.bar {
                a.brand href=(home) aria-label="Bowerbird, to the start" { (icons::mark("")) span { "Bowerbird" } }
                @if let Some((id, name)) = &self.pinner {
                    nav aria-label="Pages" {
                        a.tab href=(parts::home(id)) aria-current=[lit(Tab::Home)] { "Home" }
                        a.tab href={ (parts::home(id)) "/boards" } aria-current=[lit(Tab::Boards)] { "Boards" }
                    }
                    (parts::seek(&format!("{}/search", parts::home(id)), "Search pins", self.words))
                    label.round.js-only title="Search with a picture" {
                        (icons::camera())
                        span.visually-hidden { "Search with a picture" }
                        input.visually-hidden type="file" accept="image/jpeg,image/png,image/webp" data-look;
                    }
                    a.person href="/" title="Look as somebody else" {
                        (parts::face(id, name)) b { (name) }
                        span.visually-hidden { " (look as somebody else)" }
                    }
                } @else {
                    nav aria-label="Pages" {
                        a.tab href="/" aria-current=[lit(Tab::Home)] { "Pinners" }
                        a.tab href="/console" aria-current=[lit(Tab::Console)] { "Console" }
                    }
                }
            }
        }
    }
}

fn page_response(markup: Markup) -> Response {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

/// Another place to look at.
pub(crate) fn see_other(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
}

/// Changes whenever an asset does, so that browsers may keep each version for good.
static ASSET_VERSION: LazyLock<String> = LazyLock::new(|| {
    let sum = [STYLE, SCRIPT, SUGGEST, LOOK, MARK].iter().flat_map(|asset| asset.bytes());
    let hash = sum.fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
    format!("{VERSION}-{:x}", hash & 0xFFFF_FFFF)
});

/// `GET /assets/{name}`
pub(crate) async fn asset(crate::extract::Segment(name): crate::extract::Segment) -> Result<Response, Problem> {
    let (kind, text) = match name.as_str() {
        "app.css" => ("text/css; charset=utf-8", STYLE),
        "app.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "suggest.js" => ("text/javascript; charset=utf-8", SUGGEST),
        "look.js" => ("text/javascript; charset=utf-8", LOOK),
        "mark.svg" => ("image/svg+xml", MARK),
        _ => return Err(Problem::missing("asset", &name)),
    };
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind)), (CACHE_CONTROL, keep)], text).into_response())
}

/// Dresses problems as pages where a person is looking: outside of the API, when the browser asks for HTML. Who lacks a
/// key is led to the login.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or("/".to_owned(), |path| path.as_str().to_owned());
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let person = accepts.contains("text/html") && !path.starts_with("/v1/");
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>().filter(|_| person) else { return response };
    if problem.kind == Kind::KeyMissing {
        return see_other(&format!("/login?next={}", crate::parameters::encode(&path)));
    }
    let mut page = Page::new(problem.kind.title()).show(html! {
        div.empty {
            (icons::mark(""))
            h2 { (problem.kind.title()) }
            p { (problem.detail) }
            a.button.main href="/" { "To the start" }
        }
    });
    *page.status_mut() = response.status();
    page.headers_mut()
        .extend(response.headers().get("retry-after").cloned().map(|wait| (axum::http::header::RETRY_AFTER, wait)));
    page
}
