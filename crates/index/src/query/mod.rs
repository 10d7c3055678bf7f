//! What people type: misspelt, half typed, and wider than what they look for.
//!
//! [`Speller`] says what a misspelt text was meant to be, and how sure that is.

mod spelling;
mod text;

pub use spelling::{Speller, SpellerBuilder, SpellerParams, Spelling, SpellingChange};
