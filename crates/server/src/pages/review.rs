//! The list of pins that somebody should look at: picture, reason, and what to do with it.

use super::{Page, Tab, page_response, parts, see_other};
use crate::app::App;
use crate::body;
use crate::cards::ShownLabel;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::review::{self, Doubtful, LISTS, Listed, Wanted};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

const FORM_BYTES_MAX: usize = 4 << 10;

/// What the lists are called, in their order.
const NAMES: [&str; 4] = ["Waiting", "Withheld by labels", "Kept", "Hidden"];

/// `GET /console/review`
pub(crate) async fn review(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["list", "after", "limit", "part"])?;
    let part = given.text("part").is_some();
    let wanted = Wanted::read(&mut given)?;
    let listed = review::listed(&app.views().catalogue(), &wanted);
    let items = items(&listed);
    if part {
        return Ok(page_response(items));
    }
    let mut page = Page::new("Review");
    page.tab = Tab::Console;
    Ok(page.show(html! {
        div.console {
            div.head { div {
                h1 { "Review" }
                p { "What labels doubt, and what was decided. A decision counts more than labels. " a href="/console" {
                    "To the console"
                } }
            } }
            nav.guides aria-label="Lists" {
                @for (((name, _), label), count) in LISTS.iter().zip(NAMES).zip(listed.counts.all()) {
                    @let here = (*name == listed.list).then_some("page");
                    a.chip.on[here.is_some()] href={ "/console/review?list=" (name) } aria-current=[here] {
                        (label) " " small { (count) }
                    }
                }
            }
            (items)
        }
    }))
}

fn items(listed: &Listed) -> Markup {
    html! {
        @if listed.items.is_empty() {
            (parts::nothing("Nothing here", "No pin is on this list."))
        }
        div.doubts { @for pin in &listed.items { (doubt(listed.list, pin)) } }
        @if let Some(next) = listed.next {
            @let more = format!("/console/review?list={}&after={next}", listed.list);
            div.more { a.button href=(more) rel="next" { "Show more" } }
        }
    }
}

fn doubt(list: &str, pin: &Doubtful) -> Markup {
    let card = &pin.card;
    let verdicts: &[(&str, &str)] = match list {
        "kept" => &[("hide", "Hide"), ("review", "Take back")],
        "hidden" => &[("show", "Keep"), ("review", "Take back")],
        _ => &[("show", "Keep"), ("hide", "Hide")],
    };
    html! {
        article.doubt {
            div.frame { (parts::portrait(card)) }
            div {
                h3 { (card.name()) }
                p.quiet { (card.id) @if let Some(creator) = &card.creator { " · " (creator) } }
                ul { @for label in &pin.labels { li { (reason(label)) } } }
                form.inline method="post" action="/console/review" {
                    input type="hidden" name="id" value=(card.id);
                    input type="hidden" name="list" value=(list);
                    @for (verdict, word) in verdicts {
                        button.button.main[*verdict == "show"] name="verdict" value=(verdict)
                            aria-label={ (word) " " (card.name()) } { (word) }
                    }
                }
            }
        }
    }
}

fn reason(label: &ShownLabel) -> Markup {
    html! {
        b { (label.name) } " "
        (format!("{:.2}, threshold {:.2}", label.value, label.threshold))
        @if !label.terms.is_empty() { ": " (label.terms.join(", ")) }
    }
}

/// `POST /console/review`
pub(crate) async fn decide(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let bytes = body::read(app.room(), &headers, body, FORM_BYTES_MAX).await?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| Problem::parameter("id", "the form is not UTF-8"))?;
    let mut given = Parameters::read(Some(&text), &["id", "list", "verdict"])?;
    let id = given.text("id").ok_or_else(|| Problem::parameter("id", "missing"))?;
    let verdict = review::verdict(&given.text("verdict").unwrap_or_default())?;
    let list = LISTS.iter().map(|(name, _)| *name).find(|name| Some(*name) == given.text("list").as_deref());
    review::write(&app, id, verdict).await?;
    // The list is shown as it is afterwards: a moment is enough for the views.
    app.find(|_| None::<()>).await;
    Ok(see_other(&format!("/console/review?list={}", list.unwrap_or(LISTS[0].0))))
}
