//! Which pictures are one picture?
//!
//! A picture is cut, written again, mirrored, framed and tinted on its way around. [`Signature`] keeps of it what
//! stays; [`NearDuplicates`] takes signatures one by one and keeps them in clusters:
//!
//! 1. **frame**: small, in luma and chroma, without uniform borders;
//! 2. **signature**: coarse grids of what is left, a few hundred bytes;
//! 3. **keys**: what windows of the grids look like, hashed, so that a picture meets its crops; mirrored, its mirror
//!    images. An embedding may add keys of its own;
//! 4. **align**: the few pictures that share most keys are laid over the new one, by the warp that fits best;
//! 5. **likeness**: what differs then, against what compression and a tint leave;
//! 6. **clusters**: union-find, guarded against chains: a picture joins a cluster when it is also akin to the oldest
//!    picture of it.
//!
//! The work of an insertion is bounded, whatever is there already: so many keys, so many postings of each, so many
//! alignments. Everything is a function of what was inserted, in order.

mod align;
mod clusters;
mod frame;
mod index;
mod keys;
mod likeness;
mod postings;
mod signature;
mod snapshot;

pub use index::NearDuplicates;
pub use signature::{SIGNATURE_BYTES, Signature};

#[cfg(test)]
mod tests;
