//! The operator's page: what comes in, what the funnel does, how long it takes, which model answers.

use super::{Page, Tab, parts};
use crate::app::App;
use crate::metrics::{count, offered, resident_bytes};
use crate::problem::Problem;
use crate::recent::Answered;
use axum::extract::State as Of;
use axum::response::Response;
use domain::Subject;
use experiments::State;
use maud::{Markup, html};
use models::ModelCard;
use serving::Standing;
use std::collections::BTreeMap;
use std::sync::Arc;

const REQUESTS_SHOWN: usize = 40;

/// `GET /console`
pub(crate) async fn console(Of(app): Of<App>) -> Result<Response, Problem> {
    let looked = app.clone();
    let card = tokio::task::spawn_blocking(move || model_card(&looked)).await;
    let card = card.map_err(|error| Problem::internal("reading the model card", error))?;
    let recent = app.recent().latest(usize::MAX);
    let mut page = Page::new("Console");
    page.tab = Tab::Console;
    Ok(page.show(html! {
        div.console {
            div.head { div {
                h1 { "Console" }
                p { "The last " (recent.len()) " answers, and everything since the start." }
            } }
            (figures(&app))
            (doubts(&app))
            (tried(&app))
            div.two {
                section.block { h2 { "Sources" } (sources(&recent)) }
                section.block { h2 { "Dropped" } (dropped(&recent)) }
            }
            section.block { h2 { "Stages" } (stages(&recent)) }
            section.block { h2 { "Model" } (model(&app, card.as_ref())) }
            section.block { h2 { "Latest answers" } (requests(&app, &recent)) }
        }
    }))
}

fn figures(app: &App) -> Markup {
    let now = app.snapshot();
    let records = app.records();
    let boards = app.views().catalogue().boards();
    let lag: u64 = now.lag.iter().map(|(_, lag)| lag).sum();
    let troubles = app.unready();
    html! {
        div.figures {
            (figure(&grouped(now.pins as u64), "pins", false))
            (figure(&grouped(boards as u64), "boards", false))
            (figure(&grouped(now.pinners as u64), "pinners", false))
            (figure(&grouped(lag), "facts not in the views yet", lag > 10_000))
            (figure(&grouped(records.written), "request records written", false))
            (figure(&grouped(now.records_lost), "request records lost", now.records_lost > 0))
            @for recall in &now.recall {
                @let name = format!("recall of {}, sampled", recall.index);
                (figure(&format!("{:.3}", recall.mean), &name, recall.mean < 0.9))
            }
            (figure(&format!("{} MB", resident_bytes() >> 20), "memory", false))
            (figure(&since(app.up().as_secs()), "since the start", false))
            @if let Some(now_ms) = app.clock().given_ms() {
                (figure(&now_ms.to_string(), "the time it was given (ms)", false))
            }
        }
        @for trouble in &troubles { p.block role="alert" { "Not ready: " (trouble) } }
        @if let Some(why) = &app.tuned().refused {
            p.block role="alert" { "New parameters are not used, the old ones stay: " (why) }
        }
    }
}

/// The way to experiments.
fn tried(app: &App) -> Markup {
    let defined = app.defined();
    let running = defined.experiments.iter().filter(|experiment| matches!(experiment.state, State::Running { .. }));
    html! {
        p { a href="/console/experiments" { (running.count()) " experiments run" } "." }
        @if let Some(trouble) = &defined.trouble {
            p.block role="alert" { "Nobody is in any arm of an experiment: " (trouble) }
        }
    }
}

/// The way to pins that somebody should look at.
fn doubts(app: &App) -> Markup {
    let catalogue = app.views().catalogue();
    let [waiting, withheld] =
        [Standing::Waiting, Standing::Condemned].map(|standing| catalogue.standing_count(standing) as u64);
    let (pictures, pins) = catalogue.near_duplicate_counts();
    html! {
        section.block {
            h2 { "Contents" }
            p {
                a href="/console/review" { (grouped(waiting)) " pins wait for a review" } ", "
                a href="/console/review?list=withheld" { (grouped(withheld)) " are withheld by their labels" } "; "
                (grouped(pictures as u64)) " pictures are shared by " (grouped(pins as u64)) " pins."
            }
        }
    }
}

fn figure(value: &str, name: &str, bad: bool) -> Markup {
    html! { div.figure.bad[bad] { b { (value) } span { (name) } } }
}

fn sources(recent: &[Arc<Answered>]) -> Markup {
    let names = |of: &dyn Fn(&Answered) -> Vec<&'static str>| {
        let all: Vec<&'static str> = recent.iter().flat_map(|one| of(one)).collect();
        count(all.into_iter())
    };
    let all = names(&|one| offered(one.trace()).collect());
    let ranked = names(&|one| {
        let items = one.trace().ranked.iter();
        items.flat_map(|item| item.sources.iter().map(|source| source.as_str())).collect()
    });
    let shown = names(&|one| {
        let items = one.trace().ranked.iter().skip(one.offset as usize).take(one.shown as usize);
        items.flat_map(|item| item.sources.iter().map(|source| source.as_str())).collect()
    });
    let most = all.values().copied().max().unwrap_or(1);
    let of = |counts: &BTreeMap<&str, u64>, name: &str| grouped(counts.get(name).copied().unwrap_or(0));
    html! {
        div.table { table {
            tr { th { "Source" } th.n { "Offered" } th {} th.n { "Ranked" } th.n { "On the first page" } }
            @for (name, count) in &all {
                tr {
                    td { (name) } td.n { (grouped(*count)) }
                    td { meter min="0" max=(most) value=(count) {} }
                    td.n { (of(&ranked, name)) } td.n { (of(&shown, name)) }
                }
            }
        } }
    }
}

