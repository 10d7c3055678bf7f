//! Who was saved together: the pin-board graph, random walks on it, and which pins share boards.
//!
//! [`Graph`] holds each save as an edge between a pin and a board, in both directions. [`walk`] starts at pins that a
//! pinner likes, steps from a pin to a random board that holds it and on to a random pin of that board, and counts
//! where it comes by (Pixie: Eksombatchai et al., WWW 2018). [`neighbours`] counts exactly, for one pin;
//! [`sample_neighbours`] walks for one pin or many, for training; [`prune`] drops what says little.
//!
//! Useful for: candidates that people put together, without learned weights and fresh within a save. Not useful for:
//! pins on no board (content finds those).
//!
//! **Architecture invariant:** the same edges in the same order, starts, settings and seed give the same pins, whether
//! the edges are packed, came since, or lie in a mapped snapshot. No walk outlives its budget, and what it counts in
//! grows with its steps, not with the graph.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod best;
mod build;
mod csr;
mod direction;
mod excluded;
mod graph;
mod groups;
mod log;
mod merge;
mod neighbours;
mod order;
mod overlay;
mod packed;
mod prefetch;
mod prune;
mod rows;
mod sample;
mod scratch;
mod snapshot;
mod sort;
mod steps;
mod walk;

pub use graph::Graph;
pub use groups::{Groups, Preference};
pub use merge::{Merge, Merged, Replaced};
pub use neighbours::neighbours;
pub use prune::{Keep, PruneConfig, Similarity, board_entropy, prune};
pub use sample::{SampleConfig, sample_all, sample_neighbours};
pub use scratch::WalkScratch;
pub use walk::{Budget, Start, WalkConfig, Walked, walk, walk_preferring, walk_with};
