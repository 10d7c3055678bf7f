//! What people type: misspelt, half typed, and wider than what they look for.
//!
//! [`Completer`] says what a half-typed text may become, from a log of queries.
//! [`guides()`] says how a query may be narrowed, [`RelatedQueries`] which others lead to the same pins,
//! [`trending()`] which are asked more than they used to be.
//! [`Speller`] says what a misspelt text was meant to be, and how sure that is.

mod completion;
mod guides;
mod spelling;
mod text;

pub use completion::{Completer, CompleterParams, Completion, CompletionKind, LoggedQuery};
pub use guides::{
    Engagement, Guide, GuideParams, GuideSources, QueryCounts, RelatedQueries, RelatedQuery, Trend, TrendingParams,
    guides, trending,
};
pub use spelling::{Speller, SpellerBuilder, SpellerParams, Spelling, SpellingChange};
