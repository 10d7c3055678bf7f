//! Ways on from a search: words that split what was found.

use super::phrases::phrases;
use super::{Suggestions, is_small, normalised, words};
use crate::catalogue::Catalogue;
use domain::PinId;
use index::{Guide, GuideParams, GuideSources, guides};

/// Best results that are looked at.
const RESULTS_MAX: usize = 100;
/// Most guides of an answer.
const GUIDES_MAX: usize = 12;
/// Words of a guide.
const WORDS_MAX: usize = 2;

impl Suggestions {
    /// Words that split the best of what was found for a search, each with the search that it leads to.
    pub fn guides(&self, catalogue: &Catalogue, query: &str, found: &[PinId]) -> Vec<Guide> {
        let Some(query) = normalised(query) else { return Vec::new() };
        let found = &found[..found.len().min(RESULTS_MAX)];
        let texts = found.iter().filter_map(|&pin| {
            let view = catalogue.pin_view(pin)?;
            let topics = view.topics().map(str::to_lowercase);
            Some(phrases(view.title, WORDS_MAX).into_iter().chain(topics).collect::<Vec<String>>())
        });
        let texts: Vec<Vec<String>> = texts.collect();
        let results: Vec<Vec<&str>> = texts.iter().map(|pin| pin.iter().map(String::as_str).collect()).collect();
        let results: Vec<&[&str]> = results.iter().map(Vec::as_slice).collect();
        let log = self.asked_with(&query);
        let sources = GuideSources {
            query: &query,
            results: &results,
            log: &log,
            pins_with: &|phrase| self.phrases.pins_with(phrase),
            pins: self.phrases.pins(),
        };
        let mut found = guides(&sources, GUIDES_MAX, &GuideParams::default());
        found.retain(|guide| !says_the_same(&guide.label, &query));
        found
    }

    /// Popular searches with the word of a search that the fewest have.
    fn asked_with(&self, query: &str) -> Vec<(&str, f32)> {
        let lists = words(query).filter(|word| !is_small(word)).map(|word| self.with_word.get(&*word));
        // A word that no search has leaves nothing.
        let fewest = lists.map(|list| list.map_or(&[][..], Vec::as_slice)).min_by_key(|list| list.len());
        let searches = fewest.unwrap_or(&[]).iter().filter_map(|&number| self.log.get(number as usize));
        searches.map(|(text, popularity)| (&**text, *popularity)).collect()
    }
}

/// Whether every word of a label is a word of the search with another ending.
fn says_the_same(label: &str, query: &str) -> bool {
    let known: Vec<String> = words(query).collect();
    words(label).all(|word| known.iter().any(|known| word.starts_with(&**known) || known.starts_with(&*word)))
}
