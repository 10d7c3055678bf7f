//! What do we know of a pin and of a pinner right now: acts become sequences, sets and counters.
//!
//! [`Signals`] reads one [`domain::Act`] after the other and keeps, per pinner, the last positive acts in order of
//! time, which pins they have seen, saved and hidden and which boards they save to; per pin, how often each action
//! happened, in all and lately ([`Horizon`]); and over all pins what is popular now. Nothing here asks for the time:
//! `now_ms` is an argument, so that the same code serves a request, replays a day and makes training rows.
//!
//! Useful for: features, filters, walk starts, model tokens. Not useful for: lifelong history (the lake has it).
//!
//! **Architecture invariant:** acts may come late and out of order. Counters and popularity do not depend on the order
//! of arrival (up to rounding), histories only where timestamps tie. All that one pinner can occupy is bounded.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bytes;
mod counters;
mod file;
mod pinner;
mod popular;
mod recent;
mod signals;

pub use counters::Horizon;
pub use pinner::{BOARDS_MAX, SEQUENCE_MAX};
pub use popular::POPULAR_MAX;
pub use signals::Signals;
