//! The home feed and search results: a wall of pins that goes on.

use super::{Page, Tab, page_response, parts};
use crate::app::App;
use crate::cursor::Scope;
use crate::extract::Segment;
use crate::lists::{self, Ask};
use crate::parameters::{Parameters, encode};
use crate::problem::Problem;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::{Subject, Surface};
use maud::html;
use serving::UNMATCHED;

/// What a page of cards is asked with: everything but the scope comes from the address.
pub(crate) fn ask(app: &App, given: &mut Parameters, scope: Scope) -> Ask {
    let deadline_ms = app.params().deadline_ms;
    Ask { scope, limit: parts::PAGE, cursor: given.text("cursor"), explain: false, deadline_ms, look: None }
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

/// `GET /as/{pinner}/search`
pub(crate) async fn search(
    State(app): State<App>,
    Segment(pinner): Segment,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["q", "cursor", "part"])?;
    let part = part(&mut given);
    let Ok(words) = lists::words(given.text("q")) else {
        let hint =
            parts::nothing("What are you looking for?", "Write it into the field above: a thing, a colour, a mood.");
        return Ok(Page::of(&app, "Search", &pinner, Tab::None).show(hint));
    };
    let subject = Subject::Query(words.clone());
    let scope = Scope::of(Surface::Search, subject, pinner.clone());
    let page = lists::page(&app, ask(&app, &mut given, scope)).await?;
    let here = format!("{}/search?q={}", parts::home(&pinner), encode(&words));
    let cards = parts::cards(&app, &pinner, &page, &here);
    if part {
        return Ok(page_response(cards));
    }
    let found = page.slate.items.len();
    let unmatched = page.slate.trace.degraded.iter().any(|why| why.starts_with(UNMATCHED));
    let mut shell = Page::of(&app, words.clone(), &pinner, Tab::None);
    shell.words = &words;
    Ok(shell.show(html! {
        div.head data-query=(words) {
            div {
                h1 { (words) }
                p {
                    @if unmatched { "No pin has these words; this is what others like" }
                    @else if found == 1 { "one pin, the most fitting for you first" }
                    @else { (found) " pins, the most fitting for you first" }
                }
            }
        }
        @if found == 0 {
            (parts::nothing("No pin fits these words", "Try fewer or other words."))
        } @else {
            section aria-label="Results" { (cards) }
        }
    }))
}
