//! Why a filter or a value was not taken.

/// Why a filter or a value of a column was not taken. All are of class Invalid: the request or the value is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The text is no filter.
    #[error("filter, character {at}: expected {expected}, found {found}")]
    Syntax {
        /// Where it stops being one, counted in characters from 1.
        at: usize,
        /// What could stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A field that the columns do not have.
    #[error("filter: no field '{field}'; there are: {known}")]
    UnknownField {
        /// The name that was given.
        field: String,
        /// The names that there are, with commas.
        known: String,
    },
    /// A field is asked for what its kind does not have.
    #[error("field '{field}' holds {holds}, not {asked}")]
    Kind {
        /// The field.
        field: String,
        /// What it holds.
        holds: &'static str,
        /// What it was asked for.
        asked: &'static str,
    },
    /// More of something than there may be.
    #[error("{what}: {got}, at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many came.
        got: usize,
        /// How many there may be.
        max: usize,
    },
    /// A field that is there already, as something else.
    #[error("field '{field}' is there already and holds {holds}")]
    FieldTaken {
        /// The field.
        field: String,
        /// What it holds.
        holds: &'static str,
    },
}