fn dropped(recent: &[Arc<Answered>]) -> Markup {
    let counts = count(recent.iter().flat_map(|one| one.trace().dropped.iter().map(|drop| drop.by)));
    let most = counts.values().copied().max().unwrap_or(1);
    html! {
        div.table { table {
            tr { th { "Filter or cut" } th.n { "Candidates" } th {} }
            @for (name, count) in &counts {
                tr { td { (name) } td.n { (grouped(*count)) } td { meter min="0" max=(most) value=(count) {} } }
            }
        } }
    }
}

fn stages(recent: &[Arc<Answered>]) -> Markup {
    let mut times: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for stage in recent.iter().flat_map(|one| &one.trace().stages) {
        if !times.contains_key(stage.name.as_str()) {
            order.push(&stage.name);
        }
        times.entry(&stage.name).or_default().push(stage.took_us);
    }
    times.values_mut().for_each(|all| all.sort_unstable());
    let at = |all: &[u32], share: f64| all[((all.len() - 1) as f64 * share) as usize];
    html! {
        div.table { table {
            tr { th { "Stage" } th.n { "Runs" } th.n { "Median" } th.n { "p99" } th.n { "Longest" } }
            @for name in &order {
                @let all = &times[name];
                tr {
                    td { (name) } td.n { (all.len()) } td.n { (millis(at(all, 0.5))) } td.n { (millis(at(all, 0.99))) }
                    td.n { (millis(at(all, 1.0))) }
                }
            }
        } }
    }
}

fn model_card(app: &App) -> Option<ModelCard> {
    let version = app.views().installed()?.model().version().to_owned();
    let bytes = app.blobs().get(&format!("models/{version}/card.json")).ok().flatten()?;
    ModelCard::from_json(std::str::from_utf8(&bytes).ok()?).ok()
}

fn model(app: &App, card: Option<&ModelCard>) -> Markup {
    let Some(installed) = app.views().installed() else {
        let text = "No model is installed: walks, words and popularity answer. `bowerbird train` makes one.";
        return html! { p.quiet { (text) } };
    };
    html! {
        div.figures {
            (figure(installed.model().version(), "version", false))
            (figure(&grouped(installed.pins() as u64), "pins with a vector", false))
            (figure(&installed.model().dim().to_string(), "dimensions", false))
        }
        @if let Some(card) = card {
            div.two {
                div.table.block { table {
                    tr { th { "Learned from" } th.n {} }
                    @for (name, count) in &card.counts { tr { td { (name) } td.n { (grouped(*count)) } } }
                } }
                div.table.block { table {
                    tr { th { "Quality" } th.n {} }
                    @for (name, value) in &card.metrics { tr { td { (name) } td.n { (format!("{value:.4}")) } } }
                } }
            }
        }
    }
}

fn requests(app: &App, recent: &[Arc<Answered>]) -> Markup {
    let now_ms = app.now_ms();
    html! {
        div.table { table {
            tr {
                th { "When" } th { "Surface" } th { "Pinner" } th { "About" }
                th.n { "Shown" } th.n { "Took" } th { "Left out" }
            }
            @for one in recent.iter().take(REQUESTS_SHOWN) {
                tr {
                    td { a href={ "/console/requests/" (one.request_id) } {
                        (since(now_ms.saturating_sub(one.ts_ms) / 1_000)) " ago"
                    } }
                    td { (one.surface) }
                    td { a href=(parts::home(&one.pinner)) { (one.pinner) } }
                    td.wide { (about(app, &one.subject)) }
                    td.n { (one.shown) }
                    td.n { (millis(one.trace().took_us())) }
                    td.wide { (one.trace().degraded.join("; ")) }
                }
            }
        } }
    }
}

/// What a request was about, in words.
pub(super) fn about(app: &App, subject: &Subject) -> String {
    let catalogue = app.views().catalogue();
    match subject {
        Subject::None => String::new(),
        Subject::Pin(pin) => {
            let title = catalogue.pin_view(*pin).map(|view| view.title).filter(|title| !title.is_empty());
            format!("pin “{}”", title.unwrap_or(catalogue.pin_key(*pin)))
        }
        Subject::Board(board) => format!("board “{}”", catalogue.board_view(*board).map_or("", |view| view.title)),
        Subject::Query(words) => format!("“{words}”"),
    }
}

pub(super) fn millis(us: impl Into<u64>) -> String {
    format!("{:.2} ms", us.into() as f64 / 1e3)
}

/// A number with thin spaces between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn since(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567).replace('\u{202f}', "_"), "1_234_567");
        assert_eq!([since(59), since(61), since(7_200), since(864_000)], ["59 s", "1 min", "2 h", "10 days"]);
    }
}
