//! Who was saved together: the pin-board graph, random walks on it, and which pins share boards.
//!
//! [`Graph`] holds each save as an edge between a pin and a board, in both directions. [`walk`] starts at pins that a
//! pinner likes, steps from a pin to a random board that holds it and on to a random pin of that board, and counts
//! where it comes by (Pixie: Eksombatchai et al., WWW 2018). [`neighbours`] counts exactly, for one pin.
//!
//! Useful for: candidates that people put together, without learned weights and fresh within a save. Not useful for:
//! pins on no board (content finds those).
//!
//! **Architecture invariant:** the same edges in the same order, starts, settings and seed give the same pins. No walk
//! outlives its budget.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod adjacency;
mod best;
mod graph;
mod neighbours;
mod scratch;
mod steps;
mod walk;

pub use graph::Graph;
pub use neighbours::neighbours;
pub use scratch::WalkScratch;
pub use walk::{Budget, Start, WalkConfig, Walked, walk, walk_with};
