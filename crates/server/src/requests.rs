//! `GET /v1/requests/{id}`: why was this shown, and why was that not?

use crate::answer;
use crate::app::App;
use crate::extract::Segment;
use crate::problem::Problem;
use crate::recent;
use axum::Json;
use axum::extract::State;
use serde_json::Value;

/// `GET /v1/requests/{id}`
pub(crate) async fn show(State(app): State<App>, Segment(id): Segment) -> Result<Json<Value>, Problem> {
    let name = id.parse().map_err(|error: domain::BadEventId| Problem::parameter("id", error.to_string()))?;
    let found = recent::find(&app, name).await?.ok_or_else(|| Problem::missing("request", &id))?;
    let catalogue = app.views().catalogue();
    Ok(Json(answer::answered(&found, &catalogue, app.now_ms())))
}
