//! The model that labels: a transformer over the words of a query and a pin together. Its forward pass is computed
//! where it is learned (`train`), since nothing waits for it.

use super::student::{Offered, Student};
use super::words::{TITLE_WORDS_MAX, each_word, hash};
use super::{LEVELS, QUERY_WORDS_MAX};
use crate::file;
use crate::token::DISTANCES;
use crate::weights::{Shape, Start, fresh, shape, take};
use crate::{Matrix, ModelError};
use domain::{Rng, hash64};
use serde::{Deserialize, Serialize};

/// Most words that a pin says besides its title that are read.
const REST_WORDS_MAX: usize = 40;
/// What runs of three letters count beside their word.
const RUN_WEIGHT: f32 = 0.5;
/// Roles of tokens, and facts about them, each with a row of its own in front of the table of words.
const FACTS: usize = 64;
const QUERY: u32 = 1;
const TITLE: u32 = 2;
const REST: u32 = 3;
const PICTURE: u32 = 4;
const MEANT: u32 = 5;
/// Whether a token stands on the other side too, as it is or as a part of a word.
const SAME: u32 = 6;
const WITHIN: u32 = 7;
/// Places, from the first on.
const PLACES: u32 = 16;
const PLACES_MAX: usize = 24;

/// The shape of a [`Teacher`]. Stored in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherConfig {
    /// Width of tokens.
    pub width: usize,
    /// Attention blocks.
    pub layers: usize,
    /// Heads of each.
    pub heads: usize,
    /// Width of the blocks' hidden layers.
    pub hidden: usize,
    /// Rows of the hashed table of words and runs of letters.
    pub word_rows: usize,
    /// Space of the contents that it reads, and their width; a width of 0 reads none.
    pub content_space: u32,
    /// See `content_space`.
    pub content_dim: usize,
}

impl Default for TeacherConfig {
    fn default() -> TeacherConfig {
        TeacherConfig {
            width: 160,
            layers: 4,
            heads: 4,
            hidden: 320,
            word_rows: 1 << 14,
            content_space: 0,
            content_dim: 0,
        }
    }
}

/// The matrices, in the order of the list; those of blocks follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum TeacherPart {
    /// Facts, then words. `[64 + word_rows, width]`
    Table,
    /// What light features say of the whole, as the student has them. `[student's table without words, width]`
    Features,
    /// The pin's content. `[content_dim, width]`
    Picture,
    /// What the query's words mean. `[content_dim, width]`
    Meant,
    /// `[1, width]`
    Norm,
    /// `[width, hidden]`
    Up,
    /// `[1, hidden]`
    UpBias,
    /// `[hidden, LEVELS]`
    Out,
    /// `[1, LEVELS]`
    OutBias,
    /// One over the temperature that calibrates. Not learned by steps. `[1, 1]`
    Sharpness,
    /// Of a block, from here on in this order: norm, query, key and value, distance, out, hidden norm, up, its bias,
    /// down.
    Block,
}

/// Matrices of a block.
const OF_BLOCK: usize = 9;

/// A query and a pin to be read together.
#[derive(Clone, Copy, Debug, Default)]
pub struct TeacherText<'a> {
    /// What was typed.
    pub query: &'a str,
    /// The pin's title.
    pub title: &'a str,
    /// What else it says.
    pub rest: &'a str,
}

/// Weights of the teacher, with the knots that its features bend at.
#[derive(Clone, Debug, PartialEq)]
pub struct Teacher {
    version: String,
    config: TeacherConfig,
    names: Vec<String>,
    matrices: Vec<Matrix>,
    knots: Matrix,
}

