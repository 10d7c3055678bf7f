/// What was wrong with what this room was given. All of it is the caller's to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExperimentError {
    /// A definition that contradicts itself or another one.
    #[error("experiment `{experiment}`: {what}")]
    Definition {
        /// Whose.
        experiment: String,
        /// What is wrong with it.
        what: String,
    },
    /// Figures that no statistic can be made of.
    #[error("statistics: {0}")]
    Statistics(String),
    /// A logged row that off-policy evaluation cannot use; rows count from 0.
    #[error("off-policy evaluation, row {row}: {what}")]
    OffPolicy {
        /// Which row.
        row: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Rows that no uplift can be learned or measured on.
    #[error("uplift: {0}")]
    Uplift(String),
    /// A simulation outside of its bounds.
    #[error("simulation: {0}")]
    Simulation(String),
}

impl ExperimentError {
    pub(crate) fn statistics(what: impl Into<String>) -> ExperimentError {
        ExperimentError::Statistics(what.into())
    }

    pub(crate) fn uplift(what: impl Into<String>) -> ExperimentError {
        ExperimentError::Uplift(what.into())
    }
}
