//! The request path and nothing else, with the views it reads and the consumer that feeds them.
//!
//! ```text
//!            log ──► Consumer ──► Views: catalogue · signals · graph · words · contents · model + pin vectors
//!                       │  snapshots with their offsets           │
//!                       ▼                                         ▼
//!                 snapshots           Request ──► Pipeline::serve ──► Slate + Trace ──► SlateCache (pages)
//!                                                                          └─ RecordSink ──► log
//! ```
//!
//! [`Pipeline::serve`] is the one to read first: a request becomes a [`Context`] (history, subject, user vector), all
//! [`CandidateGenerator`]s are asked at once, what they offer is merged into columns, [`Filter`]s take out what may not
//! be shown, [`Scorer`]s order the rest (L1, then L2), blending gives variety and exploration their places, and the
//! answer carries a trace of all that. Home, related, search and board are the same code with another
//! [`domain::Surface`].
//!
//! The views are made from the log and can be thrown away. [`Consumer`] follows the log, and keeps all views as one
//! snapshot from time to time ([`Consumer::keep`]), so that a start opens the newest whole one ([`Opened`]) and follows
//! the log from its offsets. Numbers of pins, boards and pinners are in the log: models and records refer to them.
//! [`Views::install`] replaces the model under running requests.
//!
//! What people type is understood with [`Suggestions`], made of the views beside the requests ([`Views::suggestions`]).
//!
//! [`Pipeline::rank_given`] ranks pins that the asker brings. For training and evaluation the same code runs on the
//! calling thread: [`Pipeline::rank_now`], [`Pipeline::evaluate_now`], [`Pipeline::replay`], [`Pipeline::given_now`].
//!
//! **Architecture invariant:** a request never fails and never waits for the writer of the views, the log or the state;
//! what could not be had in time is left out and said. The same views, request and seed give the same slate.

mod apply;
mod blend;
mod cache;
mod catalogue;
mod consumer;
mod context;
mod derive;
mod error;
mod facets;
mod features;
mod filter;
mod found;
mod generate;
mod generator;
mod given;
mod interests;
mod marks;
mod names;
mod numbers;
mod pin_row;
mod pipeline;
mod queries;
mod recall;
mod relevance;
mod replay;
mod rows;
mod run;
mod scorer;
mod sink;
mod snapshot;
mod spare;
mod suggest;
mod tastes;
mod tidy;
mod views;
mod words;

pub use apply::Changes;
pub use blend::ssd;
pub use cache::{CacheLimits, Cursor, NotACursor, SlateCache};
pub use catalogue::{BoardView, Catalogue, PinnerView};
pub use consumer::Consumer;
pub use context::Context;
pub use error::ServingError;
pub use facets::{FACETS, facet_counts};
pub use filter::{Filter, FilterView};
pub use generator::{CandidateGenerator, GeneratorError, Offers};
pub use given::Given;
pub use pin_row::{PinView, Standing};
pub use pipeline::{Pipeline, UNANSWERED, UNMATCHED};
pub use recall::Recall;
pub use relevance::{RelevanceSeen, SeenPin};
pub use replay::{Blending, Evaluated, Replay, ReplayRows, SecondPass};
pub use scorer::Scorer;
pub use sink::{RecordSink, SinkCounts};
pub use snapshot::Opened;
pub use suggest::{Reading, Suggested, SuggestedKind, Suggestions, Trending};
pub use views::{EmbedWords, Installed, Views};
pub use words::WordKind;
