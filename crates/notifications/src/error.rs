//! What can go wrong while notifications are planned and delivered.

/// Why something about notifications could not be done.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// A parameter or an argument is wrong.
    #[error("{what}: {reason}")]
    Invalid {
        /// Which one, as in the configuration: `eligibility.week_max`.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What was learned cannot be asked this.
    #[error("value model: {0}")]
    Model(String),
    /// An entry does not follow from the state of its message.
    #[error("outbox: {key}: {entry} cannot follow {state}")]
    Order {
        /// The message's key.
        key: String,
        /// What came.
        entry: &'static str,
        /// Where the message stood.
        state: &'static str,
    },
    /// The outbox holds as many messages as it may.
    #[error("outbox: full, {0} messages are under way")]
    Full(usize),
    /// The journal took no entry; nothing was done that it does not say.
    #[error("journal: {0}")]
    Journal(String),
}

impl NotifyError {
    /// A wrong parameter or argument.
    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> NotifyError {
        NotifyError::Invalid { what: what.into(), reason: reason.into() }
    }
}

/// Refuses a number outside of `low..=high`, by its name.
pub(crate) fn within(what: &str, value: f64, low: f64, high: f64) -> Result<(), NotifyError> {
    if value >= low && value <= high {
        return Ok(());
    }
    Err(NotifyError::invalid(what, format!("{value} is not within {low} and {high}")))
}
