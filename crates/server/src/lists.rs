//! Lists of pins: the home feed, related pins, search and ideas for a board are one question with another surface.

use crate::answer::{self, Explanation, Item, List};
use crate::app::App;
use crate::cards::cards;
use crate::cursor::{self, Scope};
use crate::extract::Segment;
use crate::facets;
use crate::parameters::Parameters;
use crate::problem::{Kind, Problem};
use crate::recent::{self, Answered};
use crate::suggest;
use crate::wording::{self, Wording};
use axum::Json;
use axum::extract::{RawQuery, State};
use domain::{Embedding, EventId, Request, Slate, Subject, Surface, limits};
use serving::Cursor;
use std::sync::Arc;

/// Pins of a page when the request does not say.
pub(crate) const PAGE: u64 = 25;

/// The parameters of every list.
const PARAMETERS: &[&str] =
    &["pinner", "limit", "cursor", "explain", "deadline_ms", "filter", "q", "verbatim", "facets"];

/// What a page of a list is asked with.
pub(crate) struct Ask {
    pub(crate) scope: Scope,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<String>,
    pub(crate) explain: bool,
    pub(crate) deadline_ms: u64,
    /// What a picture that is asked with looks like.
    pub(crate) look: Option<Embedding>,
    /// Whether words are searched for as they are typed, whatever they were meant to be.
    pub(crate) verbatim: bool,
}

/// One page of a ranking.
pub(crate) struct Page {
    pub(crate) request_id: EventId,
    pub(crate) scope: Scope,
    /// What became of the words of a search.
    pub(crate) wording: Arc<Wording>,
    /// The whole ranking.
    pub(crate) slate: Arc<Slate>,
    pub(crate) offset: usize,
    pub(crate) shown: usize,
}

/// `GET /v1/feed/{pinner}`
pub(crate) async fn feed(
    State(app): State<App>,
    Segment(pinner): Segment,
    RawQuery(query): RawQuery,
) -> Result<Json<List>, Problem> {
    let mut given = Parameters::read(query.as_deref(), &PARAMETERS[1..6])?;
    let scope = Scope::of(Surface::Home, Subject::None, pinner);
    respond(&app, ask(&app, &mut given, scope)?).await
}

/// `GET /v1/pins/{id}/related`
pub(crate) async fn related(
    State(app): State<App>,
    Segment(pin): Segment,
    RawQuery(query): RawQuery,
) -> Result<Json<List>, Problem> {
    let mut given = Parameters::read(query.as_deref(), &PARAMETERS[..6])?;
    let found = app.find(|catalogue| catalogue.pin(&pin)).await;
    let subject = Subject::Pin(found.ok_or_else(|| Problem::missing("pin", &pin))?);
    let scope = Scope::of(Surface::Related, subject, pinner(&mut given)?);
    respond(&app, ask(&app, &mut given, scope)?).await
}

/// `GET /v1/boards/{id}/ideas`
pub(crate) async fn ideas(
    State(app): State<App>,
    Segment(board): Segment,
    RawQuery(query): RawQuery,
) -> Result<Json<List>, Problem> {
    let mut given = Parameters::read(query.as_deref(), &PARAMETERS[..6])?;
    let found = app.find(|catalogue| catalogue.board(&board)).await;
    let subject = Subject::Board(found.ok_or_else(|| Problem::missing("board", &board))?);
    let scope = Scope::of(Surface::Board, subject, pinner(&mut given)?);
    respond(&app, ask(&app, &mut given, scope)?).await
}

