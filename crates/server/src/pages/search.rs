//! Search results: what was searched for, how it can be narrowed, a wall of pins, and what else to look for.

use super::feed::{ask, part};
use super::narrow::Narrowed;
use super::{Page, Tab, page_response, parts};
use crate::app::App;
use crate::cursor::Scope;
use crate::extract::Segment;
use crate::lists::{self, Ask};
use crate::parameters::{Parameters, encode};
use crate::problem::Problem;
use crate::suggest::{self, Guide};
use crate::wording::{Wording, unmatched};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::{Subject, Surface};
use maud::{Markup, html};

const PARAMETERS: &[&str] = &["q", "cursor", "part", "verbatim", "topic", "color", "annotation", "creator", "language"];

/// `GET /as/{pinner}/search`
pub(crate) async fn search(
    State(app): State<App>,
    Segment(pinner): Segment,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), PARAMETERS)?;
    let (part, verbatim) = (part(&mut given), given.flag("verbatim")?);
    let narrowed = Narrowed::read(&mut given);
    let Ok(words) = lists::words(given.text("q")) else {
        let hint =
            parts::nothing("What are you looking for?", "Write it into the field above: a thing, a colour, a mood.");
        return Ok(Page::of(&app, "Search", &pinner, Tab::None).show(hint));
    };
    let subject = Subject::Query(words.clone());
    let filter = narrowed.filter(&app)?;
    let scope = Scope { filter, ..Scope::of(Surface::Search, subject, pinner.clone()) };
    let page = lists::page(&app, Ask { verbatim, ..ask(&app, &mut given, scope) }).await?;
    let here = there(&pinner, &words) + if verbatim { "&verbatim=true" } else { "" };
    let cards = parts::cards(&app, &pinner, &page, &format!("{here}{}", narrowed.address()));
    if part {
        return Ok(page_response(cards));
    }
    let ways = suggest::ways(&app, &page).unwrap_or_default();
    let found = page.slate.items.len();
    let searched = page.wording.words();
    let mut shell = Page::of(&app, searched, &pinner, Tab::None);
    shell.words = &words;
    Ok(shell.show(html! {
        div.head data-query=(searched) {
            div {
                h1 { (searched) }
                (notice(&pinner, &page.wording))
                p {
                    @if unmatched(&page.slate) { "No pin has these words; this is what others like" }
                    @else if found == 1 { "one pin, the most fitting for you first" }
                    @else { (found) " pins, the most fitting for you first" }
                }
            }
        }
        (guides(&pinner, &ways.guides))
        @if found > 0 || !narrowed.is_nothing() { (narrowed.chips(&app, &page, &here)) }
        @if found == 0 && narrowed.is_nothing() {
            (parts::nothing("No pin fits these words", "Try fewer or other words."))
        } @else if found == 0 {
            (parts::nothing("No pin fits all of this", "Take one of the choices above off again."))
        } @else {
            section aria-label="Results" { (cards) }
        }
        @if !ways.related_queries.is_empty() {
            section.block.related-searches aria-label="Related searches" {
                h2 { "Related searches" }
                div.chips { @for query in &ways.related_queries { a.chip href=(there(&pinner, query)) { (query) } } }
            }
        }
    }))
}

/// The address of a search.
fn there(pinner: &str, words: &str) -> String {
    format!("{}/search?q={}", parts::home(pinner), encode(words))
}

/// What was searched for in place of what was typed, or could be.
fn notice(pinner: &str, wording: &Wording) -> Markup {
    html! {
        @if let Some(searched) = &wording.searched {
            p.notice {
                "Showing results for " b { (searched) } ". Search instead for "
                a href={ (there(pinner, &wording.typed)) "&verbatim=true" } { (wording.typed) } "."
            }
        } @else if let Some(meant) = &wording.did_you_mean {
            p.notice { "Did you mean " a href=(there(pinner, meant)) { (meant) } "?" }
        }
    }
}

/// Words that narrow the search.
fn guides(pinner: &str, guides: &[Guide]) -> Markup {
    html! {
        @if !guides.is_empty() {
            nav.guides aria-label="Narrow the search" {
                @for guide in guides { a.chip href=(there(pinner, &guide.query)) { (guide.label) } }
            }
        }
    }
}
