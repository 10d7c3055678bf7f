//! The words of one pin.

/// The words of one pin.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextDocument<'a> {
    /// Short text shown under the picture.
    pub title: &'a str,
    /// Longer text.
    pub description: &'a str,
    /// Names of its topics.
    pub topics: &'a [String],
    /// Titles of boards that hold it; the first 64 count.
    pub boards: &'a [String],
    /// What was found out that it is about, each with a confidence from 0 to 1; the first 64 count, and those below
    /// one eighth do not.
    pub annotations: &'a [(String, f32)],
    /// Queries after which it was saved or clicked, each with how often; the first 64 count.
    pub queries: &'a [(String, u32)],
}
