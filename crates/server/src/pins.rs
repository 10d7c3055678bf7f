//! One pin: looked at, given a picture, taken away.

use crate::app::App;
use crate::cards::{Sheet, pin_of};
use crate::extract::Segment;
use crate::ids::now_ms;
use crate::picture;
use crate::problem::{Kind, Problem};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::{Fact, Pin};
use serde_json::{Value, json};
use serving::Catalogue;

/// `GET /v1/pins/{id}`
pub(crate) async fn show(State(app): State<App>, Segment(id): Segment) -> Result<Json<Sheet>, Problem> {
    sheet(&app, &id).await.map(Json)
}

/// What is shown of a pin, when it may be shown.
pub(crate) async fn sheet(app: &App, id: &str) -> Result<Sheet, Problem> {
    let look = |catalogue: &Catalogue| {
        let pin = catalogue.pin(id).filter(|&pin| catalogue.servable(pin, now_ms()));
        pin.and_then(|pin| catalogue.pin_view(pin)).map(|view| Sheet::of(&view))
    };
    app.find(look).await.ok_or_else(|| Problem::missing("pin", id))
}

/// `DELETE /v1/pins/{id}`
pub(crate) async fn remove(State(app): State<App>, Segment(id): Segment) -> Result<Json<Value>, Problem> {
    described(&app, &id).await?;
    let fact = Fact::PinRemoved(id.clone());
    append(&app, vec![fact]).await?;
    Ok(Json(json!({"id": id, "removed": true})))
}

/// `PUT /v1/pins/{id}/image`
pub(crate) async fn picture(
    State(app): State<App>,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    crate::body::must_be_picture(&headers)?;
    let pin = described(&app, &id).await?;
    let bytes = crate::body::read(&headers, body, app.limits().picture_bytes_max).await?;
    let at = app.clone();
    let understood = tokio::task::spawn_blocking(move || picture::understand(&at, pin, Some(&bytes)))
        .await
        .map_err(|error| Problem::internal("understanding a picture", error))?;
    let (pin, understood) = understood.map_err(|refusal| Problem::new(Kind::BadBody, refusal.reason).on("image"))?;
    let size = understood.size.map(|(width, height)| json!({"width": width, "height": height}));
    let image = pin.image.clone();
    append(&app, vec![Fact::Pin(pin), Fact::Understood(understood)]).await?;
    Ok(Json(json!({"id": id, "image": image.map(|key| format!("/media/{key}")), "size": size})))
}

/// The pin as its owner described it; a pin that was only mentioned, or was taken away, is none.
async fn described(app: &App, id: &str) -> Result<Pin, Problem> {
    let look = |catalogue: &Catalogue| {
        let view = catalogue.pin(id).and_then(|pin| catalogue.pin_view(pin));
        view.filter(|view| view.described && !view.removed).map(|view| pin_of(&view))
    };
    app.find(look).await.ok_or_else(|| Problem::missing("pin", id))
}

/// Writes facts that this server names. Durable when it returns.
pub(crate) async fn append(app: &App, facts: Vec<Fact>) -> Result<(), Problem> {
    let mut new_id = app.ids().series(now_ms());
    let facts: Vec<_> = facts.into_iter().map(|fact| (new_id(), fact)).collect();
    let log = app.log().clone();
    let appended = tokio::task::spawn_blocking(move || log.append(&facts)).await;
    let appended = appended.map_err(|error| Problem::internal("writing to the log", error))?;
    appended.map(|_| ()).map_err(|error| Problem::internal("writing to the log", error))
}