impl TeacherConfig {
    /// Whether every value is inside its bounds; a file from outside may say anything.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounds = [
            ("width", self.width, 8, 1024),
            ("layers", self.layers, 1, 12),
            ("heads", self.heads, 1, 32),
            ("hidden", self.hidden, 8, 4096),
            ("word_rows", self.word_rows, 16, 1 << 22),
            ("content_dim", self.content_dim, 0, 2048),
        ];
        for (name, value, low, high) in bounds {
            if !(low..=high).contains(&value) {
                return Err(ModelError::Config(format!("teacher: {name} is {value}, must be {low} to {high}")));
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            let Self { width, heads, .. } = self;
            return Err(ModelError::Config(format!("teacher: width {width} does not divide into {heads} heads")));
        }
        Ok(())
    }

    fn shapes(&self) -> Vec<Shape> {
        use Start::{Constant, Normal, Zero};
        let (width, hidden, rows) = (self.width, self.hidden, FACTS + self.word_rows);
        let features = super::RELEVANCE_COUNT * super::STUDENT_KNOTS;
        let mut list = vec![
            shape("table", rows, width, Normal(0.3 * (rows as f32).sqrt())),
            shape("features", features, width, Normal(0.02 * (features as f32).sqrt())),
            shape("picture", self.content_dim, width, Normal(1.0)),
            shape("meant", self.content_dim, width, Normal(1.0)),
            shape("norm", 1, width, Constant(1.0)),
            shape("up", width, hidden, Normal(1.0)),
            shape("up_bias", 1, hidden, Zero),
            shape("out", hidden, LEVELS, Normal(0.1)),
            shape("out_bias", 1, LEVELS, Zero),
            shape("sharpness", 1, 1, Constant(1.0)),
        ];
        for block in 0..self.layers {
            let name = |part: &str| format!("block{block}.{part}");
            list.extend([
                shape(name("norm"), 1, width, Constant(1.0)),
                shape(name("query"), width, width, Normal(1.0)),
                shape(name("key_value"), width, 2 * width, Normal(1.0)),
                shape(name("distance"), self.heads, DISTANCES + 1, Zero),
                shape(name("out"), width, width, Normal(0.3)),
                shape(name("hidden_norm"), 1, width, Constant(1.0)),
                shape(name("up"), width, hidden, Normal(1.0)),
                shape(name("up_bias"), 1, hidden, Zero),
                shape(name("down"), hidden, width, Normal(0.3)),
            ]);
        }
        list
    }

    fn row(&self, hash: u64) -> u32 {
        FACTS as u32 + (hash % self.word_rows as u64) as u32
    }
}

impl TeacherPart {
    /// The place of a block's matrix in the list: 0 is its norm, 8 leads down.
    pub fn of_block(block: usize, part: usize) -> usize {
        TeacherPart::Block as usize + block * OF_BLOCK + part
    }
}

impl Teacher {
    /// Fresh weights that read features by the knots of a student.
    ///
    /// # Errors
    /// When the configuration is outside its bounds.
    pub fn untrained(config: TeacherConfig, knots: &Student, seed: u64) -> Result<Teacher, ModelError> {
        config.check()?;
        let (names, matrices) = fresh(config.shapes(), &mut Rng::new(seed));
        Ok(Teacher { version: String::new(), config, names, matrices, knots: knots.knots().clone() })
    }

    /// Its name.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same weights under another name.
    #[must_use]
    pub fn with_version(self, version: String) -> Teacher {
        Teacher { version, ..self }
    }

    /// Its shape.
    pub fn config(&self) -> &TeacherConfig {
        &self.config
    }

    /// The matrices in the order of the list.
    pub fn matrices(&self) -> &[Matrix] {
        &self.matrices
    }

    /// The matrices in the order of the list, to be learned.
    pub fn matrices_mut(&mut self) -> &mut [Matrix] {
        &mut self.matrices
    }

    /// Rows of `Features` that stand for a pin's features, with their weights.
    pub fn features(&self, offered: Offered, into: &mut Vec<(u32, f32)>) {
        into.clear();
        offered.features.iter().enumerate().for_each(|(at, &value)| {
            into.extend(super::student::between(self.knots.row(at), at, value));
        });
    }

    /// The teacher as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut tensors: Vec<(String, &Matrix)> = self.names.iter().cloned().zip(&self.matrices).collect();
        tensors.push(("knots".into(), &self.knots));
        file::pack(file::TEACHER, &self.version, &self.config, &tensors, &[])
    }

    /// Reads a teacher.
    ///
    /// # Errors
    /// When the bytes are damaged, of another kind or format, or do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Teacher, ModelError> {
        let mut packed = file::unpack::<TeacherConfig>(file::TEACHER, bytes)?;
        packed.config.check()?;
        let knots = take(&mut packed.tensors, "knots", super::RELEVANCE_COUNT, super::STUDENT_KNOTS)?;
        let (mut names, mut matrices) = (Vec::new(), Vec::new());
        for shape in packed.config.shapes() {
            matrices.push(take(&mut packed.tensors, &shape.name, shape.rows, shape.cols)?);
            names.push(shape.name);
        }
        Ok(Teacher { version: packed.version, config: packed.config, names, matrices, knots })
    }
}

/// The pieces of a word: itself and its runs of three letters.
struct Word {
    hash: u64,
    pieces: Vec<(u64, f32)>,
    letters: String,
}