/// `GET /v1/search`
pub(crate) async fn search(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<List>, Problem> {
    let mut given = Parameters::read(query.as_deref(), PARAMETERS)?;
    let words = words(given.text("q"))?;
    let scope = Scope::of(Surface::Search, Subject::Query(words), pinner(&mut given)?);
    let verbatim = given.flag("verbatim")?;
    let fields = facets::fields(given.text("facets").as_deref())?;
    let ask = Ask { verbatim, ..ask(&app, &mut given, scope)? };
    let explain = ask.explain;
    let page = page(&app, ask).await?;
    let Json(list) = answer(&app, &page, explain).await?;
    Ok(Json(List { facets: facets::told(&app, &page, &fields), ..list }))
}

/// The words of a search, within bounds.
pub(crate) fn words(given: Option<String>) -> Result<String, Problem> {
    let words = given.unwrap_or_default().trim().to_owned();
    if words.is_empty() {
        return Err(Problem::parameter("q", "missing: the words to search for"));
    }
    if words.len() > limits::QUERY_BYTES_MAX {
        let detail = format!("{} bytes long, at most {} are taken", words.len(), limits::QUERY_BYTES_MAX);
        return Err(Problem::parameter("q", detail));
    }
    Ok(words)
}

pub(crate) fn pinner(given: &mut Parameters) -> Result<String, Problem> {
    let pinner = given.text("pinner").unwrap_or_default();
    if pinner.len() > limits::ID_BYTES_MAX {
        return Err(Problem::parameter("pinner", format!("an id has at most {} bytes", limits::ID_BYTES_MAX)));
    }
    Ok(pinner)
}

pub(crate) fn ask(app: &App, given: &mut Parameters, scope: Scope) -> Result<Ask, Problem> {
    let scope = Scope { filter: filter(app, given)?, ..scope };
    let limits = app.limits();
    let limit = given.whole("limit", (1, limits.page_max as u64), PAGE)?;
    let deadline_ms = given.whole("deadline_ms", (1, limits.deadline_ms_max), app.params().deadline_ms)?;
    let (cursor, explain) = (given.text("cursor"), given.flag("explain")?);
    Ok(Ask { scope, limit: limit as usize, cursor, explain, deadline_ms, look: None, verbatim: false })
}

/// What pins must pass, if it can be read and asked.
fn filter(app: &App, given: &mut Parameters) -> Result<String, Problem> {
    let filter = given.text("filter").unwrap_or_default();
    match app.views().catalogue().check_filter(&filter) {
        Ok(()) => Ok(filter),
        Err(error) => Err(Problem::parameter("filter", error.to_string())),
    }
}

pub(crate) async fn respond(app: &App, ask: Ask) -> Result<Json<List>, Problem> {
    let explain = ask.explain;
    let page = page(app, ask).await?;
    answer(app, &page, explain).await
}

async fn answer(app: &App, page: &Page, explain: bool) -> Result<Json<List>, Problem> {
    let told = if explain { recent::find(app, page.request_id).await? } else { None };
    let ways = suggest::ways(app, page);
    Ok(Json(List { ways, ..write(app, page, told.as_deref()) }))
}

/// Answers with a page: of a new ranking, or of the one that the cursor points into.
pub(crate) async fn page(app: &App, ask: Ask) -> Result<Page, Problem> {
    match &ask.cursor {
        None => Ok(first_page(app, ask).await),
        Some(text) => {
            let cursor = cursor::read(text, &ask.scope)?;
            next_page(app, ask, cursor)
        }
    }
}

async fn first_page(app: &App, ask: Ask) -> Page {
    let tuning = app.tuning(&ask.scope.pinner, ask.scope.surface);
    let mut request = request(app, &ask, app.next_id(), app.now_ms());
    request.arms = tuning.arms;
    let (slate, wording) = wording::serve(app, &tuning.params, &mut request, ask.verbatim).await;
    let (slate, wording) = (Arc::new(slate), Arc::new(wording));
    app.metrics().ranked(&slate.trace);
    let shown = slate.items.len().min(ask.limit);
    app.rankings().put(request.request_id, slate.clone(), request.now_ms);
    app.wordings().put(request.request_id, wording.clone());
    app.recent().put(Answered::new(&request, shown as u32, slate.clone()));
    let request_id = request.request_id;
    app.record(request, slate.clone(), 0, shown);
    Page { request_id, scope: ask.scope, wording, slate, offset: 0, shown }
}

fn next_page(app: &App, ask: Ask, cursor: Cursor) -> Result<Page, Problem> {
    let Cursor { request_id, offset } = cursor;
    let slate = app.rankings().get(request_id, app.now_ms()).ok_or_else(|| {
        Problem::new(Kind::CursorExpired, "the cursor has expired: ask for the first page again").on("cursor")
    })?;
    let offset = (offset as usize).min(slate.items.len());
    let shown = ask.limit.min(slate.items.len() - offset);
    let wording = app.wordings().of(request_id, &ask.scope.subject);
    // A ranking that lost its trace is recorded without: the first page's record has it, this one says what was shown.
    if shown > 0 {
        let mut request = request(app, &ask, request_id, request_id.ts_ms());
        request.arms = app.tuning(&ask.scope.pinner, ask.scope.surface).arms;
        if let Some(searched) = &wording.searched {
            request.subject = Subject::Query(searched.clone());
        }
        app.record(request, slate.clone(), offset, shown);
    }
    Ok(Page { request_id, scope: ask.scope, wording, slate, offset, shown })
}

fn request(app: &App, ask: &Ask, request_id: EventId, now_ms: u64) -> Request {
    Request {
        request_id,
        subject: ask.scope.subject.clone(),
        filter: ask.scope.filter.clone(),
        look: ask.look.clone(),
        pinner_key: ask.scope.pinner.clone(),
        pinner: app.views().catalogue().pinner(&ask.scope.pinner),
        limit: ask.limit,
        deadline_ms: ask.deadline_ms,
        ..Request::new(ask.scope.surface, now_ms, request_id.0 as u64)
    }
}

/// The page as the wire has it, explained by `told`. A pin that was taken away since the ranking is left out; the
/// others keep their positions.
pub(crate) fn write(app: &App, page: &Page, told: Option<&Answered>) -> List {
    let Page { request_id, scope, wording, slate, offset, shown } = page;
    let end = offset + shown;
    let shown = &slate.items[*offset..end];
    let pins: Vec<_> = shown.iter().map(|item| item.pin).collect();
    let catalogue = app.views().catalogue();
    let found = cards(&catalogue, &pins, app.now_ms());
    let items = shown.iter().zip(found).enumerate().filter_map(|(row, (item, card))| {
        let position = offset + row;
        let why = told.and_then(|told| told.trace().ranked.get(position)).map(answer::explain);
        Some(Item { card: card?, position, score: item.score, explanation: why })
    });
    let next = Cursor { request_id: *request_id, offset: end as u32 };
    List {
        request_id: request_id.to_string(),
        surface: scope.surface.as_str(),
        pinner: scope.pinner.clone(),
        pinner_known: catalogue.pinner(&scope.pinner).is_some(),
        items: items.collect(),
        next_cursor: (end < slate.items.len()).then(|| cursor::write(next, scope)),
        degraded: slate.trace.degraded.clone(),
        model: slate.trace.model.clone(),
        spelling: wording.spelling(),
        did_you_mean: wording.did_you_mean.clone(),
        ways: None,
        facets: None,
        explanation: told.map(|told| Explanation::of(told.trace(), &catalogue)),
    }
}
