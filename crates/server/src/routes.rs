//! Every path, who may take it and what it weighs.

use crate::access::{self, check};
use crate::app::App;
use crate::keys::Role;
use crate::problem::{self, Problem};
use crate::{
    clock, experiments, given, health, ingest, lists, media, openapi, pages, pins, requests, review, suggest, visual,
};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use std::time::Instant;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// A method of a path.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The role that a key needs; nobody needs one where it is `None`.
    pub(crate) role: Option<Role>,
    /// Whether it computes for long, and so waits for its turn. What takes a body in waits when it has read it.
    computes: bool,
    handler: MethodRouter<App>,
}

impl Route {
    fn read(path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method: "get", path, role: Some(Role::Read), computes: false, handler }
    }

    fn computing(path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { computes: true, ..Route::read(path, handler) }
    }

    fn asking(path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method: "post", ..Route::read(path, handler) }
    }

    fn write(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method, path, role: Some(Role::Write), computes: false, handler }
    }

    fn open(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method, path, role: None, computes: false, handler }
    }

    fn admin(path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method: "get", path, role: Some(Role::Admin), computes: false, handler }
    }

    fn deciding(path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method: "post", ..Route::admin(path, handler) }
    }
}

/// The interface for programs: all of it is in the OpenAPI document.
pub(crate) fn api() -> Vec<Route> {
    vec![
        Route::write("post", "/v1/events", post(ingest::events)),
        Route::write("post", "/v1/pins", post(ingest::pins)),
        Route::write("post", "/v1/boards", post(ingest::boards)),
        Route::write("post", "/v1/pinners", post(ingest::pinners)),
        Route::read("/v1/pins/{id}", get(pins::show)),
        Route::write("delete", "/v1/pins/{id}", delete(pins::remove)),
        Route::write("put", "/v1/pins/{id}/image", put(pins::picture)),
        Route::computing("/v1/pins/{id}/related", get(lists::related)),
        Route::computing("/v1/feed/{pinner}", get(lists::feed)),
        Route::computing("/v1/search", get(lists::search)),
        Route::read("/v1/autocomplete", get(suggest::autocomplete)),
        Route::read("/v1/trending", get(suggest::trending)),
        Route::computing("/v1/boards/{id}/ideas", get(lists::ideas)),
        Route::asking("/v1/search/visual", post(visual::search)),
        Route::asking("/v1/rank", post(given::rank)),
        Route::admin("/v1/review", get(review::list)),
        Route::deciding("/v1/pins/{id}/review", post(review::decide)),
        Route::admin("/v1/experiments", get(experiments::list)),
        Route::deciding("/v1/experiments", post(experiments::define)),
        Route::admin("/v1/experiments/{id}", get(experiments::show)),
        Route::deciding("/v1/experiments/{id}", post(experiments::change)),
        Route::deciding("/v1/clock", post(clock::set)),
        Route::read("/v1/requests/{id}", get(requests::show)),
        Route::read("/media/{folder}/{name}", get(media::show)),
        Route::open("get", "/health/live", get(health::live)),
        Route::open("get", "/health/ready", get(health::ready)),
        Route::read("/metrics", get(health::metrics)),
        Route::open("get", "/openapi.json", get(openapi::show)),
    ]
}

/// The pages for people.
fn faces() -> Vec<Route> {
    vec![
        Route::computing("/", get(pages::choose)),
        Route::computing("/as/{pinner}", get(pages::feed)),
        Route::computing("/as/{pinner}/search", get(pages::search)),
        Route::computing("/as/{pinner}/look", get(pages::look)),
        Route::asking("/as/{pinner}/look", post(pages::look_up)),
        Route::computing("/as/{pinner}/pin/{id}", get(pages::closeup)),
        Route::read("/as/{pinner}/boards", get(pages::boards)),
        Route::computing("/as/{pinner}/boards/{board}", get(pages::board)),
        Route::admin("/console", get(pages::console)),
        Route::admin("/console/requests/{id}", get(pages::trace)),
        Route::admin("/console/experiments", get(pages::experiments)),
        Route::deciding("/console/experiments", post(pages::steer)),
        Route::admin("/console/review", get(pages::review)),
        Route::deciding("/console/review", post(pages::decide)),
        Route::open("get", "/login", get(pages::form)),
        Route::open("post", "/login", post(pages::login)),
        Route::open("post", "/logout", post(pages::logout)),
        Route::open("get", "/assets/{name}", get(pages::asset)),
    ]
}

/// The whole server as one service, ready for [`crate::serve`] or for a test.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { path, role, computes, handler, .. } in api().into_iter().chain(faces()) {
        let guard = from_fn_with_state((app.clone(), role, computes), guard);
        router = router.route(path, handler.route_layer(guard));
    }
    router
        .method_not_allowed_fallback(problem::no_such_method)
        .fallback(problem::no_such_path)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(app.clone(), access::keep_home))
        .layer(from_fn(pages::dress))
        .layer(from_fn(access::harden))
        .layer(from_fn(access::part))
        .layer(from_fn_with_state(app.clone(), access::observe))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .with_state(app)
}

/// What is answered while there is nothing to answer from yet.
pub(crate) fn greeting() -> Router {
    let since = Instant::now();
    Router::new()
        .route("/health/live", get(async move || health::alive(since.elapsed())))
        .fallback(health::opening)
        .layer(from_fn(pages::dress))
        .layer(from_fn(access::harden))
}

/// The key first, then the turn.
async fn guard(
    State((app, role, computes)): State<(App, Option<Role>, bool)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check(&app, request.headers(), role)?;
    let _turn = if computes { Some(app.ranking_gate().enter().await?) } else { None };
    Ok(next.run(request).await)
}
