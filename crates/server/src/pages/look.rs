//! Pins that look like a picture: a pin's own, or one that somebody brings; of either a part can be chosen.

use super::feed::{ask, part};
use super::{Page, Tab, page_response, parts};
use crate::app::App;
use crate::cards::Sheet;
use crate::extract::Segment;
use crate::lists;
use crate::parameters::{Parameters, encode};
use crate::pins;
use crate::problem::Problem;
use crate::visual::{self, Asked};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

/// `GET /as/{pinner}/look`
pub(crate) async fn look(
    State(app): State<App>,
    Segment(pinner): Segment,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["pin", "crop", "q", "cursor", "part"])?;
    let (part, crop) = (part(&mut given), given.text("crop"));
    let part_of_it = crop.as_deref().map(visual::crop).transpose()?;
    let asked = Asked { crop: part_of_it, ..Asked::read(&mut given)? };
    let id = asked.pin.clone().ok_or_else(|| Problem::parameter("pin", "missing: the pin to look like"))?;
    let sheet = pins::sheet(&app, &id).await?;
    let words = asked.words.clone();
    let here = here(&pinner, &[("pin", &id), ("crop", crop.as_deref().unwrap_or_default()), ("q", &words)]);
    let mut ask = ask(&app, &mut given, asked.scope(pinner.clone()));
    visual::look(&app, asked, None, &mut ask, ()).await?;
    let page = lists::page(&app, ask).await?;
    let cards = parts::cards(&app, &pinner, &page, &here);
    if part {
        return Ok(page_response(cards));
    }
    let crop = crop.unwrap_or_default();
    Ok(Page::of(&app, "Looks like this", &pinner, Tab::None).show(html! {
        div.looked {
            (picture(&sheet, &crop))
            div {
                h1 { "Looks like " @if crop.is_empty() { "this" } @else { "this part" } }
                p.js-only { "Drag over the picture to choose a part of it." }
                form.seek action={ (parts::home(&pinner)) "/look" } method="get" {
                    input type="hidden" name="pin" value=(id);
                    @if !crop.is_empty() { input type="hidden" name="crop" value=(crop); }
                    input type="search" name="q" value=(words) placeholder="… but blue, of wood, for children"
                        aria-label="How it should differ" maxlength="200";
                }
            }
        }
        section aria-label="Results" { (cards) }
    }))
}

/// `POST /as/{pinner}/look`: a part of a page for the script, which has the picture.
pub(crate) async fn look_up(
    State(app): State<App>,
    Segment(pinner): Segment,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["crop", "q"])?;
    let asked = Asked::read(&mut given)?;
    crate::body::must_be_picture(&headers)?;
    let bytes = crate::body::read(app.room(), &headers, body, app.limits().picture_bytes_max).await?;
    let mut ask = ask(&app, &mut given, asked.scope(pinner.clone()));
    ask.limit = lists::PAGE as usize * 2;
    let turn = app.ranking_gate().enter().await?;
    let _turn = visual::look(&app, asked, Some(bytes), &mut ask, turn).await?;
    let page = lists::page(&app, ask).await?;
    Ok(page_response(parts::wall(&pinner, &page, &lists::write(&app, &page, None))))
}

fn here(pinner: &str, given: &[(&str, &str)]) -> String {
    let given = given.iter().filter(|(_, value)| !value.is_empty());
    let given: Vec<String> = given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    format!("{}/look?{}", parts::home(pinner), given.join("&"))
}

/// The picture of which a part can be chosen.
fn picture(sheet: &Sheet, crop: &str) -> Markup {
    let image = sheet.picture.as_deref();
    html! {
        @if let Some(image) = image {
            div.region data-region="pin" {
                img src=(image) alt=(sheet.card.name()) draggable="false";
                svg aria-hidden="true" { (part_of(crop)) }
            }
        }
    }
}

fn part_of(crop: &str) -> Markup {
    let shares: Vec<f32> = crop.split(',').filter_map(|share| share.trim().parse().ok()).collect();
    let [x, y, width, height] = *shares.first_chunk::<4>().unwrap_or(&[0.0; 4]);
    let percent = |share: f32| format!("{}%", share * 100.0);
    html! { rect x=(percent(x)) y=(percent(y)) width=(percent(width)) height=(percent(height)) {} }
}
