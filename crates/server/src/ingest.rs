//! Facts come in: rows are judged one by one, pictures are understood, and what is good is durable before we say so.

use crate::admission::Asker;
use crate::app::App;
use crate::picture;
use crate::problem::{Kind, Problem};
use crate::revise::Revision;
use crate::wire::rows::{self, Broken, Layout, Places, Row};
use crate::wire::{RowKind, RowRefusal, read_row};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use domain::{EventId, Fact, Pin};
use serde::Serialize;
use store::Appended;

/// Most refusals that are told one by one; the rest is counted.
const REFUSALS_MAX: usize = 1_000;

/// What became of the rows of a body.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    /// Rows that are now in the log.
    accepted: u64,
    /// Rows that were in the log already.
    duplicates: u64,
    /// Rows that were not taken, the first thousand with the reason.
    refused: Vec<RefusedRow>,
    /// How many rows were not taken.
    refused_count: u64,
}

/// A row that was not taken.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedRow {
    /// Its place in the body, from 0.
    row: usize,
    /// The field that is wrong, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What is wrong.
    reason: String,
}

/// `POST /v1/events`
pub(crate) async fn events(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take(app, RowKind::Event, headers, body).await
}

/// `POST /v1/pins`
pub(crate) async fn pins(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take(app, RowKind::Pin, headers, body).await
}

/// `POST /v1/boards`
pub(crate) async fn boards(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take(app, RowKind::Board, headers, body).await
}

/// `POST /v1/pinners`
pub(crate) async fn pinners(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take(app, RowKind::Pinner, headers, body).await
}

async fn take(app: App, kind: RowKind, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let layout = crate::body::layout(&headers)?;
    let limits = app.limits();
    let bytes_max = if kind == RowKind::Pin { limits.picture_bytes_max } else { limits.body_bytes_max };
    let bytes = crate::body::read(app.room(), &headers, body, bytes_max).await?;
    app.ingest(kind, "taking rows in", move |app, asker| land(app, asker, kind, layout, &bytes)).await.map(answer)
}

/// When nothing was taken, the answer is a problem: a sender of one bad row must not read success.
fn answer(outcome: Outcome) -> Response {
    let nothing = outcome.accepted + outcome.duplicates == 0;
    let Some(first) = outcome.refused.first().filter(|_| nothing) else { return Json(outcome).into_response() };
    let problem = Problem::new(Kind::RowsRefused, first.reason.clone());
    let problem = first.field.iter().fold(problem, |problem, field| problem.on(field));
    let rows = serde_json::to_value(&outcome).unwrap_or_default();
    let names = ["accepted", "duplicates", "refused", "refused_count"];
    names.into_iter().fold(problem, |problem, name| problem.with(name, rows[name].clone())).into_response()
}

/// Reads the rows, understands pictures and appends what is good. Blocks until it is durable. Nothing lands when the
/// asker is gone before all rows are read.
fn land(app: &App, asker: &Asker, kind: RowKind, layout: Layout, bytes: &[u8]) -> Result<Outcome, Problem> {
    let limits = app.limits();
    let rows =
        rows::cut(bytes, layout, limits.rows_max).map_err(|broken| broken_body(bytes, broken, limits.rows_max))?;
    let now_ms = app.now_ms();
    let mut new_id = app.ids().series(now_ms);
    let mut places = Places::default();
    let mut outcome = Outcome::default();
    let mut harvest = Harvest { facts: Vec::with_capacity(rows.len()), bare: Vec::new() };
    for (number, row) in rows.iter().enumerate() {
        asker.still_waits()?;
        if let Err(refusal) = harvest.take(app, kind, row, now_ms, &mut new_id) {
            outcome.refuse(number, refusal, places.of(bytes, row.at));
        }
    }
    let appended = harvest.append(app, asker, kind)?;
    let taken = rows.len() as u64 - outcome.refused_count;
    outcome.duplicates = appended.duplicates;
    outcome.accepted = taken.saturating_sub(appended.duplicates);
    app.metrics().took_in(kind.as_str(), outcome.accepted, outcome.duplicates, outcome.refused_count);
    Ok(outcome)
}

