//! What may be typed or looked for next: completions, trends, and the ways on from a search.

use crate::app::App;
use crate::lists::{self, Page};
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{RawQuery, State};
use domain::limits::QUERY_BYTES_MAX;
use domain::{Subject, Surface};
use serde::Serialize;

/// Completions and trends of an answer when the request does not say, and at most.
pub(crate) const SUGGESTED: u64 = 8;
pub(crate) const SUGGESTED_MAX: u64 = 50;

/// What a half-typed text may become.
#[derive(Debug, Serialize)]
pub(crate) struct Completions {
    q: String,
    completions: Vec<Completion>,
}

#[derive(Debug, Serialize)]
struct Completion {
    text: String,
    kind: &'static str,
}

/// What is asked more than it used to be.
#[derive(Debug, Serialize)]
pub(crate) struct Trends {
    trending: Vec<Trend>,
}

#[derive(Debug, Serialize)]
struct Trend {
    text: String,
    /// So many times as often; absent where it is merely popular.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f32>,
}

/// Ways on from a search.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Ways {
    pub(crate) guides: Vec<Guide>,
    pub(crate) related_queries: Vec<String>,
}

/// A word that narrows a search, and the search that it leads to.
#[derive(Debug, Serialize)]
pub(crate) struct Guide {
    pub(crate) label: String,
    pub(crate) query: String,
}

/// `GET /v1/autocomplete`
pub(crate) async fn autocomplete(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Json<Completions>, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["q", "pinner", "limit"])?;
    let typed = given.text("q").unwrap_or_default();
    if typed.len() > QUERY_BYTES_MAX {
        let detail = format!("{} bytes long, at most {QUERY_BYTES_MAX} are taken", typed.len());
        return Err(Problem::parameter("q", detail));
    }
    let pinner = lists::pinner(&mut given)?;
    let wanted = given.whole("limit", (1, SUGGESTED_MAX), SUGGESTED)? as usize;
    let suggestions = app.views().suggestions();
    let found =
        suggestions.map(|suggestions| suggestions.complete(&typed, &pinner, wanted, app.now_ms())).unwrap_or_default();
    let completions = found.into_iter().map(|found| Completion { kind: found.kind.as_str(), text: found.text });
    Ok(Json(Completions { completions: completions.collect(), q: typed }))
}

/// `GET /v1/trending`
pub(crate) async fn trending(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Trends>, Problem> {
    let mut given = Parameters::read(query.as_deref(), &["limit"])?;
    let wanted = given.whole("limit", (1, SUGGESTED_MAX), SUGGESTED)? as usize;
    let suggestions = app.views().suggestions();
    let trends = suggestions.as_ref().map_or(&[][..], |suggestions| suggestions.trending(wanted));
    let trending = trends.iter().map(|trend| Trend { text: trend.text.clone(), ratio: trend.ratio });
    Ok(Json(Trends { trending: trending.collect() }))
}

/// The ways on from a page: of the first page of a search by words there are some.
pub(crate) fn ways(app: &App, page: &Page) -> Option<Ways> {
    let about_words = matches!(page.scope.subject, Subject::Query(_)) && page.scope.surface == Surface::Search;
    if !about_words || page.offset > 0 {
        return None;
    }
    let Some(suggestions) = app.views().suggestions() else { return Some(Ways::default()) };
    let words = page.wording.words();
    let pins: Vec<_> = page.slate.items.iter().map(|item| item.pin).collect();
    let guides = suggestions.guides(&app.views().catalogue(), words, &pins);
    let guides = guides.into_iter().map(|guide| Guide { label: guide.label, query: guide.query });
    let related_queries = suggestions.related(words).into_iter().map(str::to_owned);
    Some(Ways { guides: guides.collect(), related_queries: related_queries.collect() })
}
