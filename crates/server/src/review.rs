//! Pins that somebody should look at, and what they decide.

use crate::app::App;
use crate::body;
use crate::cards::{Card, ShownLabel};
use crate::extract::Segment;
use crate::parameters::Parameters;
use crate::pins::{described, named};
use crate::problem::{Kind, Problem};
use crate::revise::Revision;
use crate::wire::RowKind;
use crate::wire::rows::Layout;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use domain::{Fact, PinId, Reviewed, Verdict};
use serde::{Deserialize, Serialize};
use serving::{Catalogue, Standing};

/// Pins of a page, when the request does not say and at most.
pub(crate) const PAGE: u64 = 50;
pub(crate) const PAGE_MAX: u64 = 200;

/// The lists, by name.
pub(crate) const LISTS: [(&str, Standing); 4] = [
    ("waiting", Standing::Waiting),
    ("withheld", Standing::Condemned),
    ("kept", Standing::Kept),
    ("hidden", Standing::Hidden),
];

/// A part of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) list: &'static str,
    /// How many pins are on each list.
    pub(crate) counts: Counts,
    pub(crate) items: Vec<Doubtful>,
    /// Gives the next part when handed back; absent on the last one.
    pub(crate) next: Option<u32>,
}

/// How many pins are on each list.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    waiting: usize,
    withheld: usize,
    kept: usize,
    hidden: usize,
}

impl Counts {
    /// In the order of [`LISTS`].
    pub(crate) fn all(&self) -> [usize; 4] {
        [self.waiting, self.withheld, self.kept, self.hidden]
    }
}

/// A pin with what is wrong with it.
#[derive(Debug, Serialize)]
pub(crate) struct Doubtful {
    #[serde(flatten)]
    pub(crate) card: Card,
    pub(crate) labels: Vec<ShownLabel>,
    /// What somebody decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<&'static str>,
}

/// Which part of which list is wanted.
pub(crate) struct Wanted {
    pub(crate) list: usize,
    pub(crate) limit: usize,
    pub(crate) after: Option<PinId>,
}

impl Wanted {
    pub(crate) fn read(given: &mut Parameters) -> Result<Wanted, Problem> {
        let name = given.text("list").unwrap_or_else(|| LISTS[0].0.to_owned());
        let list = LISTS.iter().position(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<&str> = LISTS.iter().map(|(known, _)| *known).collect();
            Problem::parameter("list", format!("unknown list (known: {})", known.join(" ")))
        })?;
        let limit = given.whole("limit", (1, PAGE_MAX), PAGE)? as usize;
        let after = given.text("after").map(|text| text.parse().map(PinId)).transpose();
        let after = after.map_err(|_| Problem::parameter("after", "give `next` of the part before"))?;
        Ok(Wanted { list, limit, after })
    }
}

/// `GET /v1/review`
pub(crate) async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Listed>, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["list", "limit", "after"])?;
    Ok(Json(listed(&app.views().catalogue(), &Wanted::read(&mut given)?)))
}

/// A part of a list, the newest pins first.
pub(crate) fn listed(catalogue: &Catalogue, wanted: &Wanted) -> Listed {
    let (list, standing) = LISTS[wanted.list];
    let behind = |pin: &PinId| wanted.after.is_none_or(|after| *pin < after);
    let mut pins: Vec<PinId> = catalogue.standing(standing).rev().filter(behind).take(wanted.limit + 1).collect();
    let more = pins.len() > wanted.limit;
    pins.truncate(wanted.limit);
    let [waiting, withheld, kept, hidden] = LISTS.map(|(_, standing)| catalogue.standing_count(standing));
    Listed {
        list,
        counts: Counts { waiting, withheld, kept, hidden },
        next: pins.last().filter(|_| more).map(|pin| pin.0),
        items: pins.into_iter().filter_map(|pin| doubtful(catalogue, pin)).collect(),
    }
}

fn doubtful(catalogue: &Catalogue, pin: PinId) -> Option<Doubtful> {
    let view = catalogue.pin_view(pin)?;
    let labels = view.labels().map(ShownLabel::of).collect();
    Some(Doubtful { card: Card::of(&view), labels, decision: view.decision.map(Verdict::as_str) })
}

/// What is decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    verdict: String,
}

/// What was decided.
#[derive(Debug, Serialize)]
pub(crate) struct Decided {
    id: String,
    verdict: &'static str,
}

const DECISION_BYTES_MAX: usize = 1 << 10;

/// `POST /v1/pins/{id}/review`
pub(crate) async fn decide(
    State(app): State<App>,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Decided>, Problem> {
    if body::layout(&headers)? != Layout::Json {
        return Err(Problem::new(Kind::MediaType, "send content-type application/json"));
    }
    let bytes = body::read(app.room(), &headers, body, DECISION_BYTES_MAX).await?;
    let decision: Decision =
        serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::BadBody, error.to_string()))?;
    let verdict = verdict(&decision.verdict)?;
    write(&app, id.clone(), verdict).await?;
    Ok(Json(Decided { id, verdict: verdict.as_str() }))
}

/// A verdict by its name.
pub(crate) fn verdict(name: &str) -> Result<Verdict, Problem> {
    Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == name).ok_or_else(|| {
        let detail = "must be show, hide, or review to take a decision back";
        Problem::new(Kind::BadBody, detail).on("verdict")
    })
}

/// Writes a decision, when the views know the last word about the pin.
pub(crate) async fn write(app: &App, id: String, verdict: Verdict) -> Result<(), Problem> {
    let decide = move |app: &App, asker: &crate::admission::Asker| {
        let revision = Revision::begin(app, asker, &[&id])?;
        described(app, &id)?;
        let reviewed = Reviewed { pin: id, verdict, ts_ms: app.now_ms() };
        revision.append(&named(app, [Fact::Reviewed(reviewed)])).map(|_| ())
    };
    app.ingest(RowKind::Pin, "deciding about a pin", decide).await
}
