//! Is it alive, is it ready, how is it doing?

use crate::app::App;
use crate::problem::{Kind, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::{Request, Surface};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// `GET /health/live`: the process answers.
pub(crate) async fn live(State(app): State<App>) -> Json<Value> {
    alive(app.up())
}

pub(crate) fn alive(up: Duration) -> Json<Value> {
    Json(json!({"live": true, "up_s": up.as_secs()}))
}

/// Whatever else is asked while the data is opened.
pub(crate) async fn opening() -> Problem {
    Problem::new(Kind::NotReady, "the data is still being opened").retry_after(1)
}

/// `GET /health/ready`: the views have caught up with the log, and the funnel finds pins when there are any.
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let mut reasons = app.unready();
    if reasons.is_empty() {
        if app.looked().is_due(Instant::now()) {
            let fine = can_rank(&app).await?;
            app.looked().note(fine);
        }
        if !app.looked().fine() {
            reasons.push("no ranking comes out although there are pins".to_owned());
        }
    }
    if !reasons.is_empty() {
        return Err(Problem::new(Kind::NotReady, reasons.join("; ")).retry_after(1));
    }
    let now = app.snapshot();
    let lag: BTreeMap<_, _> = now.lag.into_iter().collect();
    // Parameters that cannot be used are no reason to send requests elsewhere: the old ones answer.
    let params = json!({"taken": now.params_taken, "refused": now.params_refused});
    let clock = match app.clock().given_ms() {
        None => json!({"kind": "wall"}),
        Some(now) => json!({"kind": "given", "now": now}),
    };
    Ok(Json(json!({"ready": true, "lag": lag, "params": params, "clock": clock})))
}

/// When it was last looked whether rankings come out, and what was seen. Anybody may ask whether the server is ready,
/// and a ranking is work: one look a second has to do for all who ask.
#[derive(Default)]
pub(crate) struct Looked(Mutex<(Option<Instant>, bool)>);

impl Looked {
    const EVERY: Duration = Duration::from_secs(1);

    /// Whether it is time to look again; who hears yes looks.
    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.lock();
        let due = last.0.is_none_or(|then| now.saturating_duration_since(then) >= Looked::EVERY);
        if due {
            last.0 = Some(now);
        }
        due
    }

    fn note(&self, fine: bool) {
        self.lock().1 = fine;
    }

    /// What the last look saw.
    fn fine(&self) -> bool {
        self.lock().1
    }

    fn lock(&self) -> MutexGuard<'_, (Option<Instant>, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a stranger's home feed has a pin, or there is none to show.
async fn can_rank(app: &App) -> Result<bool, Problem> {
    const LOOKED_AT_MAX: u32 = 10_000;
    let now_ms = app.now_ms();
    let nothing = {
        let catalogue = app.views().catalogue();
        let pins = (catalogue.pins() as u32).min(LOOKED_AT_MAX);
        !(0..pins).any(|number| catalogue.servable(domain::PinId(number), now_ms))
    };
    if nothing {
        return Ok(true);
    }
    let _turn = app.ranking_gate().enter().await?;
    let request_id = app.next_id();
    let request = Request {
        request_id,
        limit: 1,
        deadline_ms: app.params().deadline_ms,
        ..Request::new(Surface::Home, now_ms, request_id.0 as u64)
    };
    Ok(!app.pipeline().serve(request, &app.params()).await.items.is_empty())
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let text = app.metrics().expose(&app.snapshot()).map_err(|error| Problem::internal("writing figures", error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_a_second_does_for_all() {
        let looked = Looked::default();
        let start = Instant::now();
        let due = |ms| looked.is_due(start + Duration::from_millis(ms));
        assert!(due(0) && !looked.fine(), "nothing is promised before the first look");
        looked.note(true);
        assert!(!due(1) && !due(999) && looked.fine());
        assert!(due(1_000) && !due(1_001) && looked.fine(), "while one looks, the last look counts");
        looked.note(false);
        assert!(!looked.fine());
    }
}
