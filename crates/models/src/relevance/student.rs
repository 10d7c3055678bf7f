//! The light model that serves.

use super::{LEVELS, Levels, RELEVANCE_COUNT, words};
use crate::file;
use crate::kernel::{add_scaled, fit, matmul, matmul_add, repeat, silu, softmax};
use crate::weights::{Shape, Start, fresh, shape, take};
use crate::{Matrix, ModelError};
use domain::{Rng, hash64};
use serde::{Deserialize, Serialize};

/// Knots of each feature's piecewise linear functions.
pub const STUDENT_KNOTS: usize = 8;
/// Most pairs of a word that is missing and a word that is there instead.
const PAIRS_MAX: usize = 48;

/// The shape of a [`Student`]. Stored in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudentConfig {
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Rows of the hashed table of words and pairs of words.
    pub word_rows: usize,
    /// Space of the contents that it reads, and their width; a width of 0 reads none.
    pub content_space: u32,
    /// See `content_space`.
    pub content_dim: usize,
}

impl Default for StudentConfig {
    fn default() -> StudentConfig {
        StudentConfig { hidden: 32, word_rows: 1 << 15, content_space: 0, content_dim: 0 }
    }
}

/// The matrices, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum StudentPart {
    /// Features' knots, then words. `[RELEVANCE_COUNT · STUDENT_KNOTS + word_rows, hidden]`
    Table,
    /// `[1, hidden]`
    Bias,
    /// The pin's content. `[content_dim, hidden]`
    Pin,
    /// What the words mean. `[content_dim, hidden]`
    Asked,
    /// `[hidden, hidden]`
    Up,
    /// `[1, hidden]`
    UpBias,
    /// `[hidden, LEVELS]`
    Out,
    /// `[1, LEVELS]`
    OutBias,
    /// One over the temperature that calibrates. Not learned by steps. `[1, 1]`
    Sharpness,
}

/// What is known of a pin that is offered for a query.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// Values of [`super::RELEVANCE_FEATURES`].
    pub features: &'a [f32; RELEVANCE_COUNT],
    /// Hashed words of its title.
    pub title: &'a [u64],
}

/// Buffers of one judgement, kept between judgements.
#[derive(Clone, Debug, Default)]
pub struct StudentScratch {
    entries: Vec<(u32, f32)>,
    x: Vec<f32>,
    up: Vec<f32>,
    out: Vec<f32>,
}

/// Chances of the five levels from light features: see the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Student {
    version: String,
    config: StudentConfig,
    names: Vec<String>,
    matrices: Vec<Matrix>,
    knots: Matrix,
}

impl StudentConfig {
    /// Whether every value is inside its bounds; a file from outside may say anything.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounds = [
            ("hidden", self.hidden, 4, 1024),
            ("word_rows", self.word_rows, 16, 1 << 22),
            ("content_dim", self.content_dim, 0, 2048),
        ];
        for (name, value, low, high) in bounds {
            if !(low..=high).contains(&value) {
                return Err(ModelError::Config(format!("student: {name} is {value}, must be {low} to {high}")));
            }
        }
        Ok(())
    }

    fn shapes(&self) -> Vec<Shape> {
        use Start::{Constant, Normal, Zero};
        let rows = RELEVANCE_COUNT * STUDENT_KNOTS + self.word_rows;
        vec![
            shape("table", rows, self.hidden, Normal(0.05 * (rows as f32).sqrt())),
            shape("bias", 1, self.hidden, Zero),
            shape("pin", self.content_dim, self.hidden, Normal(1.0)),
            shape("asked", self.content_dim, self.hidden, Normal(1.0)),
            shape("up", self.hidden, self.hidden, Normal(1.0)),
            shape("up_bias", 1, self.hidden, Zero),
            shape("out", self.hidden, LEVELS, Normal(0.1)),
            shape("out_bias", 1, LEVELS, Zero),
            shape("sharpness", 1, 1, Constant(1.0)),
        ]
    }
}

