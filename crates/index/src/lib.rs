//! Which pins match this vector, these words, this filter.
//!
//! Two indexes, both views of the log that can be made again:
//!
//! - [`VectorIndex`] holds one vector per pin and answers "which pins have the largest inner product with this vector",
//!   as exactly as it is asked to. It belongs to one embedding space and refuses every other.
//! - [`TextIndex`] holds the words of pins and answers by BM25. Its [`TextSearcher`] is a cheap handle that threads
//!   clone and search with while the index is being written.
//!
//! What people type is understood from words and logs that the caller hands over: [`Speller`] corrects it,
//! [`Completer`] completes it, [`guides()`], [`RelatedQueries`] and [`trending()`] lead on.
//!
//! What may be an answer is said by a [`Filter`] on [`Columns`] of pins, the same for every index: bound to the columns
//! it tells which pins pass, how many, and lists them when they are few ([`Bound`]).
//!
//! ```
//! use domain::PinId;
//! let mut index = index::VectorIndex::new(2, 1);
//! index.upsert(1, PinId(7), &[0.6, 0.8])?;
//! index.upsert(1, PinId(9), &[1.0, 0.0])?;
//! assert_eq!(index.search(1, &[1.0, 0.0], &index::Want::best(1))?.pins[0].0, PinId(9));
//! # Ok::<(), index::IndexError>(())
//! ```
//!
//! Answers are ordered best first; equal scores are ordered by pin id, so that the same state gives the same answer.
//!
//! **Architecture invariant:** no file is touched. Of what people type to search, only quotes mean something; nothing
//! else is ever parsed as a query language.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod error;
mod filter;
mod query;
mod text;
mod top;
mod vector;

pub use error::IndexError;
pub use filter::{Bound, Columns, FieldId, FieldKind, Filter, FilterError, PinSet};
pub use query::{
    Completer, CompleterParams, Completion, CompletionKind, Engagement, Guide, GuideParams, GuideSources, LoggedQuery,
    QueryCounts, RelatedQueries, RelatedQuery, Speller, SpellerBuilder, SpellerParams, Spelling, SpellingChange, Trend,
    TrendingParams, guides, trending,
};
pub use text::{
    TextDocument, TextField, TextFound, TextIndex, TextMatch, TextMatches, TextPlan, TextSearcher, TextSnapshot,
    TextWeights,
};
pub use vector::{Compacted, Compaction, Found, Marked, PINS_MAX, Plan, Pull, Replaced, VectorIndex, Want};
