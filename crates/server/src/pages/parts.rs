//! Parts that several pages share: cards, walls, faces, fields.

use super::icons;
use crate::answer::List;
use crate::app::App;
use crate::cards::Card;
use crate::lists::{self, Page};
use crate::parameters::encode;
use domain::{Surface, hash64};
use maud::{Markup, html};

/// Cards of one page.
pub(crate) const PAGE: usize = 30;

/// The start page of a pinner.
pub(crate) fn home(pinner: &str) -> String {
    format!("/as/{}", encode(pinner))
}

fn hash_of(id: &str) -> u64 {
    id.bytes().fold(7, |hash, byte| hash64(hash ^ u64::from(byte)))
}

/// One of a dozen tones, always the same for the same id.
pub(crate) fn tone(id: &str) -> String {
    format!("tone-{}", hash_of(id) % 12)
}

/// A round initial.
pub(crate) fn face(id: &str, name: &str) -> Markup {
    let initial: String = name.chars().find(|c| c.is_alphanumeric()).into_iter().collect();
    html! { span class={ "face " (tone(id)) } aria-hidden="true" { (initial) } }
}

/// A search field that is a form of its own.
pub(crate) fn seek(action: &str, label: &str, words: &str) -> Markup {
    html! {
        form.seek role="search" action=(action) method="get" {
            (icons::search())
            input type="search" name="q" value=(words) placeholder=(label) aria-label=(label) autocomplete="off"
                maxlength="200";
        }
    }
}

/// Colour behind a picture until it is there.
pub(crate) fn tint(color: Option<&str>) -> Markup {
    html! {
        @if let Some(color) = color {
            svg.tint aria-hidden="true" preserveAspectRatio="none" { rect width="100%" height="100%" fill=(color) {} }
        }
    }
}

/// How wide a picture is shown, about: in a column of a wall, and as a part of a cover.
const COLUMN: &str = "(max-width: 700px) 46vw, 236px";
const COVER: &str = "136px";

/// The picture of a card, or its words on a tone where it has none. Of its copies the browser takes the one that fits.
fn picture(card: &Card, eager: bool, sizes: &str) -> Markup {
    let (width, height) = card.size.map(|size| (size.width, size.height)).unzip();
    let copies: Vec<String> = card.images.iter().map(|copy| format!("{} {}w", copy.image, copy.width)).collect();
    let copies = Some(copies.join(", ")).filter(|copies| !copies.is_empty());
    html! {
        @if let Some(image) = &card.image {
            (tint(card.color.as_deref()))
            img src=(image) srcset=[&copies] sizes=[copies.as_ref().map(|_| sizes)] alt=(card.name())
                width=[width] height=[height] decoding="async" loading=(if eager { "eager" } else { "lazy" });
        } @else {
            span class={ "words " (tone(&card.id)) " tall-" (hash_of(&card.id) / 12 % 3) } {
                b { (card.name()) }
                small { (card.creator.as_deref().unwrap_or_default()) }
            }
        }
    }
}

/// Where a card was shown: what goes into events about it.
pub(crate) struct Shown<'a> {
    pub(crate) surface: Surface,
    pub(crate) request: Option<&'a str>,
    pub(crate) position: Option<usize>,
}

/// One pin in a wall.
pub(crate) fn card(pinner: &str, card: &Card, shown: &Shown<'_>, eager: bool) -> Markup {
    let from = match (shown.request, shown.position) {
        (Some(request), Some(position)) => format!("&from={request}&at={position}"),
        _ => String::new(),
    };
    let open = format!("{}/pin/{}?on={}{from}", home(pinner), encode(&card.id), shown.surface);
    html! {
        article.card.bare[card.image.is_none()] data-pin=(card.id)
            data-surface=(shown.surface) data-request=[shown.request]
            data-position=[shown.position] {
            div.frame-box {
                span.frame { (picture(card, eager, COLUMN)) }
                div.acts.js-only {
                    button.round type="button" data-do="hide" title="Hide" aria-label={ "Hide " (card.name()) } {
                        (icons::cross())
                    }
                    button.button.main.slim type="button" data-do="save" aria-label={ "Save " (card.name()) } {
                        (icons::bookmark()) span { "Save" }
                    }
                }
            }
            div.caption {
                h3 { a.open href=(open) { (card.name()) } }
                @if let Some(creator) = &card.creator { p { (creator) } }
            }
        }
    }
}

/// The picture of a card by itself.
pub(crate) fn portrait(card: &Card) -> Markup {
    picture(card, false, COLUMN)
}

/// The cards of a part of a ranking.
pub(crate) fn wall(pinner: &str, page: &Page, list: &List) -> Markup {
    const EAGER: usize = 8;
    let surface = page.scope.surface;
    html! {
        div.wall {
            @for item in &list.items {
                @let shown = Shown { surface, request: Some(&list.request_id), position: Some(item.position) };
                (card(pinner, &item.card, &shown, page.offset == 0 && item.position < EAGER))
            }
        }
    }
}

/// The cards of a page and the way to the next: `more` is the address that shows it.
pub(crate) fn cards(app: &App, pinner: &str, page: &Page, more: &str) -> Markup {
    let list = lists::write(app, page, None);
    let joint = if more.contains('?') { '&' } else { '?' };
    let next = match &list.next_cursor {
        Some(cursor) => Some(format!("{more}{joint}cursor={}", encode(cursor))),
        // A home feed has no end: what was seen is left out of the next ranking.
        None => (page.scope.surface == Surface::Home && !list.items.is_empty()).then(|| more.to_owned()),
    };
    html! {
        (wall(pinner, page, &list))
        @if let Some(next) = next {
            div.more { a.button href=(next) rel="next" { "Show more" } }
        }
    }
}

/// Up to three pins as a cover.
pub(crate) fn collage(cards: &[Card]) -> Markup {
    html! {
        div class={ "collage of-" (cards.len().min(3)) } aria-hidden="true" {
            @for card in cards.iter().take(3) { div { (picture(card, false, COVER)) } }
            @if cards.is_empty() { div { (icons::mark("")) } }
        }
    }
}

/// What stands where there is nothing.
pub(crate) fn nothing(title: &str, text: &str) -> Markup {
    html! { div.empty { (icons::mark("")) h2 { (title) } p { (text) } } }
}
