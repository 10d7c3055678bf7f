//! What people type: misspelt, half typed, and wider than what they look for.
//!
//! [`Completer`] says what a half-typed text may become, from a log of queries.
//! [`Speller`] says what a misspelt text was meant to be, and how sure that is.

mod completion;
mod spelling;
mod text;

pub use completion::{Completer, CompleterParams, Completion, CompletionKind, LoggedQuery};
pub use spelling::{Speller, SpellerBuilder, SpellerParams, Spelling, SpellingChange};
