//! The interface described for programs: OpenAPI 3.1, built here and nowhere else. A test holds it against the routes.

mod schemas;

use crate::app::App;
use crate::limits::Limits;
use crate::lists::PAGE;
use crate::problem::Kind;
use crate::review;
use crate::routes;
use crate::suggest::{SUGGESTED, SUGGESTED_MAX};
use crate::wire::RowKind;
use axum::Json;
use axum::extract::State;
use domain::Verdict;
use schemas::{object, schemas};
use serde_json::{Map, Value, json};
use serving::FACETS;

/// `GET /openapi.json`
pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    Json(document(app.limits()))
}

/// What the document says of one method of one path, besides what the route itself knows.
struct Entry {
    method: &'static str,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    /// Name of the answer's schema; none when it is not JSON.
    answer: Option<&'static str>,
    /// Statuses besides 200 and those that everything may answer.
    problems: &'static [u16],
}

const fn entry(
    (method, path): (&'static str, &'static str),
    name: &'static str,
    summary: &'static str,
    answer: Option<&'static str>,
    problems: &'static [u16],
) -> Entry {
    Entry { method, path, name, summary, answer, problems }
}

const TAKES: &[u16] = &[400, 413, 415];
const LISTS: &[u16] = &[400, 410];
const LISTS_OF: &[u16] = &[400, 404, 410];

const ENTRIES: [Entry; 28] = [
    entry(("post", "/v1/events"), "sendEvents", "Tell what pinners did", Some("Outcome"), TAKES),
    entry(("post", "/v1/pins"), "sendPins", "Add pins or describe them anew", Some("Outcome"), TAKES),
    entry(("post", "/v1/boards"), "sendBoards", "Add boards or describe them anew", Some("Outcome"), TAKES),
    entry(("post", "/v1/pinners"), "sendPinners", "Add pinners or describe them anew", Some("Outcome"), TAKES),
    entry(("get", "/v1/pins/{id}"), "getPin", "Look at a pin", Some("Pin"), &[400, 404]),
    entry(("delete", "/v1/pins/{id}"), "removePin", "Take a pin away", Some("Removed"), &[400, 404]),
    entry(
        ("put", "/v1/pins/{id}/image"),
        "putPicture",
        "Give a pin its picture (JPEG, PNG or WebP)",
        Some("Picture"),
        &[400, 404, 413, 415],
    ),
    entry(("get", "/v1/pins/{id}/related"), "getRelated", "More like this pin", Some("List"), LISTS_OF),
    entry(("get", "/v1/feed/{pinner}"), "getFeed", "A pinner's home feed", Some("List"), LISTS),
    entry(("get", "/v1/search"), "search", "Pins for these words", Some("List"), LISTS),
    entry(("get", "/v1/autocomplete"), "complete", "What a half-typed search may become", Some("Completions"), &[400]),
    entry(("get", "/v1/trending"), "getTrending", "What is searched for of late", Some("Trends"), &[400]),
    entry(("get", "/v1/boards/{id}/ideas"), "getIdeas", "More for this board", Some("List"), LISTS_OF),
    entry(
        ("post", "/v1/search/visual"),
        "searchVisual",
        "Pins that look like a picture (JPEG, PNG or WebP)",
        Some("List"),
        &[400, 404, 410, 413, 415],
    ),
    entry(("post", "/v1/rank"), "rank", "Rank given pins", Some("Ranking"), &[400, 404, 413, 415]),
    entry(("get", "/v1/review"), "listReview", "Pins that somebody should look at", Some("Review"), &[400]),
    entry(
        ("post", "/v1/pins/{id}/review"),
        "reviewPin",
        "Decide whether a pin is shown, whatever its labels say",
        Some("Decided"),
        &[400, 404, 413, 415],
    ),
    entry(("get", "/v1/experiments"), "listExperiments", "All experiments", Some("Experiments"), &[]),
    entry(
        ("post", "/v1/experiments"),
        "defineExperiment",
        "Define an experiment, or the long-term holdout",
        Some("Experiment"),
        &[400, 413, 415],
    ),
    entry(("get", "/v1/experiments/{id}"), "getExperiment", "An experiment", Some("Experiment"), &[404]),
    entry(
        ("post", "/v1/experiments/{id}"),
        "changeExperiment",
        "Start an experiment, widen its ramp, stop or kill it",
        Some("Experiment"),
        &[400, 404, 413, 415],
    ),
    entry(
        ("post", "/v1/clock"),
        "setClock",
        "Tell the time to a server that was started for it",
        Some("Clock"),
        &[400, 404, 413, 415],
    ),
    entry(("get", "/v1/requests/{id}"), "getRequest", "Why an answer was what it was", Some("Request"), &[400, 404]),
    entry(("get", "/media/{folder}/{name}"), "getPicture", "A picture or a thumbnail", None, &[304, 400, 404]),
    entry(("get", "/health/live"), "isLive", "Whether the process answers", Some("Health"), &[]),
    entry(("get", "/health/ready"), "isReady", "Whether it should get requests", Some("Health"), &[]),
    entry(("get", "/metrics"), "getMetrics", "Figures for Prometheus", None, &[]),
    entry(("get", "/openapi.json"), "getInterface", "This document", Some("Interface"), &[]),
];

