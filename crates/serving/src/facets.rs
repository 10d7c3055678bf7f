//! What filters may say of pins.

use domain::{Pin, PinId};
use index::{Columns, FieldId, FieldKind, FilterError};

/// Columns of pins: `language`, `creator` and `topic` hold words, `created` the time of making (ms, UTC).
#[derive(Debug)]
pub(crate) struct Facets {
    columns: Columns,
    language: FieldId,
    creator: FieldId,
    topic: FieldId,
    created: FieldId,
}

impl Default for Facets {
    fn default() -> Self {
        Facets::of(Columns::new()).expect("invariant: four good names")
    }
}

impl Facets {
    /// Over columns that may hold values already; an error when they are others.
    pub(crate) fn of(mut columns: Columns) -> Result<Facets, FilterError> {
        let mut field = |name, kind| columns.field(name, kind);
        let [language, creator, topic] = ["language", "creator", "topic"].map(|name| field(name, FieldKind::Words));
        let created = field("created", FieldKind::Number)?;
        Ok(Facets { language: language?, creator: creator?, topic: topic?, created, columns })
    }

    /// Sets what is said of a pin. What is beyond the limits of columns is left out, and told.
    pub(crate) fn describe(&mut self, id: PinId, pin: &Pin) {
        let created = if pin.created_ms > 0 { pin.created_ms as f64 } else { f64::NAN };
        let topics: Vec<&str> = pin.topics.iter().map(String::as_str).collect();
        let [language, creator] = [&pin.language, &pin.creator].map(|word| word.as_deref().into_iter().collect());
        let words: [(FieldId, Vec<&str>); 3] =
            [(self.language, language), (self.creator, creator), (self.topic, topics)];
        self.columns.add(id);
        let set = words.into_iter().map(|(field, words)| self.columns.set_words(id, field, &words));
        let mut set: Vec<Result<(), FilterError>> = set.collect();
        set.push(self.columns.set_number(id, self.created, created));
        for error in set.into_iter().filter_map(Result::err) {
            tracing::warn!(pin = %pin.id, %error, "a filter will not find this");
        }
    }

    /// Forgets a pin.
    pub(crate) fn remove(&mut self, id: PinId) {
        self.columns.clear(id);
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }
}