impl Student {
    /// Fresh weights.
    ///
    /// # Errors
    /// When the configuration is outside its bounds.
    pub fn untrained(config: StudentConfig, version: String, seed: u64) -> Result<Student, ModelError> {
        config.check()?;
        let (names, matrices) = fresh(config.shapes(), &mut Rng::new(seed));
        let values = vec![f32::INFINITY; RELEVANCE_COUNT * STUDENT_KNOTS];
        let knots = Matrix { rows: RELEVANCE_COUNT, cols: STUDENT_KNOTS, values };
        Ok(Student { version, config, names, matrices, knots })
    }

    /// Its name.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same weights under another name.
    #[must_use]
    pub fn with_version(self, version: String) -> Student {
        Student { version, ..self }
    }

    /// Its shape.
    pub fn config(&self) -> &StudentConfig {
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

    /// Where each feature's functions bend, ascending; infinite where there are fewer.
    /// `[RELEVANCE_COUNT, STUDENT_KNOTS]`
    pub fn knots(&self) -> &Matrix {
        &self.knots
    }

    /// See [`Student::knots`].
    pub fn knots_mut(&mut self) -> &mut Matrix {
        &mut self.knots
    }

    fn part(&self, part: StudentPart) -> &Matrix {
        &self.matrices[part as usize]
    }

    /// Weighted rows of the table that stand for a query and a pin; `into` is cleared first.
    pub fn entries(&self, query: &[u64], offered: Offered, into: &mut Vec<(u32, f32)>) {
        into.clear();
        for (feature, &value) in offered.features.iter().enumerate() {
            into.extend(between(self.knots.row(feature), feature, value));
        }
        let query = &query[..query.len().min(words::QUERY_WORDS_MAX)];
        let title = &offered.title[..offered.title.len().min(words::TITLE_WORDS_MAX)];
        let extra = || title.iter().filter(|word| !query.contains(word));
        let missing = || query.iter().filter(|word| !title.contains(word));
        let share = |count: usize| 1.0 / (count.max(1) as f32).sqrt();
        for word in query {
            let role = if title.contains(word) { 1 } else { 2 };
            into.push((self.row(hash64(word ^ role)), 1.0));
        }
        let part = share(extra().count());
        into.extend(extra().map(|word| (self.row(hash64(word ^ 3)), part)));
        let pairs = || missing().flat_map(|word| extra().map(move |other| (word, other))).take(PAIRS_MAX);
        let part = share(pairs().count());
        into.extend(pairs().map(|(word, other)| (self.row(hash64(hash64(word ^ 4) ^ other)), part)));
    }

    fn row(&self, hash: u64) -> u32 {
        (RELEVANCE_COUNT * STUDENT_KNOTS) as u32 + (hash % self.config.word_rows as u64) as u32
    }

    /// Calibrated chances of the levels of each offered pin. `asked` is what the words mean, and `contents` are those
    /// of the pins, a row each; both may be empty, and then count for nothing.
    pub fn judge(
        &self,
        (query, asked): (&[u64], &[f32]),
        offered: &[Offered],
        contents: &[f32],
        s: &mut StudentScratch,
    ) -> Vec<Levels> {
        let (rows, hidden, dim) = (offered.len(), self.config.hidden, self.config.content_dim);
        repeat(&self.part(StudentPart::Bias).values, 1, &mut s.x);
        if dim > 0 && asked.len() == dim {
            matmul_add(asked, self.part(StudentPart::Asked), &mut s.x);
        }
        let shared = s.x.clone();
        repeat(&shared, rows, &mut s.x);
        let table = self.part(StudentPart::Table);
        for (pin, x) in offered.iter().zip(s.x.chunks_exact_mut(hidden)) {
            self.entries(query, *pin, &mut s.entries);
            s.entries.iter().for_each(|&(row, weight)| add_scaled(weight, table.row(row as usize), x));
        }
        if dim > 0 && contents.len() == rows * dim && rows > 0 {
            matmul_add(contents, self.part(StudentPart::Pin), &mut s.x);
        }
        silu(&mut s.x);
        repeat(&self.part(StudentPart::UpBias).values, rows, &mut s.up);
        matmul_add(&s.x, self.part(StudentPart::Up), &mut s.up);
        silu(&mut s.up);
        s.up.iter_mut().zip(&s.x).for_each(|(up, x)| *up += x);
        let out = fit(&mut s.out, rows * LEVELS);
        matmul(&s.up, self.part(StudentPart::Out), out);
        let (bias, sharpness) = (self.part(StudentPart::OutBias), self.part(StudentPart::Sharpness).values[0]);
        let chances = |out: &[f32]| {
            let mut levels: Levels = std::array::from_fn(|level| sharpness * (out[level] + bias.values[level]));
            softmax(&mut levels);
            levels
        };
        s.out.chunks_exact(LEVELS).map(chances).collect()
    }

    /// The student as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut tensors: Vec<(String, &Matrix)> = self.names.iter().cloned().zip(&self.matrices).collect();
        tensors.push(("knots".into(), &self.knots));
        file::pack(file::STUDENT, &self.version, &self.config, &tensors, &[])
    }

