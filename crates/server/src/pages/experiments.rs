//! Experiments: what runs, for whom, what each arm changes, and the buttons that start, widen, stop and kill.

use super::{Page, Tab, parts, see_other};
use crate::app::App;
use crate::body;
use crate::experiments::{Defined, set_state};
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::State as Of;
use axum::http::HeaderMap;
use axum::response::Response;
use experiments::{Arm, BUCKETS, Experiment, State, Value};
use maud::{Markup, html};

const FORM_BYTES_MAX: usize = 4 << 10;
/// Ramps that are offered, where they are wider than the one there is.
const RAMPS: [f64; 5] = [0.01, 0.05, 0.2, 0.5, 1.0];

/// `GET /console/experiments`
pub(crate) async fn experiments(Of(app): Of<App>) -> Response {
    let defined = app.defined();
    let mut page = Page::new("Experiments");
    page.tab = Tab::Console;
    page.show(html! {
        div.console {
            div.head { div {
                h1 { "Experiments" }
                p { "Who gets what, and since when it is written into every answer's record. " a href="/console" {
                    "To the console"
                } }
            } }
            @if let Some(trouble) = &defined.trouble {
                p.block role="alert" { "Nobody is in any arm: " (trouble) }
            }
            (held(&defined))
            @if defined.experiments.is_empty() {
                (parts::nothing("No experiments yet", "Define one with POST /v1/experiments."))
            }
            @for experiment in &defined.experiments { (block(experiment)) }
        }
    })
}

fn held(defined: &Defined) -> Markup {
    html! {
        @match &defined.holdout {
            Some(holdout) => p { (percent(holdout.share)) " of all pinners are in no experiment, for good." },
            None => p.quiet { "Nobody is held out for good: what launches did together cannot be measured." },
        }
    }
}

fn block(experiment: &Experiment) -> Markup {
    html! {
        section.block {
            h2 { (experiment.id) " " small.quiet { (state(experiment.state)) } }
            p.quiet {
                "Layer " (experiment.layer) ", "
                (percent(f64::from(experiment.buckets.count) / f64::from(BUCKETS))) " of it"
                @for condition in &experiment.targeting.conditions {
                    ", " (condition.name) @if condition.not { " none of " } @else { " one of " }
                    (condition.any_of.join(", "))
                }
            }
            table {
                thead { tr { th { "Arm" } th { "Share" } th { "Changes" } } }
                tbody { @for arm in &experiment.arms { tr {
                    td { (arm.name) } td { (percent(arm.share)) } td { (changes(arm)) }
                } } }
            }
            form.inline method="post" action="/console/experiments" {
                input type="hidden" name="id" value=(experiment.id);
                @for (value, word) in steps(experiment.state) {
                    button.button name="state" value=(value) { (word) }
                }
            }
        }
    }
}

fn changes(arm: &Arm) -> String {
    if arm.overrides.is_empty() {
        return "nothing".to_owned();
    }
    let told = |value: &Value| match value {
        Value::Switch(on) => on.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    };
    let all: Vec<String> = arm.overrides.iter().map(|(name, value)| format!("{name} = {}", told(value))).collect();
    all.join(", ")
}

fn state(state: State) -> String {
    match state {
        State::Draft => "draft".to_owned(),
        State::Running { ramp } => format!("running for {}", percent(ramp)),
        State::Stopped => "stopped".to_owned(),
        State::Killed => "killed".to_owned(),
    }
}

/// Where an experiment may go from here: the value of a button, and its word.
fn steps(state: State) -> Vec<(String, String)> {
    let from = match state {
        State::Draft => 0.0,
        State::Running { ramp } => ramp,
        State::Stopped | State::Killed => return Vec::new(),
    };
    let wider = RAMPS.into_iter().filter(|ramp| *ramp > from);
    let mut steps: Vec<(String, String)> =
        wider.map(|ramp| (ramp.to_string(), format!("Run for {}", percent(ramp)))).collect();
    if from > 0.0 {
        steps.extend([("stopped".into(), "Stop".into()), ("killed".into(), "Kill".into())]);
    }
    steps
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 10_000.0).round() / 100.0)
}

/// `POST /console/experiments`
pub(crate) async fn steer(Of(app): Of<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let bytes = body::read(app.room(), &headers, body, FORM_BYTES_MAX).await?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| Problem::parameter("id", "the form is not UTF-8"))?;
    let mut given = Parameters::read(Some(&text), &["id", "state"])?;
    let id = given.text("id").ok_or_else(|| Problem::parameter("id", "missing"))?;
    let state = match given.text("state").as_deref() {
        Some("stopped") => State::Stopped,
        Some("killed") => State::Killed,
        ramp => {
            let ramp = ramp.and_then(|ramp| ramp.parse().ok());
            let ramp = ramp.ok_or_else(|| Problem::parameter("state", "must be a ramp, stopped or killed"))?;
            State::Running { ramp }
        }
    };
    set_state(&app, id, state).await?;
    // The page is shown as it is afterwards: a moment is enough for the views.
    app.find(|_| None::<()>).await;
    Ok(see_other("/console/experiments"))
}
