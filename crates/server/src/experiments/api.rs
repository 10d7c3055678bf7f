//! Experiments over HTTP: what there is, define one, start, widen, stop or kill it.

use super::{Definition, HOLDOUT};
use crate::app::App;
use crate::body;
use crate::extract::Segment;
use crate::pins::named;
use crate::problem::{Kind, Problem};
use crate::revise::{EXPERIMENTS, Revision};
use crate::wire::RowKind;
use crate::wire::rows::Layout;
use axum::Json;
use axum::body::Body;
use axum::extract::State as Of;
use axum::http::HeaderMap;
use domain::{Defined, Fact};
use experiments::{
    Arm, BUCKETS, Buckets, Experiment, ExperimentError, Holdout, Layers, State, Targeting, free_buckets,
};
use serde::{Deserialize, Serialize};

const BODY_BYTES_MAX: usize = 64 << 10;
/// The layer of an experiment that names none.
const LAYER: &str = "main";

/// All experiments.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    holdout: Option<Holdout>,
    experiments: Vec<Experiment>,
    /// Why nobody is in any arm, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// `GET /v1/experiments`
pub(crate) async fn list(Of(app): Of<App>) -> Json<Listed> {
    let defined = app.defined();
    Json(Listed {
        holdout: defined.holdout.clone(),
        experiments: defined.experiments.clone(),
        trouble: defined.trouble.clone(),
    })
}

/// `GET /v1/experiments/{id}`
pub(crate) async fn show(Of(app): Of<App>, Segment(id): Segment) -> Result<Json<Experiment>, Problem> {
    app.defined().find(&id).cloned().map(Json).ok_or_else(|| unknown(&id))
}

fn unknown(id: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no experiment '{id}'")).on("id")
}

/// What is asked for: an experiment, or the long-term holdout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    id: Option<String>,
    /// Its own id where it says none.
    salt: Option<String>,
    layer: Option<String>,
    /// Its part of the layer, 0 to 1: all of it where it says none.
    share: Option<f64>,
    #[serde(default)]
    arms: Vec<Arm>,
    #[serde(default)]
    targeting: Targeting,
    #[serde(default)]
    state: State,
    holdout: Option<Holdout>,
}

/// `POST /v1/experiments`
pub(crate) async fn define(
    Of(app): Of<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<serde_json::Value>, Problem> {
    let asked: Asked = read(&app, &headers, body).await?;
    let definition = app.ingest(RowKind::Pin, "defining an experiment", move |app, asker| {
        let revision = Revision::begin(app, asker, &[EXPERIMENTS])?;
        let definition = app.definition(asked)?;
        let id = match &definition {
            Definition::Experiment(experiment) => experiment.id.clone(),
            Definition::Holdout(_) => HOLDOUT.to_owned(),
        };
        write(app, revision, id, &definition)?;
        Ok(definition)
    });
    answer(&app, definition.await?).await
}

/// Where an experiment is to stand from now on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    state: State,
}

