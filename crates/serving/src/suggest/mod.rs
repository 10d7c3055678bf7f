//! What people may mean, type next or look for after: spelling, completions, guides, related and trending searches.
//!
//! All of it is made of the catalogue's titles, topics and boards, and of what was searched for ([`Searches`], a part
//! of the views), beside the requests, and replaced as a whole ([`build`]). A request reads what there is and waits for
//! nothing. What only one pinner searched for, and the title that only one pinner gave a board, is told to nobody.

mod build;
mod guide;
mod own;
mod phrases;
mod searches;

pub(crate) use build::Suggesting;
use index::{Completer, CompletionKind, RelatedQueries, Speller};
use own::Own;
use phrases::{Phrases, is_small, words};
pub(crate) use searches::Searches;
use searches::normalised;
use std::collections::HashMap;

/// From this confidence on another text may be searched for than the one that was typed.
const SURE: f32 = 0.8;
/// From this confidence on it is asked whether another text was meant.
const WORTH_ASKING: f32 = 0.4;
/// So many times fewer pins have what was typed than what was meant: far fewer.
const FAR_FEWER: u32 = 10;
/// Most related searches of an answer.
const RELATED_MAX: usize = 8;

/// Everything that is known of what people type, as of one moment.
///
/// Bounded, whatever the catalogue and the log hold: some 150,000 words of the speller (45 MB), 400,000 completions
/// (40 MB), 250,000 phrases (20 MB), 300,000 pins with the searches that led to them (25 MB), and the last 8 searches
/// of 50,000 pinners (20 MB).
pub struct Suggestions {
    speller: Speller,
    completer: Completer,
    phrases: Phrases,
    /// Searches in the order of their letters with their popularity: their places are their numbers.
    log: Vec<(Box<str>, f32)>,
    /// Numbers of the most popular searches with each word.
    with_word: HashMap<Box<str>, Vec<u32>>,
    /// Topics in the order of their letters.
    topics: Vec<Box<str>>,
    related: RelatedQueries,
    trends: Vec<Trending>,
    own: Own,
}

/// What words were taken for.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What was meant.
    pub text: String,
    /// How likely, `0..=1`.
    pub confidence: f32,
    /// Whether to search for it at once: it is likely, and far more pins have it than what was typed.
    pub sure: bool,
}

/// What may be typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggested {
    /// The words.
    pub text: String,
    /// Where they come from.
    pub kind: SuggestedKind,
}

/// Where a suggestion comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuggestedKind {
    /// The pinner searched for it before.
    Own,
    /// It was searched for.
    Search,
    /// It is a topic of pins.
    Topic,
    /// Titles of pins or boards have it.
    Phrase,
}

impl SuggestedKind {
    /// Every kind.
    pub const ALL: [SuggestedKind; 4] =
        [SuggestedKind::Own, SuggestedKind::Search, SuggestedKind::Topic, SuggestedKind::Phrase];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            SuggestedKind::Own => "own",
            SuggestedKind::Search => "search",
            SuggestedKind::Topic => "topic",
            SuggestedKind::Phrase => "phrase",
        }
    }
}

/// A search that many make of late.
#[derive(Clone, Debug, PartialEq)]
pub struct Trending {
    /// The words.
    pub text: String,
    /// So many times as often as it used to be; `None` where it is merely popular.
    pub ratio: Option<f32>,
}

impl Suggestions {
    /// What a half-typed text may become, the best first: what the pinner, if anybody, searched for before comes before
    /// other things that fit as well. `now_ms` is the moment of the request.
    pub fn complete(&self, typed: &str, pinner: &str, wanted: usize, now_ms: u64) -> Vec<Suggested> {
        let ends = typed.ends_with(char::is_whitespace);
        let Some(mut text) = normalised(typed) else { return Vec::new() };
        // A space behind a word says that the word is whole.
        text.push_str(if ends { " " } else { "" });
        let own: Vec<&str> = self.own.of(pinner).iter().map(AsRef::as_ref).collect();
        let found = self.completer.complete(&text, wanted, now_ms, &own);
        let forgiven = |kind: CompletionKind| kind > CompletionKind::Inside;
        // With mistakes forgiven, words inside of others are guesses of guesses: they fill up only.
        let exact = found.iter().any(|completion| !forgiven(completion.kind));
        let far = |kind: CompletionKind| exact && kind == CompletionKind::InsideNearly;
        let kept = found.into_iter().filter(|completion| !far(completion.kind));
        let kind = |text: &str, own: bool| if own { SuggestedKind::Own } else { self.kind(text) };
        kept.map(|found| Suggested { kind: kind(&found.text, found.own), text: found.text }).collect()
    }

    fn kind(&self, text: &str) -> SuggestedKind {
        if self.number(text).is_some() {
            SuggestedKind::Search
        } else if self.topics.binary_search_by(|topic| (**topic).cmp(text)).is_ok() {
            SuggestedKind::Topic
        } else {
            SuggestedKind::Phrase
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        self.log.binary_search_by(|(query, _)| (**query).cmp(text)).ok().map(|at| at as u32)
    }

    /// What words were meant to be, where they may have been mistyped. What stands in quotes is meant as it stands.
    pub fn read(&self, typed: &str) -> Option<Reading> {
        let found = self.speller.correct(typed);
        if found.changes.is_empty() || typed.contains('"') || found.confidence < WORTH_ASKING {
            return None;
        }
        let phrase = |text: &str| words(text).collect::<Vec<_>>().join(" ");
        let fewer = found.changes.iter().all(|change| {
            let [typed, meant] = [&change.typed, &change.meant].map(|text| self.phrases.pins_with(&phrase(text)));
            typed.saturating_mul(FAR_FEWER) <= meant
        });
        Some(Reading { text: found.text, confidence: found.confidence, sure: fewer && found.confidence >= SURE })
    }

    /// Other words to search for where no pin has what was typed, the nearest first: what was meant however unsure that
    /// is, the same without quotes, and without the word that the fewest pins have.
    pub fn instead(&self, typed: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut offer = |text: String| {
            if text != typed && !text.trim().is_empty() && !found.contains(&text) {
                found.push(text);
            }
        };
        offer(self.speller.correct(typed).text);
        offer(typed.replace('"', " ").split_whitespace().collect::<Vec<_>>().join(" "));
        let words: Vec<String> = words(typed).collect();
        let rarest = (0..words.len()).min_by_key(|&at| (self.phrases.pins_with(&words[at]), at));
        if let Some(rarest) = rarest.filter(|_| words.len() > 1) {
            let kept = words.iter().enumerate().filter(|&(at, _)| at != rarest).map(|(_, word)| word.as_str());
            offer(kept.collect::<Vec<_>>().join(" "));
        }
        found
    }

    /// Searches that lead to the same pins as this one, the closest first.
    pub fn related(&self, query: &str) -> Vec<&str> {
        let Some(number) = normalised(query).and_then(|query| self.number(&query)) else { return Vec::new() };
        let found = self.related.of(number, RELATED_MAX);
        found.iter().filter_map(|related| self.log.get(related.query as usize)).map(|(text, _)| &**text).collect()
    }

    /// What is asked more than it used to be; where that is less than `wanted`, what is asked most.
    pub fn trending(&self, wanted: usize) -> &[Trending] {
        &self.trends[..wanted.min(self.trends.len())]
    }

    /// How many searches and phrases may be offered as completions.
    pub fn completions(&self) -> usize {
        self.completer.len()
    }
}

#[cfg(test)]
mod tests;
