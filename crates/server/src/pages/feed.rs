//! The home feed: a wall of pins that goes on.

use super::{Page, Tab, page_response, parts};
use crate::app::App;
use crate::cursor::Scope;
use crate::extract::Segment;
use crate::lists::{self, Ask};
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::{Subject, Surface};
use maud::html;

/// What a page of cards is asked with: everything but the scope comes from the address.
pub(crate) fn ask(app: &App, given: &mut Parameters, scope: Scope) -> Ask {
    let deadline_ms = app.params().deadline_ms;
    Ask {
        scope,
        limit: parts::PAGE,
        cursor: given.text("cursor"),
        explain: false,
        deadline_ms,
        look: None,
        verbatim: false,
    }
}

/// Whether only a part of a page is wanted: the script asks so.
pub(crate) fn part(given: &mut Parameters) -> bool {
    given.text("part").is_some()
}

/// `GET /as/{pinner}`
pub(crate) async fn feed(
    State(app): State<App>,
    Segment(pinner): Segment,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["cursor", "part"])?;
    let part = part(&mut given);
    let scope = Scope::of(Surface::Home, Subject::None, pinner.clone());
    let page = lists::page(&app, ask(&app, &mut given, scope)).await?;
    let cards = parts::cards(&app, &pinner, &page, &parts::home(&pinner));
    if part {
        return Ok(page_response(cards));
    }
    let empty = page.slate.items.is_empty();
    Ok(Page::of(&app, "Home", &pinner, Tab::Home).show(html! {
        h1.visually-hidden { "Pins for you" }
        @if empty {
            (parts::nothing("There is nothing to show", "No pin may be shown yet, or everything was seen already."))
        } @else {
            section aria-label="Pins for you" { (cards) }
        }
    }))
}
