//! What a half-typed text may become.

mod best;
mod log;
mod typo;

use super::text::form;
use domain::limits::QUERY_BYTES_MAX;
use log::{Log, Places, inside, is_kept};
use std::collections::{BTreeMap, HashSet};
use typo::{begins_nearly, one_edit};

/// Longest query that is offered as a completion (bytes); longer ones are not kept.
const TEXT_BYTES_MAX: usize = 200;
/// Most completions of one answer.
const COMPLETIONS_MAX: usize = 100;
/// Most of the pinner's own queries that are looked at.
const OWN_MAX: usize = 64;
/// With so many of these in between, an own query counts half.
const OWN_HALF: f32 = 8.0;
/// Shorter beginnings have no mistakes: there would be too many ways to put them right (characters).
const TYPO_CHARS_MIN: usize = 4;
/// Most queries that are looked at for one that means something new.
const SAME_MAX: usize = 16;
/// Words of a query that say what it means.
const FORM_WORDS_MAX: usize = 16;

/// How a [`Completer`] judges.
#[derive(Clone, Debug, PartialEq)]
pub struct CompleterParams {
    /// Most queries that are kept: the best. Each takes some 70 bytes.
    pub entries_max: usize,
    /// Most queries that are new since the last [`merged`](Completer::merged); all are looked at for each completion.
    pub live_max: usize,
    /// After so long without being asked a query counts half (ms).
    pub half_life_ms: u64,
    /// So many times as popular is what the pinner asked before.
    pub own_boost: f32,
}

impl Default for CompleterParams {
    fn default() -> CompleterParams {
        let half_life_ms = 30 * 86_400_000;
        CompleterParams { entries_max: 2_000_000, live_max: 1_000, half_life_ms, own_boost: 100.0 }
    }
}

/// A query of the log: its text as normalised by the caller, how often it was asked, when last (ms).
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedQuery {
    /// What was asked; at most 200 bytes, or it is not kept.
    pub text: String,
    /// How often; not kept where it is not above 0.
    pub popularity: f32,
    /// When last (ms since 1970).
    pub last_ms: u64,
}

/// How a completion fits what was typed. Earlier kinds come first in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompletionKind {
    /// It begins with it.
    Beginning,
    /// One of its later words begins with it.
    Inside,
    /// It begins with it after one edit.
    BeginningNearly,
    /// One of its later words begins with it after one edit.
    InsideNearly,
}

/// A query that a half-typed text may become.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The query.
    pub text: String,
    /// How it fits what was typed.
    pub kind: CompletionKind,
    /// Popularity × recency × boost.
    pub score: f32,
    /// Whether the pinner asked it before.
    pub own: bool,
}

/// Completes what is being typed from a log of queries.
///
/// Queries that begin with the text come first, then those with a later word that does, then those that do after one
/// edit (from four characters on); within each kind by popularity × recency, the pinner's own queries boosted. Of
/// queries that differ by plurals, punctuation or the order of words only the best is offered.
///
/// The log is sorted, with the greatest score of every range at hand: an answer looks at little more than it offers.
/// What is asked since is looked at beside it; [`merged`](Completer::merged) makes one of both.
pub struct Completer {
    params: CompleterParams,
    log: Log,
    whole: Places,
    inside: Places,
    /// Queries that are new or were asked again, with all that the log knows of them.
    live: BTreeMap<String, (f32, u64)>,
}

/// A completion while it is looked for.
struct Found {
    text: String,
    score: f32,
    own: bool,
}

impl Completer {
    /// A completer of these queries; texts that come twice are added up.
    pub fn new(params: CompleterParams, queries: Vec<LoggedQuery>) -> Completer {
        let log = Log::of(queries, &params);
        let (whole, inside) = (Places::whole(&log), Places::inside(&log));
        Completer { params, log, whole, inside, live: BTreeMap::new() }
    }

    /// How many queries are kept, but for those that are new since the last merge.
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether no query is kept.
    pub fn is_empty(&self) -> bool {
        self.log.len() == 0 && self.live.is_empty()
    }

    /// A query was asked: it is offered from now on. False where it is not kept: it is too long, says nothing, or more
    /// came than [`CompleterParams::live_max`] since the last [`merged`](Completer::merged).
    pub fn record(&mut self, query: LoggedQuery) -> bool {
        if !is_kept(&query) {
            return false;
        }
        if let Some((popularity, last_ms)) = self.live.get_mut(&query.text) {
            *popularity += query.popularity;
            *last_ms = query.last_ms.max(*last_ms);
            return true;
        }
        if self.live.len() >= self.params.live_max {
            return false;
        }
        let known = self.log.find(&query.text).map(|entry| self.log.query(entry));
        let (popularity, last_ms) = known.map_or((0.0, 0), |known| (known.popularity, known.last_ms));
        self.live.insert(query.text, (popularity + query.popularity, last_ms.max(query.last_ms)));
        true
    }

