//! What can go wrong.

/// Why an index did not take or answer something.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Invalid: a vector of another embedding space.
    #[error("vector of embedding space {got}, but the index holds space {expected}")]
    Space {
        /// The space of the index.
        expected: u32,
        /// The space that came.
        got: u32,
    },
    /// Invalid: a vector of another length.
    #[error("vector of {got} dimensions, but the index holds {expected}")]
    Dimension {
        /// Dimensions of the index.
        expected: usize,
        /// Dimensions that came.
        got: usize,
    },
    /// Invalid: a vector that holds `NaN` or an infinity.
    #[error("dimension {at} of the vector is not a finite number")]
    NotFinite {
        /// The first dimension that is not finite.
        at: usize,
    },
    /// Invalid: a pin id beyond what one index holds.
    #[error("pin id {pin} is beyond the {max} pins that an index holds")]
    TooManyPins {
        /// The id that came.
        pin: u32,
        /// How many ids there may be.
        max: usize,
    },
    /// Invalid: bytes that are not the snapshot that was asked for.
    #[error(transparent)]
    Snapshot(#[from] domain::SnapshotError),
    /// Internal: the text engine failed.
    #[error("text index: {0}")]
    Text(#[from] tantivy::TantivyError),
}
