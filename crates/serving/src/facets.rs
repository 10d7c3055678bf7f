//! What filters may say of pins.

use crate::catalogue::Catalogue;
use crate::pin_row::PinView;
use domain::PinId;
use index::{Columns, FieldId, FieldKind, FilterError};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Words of the palette that count: the colours that most of a picture has.
const COLOURS_MAX: usize = 3;

/// Columns of pins. Of words: `language`, `creator`, `topic` (told, else found), `annotation`, `color`, `label`. The
/// time of making (ms, UTC) is `created`.
#[derive(Debug)]
pub(crate) struct Facets {
    columns: Columns,
    words: [FieldId; Facets::WORDS.len()],
    created: FieldId,
}

impl Default for Facets {
    fn default() -> Self {
        Facets::of(Columns::new()).expect("invariant: good names")
    }
}

impl Facets {
    /// Names of the fields of words.
    pub(crate) const WORDS: [&'static str; 6] = ["language", "creator", "topic", "annotation", "color", "label"];

    /// Over columns that may hold values already; an error when they are others.
    pub(crate) fn of(mut columns: Columns) -> Result<Facets, FilterError> {
        let mut words = [columns.field("language", FieldKind::Words)?; Facets::WORDS.len()];
        for (field, name) in words.iter_mut().zip(Facets::WORDS) {
            *field = columns.field(name, FieldKind::Words)?;
        }
        let created = columns.field("created", FieldKind::Number)?;
        Ok(Facets { words, created, columns })
    }

    /// Sets what is said of a pin. What is beyond the limits of columns is left out, and told.
    pub(crate) fn describe(&mut self, id: PinId, view: &PinView<'_>) {
        let created = if view.created_ms > 0 { view.created_ms as f64 } else { f64::NAN };
        self.columns.add(id);
        tell(view, self.columns.set_number(id, self.created, created));
        ["language", "creator", "topic"].into_iter().for_each(|name| self.set(id, view, name));
    }

    /// Sets what its picture shows.
    pub(crate) fn understand(&mut self, id: PinId, view: &PinView<'_>) {
        self.set(id, view, "color");
    }

    /// Sets what rules and the collection say of it.
    pub(crate) fn annotate(&mut self, id: PinId, view: &PinView<'_>) {
        ["language", "topic", "annotation", "label"].into_iter().for_each(|name| self.set(id, view, name));
    }

    fn set(&mut self, id: PinId, view: &PinView<'_>, name: &str) {
        let field = Facets::WORDS.iter().zip(self.words).find(|(known, _)| **known == name);
        let Some((_, field)) = field else { return };
        let words = words_of(view, name);
        let words: Vec<&str> = words.iter().map(|word| &**word).collect();
        tell(view, self.columns.set_words(id, field, &words));
    }

    /// Forgets a pin.
    pub(crate) fn remove(&mut self, id: PinId) {
        self.columns.clear(id);
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }
}

fn tell(view: &PinView<'_>, set: Result<(), FilterError>) {
    if let Err(error) = set {
        tracing::warn!(pin = %view.key, %error, "a filter will not find this");
    }
}

/// What a pin has in a field of words; nothing for any other field.
pub(crate) fn words_of<'a>(view: &PinView<'a>, field: &str) -> Vec<Cow<'a, str>> {
    match field {
        "language" => view.language.map(Cow::from).into_iter().collect(),
        "creator" => view.creator.map(Cow::from).into_iter().collect(),
        "topic" => view.all_topics().map(Cow::from).collect(),
        "annotation" => view.terms().map(|(term, _)| term.into()).collect(),
        "color" => colours(view.palette.iter().take(COLOURS_MAX)).into_iter().map(Cow::from).collect(),
        "label" => view.labels().map(|label| label.name.into()).collect(),
        _ => Vec::new(),
    }
}

