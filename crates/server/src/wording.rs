//! What a search searches for: the words as they were typed, or what they were meant to be. Whatever is searched for
//! in place of what was typed is told, and `verbatim=true` searches for nothing else.

use crate::app::App;
use domain::{EventId, Params, Request, Slate, Subject, Surface};
use serde::Serialize;
use serving::{Reading, UNMATCHED};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Most other wordings that are tried where no pin has the words.
const TRIED_MAX: usize = 4;

/// What became of the words of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wording {
    /// The words as they were typed.
    pub(crate) typed: String,
    /// What was searched for, where that is something else.
    pub(crate) searched: Option<String>,
    /// How likely that was meant, where it is a correction.
    pub(crate) confidence: Option<f32>,
    /// What may have been meant, and was not searched for.
    pub(crate) did_you_mean: Option<String>,
}

/// A correction as the wire has it.
#[derive(Debug, Serialize)]
pub(crate) struct Spelling {
    pub(crate) typed: String,
    pub(crate) searched: String,
    /// How likely that was meant, from 0 to 1.
    pub(crate) confidence: f32,
}

impl Wording {
    /// The words that were searched for.
    pub(crate) fn words(&self) -> &str {
        self.searched.as_deref().unwrap_or(&self.typed)
    }

    pub(crate) fn spelling(&self) -> Option<Spelling> {
        let (searched, confidence) = (self.searched.clone()?, self.confidence?);
        Some(Spelling { typed: self.typed.clone(), searched, confidence })
    }
}

/// Ranks what a request asks for. Of a search, the words may be read in another way: then the request says what was
/// searched for.
pub(crate) async fn serve(app: &App, params: &Params, request: &mut Request, verbatim: bool) -> (Slate, Wording) {
    let Some(typed) = words_of(request) else {
        return (app.pipeline().serve(request.clone(), params).await, Wording::default());
    };
    let mut wording = Wording { typed, ..Wording::default() };
    let suggestions = app.views().suggestions().filter(|_| !verbatim);
    let reading = suggestions.as_ref().and_then(|suggestions| suggestions.read(&wording.typed));
    match reading {
        // Suggestions are a moment old: a fresh pin may say what was typed.
        Some(Reading { text, confidence, sure: true }) if !is_a_title(app, &wording.typed) => {
            (wording.searched, wording.confidence) = (Some(text), Some(confidence));
        }
        Some(Reading { text, .. }) => wording.did_you_mean = Some(text),
        None => {}
    }
    request.subject = Subject::Query(wording.words().to_owned());
    let slate = app.pipeline().serve(request.clone(), params).await;
    if verbatim || !unmatched(&slate) {
        return (slate, wording);
    }
    // No pin has the words: that is rare, and worth a second ranking.
    let Some(words) = matched_instead(app, &wording.typed).await else { return (slate, wording) };
    request.subject = Subject::Query(words.clone());
    let mut slate = app.pipeline().serve(request.clone(), params).await;
    slate.trace.degraded.push(format!("no pin has '{}': searched for '{words}' instead", wording.typed));
    (slate, Wording { typed: wording.typed, searched: Some(words), ..Wording::default() })
}

/// Whether a pin's title has all words just as they were typed.
fn is_a_title(app: &App, typed: &str) -> bool {
    const LOOKED_AT: usize = 8;
    let (found, typed) = (app.views().text().search(typed, LOOKED_AT).unwrap_or_default(), typed.to_lowercase());
    let catalogue = app.views().catalogue();
    let has_all = |title: &str| {
        let title = title.to_lowercase();
        typed.split_whitespace().all(|word| title.split_whitespace().any(|known| known == word))
    };
    found.iter().any(|(pin, _)| catalogue.pin_view(*pin).is_some_and(|view| has_all(view.title)))
}

/// The words of a search by words alone.
fn words_of(request: &Request) -> Option<String> {
    match &request.subject {
        Subject::Query(words) if request.surface == Surface::Search && request.look.is_none() => Some(words.clone()),
        _ => None,
    }
}

pub(crate) fn unmatched(slate: &Slate) -> bool {
    slate.trace.degraded.iter().any(|why| why.starts_with(UNMATCHED))
}

/// Other words that pins have.
async fn matched_instead(app: &App, typed: &str) -> Option<String> {
    let (app, typed) = (app.clone(), typed.to_owned());
    let look = move || {
        let others = app.views().suggestions()?.instead(&typed).into_iter().take(TRIED_MAX);
        let mut others = others.filter(|words| words.len() <= domain::limits::QUERY_BYTES_MAX);
        others.find(|words| app.views().text().search(words, 1).is_ok_and(|found| !found.is_empty()))
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

/// What became of the words of rankings that are kept for paging, where that is anything; the oldest leaves when there
/// are too many.
pub(crate) struct Wordings {
    inner: Mutex<Inner>,
    count_max: usize,
}

#[derive(Default)]
struct Inner {
    by_id: HashMap<EventId, Arc<Wording>>,
    order: VecDeque<EventId>,
}

impl Wordings {
    pub(crate) fn new(count_max: usize) -> Wordings {
        Wordings { inner: Mutex::default(), count_max: count_max.max(1) }
    }

    pub(crate) fn put(&self, id: EventId, wording: Arc<Wording>) {
        if wording.searched.is_none() && wording.did_you_mean.is_none() {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.by_id.insert(id, wording).is_none() {
            inner.order.push_back(id);
        }
        if inner.order.len() > self.count_max {
            let oldest = inner.order.pop_front();
            oldest.map(|id| inner.by_id.remove(&id));
        }
    }

    /// What became of the words of a ranking; for one about which nothing is noted, they were searched for as typed.
    pub(crate) fn of(&self, id: EventId, subject: &Subject) -> Arc<Wording> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.by_id.get(&id).cloned().unwrap_or_else(|| {
            let typed = if let Subject::Query(words) = subject { words.clone() } else { String::new() };
            Arc::new(Wording { typed, ..Wording::default() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_are_bounded_and_only_those_that_say_something_are_kept() {
        let wordings = Wordings::new(2);
        let corrected = |text: &str| Arc::new(Wording { searched: Some(text.into()), ..Wording::default() });
        for number in 0..4u128 {
            wordings.put(EventId(number), corrected(&number.to_string()));
        }
        wordings.put(EventId(9), Arc::default());
        let subject = Subject::Query("typed".into());
        let words = |number| wordings.of(EventId(number), &subject).words().to_owned();
        assert_eq!([1, 2, 3, 9].map(words), ["typed", "2", "3", "typed"]);
    }
}