/// The whole document.
pub(crate) fn document(limits: &Limits) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for entry in &ENTRIES {
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        path[entry.method] = operation(entry, limits);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bowerbird",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Pins, boards and what people do go in; feeds, related pins, search and ideas come out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {
                "type": "http",
                "scheme": "bearer",
                "description": "Not needed while the server has no keys and listens on this machine only.",
            }},
            "schemas": schemas(limits),
        },
    })
}

fn operation(entry: &Entry, limits: &Limits) -> Value {
    let role =
        routes::api().iter().find(|route| (route.method, route.path) == (entry.method, entry.path)).map(|r| r.role);
    let role = role.flatten();
    let mut responses: Map<String, Value> = Map::new();
    responses.insert("200".to_owned(), answer(entry));
    // Everything ends in time, and nothing is ready while the data is opened.
    let all: &[u16] = if role.is_some() { &[401, 403, 408, 500, 503] } else { &[403, 408, 500, 503] };
    for status in entry.problems.iter().chain(all) {
        responses.insert(status.to_string(), problem(*status));
    }
    let mut operation = json!({
        "operationId": entry.name,
        "summary": entry.summary,
        "parameters": parameters(entry, limits),
        "responses": responses,
    });
    match role {
        Some(role) => operation["description"] = json!(format!("Needs a key that may {role}.")),
        None => operation["security"] = json!([]),
    }
    if let Some(body) = body(entry, limits) {
        operation["requestBody"] = body;
    }
    operation
}

fn answer(entry: &Entry) -> Value {
    let content = match entry.answer {
        Some(schema) => json!({"application/json": {"schema": reference(schema)}}),
        None if entry.path == "/metrics" => json!({"application/openmetrics-text": {"schema": {"type": "string"}}}),
        None => {
            let picture = json!({"schema": {"type": "string", "format": "binary"}});
            json!({"image/jpeg": picture, "image/png": picture, "image/webp": picture})
        }
    };
    json!({"description": entry.summary, "content": content})
}

fn problem(status: u16) -> Value {
    if status == 304 {
        return json!({"description": "You have it already"});
    }
    let kinds = Kind::ALL.iter().filter(|kind| kind.status().as_u16() == status);
    let titles: Vec<&str> = kinds.map(|kind| kind.title()).collect();
    json!({
        "description": titles.join("; "),
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    })
}