/// What a body brings.
struct Harvest {
    facts: Vec<(EventId, Fact)>,
    /// Where in `facts` those of pins without a picture of their own begin.
    bare: Vec<usize>,
}

impl Harvest {
    /// The facts of one row. A pin is understood before it lands, so that it is found as soon as it is there.
    fn take(
        &mut self,
        app: &App,
        kind: RowKind,
        row: &Row<'_>,
        now_ms: u64,
        new_id: &mut dyn FnMut() -> EventId,
    ) -> Result<(), RowRefusal> {
        let limits = app.limits();
        let bytes_max = if kind == RowKind::Pin { limits.picture_bytes_max } else { limits.row_bytes_max };
        if row.bytes.len() > bytes_max {
            return Err(RowRefusal { field: None, reason: format!("the row is larger than {bytes_max} bytes") });
        }
        let taken = read_row(kind, row.bytes, now_ms, &mut *new_id)?;
        match taken.fact {
            Fact::Pin(pin) => {
                let bare = pin.image.is_none() && taken.picture.is_none();
                let understood = picture::understand(app, pin, taken.picture.as_deref())?;
                self.bare.extend(bare.then_some(self.facts.len()));
                self.facts.extend(understood.facts(new_id));
            }
            Fact::Event(event) => self.facts.push((event.event_id, Fact::Event(event))),
            other => self.facts.push((new_id(), other)),
        }
        Ok(())
    }

    /// Writes the facts. Pins without a picture of their own keep the one that they have by then.
    fn append(mut self, app: &App, asker: &Asker, kind: RowKind) -> Result<Appended, Problem> {
        if kind != RowKind::Pin {
            return app.log().append(&self.facts).map_err(|error| Problem::internal("writing to the log", error));
        }
        let ids = self.bare.iter().filter_map(|&at| match &self.facts[at + 1].1 {
            Fact::Pin(pin) => Some(pin.id.as_str()),
            _ => None,
        });
        let revision = Revision::begin(app, asker, &ids.collect::<Vec<_>>())?;
        for at in self.bare {
            asker.still_waits()?;
            let [(annotated_id, _), (pin_id, Fact::Pin(pin)), (understood_id, _)] = &mut self.facts[at..at + 3] else {
                continue;
            };
            if picture::kept(app, &pin.id) == pin.image {
                continue;
            }
            let mut names = [*annotated_id, *pin_id, *understood_id].into_iter();
            let bare = Pin { image: None, ..std::mem::take(pin) };
            let understood = picture::understand(app, bare, None)
                .map_err(|refusal| Problem::internal("keeping a picture", refusal.reason))?;
            let facts = understood.facts(|| names.next().expect("invariant: as many names as facts"));
            self.facts[at..at + 3].clone_from_slice(&facts);
        }
        revision.append(&self.facts)
    }
}

impl Outcome {
    fn refuse(&mut self, row: usize, refusal: RowRefusal, (line, column): (usize, usize)) {
        self.refused_count += 1;
        if self.refused.len() == REFUSALS_MAX {
            return;
        }
        let RowRefusal { field, mut reason } = refusal;
        if field.is_none() {
            reason += &format!(" (counted from where the row begins: line {line} column {column} of the body)");
        }
        self.refused.push(RefusedRow { row, field, reason });
    }
}

fn broken_body(bytes: &[u8], broken: Broken, rows_max: usize) -> Problem {
    match broken {
        Broken::Malformed(at, why) => {
            let (line, column) = Places::default().of(bytes, at);
            Problem::new(Kind::BadBody, format!("malformed JSON at line {line} column {column}: {why}"))
                .with("line", line)
                .with("column", column)
        }
        Broken::TooMany => {
            let detail = format!("more than {rows_max} rows: send them in parts");
            Problem::new(Kind::TooLarge, detail).with("rows_max", rows_max)
        }
    }
}
