/// Why bytes are not a model, or parts do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The bytes do not begin like a model file.
    #[error("not a bowerbird model file")]
    NotAModel,
    /// A file of a format that this build does not read.
    #[error("model file has format {found}, this build reads format {known}")]
    Format {
        /// What the file says.
        found: u32,
        /// What this build reads.
        known: u32,
    },
    /// The bytes end too early or go on too long.
    #[error("model file is cut off or has extra bytes: {found} bytes where {expected} were promised")]
    Length {
        /// Bytes that are there.
        found: usize,
        /// Bytes that the header promises.
        expected: usize,
    },
    /// The checksum does not match: the bytes were changed.
    #[error("model file is damaged: its checksum does not match")]
    Checksum,
    /// The header cannot be understood.
    #[error("model file header: {0}")]
    Header(String),
    /// A configuration outside its bounds.
    #[error("model configuration: {0}")]
    Config(String),
    /// A tensor is missing or has another shape than the configuration says.
    #[error("model tensor '{name}': {reason}")]
    Tensor {
        /// Which one.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}
