//! Lists as answers, and what explains them.

use crate::cards::{Card, cards};
use crate::recent::Answered;
use crate::suggest::Ways;
use crate::wording::Spelling;
use domain::{Drop, HEADS, Move, ServedItem, StageTrace, Subject, Trace};
use models::{LEVELS, feature};
use serde::Serialize;
use serde_json::{Map, Value, json};
use serving::Catalogue;

/// One page of a ranking.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    /// Name of the ranking: outcomes refer to it, and `/v1/requests/{id}` explains it.
    pub(crate) request_id: String,
    pub(crate) surface: &'static str,
    pub(crate) pinner: String,
    /// Whether anything is known of the pinner; strangers get a feed all the same.
    pub(crate) pinner_known: bool,
    pub(crate) items: Vec<Item>,
    /// Gives the next page when handed back; absent on the last one.
    pub(crate) next_cursor: Option<String>,
    /// What was left out to be in time.
    pub(crate) degraded: Vec<String>,
    /// Version of the model that scored; empty when none was there.
    pub(crate) model: String,
    /// What was searched for in place of what was typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spelling: Option<Spelling>,
    /// What may have been meant, and was not searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) did_you_mean: Option<String>,
    /// Ways on from the first page of a search.
    #[serde(flatten)]
    pub(crate) ways: Option<Ways>,
    /// How many pins of the ranking have each word, by field; where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) facets: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explanation: Option<Explanation>,
}

/// One pin of a page.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    #[serde(flatten)]
    pub(crate) card: Card,
    /// Its place in the ranking, from 0.
    pub(crate) position: usize,
    /// What it was ordered by.
    pub(crate) score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explanation: Option<Value>,
}

/// What the funnel did.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    pub(crate) stages: Vec<Value>,
    /// Every candidate that was dropped, and by whom.
    pub(crate) dropped: Vec<Value>,
    /// How many each filter and cut dropped.
    pub(crate) dropped_by: Map<String, Value>,
    pub(crate) degraded: Vec<String>,
}

impl Explanation {
    pub(crate) fn of(trace: &Trace, catalogue: &Catalogue) -> Explanation {
        let counts = crate::metrics::count(trace.dropped.iter().map(|drop| drop.by));
        Explanation {
            stages: trace.stages.iter().map(stage).collect(),
            dropped: trace.dropped.iter().map(|drop| dropped(drop, catalogue)).collect(),
            dropped_by: counts.into_iter().map(|(by, count)| (by.to_owned(), count.into())).collect(),
            degraded: trace.degraded.clone(),
        }
    }
}

fn stage(stage: &StageTrace) -> Value {
    let StageTrace { name, took_us, before, after, note } = stage;
    json!({"name": name, "took_us": took_us, "before": before, "after": after, "note": note})
}

fn dropped(drop: &Drop, catalogue: &Catalogue) -> Value {
    let sources: Vec<&str> = drop.sources.iter().map(|source| source.as_str()).collect();
    json!({"id": catalogue.pin_key(drop.pin), "by": drop.by, "sources": sources})
}

/// Where a pin came from, its ranks and scores, and what moved it.
pub(crate) fn explain(item: &ServedItem) -> Value {
    let offers = item.sources.iter().zip(&item.offers);
    let sources: Vec<Value> = offers
        .map(|(source, (rank, score))| json!({"source": source.as_str(), "rank": rank, "score": number(*score)}))
        .collect();
    let moves: Vec<Value> =
        item.moves.iter().map(|Move { by, from, to }| json!({"by": by, "from": from, "to": to})).collect();
    json!({
        "sources": sources,
        "l1": {"rank": item.l1_rank, "score": number(item.l1)},
        "l2": {"rank": item.l2_rank},
        "heads": heads(item),
        "utility": number(item.utility),
        "moves": moves,
        "propensity": number(item.propensity),
        "relevance": relevance(item),
    })
}

/// How well a pin answers a search: its expected level, and the chance of each; null where that was not judged.
fn relevance(item: &ServedItem) -> Value {
    let levels = item.features.get(const { feature("level_0") }..).unwrap_or(&[]);
    let levels = &levels[..levels.len().min(LEVELS)];
    match item.features.get(const { feature("level") }) {
        Some(level) if levels.iter().sum::<f32>() > 0.0 => {
            json!({"level": number(*level), "chances": levels.iter().map(|chance| number(*chance)).collect::<Vec<_>>()})
        }
        _ => Value::Null,
    }
}

/// The chance of each action, by its name.
pub(crate) fn heads(item: &ServedItem) -> Map<String, Value> {
    HEADS.iter().zip(item.heads).map(|(head, chance)| (head.as_str().to_owned(), number(chance))).collect()
}

/// A score as JSON has it: what is no number is null.
pub(crate) fn number(value: f32) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// An answered request: what was asked, every ranked pin with its explanation, and what the funnel did.
pub(crate) fn answered(told: &Answered, catalogue: &Catalogue, now_ms: u64) -> Value {
    let ranked = &told.trace().ranked;
    let pins: Vec<_> = ranked.iter().map(|item| item.pin).collect();
    let rows = ranked.iter().zip(cards(catalogue, &pins, now_ms)).enumerate();
    let items: Vec<Item> = rows
        .map(|(position, (item, card))| Item {
            card: card.unwrap_or_else(|| Card { id: catalogue.pin_key(item.pin).to_owned(), ..Card::default() }),
            position,
            score: item.utility,
            explanation: Some(explain(item)),
        })
        .collect();
    json!({
        "request_id": told.request_id.to_string(),
        "ts": told.ts_ms,
        "surface": told.surface.as_str(),
        "subject": subject(&told.subject, catalogue),
        "pinner": told.pinner,
        "offset": told.offset,
        "shown": told.shown,
        "model": told.trace().model,
        "items": items,
        "explanation": Explanation::of(told.trace(), catalogue),
    })
}

fn subject(subject: &Subject, catalogue: &Catalogue) -> Value {
    match subject {
        Subject::None => Value::Null,
        Subject::Pin(pin) => json!({"pin": catalogue.pin_key(*pin)}),
        Subject::Board(board) => json!({"board": catalogue.board_key(*board)}),
        Subject::Query(words) => json!({"query": words}),
    }
}
