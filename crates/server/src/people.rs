//! Pinners and their boards as they are shown: who they are, what they like, what they collect.

use crate::app::App;
use crate::cards::Card;
use domain::{BoardId, PinId, PinnerId, hash64};
use serving::{BoardView, Catalogue, PinView};
use std::collections::BTreeMap;

/// Pinners that are looked through for a search.
const LOOKED_AT_MAX: usize = 500_000;
/// Pinners that are looked through at a time: the consumer, and with it everybody, waits that long.
const BLOCK: usize = 2_048;
/// Pinners that are looked at for suggestions.
const SAMPLED_MAX: usize = 512;
/// Pins of a board that are looked through for a cover.
const COVER_PINS_MAX: usize = 64;
/// Pictures of a collage.
const COLLAGE: usize = 3;

/// A pinner to choose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What they like most, in words; empty when unknown.
    pub(crate) likes: Vec<String>,
    /// Pins that they liked lately.
    pub(crate) collage: Vec<Card>,
    /// How many actions are known.
    pub(crate) actions: usize,
}

/// A board of a pinner.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) pins: u32,
    pub(crate) collage: Vec<Card>,
}

/// The name of a pinner to show: their id when they have no other.
pub(crate) fn name(app: &App, pinner: &str) -> String {
    let catalogue = app.views().catalogue();
    let view = catalogue.pinner(pinner).and_then(|id| catalogue.pinner_view(id));
    view.map(|view| view.name).filter(|name| !name.is_empty()).unwrap_or(pinner).to_owned()
}

/// Some pinners of whom enough is known, always the same as long as nothing changes much.
pub(crate) fn suggestions(app: &App, count: usize) -> Vec<Person> {
    let catalogue = app.views().catalogue();
    let pinners = catalogue.pinners();
    let stride = (pinners / SAMPLED_MAX).max(1);
    let signals = app.views().signals();
    let mut sample: Vec<(usize, PinnerId)> = (0..pinners)
        .step_by(stride)
        .take(SAMPLED_MAX)
        .map(|number| PinnerId(number as u32))
        .map(|id| (signals.history(id).len(), id))
        .filter(|(length, _)| *length > 0)
        .collect();
    drop(signals);
    // Those with a long history first; among those with enough, chance decides once and for all.
    const ENOUGH: usize = 12;
    sample.sort_by_key(|(length, id)| (std::cmp::Reverse((*length).min(ENOUGH)), hash64(u64::from(id.0))));
    sample.iter().take(count).map(|(_, id)| person(app, &catalogue, *id)).collect()
}

/// Pinners whose id or name holds the words, those that begin with them first.
pub(crate) fn find(app: &App, words: &str, count: usize) -> Vec<Person> {
    let words = words.to_lowercase();
    let mut found: Vec<(bool, PinnerId)> = Vec::new();
    for start in (0..LOOKED_AT_MAX).step_by(BLOCK) {
        let catalogue = app.views().catalogue();
        let block = start..(start + BLOCK).min(catalogue.pinners());
        if block.is_empty() || found.len() >= 64 * count {
            break;
        }
        for id in block.map(|number| PinnerId(number as u32)) {
            let Some(view) = catalogue.pinner_view(id) else { continue };
            let (key, name) = (view.key.to_lowercase(), view.name.to_lowercase());
            if key.contains(&words) || name.contains(&words) {
                found.push((!(key.starts_with(&words) || name.starts_with(&words)), id));
            }
        }
    }
    found.sort();
    let catalogue = app.views().catalogue();
    found.iter().take(count).map(|(_, id)| person(app, &catalogue, *id)).collect()
}

fn person(app: &App, catalogue: &Catalogue, id: PinnerId) -> Person {
    let liked: Vec<PinId> = app.views().signals().history(id).iter().rev().map(|act| act.pin).collect();
    let mut topics: BTreeMap<&str, usize> = BTreeMap::new();
    let views = || liked.iter().filter_map(|&pin| catalogue.pin_view(pin));
    views().for_each(|view| view.topics().for_each(|topic| *topics.entry(topic).or_default() += 1));
    let mut topics: Vec<(&str, usize)> = topics.into_iter().collect();
    topics.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let view = catalogue.pinner_view(id);
    let key = catalogue.pinner_key(id);
    Person {
        id: key.to_owned(),
        name: view.map(|view| view.name).filter(|name| !name.is_empty()).unwrap_or(key).to_owned(),
        likes: topics.into_iter().take(3).map(|(topic, _)| topic.to_owned()).collect(),
        collage: collage(catalogue, &liked, COLLAGE, app.now_ms()),
        actions: liked.len(),
    }
}