fn words(text: &str, max: usize) -> Vec<Word> {
    let mut found = Vec::new();
    each_word(text, |word| {
        let framed: Vec<char> = std::iter::once('^').chain(word.iter().copied()).chain(std::iter::once('$')).collect();
        let share = RUN_WEIGHT / (framed.len() as f32).sqrt();
        let run = |run: &[char]| (run.iter().fold(7, |sum, &letter| hash64(sum ^ u64::from(letter))), share);
        let pieces = std::iter::once((hash(word), 1.0)).chain(framed.windows(3).map(run)).collect();
        found.push(Word { hash: hash(word), pieces, letters: word.iter().collect() });
        found.len() < max
    });
    found
}

/// The tokens of a query and a pin, as weighted rows of the table: the first stands for the whole, then the words.
/// Where contents are read, two more follow that the caller adds them to: the pin's, and what the words mean.
pub fn read_teacher_tokens(config: &TeacherConfig, text: TeacherText) -> Vec<Vec<(u32, f32)>> {
    let query = words(text.query, QUERY_WORDS_MAX);
    let (title, rest) = (words(text.title, TITLE_WORDS_MAX), words(text.rest, REST_WORDS_MAX));
    let mut tokens = vec![vec![(0, 1.0)]];
    let mut add = |role: u32, side: &[Word], others: [&[Word]; 2]| {
        for (at, word) in side.iter().enumerate() {
            let mut token = vec![(role, 1.0), (PLACES + at.min(PLACES_MAX - 1) as u32, 0.5)];
            let mut others = others.into_iter().flatten();
            let same = others.clone().any(|other| other.hash == word.hash);
            let within = |other: &Word| other.letters.contains(&word.letters) || word.letters.contains(&other.letters);
            if same {
                token.push((SAME, 1.0));
            } else if word.letters.len() > 2 && others.any(|other| other.letters.len() > 2 && within(other)) {
                token.push((WITHIN, 1.0));
            }
            token.extend(word.pieces.iter().map(|(hash, weight)| (config.row(*hash), *weight)));
            tokens.push(token);
        }
    };
    add(QUERY, &query, [&title, &rest]);
    add(TITLE, &title, [&query, &[]]);
    add(REST, &rest, [&query, &[]]);
    if config.content_dim > 0 {
        tokens.extend([vec![(PICTURE, 1.0)], vec![(MEANT, 1.0)]]);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::super::StudentConfig;
    use super::*;

    fn small() -> Teacher {
        let config =
            TeacherConfig { width: 8, hidden: 8, heads: 2, word_rows: 32, content_dim: 4, ..TeacherConfig::default() };
        let student = Student::untrained(StudentConfig::default(), String::new(), 1).expect("a good shape");
        Teacher::untrained(config, &student, 3).expect("a good shape")
    }

    #[test]
    fn words_know_whether_they_stand_on_the_other_side() {
        let text = TeacherText { query: "blue lamps", title: "Blue lampshade", rest: "of paper" };
        let config = small().config;
        let tokens = read_teacher_tokens(&config, text);
        assert_eq!(tokens.len(), 1 + 2 + 2 + 2 + 2);
        let has = |at: usize, fact: u32| tokens[at].iter().any(|(row, _)| *row == fact);
        assert!(has(1, QUERY) && has(1, SAME) && has(3, TITLE) && has(3, SAME));
        assert!(!has(2, SAME) && !has(5, SAME) && has(5, REST));
        assert!(tokens.iter().flatten().all(|(row, _)| (*row as usize) < FACTS + config.word_rows));
        let long = "word ".repeat(500);
        let text = TeacherText { query: &long, title: &long, rest: &long };
        assert_eq!(read_teacher_tokens(&config, text).len(), 3 + QUERY_WORDS_MAX + TITLE_WORDS_MAX + REST_WORDS_MAX);
    }

    #[test]
    fn a_teacher_comes_back_from_bytes_and_damage_is_told() {
        let teacher = small().with_version("v3".into());
        let good = teacher.to_bytes();
        assert_eq!(Teacher::from_bytes(&good), Ok(teacher));
        let mut rng = Rng::new(5);
        for _ in 0..100 {
            let mut bytes = good.clone();
            let place = rng.below(bytes.len() as u32) as usize;
            bytes[place] ^= 1 << rng.below(8);
            assert!(Teacher::from_bytes(&bytes).is_err(), "byte {place} changed");
        }
    }
}
