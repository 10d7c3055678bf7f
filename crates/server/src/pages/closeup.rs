//! One pin, large: the picture, what it is, what to do with it, why it was shown, and what goes with it.

use super::feed::ask;
use super::{Page, Tab, icons, page_response, parts, why};
use crate::access::{Allowed, check};
use crate::app::App;
use crate::cards::Sheet;
use crate::cursor::Scope;
use crate::extract::Segments;
use crate::keys::Role;
use crate::lists;
use crate::parameters::{Parameters, encode};
use crate::people;
use crate::problem::Problem;
use crate::{pins, recent};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::{EventId, Subject, Surface};
use maud::{Markup, html};

/// `GET /as/{pinner}/pin/{id}`
pub(crate) async fn closeup(
    State(app): State<App>,
    Segments(pinner, id): Segments,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["cursor", "part", "from", "at", "on"])?;
    let wanted = given.text("part");
    let origin = origin(&mut given)?;
    let surface = surface(&mut given)?;
    let sheet = pins::sheet(&app, &id).await?;
    let pin = app.views().catalogue().pin(&id).ok_or_else(|| Problem::missing("pin", &id))?;
    let scope = Scope::of(Surface::Related, Subject::Pin(pin), pinner.clone());
    let page = lists::page(&app, ask(&app, &mut given, scope)).await?;
    let here = format!("{}/pin/{}", parts::home(&pinner), encode(&id));
    let related = parts::cards(&app, &pinner, &page, &here);
    if wanted.as_deref() == Some("cards") {
        return Ok(page_response(related));
    }
    let may_trace = matches!(check(&app, &headers, Some(Role::Admin)), Ok(Allowed(Role::Admin)));
    let why = match origin {
        Some((request, position)) => {
            let told = recent::find(&app, request).await?;
            told.and_then(|told| why::why(&told, position, pin, may_trace)).unwrap_or_default()
        }
        None => Markup::default(),
    };
    let content = html! {
        button.round.back.js-only type="button" data-do="close" aria-label="Back" title="Back" { (icons::back()) }
        (plate(&app, &pinner, &sheet, surface, origin, &why))
        @if !page.slate.items.is_empty() {
            section.block aria-label="More like this" { h2 { "More like this" } (related) }
        }
    };
    if wanted.is_some() {
        return Ok(page_response(content));
    }
    Ok(Page::of(&app, sheet.card.name(), &pinner, Tab::None).show(content))
}

/// The request that showed the pin, and at which position.
fn origin(given: &mut Parameters) -> Result<Option<(EventId, usize)>, Problem> {
    let position = given.whole("at", (0, u64::from(u16::MAX)), 0)? as usize;
    let Some(request) = given.text("from") else { return Ok(None) };
    let request = request.parse().map_err(|_| Problem::parameter("from", "this is no request id"))?;
    Ok(Some((request, position)))
}

/// Where the pin was shown when it was opened; unknown for who came by its address.
fn surface(given: &mut Parameters) -> Result<Option<Surface>, Problem> {
    let word = given.text("on").map(|word| word.parse::<Surface>());
    word.transpose().map_err(|error| Problem::parameter("on", error.to_string()))
}

/// All that is about the pin itself. What is done here counts for the surface that it was opened from.
fn plate(
    app: &App,
    pinner: &str,
    sheet: &Sheet,
    surface: Option<Surface>,
    origin: Option<(EventId, usize)>,
    why: &Markup,
) -> Markup {
    let card = &sheet.card;
    let (request, position) = origin.map(|(request, position)| (request.to_string(), position)).unzip();
    html! {
        article.closeup data-pin=(card.id) data-surface=[surface] data-request=[request]
            data-position=[position] {
            div.plate.wide[card.size.is_some_and(|size| size.width > size.height)] {
                div.picture { (large(sheet)) }
                div.about {
                    (rail(app, pinner, sheet))
                    div {
                        h1 tabindex="-1" { (card.name()) }
                    }
                    @if !sheet.description.is_empty() { p.text { (sheet.description) } }
                    @if let Some(creator) = &card.creator {
                        div.maker { (parts::face(creator, creator)) div { (creator) small { "creator" } } }
                    }
                    (chips(pinner, sheet))
                    (why)
                }
            }
        }
    }
}

/// What it is about: its topics, and terms that were found; each leads to a search.
fn chips(pinner: &str, sheet: &Sheet) -> Markup {
    const SURE: f32 = 0.4;
    const CHIPS_MAX: usize = 12;
    let found = if sheet.topics.is_empty() { &sheet.found_topics[..] } else { &[] };
    let terms = sheet.annotations.iter().filter(|found| found.confidence >= SURE).map(|found| &found.term);
    let mut words: Vec<&str> = Vec::new();
    for word in sheet.topics.iter().chain(found).chain(terms) {
        if !words.iter().any(|known| known.to_lowercase() == word.to_lowercase()) {
            words.push(word);
        }
    }
    html! {
        @if !words.is_empty() {
            div.chips {
                @for word in words.iter().take(CHIPS_MAX) {
                    a.chip href={ (parts::home(pinner)) "/search?q=" (encode(word)) } { (word) }
                }
            }
        }
        @if !sheet.near_duplicates.is_empty() {
            p.text {
                "The same picture: "
                @for (place, id) in sheet.near_duplicates.iter().take(CHIPS_MAX).enumerate() {
                    @if place > 0 { ", " }
                    a href={ (parts::home(pinner)) "/pin/" (encode(id)) } { (id) }
                }
            }
        }
    }
}

fn large(sheet: &Sheet) -> Markup {
    let card = &sheet.card;
    let (width, height) = card.size.map(|size| (size.width, size.height)).unzip();
    html! {
        @if let Some(picture) = &sheet.picture {
            (parts::tint(card.color.as_deref()))
            img src=(picture) alt=(card.name()) width=[width] height=[height] decoding="async";
        } @else {
            div class={ "words " (parts::tone(&card.id)) } { (icons::mark("")) }
        }
    }
}

/// Hide, visit, and save to a board.
fn rail(app: &App, pinner: &str, sheet: &Sheet) -> Markup {
    let card = &sheet.card;
    let saved = is_saved(app, pinner, &card.id);
    let shelves = people::names(app, pinner);
    html! {
        div.rail {
            div.inline {
                button.round.js-only type="button" data-do="hide" title="Hide" aria-label={ "Hide " (card.name()) } {
                    (icons::eye_off())
                }
                @if sheet.picture.is_some() {
                    a.button href={ (parts::home(pinner)) "/look?pin=" (encode(&card.id)) } {
                        "Looks like this" (icons::camera())
                    }
                }
                @if let Some(link) = &sheet.link {
                    a.button href=(link) rel="noopener nofollow ugc" target="_blank" data-link {
                        "Visit" (icons::out())
                    }
                }
            }
            div.saver.js-only {
                select name="board" aria-label="Board" {
                    option value="" { "No board" }
                    @for (id, title) in &shelves { option value=(id) { (title) } }
                    option value="+" { "New board…" }
                }
                button.button.main.done[saved] type="button" data-do="save" {
                    span { @if saved { "Saved" } @else { "Save" } }
                }
            }
        }
    }
}

fn is_saved(app: &App, pinner: &str, pin: &str) -> bool {
    let catalogue = app.views().catalogue();
    let (Some(pinner), Some(pin)) = (catalogue.pinner(pinner), catalogue.pin(pin)) else { return false };
    app.views().signals().saved(pinner, pin)
}
