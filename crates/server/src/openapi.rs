//! The interface described for programs: OpenAPI 3.1, built here and nowhere else. A test holds it against the routes.

use crate::app::App;
use crate::given::GIVEN_MAX;
use crate::limits::Limits;
use crate::lists::PAGE;
use crate::problem::Kind;
use crate::routes;
use crate::suggest::{SUGGESTED, SUGGESTED_MAX};
use crate::wire::RowKind;
use axum::Json;
use axum::extract::State;
use domain::{Action, Source, Surface};
use serde_json::{Map, Value, json};
use serving::SuggestedKind;

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

const ENTRIES: [Entry; 21] = [
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
    if entry.answer != Some("List") {
        return all;
    }
    if entry.path == "/v1/search" {
        add("q", "The words".into(), words, true);
        let verbatim = "Search for the words as they are typed, whatever they may be meant to be";
        add("verbatim", verbatim.into(), json!({"type": "boolean", "default": false}), false);
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
    let filter = "What pins must pass, such as `language:en AND NOT topic:(shoes, bags)`; fields: language, creator, \
                  topic, created (ms, UTC)";
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

fn schemas(limits: &Limits) -> Value {
    let mut all = answers();
    add_words(&mut all);
    for kind in RowKind::ALL {
        let mut properties: Map<String, Value> = Map::new();
        properties.insert("type".to_owned(), json!({"const": kind.noun()}));
        for field in kind.fields() {
            properties.insert((*field).to_owned(), field_schema(kind, field));
        }
        let required: &[&str] = if kind == RowKind::Event { &["pinner", "action"] } else { &["id"] };
        all[row_schema(kind)] = object(Value::Object(properties), required);
        all[row_schema(kind)]["additionalProperties"] = json!(false);
    }
    all["Problem"]["description"] =
        json!(format!("RFC 9457. Bodies of more than {} bytes are one.", limits.body_bytes_max));
    all
}

fn field_schema(kind: RowKind, field: &str) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let moment = json!({"type": "integer", "description": "ms since 1970, UTC"});
    match field {
        "event_id" => text("A ULID: the same one sent again changes nothing; made by the server when absent"),
        "request_id" => text("The request that showed the pin"),
        "ts" | "created_ms" | "expires_ms" => moment,
        "action" => json!({"enum": Action::ALL.map(Action::as_str)}),
        "surface" => json!({"enum": Surface::ALL.map(Surface::as_str), "default": "home"}),
        "position" => json!({"type": "integer", "minimum": 0, "maximum": u16::MAX}),
        "value" => json!({"type": "number", "minimum": 0, "description": "Dwell time in ms"}),
        "props" => json!({"type": "object", "description": "Anything else. Of an impression on `related`, `subject` \
            is the id of the pin beside which it was shown, where no request of this server showed it."}),
        "topics" => json!({"type": "array", "items": {"type": "string"}, "maxItems": domain::limits::TOPICS_MAX}),
        "traits" => json!({
            "type": "array", "items": {"type": "string", "maxLength": domain::limits::TRAIT_BYTES_MAX},
            "maxItems": domain::limits::TRAITS_MAX,
            "description": "What else is known, as words that a model can learn from, such as `material=oak`; never \
                            shown, and never inferred of people",
        }),
        "unsafe" => json!({"type": "boolean", "description": "May not be shown to anybody", "default": false}),
        "image" => text("An http(s) address, or the picture itself as a base64 data URL"),
        "link" => text("An http(s) address"),
        "language" => text("Two letters"),
        "board" | "pin" | "pinner" | "id" | "creator" => {
            json!({"type": "string", "maxLength": domain::limits::ID_BYTES_MAX})
        }
        _ if kind == RowKind::Event => text("The words searched for"),
        _ => json!({"type": "string"}),
    }
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

fn answers() -> Value {
    let (text, whole, number) = (json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "number"}));
    let some = json!({"type": "object"});
    let numbers =
        json!({"type": "object", "additionalProperties": number, "description": "What the model saw, by name"});
    let size = object(json!({"width": whole, "height": whole}), &["width", "height"]);
    let card = json!({"id": text, "title": text, "creator": text, "image": text, "size": size, "color": text});
    let mut item = card.clone();
    item["position"] = whole.clone();
    item["score"] = number.clone();
    item["explanation"] = reference("Why");
    let mut pin = card;
    for field in ["description", "picture", "language", "link"] {
        pin[field] = text.clone();
    }
    pin["topics"] = json!({"type": "array", "items": text});
    pin["palette"] = json!({"type": "array", "items": text});
    pin["created_ms"] = whole.clone();
    pin["expires_ms"] = whole.clone();
    let refused = object(json!({"row": whole, "field": text, "reason": text}), &["row", "reason"]);
    let items = json!({"type": "array", "items": reference("Item")});
    json!({
        "Problem": object(
            json!({"type": text, "title": text, "status": whole, "detail": text, "field": text}),
            &["type", "title", "status", "detail"],
        ),
        "Outcome": object(
            json!({
                "accepted": whole, "duplicates": whole, "refused_count": whole,
                "refused": {"type": "array", "items": refused},
            }),
            &["accepted", "duplicates", "refused", "refused_count"],
        ),
        "Why": why(),
        "Explanation": explanation(),
        "Item": object(item, &["id", "title", "position", "score"]),
        "List": object(
            json!({
                "request_id": text, "surface": text, "pinner": text, "pinner_known": {"type": "boolean"},
                "items": items, "next_cursor": {"type": ["string", "null"]},
                "degraded": {"type": "array", "items": text}, "model": text, "explanation": reference("Explanation"),
                "spelling": reference("Spelling"), "did_you_mean": text,
                "guides": {"type": "array", "items": reference("Guide")},
                "related_queries": {"type": "array", "items": text},
            }),
            &["request_id", "surface", "pinner", "pinner_known", "items", "next_cursor", "degraded", "model"],
        ),
        "Question": question(),
        "Ranking": ranking(),
        "Ranked": object(
            json!({"id": text, "position": whole, "score": number, "heads": heads(), "features": numbers}),
            &["id", "position", "score", "heads"],
        ),
        "Pin": object(pin, &["id", "title", "description", "topics", "palette", "created_ms"]),
        "Removed": object(json!({"id": text, "removed": {"type": "boolean"}}), &["id", "removed"]),
        "Picture": object(json!({"id": text, "image": text, "size": size}), &["id", "image"]),
        "Request": object(
            json!({
                "request_id": text, "ts": whole, "surface": text, "subject": {"type": ["object", "null"]},
                "pinner": text,
                "offset": whole, "shown": whole, "model": text, "items": items, "explanation": reference("Explanation"),
            }),
            &["request_id", "ts", "surface", "pinner", "items", "explanation"],
        ),
        "Health": some,
        "Interface": some,
    })
}

