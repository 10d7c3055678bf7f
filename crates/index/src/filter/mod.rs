//! Filters: what a pin must be to be an answer.
//!
//! A [`Filter`] is a tree of conditions on [`Columns`] and of sets of pins, written by hand or read from the text of a
//! request ([`Filter::parse`]). Bound to columns it becomes a [`Bound`], which every index asks in the way that suits
//! it: pin by pin, 64 pins at once, as a list when only few pins pass, and beforehand what part of the pins will pass.
//!
//! Published: Manas' boolean filter trees that are read while candidates stream, strictest first
//! (`P. Lei et al., Manas HNSW Streaming Filters, 2022`).

mod bind;
mod bound;
mod columns;
mod error;
mod file;
mod numbers;
mod parse;
mod pin_set;
mod posting;
mod words;

pub use bound::Bound;
pub use columns::{Columns, FieldId, FieldKind};
pub use error::FilterError;
pub use pin_set::PinSet;

use std::sync::Arc;

/// Deepest nesting of a filter.
const DEPTH_MAX: usize = 24;
/// Most conditions, groups and words of a filter, taken together.
const PARTS_MAX: usize = 1_024;

/// What a pin must be to pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// One of these pins.
    Pins(Arc<PinSet>),
    /// A pin with one of these words at least. Words that no pin has are no error: nothing has them.
    Is {
        /// The field.
        field: String,
        /// The words.
        any_of: Vec<String>,
    },
    /// A pin with a number in `min..=max`; one without a number does not pass.
    Range {
        /// The field.
        field: String,
        /// Least number.
        min: f64,
        /// Largest number.
        max: f64,
    },
    /// A pin that passes all of these; of none, every pin.
    All(Vec<Filter>),
    /// A pin that passes one of these at least; of none, no pin.
    Any(Vec<Filter>),
    /// A pin that the columns know and that does not pass this.
    Not(Box<Filter>),
}

impl Filter {
    /// The filter that every pin passes.
    pub fn everything() -> Filter {
        Filter::All(Vec::new())
    }

    /// Reads a filter such as `language:en AND NOT topic:(shoes, "hand bags") AND price<=20`.
    ///
    /// ```text
    /// filter    = all ("OR" all)*                         all  = part ("AND" part)*
    /// part      = "NOT" part | "(" filter ")" | condition
    /// condition = field ":" word | field ":" "(" word ("," word)* ")" | field ("<" | "<=" | "=" | ">=" | ">") number
    /// word      = letters without space ( ) , "  |  "in quotes, with \" and \\"
    /// ```
    /// Text of nothing but space is the filter that every pin passes. At most 4,000 bytes.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        parse::parse(text)
    }

    /// Makes it ready to be asked about pins of `columns`. What it answers is as of now: the columns stay borrowed.
    pub fn bind<'a>(&'a self, columns: &'a Columns) -> Result<Bound<'a>, FilterError> {
        bind::bind(self, columns)
    }

    /// The same for who asks pin by pin only: how many pins pass is told from the counts of the conditions alone.
    pub fn bind_roughly<'a>(&'a self, columns: &'a Columns) -> Result<Bound<'a>, FilterError> {
        bind::bind_roughly(self, columns)
    }

    /// The filter that passes what both pass.
    pub fn and(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::All(mut all), Filter::All(more)) => {
                all.extend(more);
                Filter::All(all)
            }
            (Filter::All(mut all), one) | (one, Filter::All(mut all)) => {
                all.push(one);
                Filter::All(all)
            }
            (one, other) => Filter::All(vec![one, other]),
        }
    }
}

#[cfg(test)]
mod tests;
