//! Experiments as they were defined, kept for whoever assigns pinners to their arms.

use super::Catalogue;
use domain::Defined;
use std::collections::BTreeMap;

/// The last word about each experiment.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    pub(super) last: BTreeMap<String, Defined>,
    /// Words so far, so that a reader sees that there is a newer one.
    pub(super) words: u64,
}

impl Catalogue {
    /// The last word about each experiment, by id.
    pub fn definitions(&self) -> impl Iterator<Item = &Defined> {
        self.definitions.last.values()
    }

    /// How often an experiment was defined or changed, as far as this process knows: another number, another set.
    pub fn defined(&self) -> u64 {
        self.definitions.words
    }

    pub(crate) fn define(&mut self, defined: &Defined) {
        self.definitions.last.insert(defined.id.clone(), defined.clone());
        self.definitions.words += 1;
    }
}
