//! Ways on from a query: refinements that split what was found.

mod related;
mod trending;

use super::text::{form, singular, tokens};
pub use related::{Engagement, RelatedQueries, RelatedQuery};
use std::collections::{BTreeMap, BTreeSet};
pub use trending::{QueryCounts, Trend, TrendingParams, trending};

/// Most results that are looked at, and phrases of one; later ones are left out.
const RESULTS_MAX: usize = 1_000;
const PHRASES_MAX: usize = 64;
/// Most queries of the log that are looked at.
const LOGGED_MAX: usize = 10_000;
/// Most guides of an answer.
const GUIDES_MAX: usize = 32;
/// Candidates that are compared with each other.
const CANDIDATES_MAX: usize = 256;
/// A word shorter than that guides nobody (characters).
const WORD_CHARS_MIN: usize = 2;
/// Words of a text that are looked at.
const WORDS_MAX: usize = 16;
/// Two labels found in the same results to this extent (Jaccard) mean the same.
const SAME_MAX: f32 = 0.7;

/// What guides are made from.
#[derive(Clone, Copy)]
pub struct GuideSources<'a> {
    /// What is searched for.
    pub query: &'a str,
    /// For each result the phrases of its title, topics and annotations: of one or two words, others are left out.
    pub results: &'a [&'a [&'a str]],
    /// Queries of the log with how often they were asked; those that hold the query and more words count.
    pub log: &'a [(&'a str, f32)],
    /// How many pins of the collection have a phrase.
    pub pins_with: &'a dyn Fn(&str) -> u32,
    /// How many pins the collection has.
    pub pins: u32,
}

/// Which refinements are good.
#[derive(Clone, Debug, PartialEq)]
pub struct GuideParams {
    /// The least results that a refinement leaves.
    pub count_min: usize,
    /// The least share of results that it leaves, and the greatest.
    pub share_min: f32,
    /// The greatest share of results that it leaves.
    pub share_max: f32,
    /// So many times more often than in the collection it is found in the results, or else it was asked for.
    pub lift_min: f32,
}

impl Default for GuideParams {
    fn default() -> GuideParams {
        GuideParams { count_min: 2, share_min: 0.04, share_max: 0.7, lift_min: 1.2 }
    }
}

/// A refinement of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    /// What is added: one word or two.
    pub label: String,
    /// The refined query, as it is asked most; where nobody asked it, the query and the label.
    pub query: String,
    /// How many of the results it is found in.
    pub count: usize,
}

/// A label while guides are chosen.
struct Candidate {
    label: String,
    words: BTreeSet<String>,
    found_in: Vec<bool>,
    count: usize,
    asked: f32,
    query: Option<String>,
    score: f32,
}

fn word_set(text: &str) -> BTreeSet<String> {
    tokens(text, WORDS_MAX).iter().map(|token| singular(&token.word)).collect()
}

/// Up to `k` refinements (at most 32), the best first.
///
/// A good one leaves neither few nor almost all of the results, is found in them more often than in the collection, or
/// was asked for, and is no other word for the query or for a better one. The score is the information of the split
/// (Shannon, 1948) times the logarithm of the lift, times how often it was asked; each next one is worth less the more
/// of its results the chosen ones have.
pub fn guides(sources: &GuideSources, k: usize, params: &GuideParams) -> Vec<Guide> {
    let query_words = word_set(sources.query);
    let results = &sources.results[..sources.results.len().min(RESULTS_MAX)];
    let mut candidates = candidates(sources, results, &query_words);
    let asked: f32 = candidates.iter().map(|candidate| candidate.asked).fold(0.0, f32::max);
    candidates.retain_mut(|candidate| {
        let share = candidate.count as f32 / results.len().max(1) as f32;
        let whole = (sources.pins_with)(&candidate.label) as f32 + 0.5;
        let lift =
            (candidate.count as f32 + 0.5) / (results.len() as f32 + 1.0) / (whole / (sources.pins as f32 + 1.0));
        let splits = candidate.count >= params.count_min && (params.share_min..=params.share_max).contains(&share);
        let information = -share * share.log2() - (1.0 - share) * (1.0 - share).log2();
        let wanted = if asked > 0.0 { candidate.asked.ln_1p() / asked.ln_1p() } else { 0.0 };
        candidate.score = information * (lift.max(1.0).ln_1p() + wanted);
        splits && (lift >= params.lift_min || candidate.asked > 0.0) && candidate.score.is_finite()
    });
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.label.cmp(&b.label)));
    candidates.truncate(CANDIDATES_MAX);
    chosen(candidates, k.min(GUIDES_MAX))
        .into_iter()
        .map(|candidate| {
            let query = candidate.query.unwrap_or_else(|| format!("{} {}", sources.query.trim(), candidate.label));
            Guide { label: candidate.label, query, count: candidate.count }
        })
        .collect()
}

