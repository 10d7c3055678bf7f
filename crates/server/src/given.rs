//! `POST /v1/rank`: pins that the asker brings, in the order in which the model would show them.

use crate::answer::{Explanation, heads, number};
use crate::app::App;
use crate::lists::words;
use crate::problem::{Kind, Problem};
use crate::recent::Answered;
use crate::{body, wire::rows::Layout};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::{PinId, Request, ServedItem, Subject, Surface, limits};
use models::FEATURES;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Most pins of one question.
pub(crate) const GIVEN_MAX: usize = 2_000;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// Who would see the pins; nobody when absent.
    #[serde(default)]
    pinner: String,
    /// Where; the home feed when absent.
    surface: Option<String>,
    /// What they are shown for: at most one of a pin, a board and words.
    pin: Option<String>,
    board: Option<String>,
    query: Option<String>,
    /// The pins to rank.
    pins: Vec<String>,
    #[serde(default)]
    explain: bool,
}

/// The pins in order.
#[derive(Debug, Serialize)]
pub(crate) struct Ranking {
    request_id: String,
    surface: &'static str,
    pinner: String,
    pinner_known: bool,
    items: Vec<Ranked>,
    /// Ids that are not known here, as they were given.
    unknown: Vec<String>,
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

#[derive(Debug, Serialize)]
struct Ranked {
    id: String,
    position: usize,
    score: f32,
    /// The chance of each action.
    heads: Map<String, Value>,
    /// What the model saw, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<Map<String, Value>>,
}

/// `POST /v1/rank`
pub(crate) async fn rank(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Json<Ranking>, Problem> {
    let question = read(&app, &headers, body).await?;
    let (request, pins, unknown) = question.resolve(&app.views().catalogue(), app.now_ms())?;
    let _turn = app.ranking_gate().enter().await?;
    let request = Request { request_id: app.next_id(), ..request };
    let slate = Arc::new(app.pipeline().rank_given(request.clone(), &pins, &app.params()).await);
    app.recent().put(Answered::new(&request, slate.items.len() as u32, slate.clone()));
    let catalogue = app.views().catalogue();
    let ranked = |(position, item): (usize, &ServedItem)| Ranked {
        id: catalogue.pin_key(item.pin).to_owned(),
        position,
        score: item.utility,
        heads: heads(item),
        features: question.explain.then(|| features(item)),
    };
    Ok(Json(Ranking {
        request_id: request.request_id.to_string(),
        surface: request.surface.as_str(),
        pinner_known: request.pinner.is_some(),
        pinner: request.pinner_key,
        items: slate.trace.ranked.iter().enumerate().map(ranked).collect(),
        unknown,
        model: slate.trace.model.clone(),
        explanation: question.explain.then(|| Explanation::of(&slate.trace, &catalogue)),
    }))
}

async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Question, Problem> {
    if body::layout(headers)? != Layout::Json {
        return Err(Problem::new(Kind::MediaType, "send content-type application/json"));
    }
    let bytes = body::read(app.room(), headers, body, app.limits().body_bytes_max).await?;
    let question: Question =
        serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::BadBody, error.to_string()))?;
    if question.pins.is_empty() || question.pins.len() > GIVEN_MAX {
        let detail = format!("{} given, from 1 to {GIVEN_MAX} are ranked", question.pins.len());
        return Err(Problem::parameter("pins", detail));
    }
    if question.pinner.len() > limits::ID_BYTES_MAX {
        return Err(Problem::parameter("pinner", format!("an id has at most {} bytes", limits::ID_BYTES_MAX)));
    }
    Ok(question)
}

impl Question {
    /// With numbers for names: the request, the known pins and the names of the others.
    fn resolve(
        &self,
        catalogue: &serving::Catalogue,
        now_ms: u64,
    ) -> Result<(Request, Vec<PinId>, Vec<String>), Problem> {
        let surface = self.surface.as_deref().unwrap_or(Surface::Home.as_str());
        let surface =
            surface.parse().map_err(|error: domain::UnknownWord| Problem::parameter("surface", error.to_string()))?;
        let subject = match (&self.pin, &self.board, &self.query) {
            (None, None, None) => Subject::None,
            (Some(pin), None, None) => Subject::Pin(catalogue.pin(pin).ok_or_else(|| Problem::missing("pin", pin))?),
            (None, Some(board), None) => {
                Subject::Board(catalogue.board(board).ok_or_else(|| Problem::missing("board", board))?)
            }
            (None, None, Some(query)) => Subject::Query(words(Some(query.clone()))?),
            _ => return Err(Problem::parameter("query", "at most one of pin, board and query can be asked about")),
        };
        let (mut pins, mut unknown) = (Vec::new(), Vec::new());
        for id in &self.pins {
            match catalogue.pin(id) {
                Some(pin) => pins.push(pin),
                None => unknown.push(id.clone()),
            }
        }
        let request = Request {
            subject,
            pinner_key: self.pinner.clone(),
            pinner: catalogue.pinner(&self.pinner),
            limit: pins.len(),
            ..Request::new(surface, now_ms, 0)
        };
        Ok((request, pins, unknown))
    }
}

fn features(item: &ServedItem) -> Map<String, Value> {
    FEATURES.iter().zip(&item.features).map(|(name, value)| ((*name).to_owned(), number(*value))).collect()
}
