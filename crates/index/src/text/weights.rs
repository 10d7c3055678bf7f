//! What counts how much.

/// What counts how much when words are searched for: BM25's two parameters, and the weight of each field.
///
/// One field with everything that a pin's owner says ranks better than a field for each text (cranfield .392 for .376,
/// scifact .705 for .645 nDCG@10), because a word counts once for the pin; title and annotations are a bonus. Boards
/// and queries have fields of their own: a pin on many boards must not count as one with a long text.
///
/// Tried and left out: a bonus for words of the text that stand side by side in the pin, with up to 1 or 3 others in
/// between (weights of 0.05 to 0.4: cranfield −.001 to −.004, scifact ±.000 to −.012).
#[derive(Clone, Debug, PartialEq)]
pub struct TextWeights {
    /// How soon more of the same word stops counting (BM25's k₁).
    pub k1: f32,
    /// How much a long text counts less than a short one, from 0 to 1 (BM25's b).
    pub b: f32,
    /// Title, description, topics and annotations, taken together.
    pub text: f32,
    /// The title again.
    pub title: f32,
    /// Topics, and annotations by their confidence, again.
    pub annotations: f32,
    /// Titles of boards.
    pub boards: f32,
    /// Queries after which the pin was saved or clicked.
    pub queries: f32,
    /// The word as written, in any of these.
    pub written: f32,
    /// What a word counts that the last word is the beginning of, compared with a word that is there.
    pub completion: f32,
    /// What a correction with one wrong letter counts, compared with a word that is there; with two, its square.
    pub correction: f32,
}

impl Default for TextWeights {
    fn default() -> TextWeights {
        TextWeights {
            k1: 1.2,
            b: 0.75,
            text: 1.0,
            title: 0.3,
            annotations: 0.3,
            boards: 0.5,
            queries: 0.5,
            written: 0.2,
            completion: 0.25,
            correction: 0.5,
        }
    }
}
