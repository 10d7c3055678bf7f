//! What do we know of a pin and of a pinner right now: acts become sequences, sets and counters.
//!
//! [`Signals`] reads one [`domain::Act`] after the other and keeps, per pinner, the last positive and negative acts and
//! impressions in order of time, pins that they liked before, which pins they have seen, saved and hidden and which
//! boards they save to; per pin, creator, topic, pinner, surface and pair of query and pin how often what happened, in
//! all and lately ([`Tally`] by [`Horizon`]); and over all pins what is popular now. What a pinner has to do with a
//! creator or a topic needs no counter: it is in their own acts and impressions. Nothing here asks for the time:
//! `now_ms` is an argument, so that the same code serves a request, replays a day and makes training rows.
//!
//! Useful for: features, filters, walk starts, model tokens. Not useful for: what exactly was done long ago (the lake
//! has it).
//!
//! **Architecture invariant:** acts may come late and out of order. Counters and popularity do not depend on the order
//! of arrival (up to rounding), histories only where timestamps tie. All that one pinner can occupy is bounded.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bytes;
mod counters;
mod file;
mod horizon;
mod lifelong;
mod pinner;
mod popular;
mod recent;
mod shown;
mod signals;
mod tally;

pub use horizon::Horizon;
pub use lifelong::LIFELONG_MAX;
pub use pinner::{BOARDS_MAX, NEGATIVES_MAX, SEQUENCE_MAX};
pub use popular::POPULAR_MAX;
pub use shown::{SHOWN_MAX, Shown};
pub use signals::{About, Signals, query_key};
pub use tally::Tally;
