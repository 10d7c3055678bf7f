//! Why a pin could not be understood.

/// What is wrong with the bytes of a picture, or with what pins are to be understood by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// More bytes than are taken.
    #[error("the picture has {bytes} bytes, at most {bytes_max} are taken")]
    TooManyBytes {
        /// What came.
        bytes: usize,
        /// What is taken.
        bytes_max: usize,
    },
    /// More pixels than are decoded, or none.
    #[error("the picture has {width}×{height} pixels, between 1 and {pixels_max} are taken")]
    BadSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Most pixels taken.
        pixels_max: u64,
    },
    /// Not one of the known formats.
    #[error("the picture is not a JPEG, PNG or WebP")]
    UnknownFormat,
    /// A known format, but broken.
    #[error("the picture cannot be decoded: {reason}")]
    Malformed {
        /// What the decoder says.
        reason: String,
    },
    /// A picture could not be written.
    #[error("the picture cannot be encoded: {reason}")]
    Encode {
        /// What the encoder says.
        reason: String,
    },
    /// Bytes that should hold something learned, but do not.
    #[error("not a whole {what}: {reason}")]
    Damaged {
        /// What they should hold.
        what: &'static str,
        /// What is odd.
        reason: String,
    },
    /// A published encoder that cannot be used.
    #[error("the encoder cannot be used: {reason}")]
    Encoder {
        /// What is wrong with which file.
        reason: String,
    },
    /// A taxonomy that cannot be used.
    #[error("line {line} of the taxonomy: {reason}")]
    Taxonomy {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Vectors that nothing can be learned of.
    #[error("nothing can be learned of the vectors: {reason}")]
    Vectors {
        /// What is wrong with them.
        reason: String,
    },
    /// A safety rule that cannot be used.
    #[error("the safety rule '{label}': {reason}")]
    SafetyRule {
        /// Its label.
        label: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of safety rules that cannot be read.
    #[error("the safety rules: {reason}")]
    SafetyFile {
        /// What is wrong with it.
        reason: String,
    },
}
