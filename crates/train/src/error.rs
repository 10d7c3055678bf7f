/// Why training did not give a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The data set contradicts itself.
    #[error("training data: {0}")]
    Data(String),
    /// There is not enough to learn from.
    #[error("too little to learn from: {0}")]
    TooLittle(String),
    /// A training configuration outside its bounds.
    #[error("training configuration: {0}")]
    Config(String),
    /// A checkpoint that cannot be continued.
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    /// The numbers left the finite range.
    #[error("training diverged at step {step}: the loss is not a finite number")]
    Diverged {
        /// At which step.
        step: u64,
    },
    /// Somebody asked to stop; the last checkpoint can be continued.
    #[error("training was stopped at step {step}")]
    Stopped {
        /// At which step.
        step: u64,
    },
    /// The weights do not make a model.
    #[error(transparent)]
    Model(#[from] models::ModelError),
    /// A device that was asked for is not there, or failed.
    #[error("the GPU cannot be used: {0}")]
    Device(String),
}