    /// Reads a student.
    ///
    /// # Errors
    /// When the bytes are damaged, of another kind or format, or do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Student, ModelError> {
        let mut packed = file::unpack::<StudentConfig>(file::STUDENT, bytes)?;
        packed.config.check()?;
        let knots = take(&mut packed.tensors, "knots", RELEVANCE_COUNT, STUDENT_KNOTS)?;
        let (mut names, mut matrices) = (Vec::new(), Vec::new());
        for shape in packed.config.shapes() {
            matrices.push(take(&mut packed.tensors, &shape.name, shape.rows, shape.cols)?);
            names.push(shape.name);
        }
        Ok(Student { version: packed.version, config: packed.config, names, matrices, knots })
    }
}

/// A value between two of a feature's knots, as rows with their weights; what is not a number counts as 0.
pub(super) fn between(knots: &[f32], feature: usize, value: f32) -> [(u32, f32); 2] {
    let value = if value.is_nan() { 0.0 } else { value };
    let below = knots.iter().filter(|knot| **knot <= value).count();
    let at = below.saturating_sub(1).min(STUDENT_KNOTS - 2);
    let (low, high) = (knots[at], knots[at + 1]);
    // An unused knot is infinite: nothing is ever on its side.
    let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
    let row = (feature * STUDENT_KNOTS + at) as u32;
    [(row, 1.0 - share), (row + 1, share)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_sum_to_one_and_come_back_from_bytes() {
        let config = StudentConfig { hidden: 8, word_rows: 64, content_space: 3, content_dim: 4 };
        let mut student = Student::untrained(config, "v1".into(), 5).expect("a good shape");
        let mut rng = Rng::new(3);
        student.matrices_mut()[StudentPart::Out as usize].values.iter_mut().for_each(|v| *v = rng.normal());
        student.knots_mut().values[..3].copy_from_slice(&[0.0, 1.0, 2.0]);
        let (features, bare) = ([0.5; RELEVANCE_COUNT], [f32::NAN; RELEVANCE_COUNT]);
        let offered = [Offered { features: &features, title: &[1, 2, 3] }, Offered { features: &bare, title: &[] }];
        let mut s = StudentScratch::default();
        let asked = (&[2, 9][..], &[0.5; 4][..]);
        let found = student.judge(asked, &offered, &[0.1; 8], &mut s);
        assert_eq!(found.len(), 2);
        for levels in &found {
            assert!((levels.iter().sum::<f32>() - 1.0).abs() < 1e-5 && levels.iter().all(|c| *c > 0.0), "{levels:?}");
        }
        assert_ne!(found[0], found[1]);
        let alone = student.judge(asked, &offered[1..], &[0.1; 4], &mut s);
        assert!(alone[0].iter().zip(&found[1]).all(|(a, b)| (a - b).abs() < 1e-5), "alone or together");
        let read = Student::from_bytes(&student.to_bytes()).expect("its own bytes");
        assert_eq!(read, student);
        assert!(student.judge((&[], &[]), &[], &[], &mut s).is_empty());
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let config = StudentConfig { hidden: 4, word_rows: 16, ..StudentConfig::default() };
        let good = Student::untrained(config, "v1".into(), 5).expect("a good shape").to_bytes();
        let mut rng = Rng::new(5);
        for _ in 0..200 {
            let mut bytes = good.clone();
            let place = rng.below(bytes.len() as u32) as usize;
            bytes[place] ^= 1 << rng.below(8);
            assert!(Student::from_bytes(&bytes).is_err(), "byte {place} changed");
            assert!(Student::from_bytes(&good[..place]).is_err(), "cut at {place}");
        }
    }
}
