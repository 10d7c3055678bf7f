//! What is this pin?
//!
//! Bytes and words from outside come in, an understood pin goes out: [`Embedder::understand`] decodes the picture
//! under strict limits, makes thumbnails (JPEG, [`THUMBNAIL_WIDTHS`]), finds five main colours, keeps a [`Signature`]
//! to know the picture again and computes one **content embedding** of unit length. It depends on the embedder and its
//! arguments alone.
//!
//! The embedding of space [`SPACE`] has no learned weights. Its first [`TEXT_DIM`] numbers say what the words are
//! (words and their pieces, hashed and projected), the rest what the picture looks like (edges by place, compacted by
//! fixed cosine transforms, and colours). A missing part is zeros and the other carries the norm, so that pins with
//! and without pictures, and bare queries ([`embed_text`]), meet in one space by inner product.
//!
//! Other spaces are those of a learned encoder ([`Embedder::learned`]) or, with the feature `zoo`, of one that somebody
//! published ([`Embedder::published`]).
//!
//! Pictures that are one picture, cut, written again, mirrored, framed or tinted, are found by [`NearDuplicates`] from
//! what [`Signature`] keeps of each.
//!
//! ```
//! let pin = domain::Pin { id: "p1".into(), title: "Brass lamp".into(), ..domain::Pin::default() };
//! let content = content::Embedder::default().understand(&pin, None)?;
//! assert_eq!(content.understood.embedding.len(), content::CONTENT_DIM);
//! # Ok::<(), content::ContentError>(())
//! ```
//!
//! What a collection teaches is learned beside it, and each piece says how sure it is and why: [`language`] of a text,
//! terms that a pin is about ([`AnnotationCounts`] reads, [`Annotator`] tells), topics of a given [`Taxonomy`] or of
//! [`LearnedTopics`], [`SemanticIds`], [`quality`] and [`SafetyRules`]. [`Learned`] is what was learned, in one piece,
//! as bytes that refuse damage; [`Annotating`] says of a pin all that it and an operator's rules tell.
//! `examples/understand.rs` runs all of it over a real collection.
//!
//! **Architecture invariant:** nothing here panics on what comes from outside, and nothing allocates more than
//! [`limits`] allow.

mod annotate;
mod annotating;
mod colour;
mod embedder;
mod embedding;
mod error;
mod files;
mod kmeans;
mod labels;
mod language;
mod learned;
mod look;
mod lossy;
mod near;
mod palette;
mod phrases;
mod picture;
mod quality;
mod safety;
mod semantic_ids;
mod text;
mod texts;
mod topics;
mod understand;
mod words;
#[cfg(feature = "zoo")]
mod zoo;
#[cfg(not(feature = "zoo"))]
#[path = "no_zoo.rs"]
mod zoo;

pub use annotate::{ANNOTATIONS_MAX, Annotation, AnnotationCounts, AnnotationParams, Annotator};
pub use annotating::Annotating;
pub use embedder::{Embedder, text_pieces, words_of};
pub use embedding::{CONTENT_DIM, SPACE, TEXT_DIM};
pub use error::ContentError;
pub use files::{PUBLISHED_FILES, PublishedFile};
pub use labels::LabelParams;
pub use language::language;
pub use learned::Learned;
pub use near::{NearDuplicates, SIGNATURE_BYTES, Signature};
pub use palette::{PALETTE_COLOURS, palette};
pub use picture::{Picture, THUMBNAIL_WIDTHS, Thumbnail, limits};
pub use quality::{Quality, QualityKind, QualityLabel, QualityParams, quality};
pub use safety::{SafetyLabel, SafetyParams, SafetyRule, SafetyRules, SafetyTerm};
pub use semantic_ids::{SEMANTIC_LEVELS, SemanticIds};
pub use text::normalise;
pub use topics::{LearnedTopics, Taxonomy, TopicMatch, TopicParams};
pub use understand::Content;

#[cfg(test)]
mod tests;