/// `POST /v1/experiments/{id}`
pub(crate) async fn change(
    Of(app): Of<App>,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<serde_json::Value>, Problem> {
    let Change { state } = read(&app, &headers, body).await?;
    answer(&app, set_state(&app, id, state).await?).await
}

/// Moves an experiment on, when its definition and all others allow it.
pub(crate) async fn set_state(app: &App, id: String, state: State) -> Result<Definition, Problem> {
    app.ingest(RowKind::Pin, "changing an experiment", move |app, asker| {
        let revision = Revision::begin(app, asker, &[EXPERIMENTS])?;
        let old = app.defined().find(&id).cloned().ok_or_else(|| unknown(&id))?;
        let definition = app.allowed(Experiment { state, ..old })?;
        write(app, revision, id, &definition)?;
        Ok(definition)
    })
    .await
}

impl App {
    /// What is asked for as a definition that fits to all others.
    fn definition(&self, asked: Asked) -> Result<Definition, Problem> {
        let defined = self.defined();
        if let Some(holdout) = asked.holdout {
            if asked.id.is_some() || !asked.arms.is_empty() {
                return Err(Problem::new(Kind::BadBody, "a holdout has no id and no arms").on("holdout"));
            }
            let same = |old: &Holdout| old.salt == holdout.salt && old.share == holdout.share;
            if defined.holdout.as_ref().is_some_and(|old| !same(old)) {
                let why = "there is a holdout already: changing it would let units out that must know nothing";
                return Err(Problem::new(Kind::BadBody, why).on("holdout"));
            }
            Layers::new(Some(holdout.clone()), &defined.experiments).map_err(refused)?;
            return Ok(Definition::Holdout(holdout));
        }
        let id = asked.id.ok_or_else(|| Problem::new(Kind::BadBody, "missing").on("id"))?;
        if id == HOLDOUT {
            return Err(Problem::new(Kind::BadBody, "the holdout has this id").on("id"));
        }
        let layer = asked.layer.unwrap_or_else(|| LAYER.to_owned());
        let buckets = match defined.find(&id) {
            Some(old) => old.buckets,
            None => buckets(&defined.experiments, &layer, asked.share.unwrap_or(1.0))?,
        };
        let (arms, targeting, state) = (asked.arms, asked.targeting, asked.state);
        let salt = asked.salt.unwrap_or_else(|| id.clone());
        self.allowed(Experiment { id, salt, layer, buckets, arms, targeting, state })
    }

    /// An experiment, if it contradicts neither itself nor what it was nor any other.
    fn allowed(&self, experiment: Experiment) -> Result<Definition, Problem> {
        let tunable = |name: &str, value: &experiments::Value| {
            self.with_overrides(&[(name.to_owned(), value.clone())].into()).map(|_| ())
        };
        experiment.check(tunable).map_err(refused)?;
        for arm in &experiment.arms {
            let why = |why| Problem::new(Kind::BadBody, format!("arm '{}': {why}", arm.name)).on("arms");
            self.with_overrides(&arm.overrides).map_err(why)?;
        }
        let defined = self.defined();
        if let Some(old) = defined.find(&experiment.id) {
            old.may_become(&experiment).map_err(refused)?;
        }
        let mut all: Vec<Experiment> =
            defined.experiments.iter().filter(|other| other.id != experiment.id).cloned().collect();
        all.push(experiment.clone());
        Layers::new(defined.holdout.clone(), &all).map_err(refused)?;
        Ok(Definition::Experiment(experiment))
    }
}

/// Free buckets of a layer for this part of it.
fn buckets(experiments: &[Experiment], layer: &str, share: f64) -> Result<Buckets, Problem> {
    if !(share > 0.0 && share <= 1.0) {
        return Err(Problem::new(Kind::BadBody, format!("must be above 0 and at most 1, not {share}")).on("share"));
    }
    let count = (share * f64::from(BUCKETS)).round().max(1.0) as u32;
    free_buckets(experiments, layer, count).ok_or_else(|| {
        let why = format!("layer '{layer}' has no {count} free buckets of {BUCKETS} in a row: stop another one");
        Problem::new(Kind::BadBody, why).on("share")
    })
}

fn refused(error: ExperimentError) -> Problem {
    Problem::new(Kind::BadBody, error.to_string())
}

async fn read<T: for<'a> Deserialize<'a>>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    if body::layout(headers)? != Layout::Json {
        return Err(Problem::new(Kind::MediaType, "an experiment is JSON"));
    }
    let bytes = body::read(app.room(), headers, body, BODY_BYTES_MAX).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::BadBody, error.to_string()))
}

fn write(app: &App, revision: Revision, id: String, definition: &Definition) -> Result<(), Problem> {
    let text = serde_json::to_string(definition).map_err(|error| Problem::internal("writing a definition", error))?;
    let fact = Fact::Defined(Defined { id, definition: text, ts_ms: app.now_ms() });
    revision.append(&named(app, [fact])).map(|_| ())
}

/// The definition, once answers are made by it.
async fn answer(app: &App, definition: Definition) -> Result<Json<serde_json::Value>, Problem> {
    app.find(|_| None::<()>).await;
    serde_json::to_value(definition).map(Json).map_err(|error| Problem::internal("writing a definition", error))
}
