//! Which pins match this vector, these words, this filter.
//!
//! Two indexes, both in memory and both rebuilt from the log:
//!
//! - [`VectorIndex`] holds one vector per pin and answers "which pins have the largest inner product with this
//!   vector" exactly, by scanning one contiguous block. It belongs to one embedding space and refuses every other.
//! - [`TextIndex`] holds the words of pins and answers by BM25. Its [`TextSearcher`] is a cheap handle that threads
//!   clone and search with while the index is being written.
//!
//! ```
//! use domain::PinId;
//! let mut index = index::VectorIndex::new(2, 1);
//! index.upsert(1, PinId(7), &[0.6, 0.8])?;
//! index.upsert(1, PinId(9), &[1.0, 0.0])?;
//! assert_eq!(index.search(1, &[1.0, 0.0], 1, None)?, [(PinId(9), 1.0)]);
//! # Ok::<(), index::IndexError>(())
//! ```
//!
//! Answers are ordered best first; equal scores are ordered by pin id, so that the same state gives the same answer.
//!
//! **Architecture invariant:** no file is touched, and no query text is ever parsed as a query language.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod error;
mod kernel;
mod text;
mod top;
mod vector;

pub use error::IndexError;
pub use text::{TextDocument, TextIndex, TextSearcher};
pub use vector::{PINS_MAX, VectorIndex};
