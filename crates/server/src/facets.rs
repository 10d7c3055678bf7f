//! How many pins of a ranking have which words.

use crate::app::App;
use crate::lists::Page;
use crate::problem::Problem;
use domain::PinId;
use serde_json::{Map, Value, json};
use serving::{FACETS, facet_counts};

/// Words of a field that are told at most.
const WORDS_MAX: usize = 20;

/// The fields of a list such as `color,topic`.
pub(crate) fn fields(given: Option<&str>) -> Result<Vec<&'static str>, Problem> {
    let names = given.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let field = |name: &str| {
        let known = FACETS.into_iter().find(|known| *known == name);
        known.ok_or_else(|| {
            let detail = format!("unknown field '{}' (known: {})", crate::problem::shortened(name), FACETS.join(" "));
            Problem::parameter("facets", detail)
        })
    };
    names.take(FACETS.len() + 1).map(field).collect()
}

/// Counts over all of the ranking that a page is of.
pub(crate) fn counts(app: &App, page: &Page, field: &str, max: usize) -> Vec<(String, usize)> {
    let pins: Vec<PinId> = page.slate.items.iter().map(|item| item.pin).collect();
    facet_counts(&app.views().catalogue(), &pins, field, max)
}

/// The counts as an answer tells them, where fields were asked for.
pub(crate) fn told(app: &App, page: &Page, fields: &[&'static str]) -> Option<Map<String, Value>> {
    let words = |field: &str| -> Vec<Value> {
        let counts = counts(app, page, field, WORDS_MAX);
        counts.into_iter().map(|(word, pins)| json!({"value": word, "pins": pins})).collect()
    };
    let told = || fields.iter().map(|&field| (field.to_owned(), Value::from(words(field)))).collect();
    (!fields.is_empty()).then(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_or_refused() {
        assert_eq!(fields(Some("color, topic")).expect("known"), ["color", "topic"]);
        assert!(fields(None).expect("none").is_empty());
        let refused = fields(Some("colour")).expect_err("unknown");
        assert!(refused.detail.contains("'colour' (known: language creator topic"), "{}", refused.detail);
    }
}