/// A few pins that may be shown, of different topics where there are some, pictures first.
fn collage(catalogue: &Catalogue, pins: &[PinId], count: usize, now_ms: u64) -> Vec<Card> {
    let mut chosen: Vec<(bool, bool, usize, PinView<'_>)> = Vec::new();
    let mut topics: Vec<&str> = Vec::new();
    let shown = pins.iter().take(COVER_PINS_MAX).filter(|&&pin| catalogue.servable(pin, now_ms)).enumerate();
    for (place, view) in shown.filter_map(|(place, &pin)| Some((place, catalogue.pin_view(pin)?))) {
        let topic = view.topics().next().unwrap_or_default();
        let known = topics.contains(&topic);
        topics.push(topic);
        let bare = view.thumbnail.is_none() && view.image.is_none();
        if !chosen.iter().any(|(.., other)| other.key == view.key) {
            chosen.push((bare, known, place, view));
        }
    }
    chosen.sort_by_key(|(bare, known, place, _)| (*bare, *known, *place));
    chosen.iter().take(count).map(|(.., view)| Card::of(view)).collect()
}

/// The boards of a pinner, the newest first. Saves without a board lie on an unnamed one, which comes last.
pub(crate) fn shelves(app: &App, pinner: &str) -> Vec<Shelf> {
    const BOARDS_MAX: usize = 200;
    let catalogue = app.views().catalogue();
    let Some(view) = catalogue.pinner(pinner).and_then(|id| catalogue.pinner_view(id)) else { return Vec::new() };
    let mut boards: Vec<BoardId> = view.boards.iter().rev().take(BOARDS_MAX).copied().collect();
    boards.sort_by_key(|&board| catalogue.board_view(board).is_some_and(|view| view.unnamed));
    let graph = app.views().graph();
    let pins: Vec<Vec<PinId>> = boards.iter().map(|&board| graph.pins_of(board).collect()).collect();
    drop(graph);
    let shelf = |(&board, mut pins): (&BoardId, Vec<PinId>)| {
        let view = catalogue.board_view(board)?;
        let count = pins.len() as u32;
        pins.reverse();
        Some(Shelf {
            id: view.key.to_owned(),
            title: title(&view),
            pins: count,
            collage: collage(&catalogue, &pins, COLLAGE, app.now_ms()),
        })
    };
    boards.iter().zip(pins).filter_map(shelf).collect()
}

/// A board that may be looked at: its name, its owner's id and its pins, the newest first.
pub(crate) fn board(app: &App, id: &str) -> Option<(BoardId, String, Vec<Card>)> {
    const PINS_MAX: usize = 120;
    let catalogue = app.views().catalogue();
    let board = catalogue.board(id)?;
    let title = title(&catalogue.board_view(board)?);
    let mut pins: Vec<PinId> = app.views().graph().pins_of(board).collect();
    pins.reverse();
    pins.truncate(PINS_MAX);
    let cards = crate::cards::cards(&catalogue, &pins, app.now_ms()).into_iter().flatten().collect();
    Some((board, title, cards))
}

/// Ids and titles of the boards that a pinner may save to, the newest first.
pub(crate) fn names(app: &App, pinner: &str) -> Vec<(String, String)> {
    const BOARDS_MAX: usize = 100;
    let catalogue = app.views().catalogue();
    let Some(view) = catalogue.pinner(pinner).and_then(|id| catalogue.pinner_view(id)) else { return Vec::new() };
    let boards = view.boards.iter().rev().filter_map(|&board| catalogue.board_view(board));
    let named = boards.filter(|view| !view.unnamed).take(BOARDS_MAX);
    named.map(|view| (view.key.to_owned(), title(&view))).collect()
}

fn title(view: &BoardView<'_>) -> String {
    let title = if view.unnamed { "Saved pins" } else { view.title };
    if title.is_empty() { view.key.to_owned() } else { title.to_owned() }
}
