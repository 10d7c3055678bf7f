//! One answer from the inside: the funnel stage by stage, every ranked pin, and what was dropped.

use super::console::{about, millis};
use super::why::percent;
use super::{Page, Tab, parts};
use crate::app::App;
use crate::cards::{Card, cards};
use crate::extract::Segment;
use crate::metrics::count;
use crate::problem::Problem;
use crate::recent::{self, Answered};
use axum::extract::State;
use axum::response::Response;
use domain::{HEADS, ServedItem, Source, Surface};
use maud::{Markup, html};

const ITEMS_SHOWN: usize = 200;

/// `GET /console/requests/{id}`
pub(crate) async fn trace(State(app): State<App>, Segment(id): Segment) -> Result<Response, Problem> {
    let name = id.parse().map_err(|error: domain::BadEventId| Problem::parameter("id", error.to_string()))?;
    let told = recent::find(&app, name).await?.ok_or_else(|| Problem::missing("request", &id))?;
    let mut page = Page::new("A request");
    page.tab = Tab::Console;
    let subject = about(&app, &told.subject);
    Ok(page.show(html! {
        div.console {
            div.head { div {
                h1 { (heading(told.surface)) @if !subject.is_empty() { " " (subject) } }
                p {
                    "for " a href=(parts::home(&told.pinner)) { (told.pinner) } ", " (told.shown) " of "
                    (told.trace().ranked.len()) " pins shown, " (millis(told.trace().took_us()))
                    @if !told.trace().model.is_empty() { ", model " code { (told.trace().model) } }
                }
                p { code { (told.request_id) } " · " a href={ "/v1/requests/" (told.request_id) } { "as JSON" } }
            } }
            @for note in &told.trace().degraded { p role="alert" { "Left out: " (note) } }
            div.two {
                section.block { h2 { "Funnel" } (stages(&told)) }
                section.block { h2 { "Dropped" } (dropped(&told)) }
            }
            section.block { h2 { "Ranking" } (ranking(&app, &told)) }
        }
    }))
}

fn heading(surface: Surface) -> &'static str {
    match surface {
        Surface::Home => "Home feed",
        Surface::Related => "More like",
        Surface::Search => "Search for",
        Surface::Board => "Ideas for",
        Surface::Notification => "Notification",
    }
}

fn stages(told: &Answered) -> Markup {
    html! {
        div.table { table {
            tr { th { "Stage" } th.n { "In" } th.n { "Out" } th.n { "Took" } th { "Note" } }
            @for stage in &told.trace().stages {
                tr {
                    td { (stage.name) } td.n { (stage.before) } td.n { (stage.after) } td.n { (millis(stage.took_us)) }
                    td.wide { (stage.note.as_deref().unwrap_or_default()) }
                }
            }
        } }
    }
}

fn dropped(told: &Answered) -> Markup {
    let mut counts: Vec<(&str, [u64; Source::ALL.len()], u64)> = Vec::new();
    for (by, all) in count(told.trace().dropped.iter().map(|drop| drop.by)) {
        let mut sources = [0; Source::ALL.len()];
        for drop in told.trace().dropped.iter().filter(|drop| drop.by == by) {
            drop.sources.iter().for_each(|source| sources[source.index()] += 1);
        }
        counts.push((by, sources, all));
    }
    html! {
        div.table { table {
            tr { th { "By" } th.n { "Pins" } @for source in Source::ALL { th.n { (source.as_str()) } } }
            @for (by, sources, all) in &counts {
                tr { td { (by) } td.n { (all) } @for number in sources { td.n { (number) } } }
            }
        } }
    }
}

fn ranking(app: &App, told: &Answered) -> Markup {
    let ranked = &told.trace().ranked;
    let pins: Vec<_> = ranked.iter().map(|item| item.pin).collect();
    let cards = cards(&app.views().catalogue(), &pins, app.now_ms());
    html! {
        div.table { table {
            tr {
                th.n { "#" } th {} th { "Pin" } th { "From" } th.n { "L1" } th.n { "L2" } th.n { "Utility" }
                @for head in HEADS { th.n { (head) } }
                th { "Moves" }
            }
            @for (position, (item, card)) in ranked.iter().zip(&cards).enumerate().take(ITEMS_SHOWN) {
                (row(position, item, card.as_ref(), &told.pinner))
            }
        } }
    }
}

fn row(position: usize, item: &ServedItem, card: Option<&Card>, pinner: &str) -> Markup {
    html! {
        tr id={ "p" (position) } {
            td.n { (position + 1) }
            td { @if let Some(image) = card.and_then(|card| card.image.as_ref()) {
                img.thumb src=(image) alt="" loading="lazy";
            } }
            td.wide { @if let Some(card) = card {
                a href={ (parts::home(pinner)) "/pin/" (crate::parameters::encode(&card.id)) } { (card.name()) }
            } @else { "taken away" } }
            td { @for (source, (rank, _)) in item.sources.iter().zip(&item.offers) {
                (source.as_str()) " #" (rank + 1) br;
            } }
            td.n { (u32::from(item.l1_rank) + 1) }
            td.n { (u32::from(item.l2_rank) + 1) }
            td.n { (format!("{:.3}", item.utility)) }
            @for chance in item.heads { td.n { (percent(chance)) } }
            td { @for moved in &item.moves {
                (moved.by) " " (u32::from(moved.from) + 1) " → " (u32::from(moved.to) + 1) br;
            } @if item.propensity < 1.0 { "drawn with a chance of " (percent(item.propensity)) } }
        }
    }
}