    /// A completer with everything that was recorded in the log.
    pub fn merged(&self) -> Completer {
        let kept = (0..self.log.len()).filter(|&entry| !self.live.contains_key(self.log.text(entry)));
        let live = self.live.iter().map(|(text, &(popularity, last_ms))| {
            let text = text.clone();
            LoggedQuery { text, popularity, last_ms }
        });
        Completer::new(self.params.clone(), kept.map(|entry| self.log.query(entry)).chain(live).collect())
    }

    /// The best `k` completions of `typed` (at most 100), the best first. `own` are the pinner's queries, the newest
    /// first; they are offered even where the log does not know them.
    pub fn complete(&self, typed: &str, k: usize, now_ms: u64, own: &[&str]) -> Vec<Completion> {
        let typed = typed.trim_start();
        let k = k.min(COMPLETIONS_MAX);
        let mut offered = Vec::new();
        if typed.is_empty() || typed.len() > QUERY_BYTES_MAX {
            return offered;
        }
        let mut seen = HashSet::new();
        let nearly = typed.chars().nth(TYPO_CHARS_MIN - 1).is_some();
        use CompletionKind::{Beginning, BeginningNearly, Inside, InsideNearly};
        for kind in [Beginning, Inside, BeginningNearly, InsideNearly] {
            if offered.len() >= k || kind > Inside && !nearly {
                break;
            }
            let mut found = self.beside(typed, kind, now_ms, own);
            self.logged(typed, kind, k - offered.len(), &seen, &mut found);
            found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.text.cmp(&b.text)));
            for Found { text, score, own } in found {
                if offered.len() < k && seen.insert(form(&text, FORM_WORDS_MAX)) {
                    offered.push(Completion { text, kind, score: self.log.score_at(score, now_ms), own });
                }
            }
        }
        offered
    }

    /// The pinner's own queries and live ones.
    fn beside(&self, typed: &str, kind: CompletionKind, now_ms: u64, own: &[&str]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (rank, text) in own.iter().take(OWN_MAX).enumerate() {
            let known = found.iter().any(|other| other.text == *text);
            if text.len() > TEXT_BYTES_MAX || known || !fits(text, typed, kind) {
                continue;
            }
            let live = self.live.get(*text).map(|&(popularity, last_ms)| self.log.score(popularity, last_ms));
            let logged = || self.log.find(text).map(|entry| self.log.entry_score(entry));
            let score = live.or_else(logged).unwrap_or_else(|| self.log.score(1.0, now_ms));
            let boost = self.params.own_boost.max(1.0).log2() - rank as f32 / OWN_HALF;
            found.push(Found { text: (*text).to_owned(), score: score + boost, own: true });
        }
        let owned = found.len();
        for (text, &(popularity, last_ms)) in &self.live {
            if fits(text, typed, kind) && !found[..owned].iter().any(|own| own.text == *text) {
                found.push(Found { text: text.clone(), score: self.log.score(popularity, last_ms), own: false });
            }
        }
        found
    }

    /// Adds the best of the log that mean something else than `seen`, up to `wanted`.
    fn logged(&self, typed: &str, kind: CompletionKind, wanted: usize, seen: &HashSet<u64>, found: &mut Vec<Found>) {
        let places = match kind {
            CompletionKind::Beginning | CompletionKind::BeginningNearly => &self.whole,
            CompletionKind::Inside | CompletionKind::InsideNearly => &self.inside,
        };
        let ranges = if kind <= CompletionKind::Inside {
            vec![places.narrowed(&self.log, &places.all(), 0, typed)]
        } else {
            one_edit(&self.log, places, typed)
        };
        let beside = found.len();
        let mut forms = HashSet::new();
        for (entry, score) in places.best(&self.log, &ranges).take(wanted.saturating_mul(SAME_MAX)) {
            let text = self.log.text(entry);
            let known = self.live.contains_key(text) || found[..beside].iter().any(|other| other.text == text);
            let form = form(text, FORM_WORDS_MAX);
            if !known && !seen.contains(&form) && forms.insert(form) {
                found.push(Found { text: text.to_owned(), score, own: false });
                if forms.len() == wanted {
                    break;
                }
            }
        }
    }
}

fn fits(text: &str, typed: &str, kind: CompletionKind) -> bool {
    match kind {
        CompletionKind::Beginning => text.starts_with(typed),
        CompletionKind::Inside => inside(text).any(|at| text[at..].starts_with(typed)),
        CompletionKind::BeginningNearly => begins_nearly(text, typed),
        CompletionKind::InsideNearly => inside(text).any(|at| begins_nearly(&text[at..], typed)),
    }
}

#[cfg(test)]
mod tests;
