//! Whose eyes? The first page: choose a pinner.

use super::{Page, Tab, icons, parts};
use crate::app::App;
use crate::parameters::Parameters;
use crate::people::{self, Person};
use crate::problem::Problem;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

const SUGGESTED: usize = 12;
const FOUND_MAX: usize = 48;

/// `GET /`
pub(crate) async fn choose(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["q"])?;
    let words = given.text("q").map(|words| words.trim().to_owned()).unwrap_or_default();
    let looked = app.clone();
    let asked = words.clone();
    let people = tokio::task::spawn_blocking(move || {
        if asked.is_empty() {
            people::suggestions(&looked, SUGGESTED)
        } else {
            people::find(&looked, &asked, FOUND_MAX)
        }
    });
    let people = people.await.map_err(|error| Problem::internal("looking for pinners", error))?;
    let mut page = Page::new("Choose a pinner");
    page.tab = Tab::Home;
    Ok(page.show(html! {
        section.hero {
            (icons::mark("mark"))
            h1 { "Whose taste are we looking at?" }
            p { "Choose a pinner and see the feed that is arranged for them. Everything you save or hide changes what \
                 comes next." }
            (parts::seek("/", "Find a pinner by name or id", &words))
        }
        @if people.is_empty() {
            (nobody(&app, &words))
        } @else {
            section aria-label="Pinners" { div.people { @for person in &people { (tile(person)) } } }
        }
    }))
}

fn tile(person: &Person) -> Markup {
    let likes = match person.likes.as_slice() {
        [] if person.actions == 0 => "nothing known yet".to_owned(),
        [] => format!("{} actions", person.actions),
        likes => format!("likes {}", likes.join(", ")),
    };
    html! {
        a.tile href=(parts::home(&person.id)) {
            (parts::collage(&person.collage))
            div.label {
                (parts::face(&person.id, &person.name))
                div { b { (person.name) } small { (likes) } }
            }
        }
    }
}

fn nobody(app: &App, words: &str) -> Markup {
    let pins = app.views().catalogue().pins();
    html! {
        @if words.is_empty() && pins == 0 {
            (parts::nothing("Nothing is here yet", "Bring your pins and what people did with them: POST them to \
                /v1/pins and /v1/events, or run `bowerbird import`. `bowerbird demo` makes a small world to look at."))
        } @else if words.is_empty() {
            (parts::nothing("Nobody has done anything yet", "Feeds begin with what people do: POST events to \
                /v1/events. Until then, any name will do: search for one above."))
        } @else {
            (parts::nothing("Nobody of that name", "A pinner we know nothing of gets a feed all the same."))
            div.more { a.button.main href=(parts::home(words)) { "Look as “" (words) "”" } }
        }
    }
}