/// Names of colours, each once.
fn colours<'a>(palette: impl Iterator<Item = &'a [u8; 3]>) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for name in palette.map(|colour| name_of(*colour)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What people call a colour (sRGB), by hue, and by saturation and value (HSV) where these decide.
pub(crate) fn name_of(rgb: [u8; 3]) -> &'static str {
    let [r, g, b] = rgb.map(|value| f32::from(value) / 255.0);
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let spread = most - least;
    let saturation = if most > 0.0 { spread / most } else { 0.0 };
    if most < 0.2 || (most < 0.3 && saturation < 0.35) {
        return "black";
    }
    if saturation < 0.14 {
        return if most > 0.88 { "white" } else { "grey" };
    }
    let hue = match () {
        () if most == r => ((g - b) / spread).rem_euclid(6.0),
        () if most == g => (b - r) / spread + 2.0,
        () => (r - g) / spread + 4.0,
    } * 60.0;
    match hue {
        12.0..48.0 if most < 0.68 || (saturation < 0.5 && most < 0.82) => "brown",
        12.0..48.0 if saturation < 0.4 => "beige",
        0.0..15.0 if most > 0.85 && saturation < 0.55 => "pink",
        0.0..15.0 => "red",
        15.0..42.0 => "orange",
        42.0..68.0 => "yellow",
        68.0..160.0 => "green",
        160.0..195.0 => "turquoise",
        195.0..255.0 => "blue",
        255.0..290.0 => "purple",
        290.0..345.0 => "pink",
        _ if most > 0.85 && saturation < 0.55 => "pink",
        _ => "red",
    }
}

/// How many pins of a list have each word of a field: the `max` words of most pins; of equals, by the alphabet.
pub fn facet_counts(catalogue: &Catalogue, pins: &[PinId], field: &str, max: usize) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for view in pins.iter().filter_map(|&pin| catalogue.pin_view(pin)) {
        for word in words_of(&view, field) {
            *counts.entry(word.into_owned()).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(max);
    counts
}

/// Fields of words that a filter may name and a list can be counted by.
pub const FACETS: [&str; 6] = Facets::WORDS;

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Annotated, Label, Pin, Understood};
    use index::Filter;

    #[test]
    fn colours_are_called_what_people_call_them() {
        for (rgb, name) in [
            ([0, 0, 0], "black"),
            ([250, 250, 248], "white"),
            ([128, 130, 127], "grey"),
            ([200, 20, 30], "red"),
            ([90, 60, 30], "brown"),
            ([240, 130, 20], "orange"),
            ([240, 220, 40], "yellow"),
            ([40, 120, 50], "green"),
            ([30, 60, 140], "blue"),
            ([20, 30, 60], "blue"),
            ([230, 215, 185], "beige"),
            ([250, 160, 190], "pink"),
            ([120, 50, 160], "purple"),
            ([60, 190, 190], "turquoise"),
        ] {
            assert_eq!(name_of(rgb), name, "{rgb:?}");
        }
    }

    #[test]
    fn what_was_found_can_be_filtered_and_counted() {
        let mut catalogue = Catalogue::new();
        for (id, topics, colour) in [("a", vec!["lamps".to_owned()], [200, 20, 30]), ("b", vec![], [30, 60, 200])] {
            let annotated = Annotated {
                pin: id.into(),
                language: Some("de".into()),
                labels: vec![Label { name: "blurred".into(), ..Label::default() }],
                terms: vec![("brass lamp".into(), 0.5)],
                topics: vec!["lighting".into()],
                ..Annotated::default()
            };
            catalogue.annotate_pin(&annotated);
            catalogue.describe_pin(&Pin { id: id.into(), topics, ..Pin::default() });
            let palette = vec![colour];
            catalogue.understand_pin(&Understood { pin: id.into(), palette, ..Understood::default() });
        }
        let passing = |text: &str| {
            let filter = Filter::parse(text).expect("a filter");
            let bound = filter.bind(catalogue.columns()).expect("known fields");
            (0..2).filter(|&pin| bound.passes(PinId(pin))).collect::<Vec<u32>>()
        };
        assert_eq!(passing("color:red"), [0]);
        assert_eq!(passing("topic:lighting"), [1], "found topics count where none are told");
        assert_eq!(passing("language:de AND annotation:\"brass lamp\" AND label:blurred"), [0, 1]);
        let counts = facet_counts(&catalogue, &[PinId(0), PinId(1)], "color", 8);
        assert_eq!(counts, [("blue".to_owned(), 1), ("red".to_owned(), 1)]);
        // Its owner tells the language: that counts.
        catalogue.describe_pin(&Pin { id: "a".into(), language: Some("en".into()), ..Pin::default() });
        catalogue.annotate_pin(&Annotated { pin: "a".into(), language: Some("de".into()), ..Annotated::default() });
        let view = catalogue.pin_view(PinId(0)).expect("known");
        assert_eq!((view.language, view.language_told), (Some("en"), true));
    }
}