fn parameters(entry: &Entry, limits: &Limits) -> Vec<Value> {
    let in_path = entry.path.split(['{', '}']).skip(1).step_by(2);
    let mut all: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    let mut add = |name: &str, description: String, schema: Value, required: bool| {
        all.push(
            json!({"name": name, "in": "query", "required": required, "description": description, "schema": schema}),
        );
    };
    let bounds = |max: u64, default: u64| json!({"type": "integer", "minimum": 1, "maximum": max, "default": default});
    let words = json!({"type": "string", "maxLength": domain::limits::QUERY_BYTES_MAX});
    if ["/v1/autocomplete", "/v1/trending"].contains(&entry.path) {
        if entry.path == "/v1/autocomplete" {
            add("q", "What is typed so far; a space behind a word says that it is whole".into(), words.clone(), false);
            add(
                "pinner",
                "Who types: what they searched for before comes first".into(),
                json!({"type": "string"}),
                false,
            );
        }
        add("limit", "How many at most".into(), bounds(SUGGESTED_MAX, SUGGESTED), false);
    }
    if entry.name == "listReview" {
        let list = json!({"enum": review::LISTS.map(|(name, _)| name), "default": review::LISTS[0].0});
        add("list", "Which pins: those in doubt, withheld by labels, kept or hidden by decision".into(), list, false);
        add("limit", "How many at most".into(), bounds(review::PAGE_MAX, review::PAGE), false);
        add("after", "`next` of the part before".into(), json!({"type": "integer"}), false);
    }
    if entry.answer != Some("List") {
        return all;
    }
    if entry.path == "/v1/search" {
        add("q", "The words".into(), words, true);
        let verbatim = "Search for the words as they are typed, whatever they may be meant to be";
        add("verbatim", verbatim.into(), json!({"type": "boolean", "default": false}), false);
        let facets =
            format!("Fields whose words are counted over the ranking, such as `color,topic`; of {}", FACETS.join(", "));
        add("facets", facets, json!({"type": "string"}), false);
    }
    if entry.path == "/v1/search/visual" {
        let words = json!({"type": "string", "maxLength": domain::limits::QUERY_BYTES_MAX});
        add("q", "Words that say what else is wanted, such as a colour".into(), words, false);
        let pin = "The pin whose picture is asked with; then no body is needed";
        add("pin", pin.into(), json!({"type": "string"}), false);
        let crop = "The part of the picture that counts: left,top,width,height as shares from 0 to 1";
        add("crop", crop.into(), json!({"type": "string"}), false);
    }
    if entry.path != "/v1/feed/{pinner}" {
        add("pinner", "Who asks; nobody when absent".into(), json!({"type": "string"}), false);
    }
    add("limit", "Pins of a page".into(), bounds(limits.page_max as u64, PAGE), false);
    add("cursor", "`next_cursor` of the page before".into(), json!({"type": "string"}), false);
    let filter = "What pins must pass, such as `color:blue AND NOT topic:(shoes, bags)`; fields: language, creator, \
                  topic, annotation, color, label, created (ms, UTC)";
    add("filter", filter.into(), json!({"type": "string", "maxLength": 4000}), false);
    add("explain", "Tell why for every pin".into(), json!({"type": "boolean", "default": false}), false);
    let deadline = bounds(limits.deadline_ms_max, domain::Params::default().deadline_ms);
    add("deadline_ms", "What is not found by then is left out".into(), deadline, false);
    all
}

fn body(entry: &Entry, limits: &Limits) -> Option<Value> {
    if ["putPicture", "searchVisual"].contains(&entry.name) {
        let bytes = json!({"schema": {"type": "string", "format": "binary", "maxLength": limits.picture_bytes_max}});
        let content = json!({"image/jpeg": bytes, "image/png": bytes, "image/webp": bytes});
        return Some(json!({"required": entry.name == "putPicture", "content": content}));
    }
    if entry.name == "rank" {
        return Some(json!({"required": true, "content": {"application/json": {"schema": reference("Question")}}}));
    }
    if entry.name == "setClock" {
        return Some(json!({"required": true, "content": {"application/json": {"schema": reference("Clock")}}}));
    }
    if entry.name == "reviewPin" {
        let verdict = json!({
            "enum": Verdict::ALL.map(Verdict::as_str),
            "description": "show it, hide it, or review: take an earlier decision back",
        });
        let schema = object(json!({"verdict": verdict}), &["verdict"]);
        return Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}));
    }
    if let "defineExperiment" | "changeExperiment" = entry.name {
        let schema = if entry.name == "changeExperiment" {
            object(json!({"state": schemas::experiment_state()}), &["state"])
        } else {
            reference("AskedExperiment")
        };
        return Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}));
    }
    let kind = RowKind::ALL.into_iter().find(|kind| entry.path == format!("/v1/{}", kind.as_str()))?;
    let row = reference(row_schema(kind));
    let rows = json!({"oneOf": [row, {"type": "array", "items": row, "maxItems": limits.rows_max}]});
    Some(json!({
        "required": true,
        "description": "One row, an array of rows, or one row a line. A bad row is refused by itself.",
        "content": {"application/json": {"schema": rows}, "application/x-ndjson": {"schema": row}},
    }))
}

fn row_schema(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Event => "EventRow",
        RowKind::Pin => "PinRow",
        RowKind::Board => "BoardRow",
        RowKind::Pinner => "PinnerRow",
    }
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Role;

    #[test]
    fn every_route_is_documented_and_every_documented_path_is_a_route() {
        let mut routes: Vec<(&str, &str)> = routes::api().iter().map(|route| (route.method, route.path)).collect();
        let mut documented: Vec<(&str, &str)> = ENTRIES.iter().map(|entry| (entry.method, entry.path)).collect();
        routes.sort_unstable();
        documented.sort_unstable();
        assert_eq!(routes, documented);
    }

    #[test]
    fn every_reference_leads_somewhere_and_names_are_unique() {
        let document = document(&Limits::default());
        let text = document.to_string();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().expect("a name");
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        let mut names: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ENTRIES.len());
        assert_eq!(
            document["paths"]["/v1/pins/{id}"]["delete"]["description"],
            format!("Needs a key that may {}.", Role::Write)
        );
    }
}
