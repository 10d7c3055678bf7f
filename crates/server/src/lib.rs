//! How does the world talk to it?
//!
//! HTTP and JSON for programs, pages for people. The only room that knows what anything looks like on the wire:
//!
//! * **in**: bodies become rows, rows become facts, facts are durable before anybody is told ([`RowKind`],
//!   [`read_row`]; the importer's JSON lines are the same rows);
//! * **out**: a page of a ranking, its explanation, a pin, a picture ([`router`] has every path, `/openapi.json` says
//!   so to programs);
//! * **errors** are RFC 9457 problem documents, for people dressed as a page;
//! * **the faces**: the pinner app at `/` and the operator's console at `/console`, rendered here, one script and one
//!   style sheet, nothing from elsewhere, and readable without the script.
//!
//! [`greet`] says that the server is alive while its data is still opened; [`serve`] answers until it is told to stop,
//! then requests under way finish and the last records are written; [`ask`] answers one question without a socket.
//! Without [`Keys`] it only ever listens on this machine. Every body, batch, queue, wait and connection has a bound in
//! [`Limits`].
//!
//! ```text
//! observe → harden → dress → keep home → catch panics → key → turn (of what computes) → handler
//! ```
//!
//! **Architecture invariant:** handlers are thin: they read an address, ask one room, write an answer. No lock is held
//! across an await, and nothing that blocks runs on the runtime's own threads.

mod access;
mod admission;
mod answer;
mod app;
mod body;
mod cards;
mod clock;
mod connection;
mod cursor;
mod error;
mod experiments;
mod extract;
mod facets;
mod given;
mod health;
mod ids;
mod ingest;
mod keys;
mod limits;
mod lists;
mod live;
mod media;
mod metrics;
mod openapi;
mod pages;
mod parameters;
mod people;
mod picture;
mod pins;
mod problem;
mod recent;
mod requests;
mod review;
mod revise;
mod routes;
mod suggest;
mod visual;
mod wire;
mod wording;

pub use app::{App, CheckParams, Engines, Settings};
pub use clock::ClockKind;
pub use connection::{ask, greet, serve};
pub use error::ServerError;
pub use keys::{Key, Keys, Role};
pub use limits::Limits;
pub use picture::{keep_thumbnails, picture_key};
pub use routes::router;
pub use wire::{RowKind, RowRefusal, TakenRow, read_line, read_row};
