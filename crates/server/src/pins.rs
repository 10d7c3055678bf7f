//! One pin: looked at, given a picture, taken away.

use crate::admission::Asker;
use crate::app::App;
use crate::cards::{Sheet, pin_of};
use crate::extract::Segment;
use crate::picture;
use crate::problem::{Kind, Problem};
use crate::revise::Revision;
use crate::wire::RowKind;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::{EventId, Fact, Pin};
use serde_json::{Value, json};
use serving::Catalogue;

/// `GET /v1/pins/{id}`
pub(crate) async fn show(State(app): State<App>, Segment(id): Segment) -> Result<Json<Sheet>, Problem> {
    sheet(&app, &id).await.map(Json)
}

/// What is shown of a pin, when it may be shown.
pub(crate) async fn sheet(app: &App, id: &str) -> Result<Sheet, Problem> {
    let look = |catalogue: &Catalogue| {
        let pin = catalogue.pin(id).filter(|&pin| catalogue.servable(pin, app.now_ms()));
        pin.and_then(|pin| Sheet::of(catalogue, pin, app.now_ms()))
    };
    app.find(look).await.ok_or_else(|| Problem::missing("pin", id))
}

/// `DELETE /v1/pins/{id}`
pub(crate) async fn remove(State(app): State<App>, Segment(id): Segment) -> Result<Json<Value>, Problem> {
    let remove = move |app: &App, asker: &Asker| {
        let revision = Revision::begin(app, asker, &[&id])?;
        described(app, &id)?;
        revision.append(&named(app, [Fact::PinRemoved(id.clone())]))?;
        Ok(Json(json!({"id": id, "removed": true})))
    };
    app.ingest(RowKind::Pin, "taking a pin away", remove).await
}

/// `PUT /v1/pins/{id}/image`
pub(crate) async fn picture(
    State(app): State<App>,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    crate::body::must_be_picture(&headers)?;
    let bytes = crate::body::read(app.room(), &headers, body, app.limits().picture_bytes_max).await?;
    let put = move |app: &App, asker: &Asker| {
        let revision = Revision::begin(app, asker, &[&id])?;
        let pin = described(app, &id)?;
        let taken = picture::understand(app, pin, Some(&bytes))
            .map_err(|refusal| Problem::new(Kind::BadBody, refusal.reason).on("image"))?;
        let size = taken.understood.size.map(|(width, height)| json!({"width": width, "height": height}));
        let image = taken.pin.image.as_ref().map(|key| format!("/media/{key}"));
        revision.append(&taken.facts(app.ids().series(app.now_ms())))?;
        Ok(Json(json!({"id": id, "image": image, "size": size})))
    };
    app.ingest(RowKind::Pin, "taking a picture in", put).await
}

/// The pin as its owner described it last; a pin that was only mentioned, or was taken away, is none.
pub(crate) fn described(app: &App, id: &str) -> Result<Pin, Problem> {
    let catalogue = app.views().catalogue();
    let view = catalogue.pin(id).and_then(|pin| catalogue.pin_view(pin));
    let view = view.filter(|view| view.described && !view.removed);
    view.map(|view| pin_of(&view)).ok_or_else(|| Problem::missing("pin", id))
}

/// Facts with names that this server gives them.
pub(crate) fn named<const N: usize>(app: &App, facts: [Fact; N]) -> [(EventId, Fact); N] {
    let mut new_id = app.ids().series(app.now_ms());
    facts.map(|fact| (new_id(), fact))
}
