//! What will this pinner do?
//!
//! A [`Model`] is one sequence model with two heads, computed by our own kernels. A pinner's history becomes
//! [`Token`]s, a question becomes a [`Condition`]; [`tokens`] builds them from acts, for training and serving alike:
//!
//! ```text
//! token     = id · W + content · W + facts(action, surface, dwell, gap)         newest last
//! condition = id · W + content · W + facts(surface, kind, gap, reach)                the last row
//! trunk     = causal pre-norm transformer, attention biased by distance
//! user      = normalise(gate · Σ attention · own(history) + gate · own(subject) + MLP(condition))
//! pin       = normalise(own(pin) + neighbours · W + MLP[own(pin) ; neighbours])
//! own       = id + content · W                                  ids: two rows of one hashed table
//! ```
//!
//! [`Model::encode`] gives the user vector, [`Model::pin_vector`] a pin's; their inner product is the retrieval score.
//! [`Ranker::l1`] and [`Ranker::rank`] score rows of [`FEATURES`]. Without a learned ranking head, [`Ranker::prior`]
//! ranks by `dot` and `walk_share`. A pin that was not in training has no id and works from content and neighbours.
//!
//! Weights travel in a flat file with a checksum ([`Model::to_bytes`], [`Model::from_bytes`]); damaged bytes are an
//! error, never a panic.
//!
//! **Architecture invariant:** no gradients, no files; the same bytes and inputs give the same numbers.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod candidate;
mod card;
mod config;
mod encoder;
mod error;
mod features;
mod file;
mod ids;
mod kernel;
mod matmul;
mod model;
mod rank;
mod relevance;
mod token;
mod trunk;
mod weights;
#[cfg(feature = "zoo")]
mod zoo;

pub use candidate::{CandidatePins, CandidateScratch};
pub use card::{Epoch, ModelCard, Reliability};
pub use config::ModelConfig;
pub use encoder::{
    COLOURS, Encoder, EncoderConfig, EncoderPart, EncoderScratch, Grid, STAGES, ServedEncoder, StagePart, centred,
    look, look_dim, pixel,
};
pub use error::ModelError;
pub use features::{FEATURE_COUNT, FEATURES, FIRST_FEATURES, feature};
pub use file::checksum;
pub use ids::IdTable;
pub use kernel::{NORM_EPSILON, UNIT_EPSILON, exp_sum, fast, fma, sigmoid, silu, softmax};
pub use matmul::{Operand, matmul};
pub use model::{Model, PinInput, UserState};
pub use rank::{CROSSES, EXPERTS, KNOTS, MASKS, OUTS, PHI, RankInput, RankPart, RankScratch, RankTraits, Ranker};
pub use relevance::{
    LEVELS, Levels, Offered, QUERY_WORDS_MAX, RELEVANCE_COUNT, RELEVANCE_FEATURES, STUDENT_KNOTS, Student,
    StudentConfig, StudentPart, StudentScratch, TITLE_WORDS_MAX, Teacher, TeacherConfig, TeacherPart, TeacherText,
    WordRun, expected_level, levels_at, levels_before_learning, likeliest_level, read_teacher_tokens,
    relevance_feature, relevance_words, word_run,
};
pub use token::{
    CONDITION_FACTS, Condition, DISTANCES, Reach, SubjectKind, TOKEN_FACTS, Token, distance_bucket, gap_bucket,
    mean_content, token, tokens,
};
pub use trunk::Scratch;
pub use weights::{BlockPart, Matrix, Part, Weights};
#[cfg(feature = "zoo")]
pub use zoo::PublishedEncoder;