/// What is said of words that are typed: corrections, ways on, completions, trends.
fn add_words(all: &mut Value) {
    let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let kind = json!({"enum": SuggestedKind::ALL.map(SuggestedKind::as_str)});
    let completion = object(json!({"text": text, "kind": kind}), &["text", "kind"]);
    let completions = json!({"type": "array", "items": completion});
    let trends = json!({"type": "array", "items": object(json!({"text": text, "ratio": number}), &["text"])});
    let spelling = json!({"typed": text, "searched": text, "confidence": number});
    all["Spelling"] = object(spelling, &["typed", "searched", "confidence"]);
    all["Guide"] = object(json!({"label": text, "query": text}), &["label", "query"]);
    all["Completions"] = object(json!({"q": text, "completions": completions}), &["q", "completions"]);
    all["Trends"] = object(json!({"trending": trends}), &["trending"]);
}

/// Given pins, ranked.
fn ranking() -> Value {
    let (text, flag) = (json!({"type": "string"}), json!({"type": "boolean"}));
    object(
        json!({
            "request_id": text, "surface": text, "pinner": text, "pinner_known": flag,
            "items": {"type": "array", "items": reference("Ranked")},
            "unknown": {"type": "array", "items": text}, "model": text, "explanation": reference("Explanation"),
        }),
        &["request_id", "surface", "pinner", "pinner_known", "items", "unknown", "model"],
    )
}