/// Labels of the results and of the log, each with the results that it is found in.
fn candidates(sources: &GuideSources, results: &[&[&str]], query_words: &BTreeSet<String>) -> Vec<Candidate> {
    let mut by_form: BTreeMap<u64, Candidate> = BTreeMap::new();
    for (at, phrases) in results.iter().enumerate() {
        for phrase in phrases.iter().take(PHRASES_MAX) {
            let words: Vec<String> = tokens(phrase, WORDS_MAX).into_iter().map(|token| token.word).collect();
            let short = words.iter().all(|word| word.chars().count() < WORD_CHARS_MIN);
            let set = word_set(phrase);
            if words.is_empty() || words.len() > 2 || short || !set.is_disjoint(query_words) {
                continue;
            }
            let new = || Candidate {
                label: words.join(" "),
                words: set,
                found_in: vec![false; results.len()],
                count: 0,
                asked: 0.0,
                query: None,
                score: 0.0,
            };
            let candidate = by_form.entry(form(phrase, WORDS_MAX)).or_insert_with(new);
            candidate.count += usize::from(!candidate.found_in[at]);
            candidate.found_in[at] = true;
        }
    }
    let mut most: BTreeMap<u64, f32> = BTreeMap::new();
    for (text, count) in sources.log.iter().take(LOGGED_MAX).filter(|(_, count)| *count > 0.0 && count.is_finite()) {
        let words = tokens(text, WORDS_MAX);
        let (held, more): (Vec<_>, Vec<_>) =
            words.iter().map(|token| &token.word).partition(|word| query_words.contains(&singular(word)));
        let held: BTreeSet<String> = held.into_iter().map(|word| singular(word)).collect();
        let label = more.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        if query_words.is_empty() || held != *query_words {
            continue;
        }
        // What no result has leads nowhere.
        let number = form(&label, WORDS_MAX);
        if let Some(candidate) = by_form.get_mut(&number) {
            candidate.asked += count;
            let most = most.entry(number).or_default();
            if *count > *most {
                (*most, candidate.query) = (*count, Some((*text).to_owned()));
            }
        }
    }
    by_form.into_values().collect()
}

/// The best by what each adds to those before.
fn chosen(mut candidates: Vec<Candidate>, k: usize) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::new();
    while chosen.len() < k {
        let worth = |candidate: &Candidate| {
            let same = chosen.iter().map(|other| same(candidate, other)).fold(0.0, f32::max);
            if same > SAME_MAX { 0.0 } else { candidate.score * (1.0 - same) }
        };
        let worths: Vec<f32> = candidates.iter().map(worth).collect();
        let best = (0..worths.len()).max_by(|&a, &b| worths[a].total_cmp(&worths[b]).then(b.cmp(&a)));
        let Some(best) = best.filter(|&best| worths[best] > 0.0) else { break };
        chosen.push(candidates.remove(best));
    }
    chosen
}

/// How far two labels mean the same, `0..=1`: those that share a word do, others as far as their results are the same.
fn same(a: &Candidate, b: &Candidate) -> f32 {
    if !a.words.is_disjoint(&b.words) {
        return 1.0;
    }
    let both = a.found_in.iter().zip(&b.found_in).filter(|(a, b)| **a && **b).count();
    both as f32 / (a.count + b.count - both).max(1) as f32
}

#[cfg(test)]
mod tests;
