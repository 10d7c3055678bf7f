//! Chips that narrow a search: words that its pins have, with counts; those that are on can be taken off again.

use crate::app::App;
use crate::facets;
use crate::lists::Page;
use crate::parameters::{Parameters, encode};
use crate::problem::Problem;
use maud::{Markup, html};

/// The fields that can be narrowed by, and what they are called.
const FIELDS: [(&str, &str); 5] = [
    ("topic", "Topic"),
    ("color", "Colour"),
    ("annotation", "About"),
    ("creator", "Creator"),
    ("language", "Language"),
];
/// Words of a field that are offered.
const WORDS_MAX: usize = 8;

/// What a search is narrowed to: at most one word a field.
#[derive(Default)]
pub(super) struct Narrowed(Vec<(&'static str, String)>);

impl Narrowed {
    pub(super) fn read(given: &mut Parameters) -> Narrowed {
        Narrowed(FIELDS.into_iter().filter_map(|(field, _)| Some((field, given.text(field)?))).collect())
    }

    /// As a filter; an error when it is too long for one.
    pub(super) fn filter(&self, app: &App) -> Result<String, Problem> {
        let quoted = |word: &str| word.replace('\\', "\\\\").replace('"', "\\\"");
        let parts: Vec<String> = self.0.iter().map(|(field, word)| format!("{field}:\"{}\"", quoted(word))).collect();
        let filter = parts.join(" AND ");
        let checked = app.views().catalogue().check_filter(&filter);
        checked.map(|()| filter).map_err(|error| Problem::parameter("filter", error.to_string()))
    }

    /// As the end of an address that has parameters already.
    pub(super) fn address(&self) -> String {
        self.0.iter().map(|(field, word)| format!("&{field}={}", encode(word))).collect()
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    fn without(&self, field: &str) -> Narrowed {
        Narrowed(self.0.iter().filter(|(known, _)| *known != field).cloned().collect())
    }

    fn with(&self, field: &'static str, word: &str) -> Narrowed {
        let mut more = self.without(field);
        more.0.push((field, word.to_owned()));
        more
    }

    /// Chips for all of a ranking; `here` is the address of the search as it is without them.
    pub(super) fn chips(&self, app: &App, page: &Page, here: &str) -> Markup {
        let found = page.slate.items.len();
        let open = FIELDS.into_iter().filter(|(field, _)| !self.0.iter().any(|(on, _)| on == field));
        let offered = open.filter_map(|(field, label)| {
            let mut words = facets::counts(app, page, field, WORDS_MAX);
            // What all pins have does not part them.
            words.retain(|(_, pins)| *pins < found);
            (!words.is_empty()).then_some((field, label, words))
        });
        html! {
            div.facets role="group" aria-label="Narrow the results" {
                @for (field, word) in &self.0 {
                    a.chip.on href={ (here) (self.without(field).address()) } aria-label={ "Without " (word) } {
                        (word) span aria-hidden="true" { "×" }
                    }
                }
                @for (field, label, words) in offered {
                    details.facet name="facet" {
                        summary.chip { (label) }
                        div.chips {
                            @for (word, pins) in &words {
                                a.chip href={ (here) (self.with(field, word).address()) } {
                                    (word) " " small { (pins) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
