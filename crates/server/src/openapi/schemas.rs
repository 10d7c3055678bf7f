//! The shapes that bodies and answers have.

use super::{reference, row_schema};
use crate::given::GIVEN_MAX;
use crate::limits::Limits;
use crate::wire::RowKind;
use domain::{Action, Source, Surface};
use serde_json::{Map, Value, json};
use serving::SuggestedKind;

/// All of them, by name.
pub(super) fn schemas(limits: &Limits) -> Value {
    let mut all = answers();
    add_pins(&mut all);
    add_words(&mut all);
    add_experiments(&mut all);
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

pub(super) fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

fn answers() -> Value {
    let (text, whole, number) = (json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "number"}));
    let some = json!({"type": "object"});
    let numbers =
        json!({"type": "object", "additionalProperties": number, "description": "What the model saw, by name"});
    let refused = object(json!({"row": whole, "field": text, "reason": text}), &["row", "reason"]);
    let items = json!({"type": "array", "items": reference("Item")});
    let counted = object(json!({"value": text, "pins": whole}), &["value", "pins"]);
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
        "List": object(
            json!({
                "request_id": text, "surface": text, "pinner": text, "pinner_known": {"type": "boolean"},
                "items": items, "next_cursor": {"type": ["string", "null"]},
                "degraded": {"type": "array", "items": text}, "model": text, "explanation": reference("Explanation"),
                "spelling": reference("Spelling"), "did_you_mean": text,
                "guides": {"type": "array", "items": reference("Guide")},
                "related_queries": {"type": "array", "items": text},
                "facets": {"type": "object", "additionalProperties": {"type": "array", "items": counted}},
            }),
            &["request_id", "surface", "pinner", "pinner_known", "items", "next_cursor", "degraded", "model"],
        ),
        "Question": question(),
        "Ranking": ranking(),
        "Ranked": object(
            json!({"id": text, "position": whole, "score": number, "heads": heads(), "features": numbers}),
            &["id", "position", "score", "heads"],
        ),
        "Request": object(
            json!({
                "request_id": text, "ts": whole, "surface": text, "subject": {"type": ["object", "null"]},
                "pinner": text,
                "offset": whole, "shown": whole, "model": text, "items": items, "explanation": reference("Explanation"),
            }),
            &["request_id", "ts", "surface", "pinner", "items", "explanation"],
        ),
        "Health": some,
        "Clock": object(
            json!({"now": {"type": "integer", "minimum": 1, "description": "ms since 1970, UTC"}}),
            &["now"],
        ),
        "Interface": some,
    })
}

/// Pins in lists, by themselves, and for a review.
fn add_pins(all: &mut Value) {
    let (text, whole, number) = (json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "number"}));
    let size = object(json!({"width": whole, "height": whole}), &["width", "height"]);
    let copy = object(json!({"image": text, "width": whole}), &["image", "width"]);
    let card = json!({
        "id": text, "title": text, "creator": text, "image": text, "images": {"type": "array", "items": copy},
        "size": size, "color": text,
    });
    let mut item = card.clone();
    item["position"] = whole.clone();
    item["score"] = number;
    item["explanation"] = reference("Why");
    let (mut pin, mut doubtful) = (card.clone(), card);
    found(&mut pin);
    doubtful["labels"] = pin["labels"].clone();
    doubtful["decision"] = text.clone();
    for field in ["description", "picture", "language", "link"] {
        pin[field] = text.clone();
    }
    pin["topics"] = json!({"type": "array", "items": text});
    pin["palette"] = json!({"type": "array", "items": text});
    pin["created_ms"] = whole.clone();
    pin["expires_ms"] = whole.clone();
    all["Item"] = object(item, &["id", "title", "position", "score"]);
    all["Pin"] = object(pin, &["id", "title", "description", "topics", "palette", "created_ms"]);
    all["Picture"] = object(json!({"id": text, "image": text, "size": size}), &["id", "image"]);
    all["Removed"] = object(json!({"id": text, "removed": {"type": "boolean"}}), &["id", "removed"]);
    all["Decided"] = object(json!({"id": text, "verdict": text}), &["id", "verdict"]);
    let review = json!({
        "list": text, "next": {"type": ["integer", "null"]},
        "counts": {"type": "object", "additionalProperties": whole},
        "items": {"type": "array", "items": object(doubtful, &["id", "title", "labels"])},
    });
    all["Review"] = object(review, &["list", "counts", "items", "next"]);
}

/// What was found out about a pin.
fn found(pin: &mut Value) {
    let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let texts = json!({"type": "array", "items": text});
    let list = |item: Value| json!({"type": "array", "items": item});
    pin["found_topics"] = texts.clone();
    pin["annotations"] = list(object(json!({"term": text, "confidence": number}), &["term", "confidence"]));
    pin["labels"] = list(object(
        json!({"name": text, "value": number, "threshold": number, "terms": texts}),
        &["name", "value", "threshold"],
    ));
    pin["semantic_id"] = json!({"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4});
    pin["near_duplicates"] = texts;
}

/// Where an experiment stands.
pub(super) fn experiment_state() -> Value {
    let ramp = json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1});
    let running = object(json!({"running": object(json!({"ramp": ramp}), &["ramp"])}), &["running"]);
    json!({"oneOf": [{"enum": ["draft", "stopped", "killed"]}, running]})
}

/// Experiments, and what is asked for to define one.
fn add_experiments(all: &mut Value) {
    let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let overrides = json!({"type": "object", "additionalProperties": {"type": ["boolean", "number", "string"]}});
    let arm = object(json!({"name": text, "share": number, "overrides": overrides}), &["name", "share"]);
    let texts = json!({"type": "array", "items": text});
    let condition = object(json!({"trait": text, "any_of": texts, "not": {"type": "boolean"}}), &["trait", "any_of"]);
    let holdout = object(json!({"salt": text, "share": number}), &["salt", "share"]);
    let mut experiment = json!({
        "id": text, "salt": text, "layer": text, "arms": {"type": "array", "items": arm, "minItems": 2},
        "targeting": {"type": "array", "items": condition}, "state": experiment_state(),
    });
    let mut asked = experiment.clone();
    asked["share"] = json!({"type": "number", "description": "Its part of the layer", "default": 1});
    asked["holdout"] = holdout.clone();
    all["AskedExperiment"] = object(asked, &[]);
    let whole = json!({"type": "integer"});
    experiment["buckets"] = object(json!({"first": whole, "count": whole}), &["first", "count"]);
    let found = object(experiment.clone(), &["id", "salt", "layer", "buckets", "arms", "state"]);
    // A holdout is told as its salt and share.
    experiment["share"] = number;
    let listed = json!({
        "holdout": {"oneOf": [holdout, {"type": "null"}]}, "experiments": {"type": "array", "items": found},
        "trouble": text,
    });
    all["Experiments"] = object(listed, &["holdout", "experiments"]);
    all["Experiment"] = object(experiment, &["salt"]);
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
