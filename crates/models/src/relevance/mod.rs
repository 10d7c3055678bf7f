//! How well does a pin answer a query? Five levels, by a light student that serves and a teacher that labels.
//!
//! ```text
//! student:  features (piecewise linear) + hashed words and pairs of words + contents   → 32 → 32 → 5 levels
//! teacher:  [whole] query … | title … words … | pictures, joined tokens → transformer  → 5 levels
//! ```
//!
//! The teacher reads query and pin together, word by word (a cross-encoder: Nogueira and Cho, 2019); the student reads
//! what is at hand for every candidate and is learned from the teacher's chances (after Pinterest's search relevance,
//! CIKM 2024 workshop).

mod features;
mod student;
mod teacher;
mod words;

pub use features::{RELEVANCE_COUNT, RELEVANCE_FEATURES, relevance_feature};
pub use student::{Offered, STUDENT_KNOTS, Student, StudentConfig, StudentPart, StudentScratch};
pub use teacher::{Teacher, TeacherConfig, TeacherPart, TeacherText, read_teacher_tokens};
pub use words::{QUERY_WORDS_MAX, TITLE_WORDS_MAX, WordRun, relevance_words, word_run};

/// How many levels there are: 0 does not answer at all, 4 is just what was asked for.
pub const LEVELS: usize = 5;

/// Chances of the levels, from 0 to 4; they sum to 1.
pub type Levels = [f32; LEVELS];

/// The level to be expected, from 0 to 4.
pub fn expected_level(levels: &Levels) -> f32 {
    levels.iter().zip(0u8..).map(|(chance, level)| chance * f32::from(level)).sum()
}

/// The level that is likeliest; of equally likely ones the lowest.
pub fn likeliest_level(levels: &Levels) -> usize {
    (0..LEVELS).fold(0, |best, level| if levels[level] > levels[best] { level } else { best })
}

/// Chances of an expected level: it lies between two neighbours. What is no number is level 0.
pub fn levels_at(expected: f32) -> Levels {
    let expected = if expected.is_nan() { 0.0 } else { expected.clamp(0.0, (LEVELS - 1) as f32) };
    let below = (expected as usize).min(LEVELS - 2);
    let mut levels = [0.0; LEVELS];
    levels[below + 1] = expected - below as f32;
    levels[below] = 1.0 - levels[below + 1];
    levels
}

/// What is believed before anything was learned: a pin answers as far as it has the words, each as much as it is rare,
/// and half as well at most by its meaning alone. Three words' worth is all that a longer text asks for; of such texts
/// that says little, see `serving`.
///
/// `likeness` is the share of the nearest pin's likeness to what the words mean, from 0 to 1.
pub fn levels_before_learning(features: &[f32; RELEVANCE_COUNT], likeness: f32) -> Levels {
    const WORDS_WANTED: f32 = 3.0;
    const NEAR_FROM: f32 = 0.8;
    const WORDS: usize = relevance_feature("words");
    const OWN: usize = relevance_feature("words_own");
    const ANY: usize = relevance_feature("words_any");
    let wanted = (WORDS_WANTED / features[WORDS].max(1.0)).min(1.0);
    // What others said of a pin counts three quarters of what its owner says.
    let found = features[OWN] + 0.75 * (features[ANY] - features[OWN]).max(0.0);
    let worded = (found / wanted).min(1.0);
    let near = ((likeness - NEAR_FROM) / (1.0 - NEAR_FROM)).clamp(0.0, 1.0);
    levels_at((LEVELS - 1) as f32 * worded.max(0.5 * near))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_of_an_expected_level_expect_it() {
        for expected in [0.0, 0.4, 1.0, 2.75, 4.0] {
            let levels = levels_at(expected);
            assert!((expected_level(&levels) - expected).abs() < 1e-6);
            assert!((levels.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert_eq!([levels_at(9.0), levels_at(f32::NAN)].map(|levels| likeliest_level(&levels)), [4, 0]);
    }

    #[test]
    fn before_learning_words_decide_and_long_texts_ask_for_fewer_of_them() {
        let level = |words: f32, own: f32, any: f32, likeness: f32| {
            let mut features = [0.0; RELEVANCE_COUNT];
            features[relevance_feature("words")] = words;
            features[relevance_feature("words_own")] = own;
            features[relevance_feature("words_any")] = any;
            expected_level(&levels_before_learning(&features, likeness))
        };
        assert_eq!(level(2.0, 1.0, 1.0, 0.0), 4.0);
        assert!(level(2.0, 0.6, 0.6, 0.9) < 2.5 && level(2.0, 0.0, 1.0, 0.0) == 3.0);
        assert_eq!(level(12.0, 0.3, 0.3, 0.0), 4.0, "a quarter of twelve words");
        assert_eq!(level(2.0, 0.0, 0.0, 1.0), 2.0, "meaning alone");
        assert_eq!(level(0.0, 0.0, 0.0, 0.0), 0.0);
    }
}