/// What pins can be ranked for.
fn question() -> Value {
    let id = json!({"type": "string", "maxLength": domain::limits::ID_BYTES_MAX});
    let words = json!({"type": "string", "maxLength": domain::limits::QUERY_BYTES_MAX});
    let mut question = object(
        json!({
            "pinner": id, "surface": {"enum": Surface::ALL.map(Surface::as_str), "default": "home"},
            "pin": id, "board": id, "query": words,
            "pins": {"type": "array", "items": id, "minItems": 1, "maxItems": GIVEN_MAX},
            "explain": {"type": "boolean", "default": false},
        }),
        &["pins"],
    );
    question["description"] = json!(
        "Who would see the pins, where, and what for (at most one of `pin`, `board` and `query`); `explain` tells what \
         the model saw of each"
    );
    question["additionalProperties"] = json!(false);
    question
}

/// Why one pin is where it is.
fn why() -> Value {
    let whole = json!({"type": "integer", "minimum": 0});
    let score = json!({"type": ["number", "null"], "description": "null where it is no number"});
    let offer = object(json!({"source": source(), "rank": whole, "score": score}), &["source", "rank", "score"]);
    let step = object(json!({"by": {"type": "string"}, "from": whole, "to": whole}), &["by", "from", "to"]);
    let mut why = object(
        json!({
            "sources": {"type": "array", "items": offer},
            "l1": object(json!({"rank": whole, "score": score}), &["rank", "score"]),
            "l2": object(json!({"rank": whole}), &["rank"]),
            "heads": heads(),
            "utility": score,
            "moves": {"type": "array", "items": step},
            "propensity": score,
            "relevance": {"type": ["object", "null"]},
        }),
        &["sources", "l1", "l2", "heads", "utility", "moves", "propensity", "relevance"],
    );
    why["description"] = json!(
        "With `explain=true`: who offered the pin, its ranks and scores from 0, the chance of each action, what it is \
         ordered by, what moved it, and with what chance it was given its place"
    );
    why
}

/// The chance of each action.
fn heads() -> Value {
    let chance = json!({"type": ["number", "null"], "description": "null where it is no number"});
    let heads = domain::HEADS.iter().map(|head| (head.as_str().to_owned(), chance.clone()));
    object(Value::Object(heads.collect()), &[])
}

/// What the funnel did for a request.
fn explanation() -> Value {
    let (text, whole) = (json!({"type": "string"}), json!({"type": "integer", "minimum": 0}));
    let stage = object(
        json!({"name": text, "took_us": whole, "before": whole, "after": whole, "note": {"type": ["string", "null"]}}),
        &["name", "took_us", "before", "after", "note"],
    );
    let sources = json!({"type": "array", "items": source()});
    let dropped = object(json!({"id": text, "by": text, "sources": sources}), &["id", "by", "sources"]);
    let mut explanation = object(
        json!({
            "stages": {"type": "array", "items": stage},
            "dropped": {"type": "array", "items": dropped},
            "dropped_by": {"type": "object", "additionalProperties": whole},
            "degraded": {"type": "array", "items": text},
        }),
        &["stages", "dropped", "dropped_by", "degraded"],
    );
    explanation["description"] =
        json!("Each stage with its time (µs) and candidates before and after it, and every candidate that was dropped");
    explanation
}

fn source() -> Value {
    json!({"enum": Source::ALL.map(Source::as_str)})
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
