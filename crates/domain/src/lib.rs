//! What do the words mean?
//!
//! The vocabulary of the whole system and nothing else: **pins** are things people look at, **boards** are collections
//! of pins, **pinners** are people. What happens is a [`Fact`] in the log: a pin, board or pinner was added, a pin was
//! understood and judged, a pinner acted ([`Event`]), a slate was served ([`RequestRecord`]). A question is a
//! [`Request`]; its [`Candidates`] are columns, one row a pin, that generators, filters and rankers fill; its answer is
//! a [`Slate`] with a [`Trace`]. Everything that can be tuned is in [`Params`].
//!
//! People's ids are strings that they own. Inside, a pin, board or pinner is a dense `u32`, assigned once by the
//! catalogue and stable ([`PinId`], [`BoardId`], [`PinnerId`]).
//!
//! [`Snapshot`] is the one shape that indexes take outside of memory.
//!
//! **Architecture invariant:** this room knows no file, socket, clock or random source, and nobody's wire format.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod candidates;
mod event_id;
mod fact;
mod found;
mod id;
mod params;
mod record;
mod request;
mod rng;
mod snapshot;
mod variety;

pub use action::{Action, ActionSet, HEAD_COUNT, HEADS, Surface, UnknownWord};
pub use candidates::{Candidates, Drop, Source, SourceSet};
pub use event_id::{BadEventId, EventId};
pub use fact::{
    Act, Board, Defined, Event, Fact, IdKind, Numbered, Pin, Pinner, Refusal, TopicKind, Understood, limits,
};
pub use found::{Annotated, Clustered, Label, Reviewed, Verdict};
pub use id::{BoardId, PinId, PinnerId};
pub use params::{AnswerParams, GeneratorParams, GeneratorsParams, Params, RelevanceParams, SurfaceParams, WalkParams};
pub use record::{ArmOf, Move, RequestRecord, ServedItem, StageTrace, Trace};
pub use request::{Embedding, Request, Slate, SlateItem, Subject};
pub use rng::{Rng, hash64};
pub use snapshot::{Column, Snapshot, SnapshotError};
pub use variety::{DiversityParams, RULES_MAX, RuleAction, RuleParams, SpacingParams};
