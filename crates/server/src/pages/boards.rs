//! A pinner's boards, and one board with ideas for it.

use super::feed::{ask, part};
use super::parts::Shown;
use super::{Page, Tab, page_response, parts};
use crate::app::App;
use crate::cursor::Scope;
use crate::extract::{Segment, Segments};
use crate::lists;
use crate::parameters::{Parameters, encode};
use crate::people::{self, Shelf};
use crate::problem::Problem;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::{Subject, Surface};
use maud::{Markup, html};

/// `GET /as/{pinner}/boards`
pub(crate) async fn boards(State(app): State<App>, Segment(pinner): Segment) -> Result<Response, Problem> {
    let shelves = people::shelves(&app, &pinner);
    Ok(Page::of(&app, "Boards", &pinner, Tab::Boards).show(html! {
        div.head {
            div { h1 { "Boards" } p { "What you keep, and what you keep it for." } }
            form.inline.js-only data-form="board" {
                input.field name="title" aria-label="Name of a new board" placeholder="Name of a new board" required
                    maxlength="200";
                button.button.main { "Create" }
            }
        }
        @if shelves.is_empty() {
            (parts::nothing("No board yet", "Save a pin, and it will be here."))
        } @else {
            div.people { @for shelf in &shelves { (tile(&pinner, shelf)) } }
        }
    }))
}

fn tile(pinner: &str, shelf: &Shelf) -> Markup {
    html! {
        a.tile href={ (parts::home(pinner)) "/boards/" (encode(&shelf.id)) } {
            (parts::collage(&shelf.collage))
            div.label { div { b { (shelf.title) } small { (count(shelf.pins as usize)) } } }
        }
    }
}

fn count(pins: usize) -> String {
    if pins == 1 { "1 pin".to_owned() } else { format!("{pins} pins") }
}

/// `GET /as/{pinner}/boards/{board}`
pub(crate) async fn board(
    State(app): State<App>,
    Segments(pinner, id): Segments,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["cursor", "part"])?;
    let part = part(&mut given);
    app.find(|catalogue| catalogue.board(&id)).await;
    let (board, title, pins) = people::board(&app, &id).ok_or_else(|| Problem::missing("board", &id))?;
    let scope = Scope::of(Surface::Board, Subject::Board(board), pinner.clone());
    let page = lists::page(&app, ask(&app, &mut given, scope)).await?;
    let here = format!("{}/boards/{}", parts::home(&pinner), encode(&id));
    let ideas = parts::cards(&app, &pinner, &page, &here);
    if part {
        return Ok(page_response(ideas));
    }
    let shown = Shown { surface: Surface::Board, request: None, position: None };
    Ok(Page::of(&app, title.clone(), &pinner, Tab::Boards).show(html! {
        div.head { div { h1 { (title) } p { (count(pins.len())) } } }
        @if pins.is_empty() {
            (parts::nothing("Nothing is on this board yet", "Save pins to it, and ideas will follow."))
        } @else {
            section aria-label="Pins of the board" {
                div.wall { @for pin in &pins { (parts::card(&pinner, pin, &shown, false)) } }
            }
        }
        @if !page.slate.items.is_empty() {
            section.block aria-label="Ideas for this board" { h2 { "Ideas for this board" } (ideas) }
        }
    }))
}
