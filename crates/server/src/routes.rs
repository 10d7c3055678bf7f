//! Every path, who may take it and what it weighs.

use crate::access::{self, check};
use crate::admission::Gate;
use crate::app::App;
use crate::keys::Role;
use crate::problem::{self, Problem};
use crate::{health, ingest, lists, media, openapi, pages, pins, requests};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// What a request weighs: whose turn it has to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Answered at once.
    Light,
    /// Runs the funnel.
    Ranking,
    /// Takes a body in.
    Ingest,
}

/// A method of a path.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The role that a key needs; nobody needs one where it is `None`.
    pub(crate) role: Option<Role>,
    weight: Weight,
    handler: MethodRouter<App>,
}

impl Route {
    fn read(path: &'static str, weight: Weight, handler: MethodRouter<App>) -> Route {
        Route { method: "get", path, role: Some(Role::Read), weight, handler }
    }

    fn write(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method, path, role: Some(Role::Write), weight: Weight::Ingest, handler }
    }

    fn open(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method, path, role: None, weight: Weight::Light, handler }
    }

    fn admin(path: &'static str, handler: MethodRouter<App>) -> Route {
        Route { method: "get", path, role: Some(Role::Admin), weight: Weight::Light, handler }
    }
}

/// The interface for programs: all of it is in the OpenAPI document.
pub(crate) fn api() -> Vec<Route> {
    use Weight::{Light, Ranking};
    vec![
        Route::write("post", "/v1/events", post(ingest::events)),
        Route::write("post", "/v1/pins", post(ingest::pins)),
        Route::write("post", "/v1/boards", post(ingest::boards)),
        Route::write("post", "/v1/pinners", post(ingest::pinners)),
        Route::read("/v1/pins/{id}", Light, get(pins::show)),
        Route::write("delete", "/v1/pins/{id}", delete(pins::remove)),
        Route::write("put", "/v1/pins/{id}/image", put(pins::picture)),
        Route::read("/v1/pins/{id}/related", Ranking, get(lists::related)),
        Route::read("/v1/feed/{pinner}", Ranking, get(lists::feed)),
        Route::read("/v1/search", Ranking, get(lists::search)),
        Route::read("/v1/boards/{id}/ideas", Ranking, get(lists::ideas)),
        Route::read("/v1/requests/{id}", Light, get(requests::show)),
        Route::read("/media/{folder}/{name}", Light, get(media::show)),
        Route::open("get", "/health/live", get(health::live)),
        Route::open("get", "/health/ready", get(health::ready)),
        Route::read("/metrics", Light, get(health::metrics)),
        Route::open("get", "/openapi.json", get(openapi::show)),
    ]
}

/// The pages for people.
fn faces() -> Vec<Route> {
    use Weight::{Light, Ranking};
    vec![
        Route::read("/", Light, get(pages::choose)),
        Route::read("/as/{pinner}", Ranking, get(pages::feed)),
        Route::read("/as/{pinner}/search", Ranking, get(pages::search)),
        Route::read("/as/{pinner}/pin/{id}", Ranking, get(pages::closeup)),
        Route::read("/as/{pinner}/boards", Light, get(pages::boards)),
        Route::read("/as/{pinner}/boards/{board}", Ranking, get(pages::board)),
        Route::admin("/console", get(pages::console)),
        Route::admin("/console/requests/{id}", get(pages::trace)),
        Route::open("get", "/login", get(pages::form)),
        Route::open("post", "/login", post(pages::login)),
        Route::open("post", "/logout", post(pages::logout)),
        Route::open("get", "/assets/{name}", get(pages::asset)),
    ]
}

/// The whole server as one service, ready for [`crate::serve`] or for a test.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { path, role, weight, handler, .. } in api().into_iter().chain(faces()) {
        let guard = from_fn_with_state((app.clone(), role, weight), guard);
        router = router.route(path, handler.route_layer(guard));
    }
    router
        .method_not_allowed_fallback(problem::no_such_method)
        .fallback(problem::no_such_path)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(app.clone(), access::keep_home))
        .layer(from_fn(pages::dress))
        .layer(from_fn(access::harden))
        .layer(from_fn_with_state(app.clone(), access::observe))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .with_state(app)
}

/// The key first, then the turn.
async fn guard(
    State((app, role, weight)): State<(App, Option<Role>, Weight)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check(&app, request.headers(), role)?;
    let gate: Option<&Gate> = match weight {
        Weight::Light => None,
        Weight::Ranking => Some(app.ranking_gate()),
        Weight::Ingest => Some(app.ingest_gate()),
    };
    let _turn = match gate {
        Some(gate) => Some(gate.enter().await?),
        None => None,
    };
    Ok(next.run(request).await)
}
