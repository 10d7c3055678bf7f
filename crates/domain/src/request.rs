//! A question and its answer.

use crate::{Act, ArmOf, BoardId, EventId, PinId, PinnerId, SourceSet, Surface, Trace};

/// What a request is about besides the pinner.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Nothing: the home feed.
    None,
    /// More like this pin.
    Pin(PinId),
    /// More for this board.
    Board(BoardId),
    /// These words.
    Query(String),
}

/// A content vector, and the space that it lives in; vectors of two spaces never meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Version of the space.
    pub space: u32,
    /// Unit length.
    pub vector: Vec<f32>,
}

/// One question to the funnel. Time and seed are arguments, so that the same request gives the same slate.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name in the log; outcomes refer to it.
    pub request_id: EventId,
    /// Where the slate will be shown.
    pub surface: Surface,
    /// What it is about.
    pub subject: Subject,
    /// What a picture that is asked with looks like, with the words beside it if there are any. Words alone are
    /// embedded on the way.
    pub look: Option<Embedding>,
    /// What pins must pass, in the filter language of the index; empty for all.
    pub filter: String,
    /// The asker's own id, as given.
    pub pinner_key: String,
    /// The asker, when they are known.
    pub pinner: Option<PinnerId>,
    /// History to answer with instead of the pinner's own, newest last: replays, evaluation, anonymous sessions.
    pub history: Option<Vec<Act>>,
    /// How many pins are wanted.
    pub limit: usize,
    /// The moment of the request (ms, UTC).
    pub now_ms: u64,
    /// How long the answer may take (ms).
    pub deadline_ms: u64,
    /// Seed of walks and exploration.
    pub seed: u64,
    /// Arms of experiments whose parameters it is answered with.
    pub arms: Vec<ArmOf>,
}

impl Request {
    /// A question about nothing by nobody, named by its moment and seed: the rest is filled in by whoever asks more.
    pub fn new(surface: Surface, now_ms: u64, seed: u64) -> Request {
        Request {
            request_id: EventId::new(now_ms, u128::from(seed)),
            surface,
            subject: Subject::None,
            look: None,
            filter: String::new(),
            pinner_key: String::new(),
            pinner: None,
            history: None,
            limit: 0,
            now_ms,
            deadline_ms: 0,
            seed,
            arms: Vec::new(),
        }
    }
}

/// One pin of a slate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlateItem {
    /// The pin.
    pub pin: PinId,
    /// The score it was ordered by.
    pub score: f32,
    /// Where it came from.
    pub sources: SourceSet,
}

/// The ordered answer: the whole ranking that paging walks through, best first.
#[derive(Clone, Debug, Default)]
pub struct Slate {
    /// The pins in order.
    pub items: Vec<SlateItem>,
    /// What happened on the way.
    pub trace: Trace,
}
