//! What the log holds: facts about pins, boards, pinners, what happened and what was served.

use crate::{Action, Annotated, BoardId, Clustered, EventId, PinId, PinnerId, RequestRecord, Reviewed, Surface};

/// A pin as its owner describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pin {
    /// The owner's id.
    pub id: String,
    /// Short text shown under the picture.
    pub title: String,
    /// Longer text.
    pub description: String,
    /// Where the picture is: a key of the blob store (`media/…`) or an `http(s)` address.
    pub image: Option<String>,
    /// Who made it.
    pub creator: Option<String>,
    /// Topics given by the owner.
    pub topics: Vec<String>,
    /// What else the owner knows of it, as words that a model can learn from (`music_type=9`); never shown.
    pub traits: Vec<String>,
    /// Language as a two-letter code.
    pub language: Option<String>,
    /// Where a click leads.
    pub link: Option<String>,
    /// When it was made (ms, UTC).
    pub created_ms: u64,
    /// When it stops being shown (ms, UTC).
    pub expires_ms: Option<u64>,
    /// Whether it may not be shown to anybody.
    pub unsafe_content: bool,
}

/// What the content pipeline found out about a pin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Understood {
    /// The owner's id of the pin.
    pub pin: String,
    /// Version of the embedding space; vectors of two spaces never meet.
    pub space: u32,
    /// Content embedding, unit length; empty when nothing could be embedded.
    pub embedding: Vec<f32>,
    /// Width and height of the picture in pixels.
    pub size: Option<(u32, u32)>,
    /// Main colours, most frequent first.
    pub palette: Vec<[u8; 3]>,
    /// Blob key of the thumbnail, if one was made.
    pub thumbnail: Option<String>,
    /// Widths in pixels of smaller copies that lie beside the thumbnail.
    pub thumbnail_widths: Vec<u16>,
    /// What is kept of the picture to know it again; empty where there is none.
    pub signature: Vec<u8>,
}

/// A collection of pins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The owner's id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Who owns it: a pinner's id.
    pub pinner: Option<String>,
    /// When it was made (ms, UTC).
    pub created_ms: u64,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pinner {
    /// The owner's id.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// Language as a two-letter code.
    pub language: Option<String>,
    /// What else the owner knows of them, as words that a model can learn from (`plan=free`); never shown, and never
    /// inferred.
    pub traits: Vec<String>,
    /// When they joined (ms, UTC).
    pub created_ms: u64,
}

/// An experiment as somebody defined or changed it: the last word of its id counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defined {
    /// Its id.
    pub id: String,
    /// Its definition, as the room `experiments` reads it (JSON).
    pub definition: String,
    /// When (ms, UTC).
    pub ts_ms: u64,
}

/// Something that happened, as it comes from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The idempotency key.
    pub event_id: EventId,
    /// When it happened (ms, UTC).
    pub ts_ms: u64,
    /// Who did it: a pinner's id.
    pub pinner: String,
    /// What was done.
    pub action: Action,
    /// Where.
    pub surface: Surface,
    /// The pin it was done to; of `follow`, a pin of the creator who is followed.
    pub pin: Option<String>,
    /// The board it was done to or on.
    pub board: Option<String>,
    /// The words searched for.
    pub query: Option<String>,
    /// The request that showed the pin.
    pub request_id: Option<EventId>,
    /// At which position of that request, from 0.
    pub position: Option<u16>,
    /// A measured value: dwell time in ms for close-ups and clicks.
    pub value: Option<f32>,
    /// Anything else, as JSON text. Of an impression on the surface `related`, `subject` is read: the pin beside which
    /// it was shown, where no request of ours showed it.
    pub props: Option<String>,
}

/// One action of one pinner with internal ids: what signals, walks and models work with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// The pin it was done to.
    pub pin: PinId,
    /// The board it was done on.
    pub board: Option<BoardId>,
    /// What was done.
    pub action: Action,
    /// Where.
    pub surface: Surface,
    /// When (ms, UTC).
    pub ts_ms: u64,
    /// Dwell time in ms, 0 when unknown.
    pub value: f32,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A pin was added or described anew.
    Pin(Pin),
    /// A pin was taken away.
    PinRemoved(String),
    /// A pin's content was understood.
    Understood(Understood),
    /// Rules and the collection were asked about a pin.
    Annotated(Annotated),
    /// A pin was put to those with the same picture.
    Clustered(Clustered),
    /// Somebody decided about a pin.
    Reviewed(Reviewed),
    /// An experiment was defined or changed.
    Defined(Defined),
    /// A board was added or described anew.
    Board(Board),
    /// A pinner was added or described anew.
    Pinner(Pinner),
    /// A pinner acted.
    Event(Event),
    /// A slate was served.
    Served(Box<RequestRecord>),
    /// Ids got numbers.
    Numbered(Numbered),
}

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdKind {
    /// A pinner.
    Pinner,
    /// A pin.
    Pin,
    /// A board.
    Board,
}

/// A run of ids from outside with the dense numbers that stand for them: `names[i]` is number `first + i` of its kind.
///
/// Models, request records and state speak of numbers. The run is in the log before anything else does, so that all of
/// them can be read for as long as there is a log, and whoever reads it gives the same numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// What they name.
    pub kind: IdKind,
    /// Number of the first.
    pub first: u32,
    /// The ids, each with the pinner that it belonged to when it got its number (boards only).
    pub names: Vec<(String, Option<PinnerId>)>,
}

/// The topics of the log. Facts of one topic are read in the order in which they were appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicKind {
    /// Pins, boards, pinners, what was found out about them and what was decided.
    Catalogue,
    /// What pinners did.
    Events,
    /// What was served.
    Requests,
    /// Numbers given to ids.
    Numbers,
}

impl TopicKind {
    /// Every topic.
    pub const ALL: [TopicKind; 4] = [TopicKind::Catalogue, TopicKind::Events, TopicKind::Requests, TopicKind::Numbers];

    /// The topics that views and tables are made from, first of [`TopicKind::ALL`]. Numbers are read before them.
    pub const FOLLOWED: [TopicKind; 3] = [TopicKind::Catalogue, TopicKind::Events, TopicKind::Requests];

    /// Its name in the engine.
    pub fn as_str(self) -> &'static str {
        match self {
            TopicKind::Catalogue => "catalogue",
            TopicKind::Events => "events",
            TopicKind::Requests => "requests",
            TopicKind::Numbers => "numbers",
        }
    }
}

impl Fact {
    /// The topic that holds facts of this kind.
    pub fn topic(&self) -> TopicKind {
        match self {
            Fact::Event(_) => TopicKind::Events,
            Fact::Served(_) => TopicKind::Requests,
            Fact::Numbered(_) => TopicKind::Numbers,
            _ => TopicKind::Catalogue,
        }
    }

    /// Why the fact cannot be taken, if it cannot. `now_ms` bounds the time of events.
    pub fn check(&self, now_ms: u64) -> Result<(), Refusal> {
        match self {
            Fact::Pin(pin) => pin.check(now_ms),
            Fact::PinRemoved(id) => id_field("id", id),
            Fact::Understood(understood) => id_field("pin", &understood.pin),
            Fact::Annotated(annotated) => id_field("pin", &annotated.pin),
            Fact::Clustered(clustered) => id_field("pin", &clustered.pin),
            Fact::Reviewed(reviewed) => id_field("pin", &reviewed.pin),
            Fact::Defined(defined) => {
                id_field("id", &defined.id)?;
                text_field("definition", &defined.definition, limits::TEXT_BYTES_MAX)
            }
            Fact::Board(board) => {
                id_field("id", &board.id)?;
                optional_id("pinner", board.pinner.as_deref())?;
                text_field("title", &board.title, limits::TITLE_BYTES_MAX)
            }
            Fact::Pinner(pinner) => {
                id_field("id", &pinner.id)?;
                text_field("name", &pinner.name, limits::TITLE_BYTES_MAX)?;
                trait_fields(&pinner.traits)
            }
            Fact::Event(event) => event.check(now_ms),
            Fact::Served(_) | Fact::Numbered(_) => Ok(()),
        }
    }
}

/// Bounds of what is taken from outside.
pub mod limits {
    /// Longest id in bytes.
    pub const ID_BYTES_MAX: usize = 256;
    /// Longest title or name in bytes.
    pub const TITLE_BYTES_MAX: usize = 2_000;
    /// Longest description or props in bytes.
    pub const TEXT_BYTES_MAX: usize = 20_000;
    /// Longest query in bytes.
    pub const QUERY_BYTES_MAX: usize = 500;
    /// Most topics of a pin.
    pub const TOPICS_MAX: usize = 32;
    /// Most traits of a pin or a pinner.
    pub const TRAITS_MAX: usize = 128;
    /// Longest trait in bytes.
    pub const TRAIT_BYTES_MAX: usize = 128;
    /// Earliest moment an event may carry: 1990-01-01.
    pub const EVENT_TS_MS_MIN: u64 = 631_152_000_000;
    /// How far ahead of the clock an event may be, or a pin have been made: a day.
    pub const EVENT_AHEAD_MS_MAX: u64 = 86_400_000;
}

/// Why a fact from outside was not taken: the field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Refusal {
    /// The field that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

fn refuse(field: &'static str, reason: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { field, reason: reason.into() })
}

fn id_field(field: &'static str, id: &str) -> Result<(), Refusal> {
    word_field(field, id, limits::ID_BYTES_MAX)
}

fn word_field(field: &'static str, word: &str, bytes_max: usize) -> Result<(), Refusal> {
    if word.is_empty() {
        return refuse(field, "missing or empty");
    }
    if word.chars().any(char::is_control) {
        return refuse(field, "holds a control character");
    }
    text_field(field, word, bytes_max)
}

fn trait_fields(traits: &[String]) -> Result<(), Refusal> {
    if traits.len() > limits::TRAITS_MAX {
        return refuse("traits", format!("{} given, at most {} are taken", traits.len(), limits::TRAITS_MAX));
    }
    traits.iter().try_for_each(|word| word_field("traits", word, limits::TRAIT_BYTES_MAX))
}

fn optional_id(field: &'static str, id: Option<&str>) -> Result<(), Refusal> {
    id.map_or(Ok(()), |id| id_field(field, id))
}

fn not_ahead(field: &'static str, ts_ms: u64, now_ms: u64) -> Result<(), Refusal> {
    if ts_ms > now_ms.saturating_add(limits::EVENT_AHEAD_MS_MAX) {
        return refuse(field, format!("{ts_ms} ms is more than a day ahead of the server's clock"));
    }
    Ok(())
}

fn text_field(field: &'static str, text: &str, bytes_max: usize) -> Result<(), Refusal> {
    if text.len() > bytes_max {
        return refuse(field, format!("{} bytes long, at most {bytes_max} are taken", text.len()));
    }
    Ok(())
}

impl Pin {
    fn check(&self, now_ms: u64) -> Result<(), Refusal> {
        id_field("id", &self.id)?;
        not_ahead("created_ms", self.created_ms, now_ms)?;
        text_field("title", &self.title, limits::TITLE_BYTES_MAX)?;
        text_field("description", &self.description, limits::TEXT_BYTES_MAX)?;
        text_field("image", self.image.as_deref().unwrap_or(""), limits::TITLE_BYTES_MAX)?;
        text_field("link", self.link.as_deref().unwrap_or(""), limits::TITLE_BYTES_MAX)?;
        optional_id("creator", self.creator.as_deref())?;
        if self.topics.len() > limits::TOPICS_MAX {
            return refuse("topics", format!("{} given, at most {} are taken", self.topics.len(), limits::TOPICS_MAX));
        }
        self.topics.iter().try_for_each(|topic| id_field("topics", topic))?;
        trait_fields(&self.traits)
    }
}

impl Event {
    /// A pinner's action in the home feed, with nothing else known about it.
    pub fn new(pinner: impl Into<String>, action: Action, ts_ms: u64) -> Event {
        Event {
            event_id: EventId(0),
            ts_ms,
            pinner: pinner.into(),
            action,
            surface: Surface::Home,
            pin: None,
            board: None,
            query: None,
            request_id: None,
            position: None,
            value: None,
            props: None,
        }
    }

    fn check(&self, now_ms: u64) -> Result<(), Refusal> {
        id_field("pinner", &self.pinner)?;
        optional_id("pin", self.pin.as_deref())?;
        optional_id("board", self.board.as_deref())?;
        text_field("query", self.query.as_deref().unwrap_or(""), limits::QUERY_BYTES_MAX)?;
        text_field("props", self.props.as_deref().unwrap_or(""), limits::TEXT_BYTES_MAX)?;
        if self.ts_ms < limits::EVENT_TS_MS_MIN {
            return refuse("ts", format!("{} ms is before 1990-01-01 (is it in seconds?)", self.ts_ms));
        }
        not_ahead("ts", self.ts_ms, now_ms)?;
        if self.action.needs_pin() && self.pin.is_none() {
            return refuse("pin", format!("missing: '{}' is done to a pin", self.action));
        }
        if self.action == Action::Search && self.query.as_deref().unwrap_or("").trim().is_empty() {
            return refuse("query", "missing: 'search' needs the words searched for");
        }
        if self.value.is_some_and(|value| !value.is_finite() || value < 0.0) {
            return refuse("value", "must be a finite number, zero or more");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_800_000_000_000;

    fn save() -> Event {
        Event { pin: Some("p1".into()), ..Event::new("ann", Action::Save, NOW_MS) }
    }

    fn reason(change: impl FnOnce(&mut Event)) -> String {
        let mut event = save();
        change(&mut event);
        Fact::Event(event).check(NOW_MS).map_or_else(|refusal| refusal.to_string(), |()| "taken".into())
    }

    #[test]
    fn events_say_what_is_wrong_with_them() {
        assert_eq!(reason(|_| ()), "taken");
        assert_eq!(reason(|e| e.pin = None), "pin: missing: 'save' is done to a pin");
        assert_eq!(reason(|e| e.pinner.clear()), "pinner: missing or empty");
        assert_eq!(reason(|e| e.ts_ms = 0), "ts: 0 ms is before 1990-01-01 (is it in seconds?)");
        assert!(reason(|e| e.ts_ms = 4_102_444_800_000).contains("ahead of the server's clock"));
        assert_eq!(reason(|e| e.value = Some(f32::NAN)), "value: must be a finite number, zero or more");
        assert!(reason(|e| e.action = Action::Search).starts_with("query: missing"));
        let bare = |action| move |e: &mut Event| (e.action, e.pin) = (action, None);
        assert_eq!(reason(bare(Action::Comment)), "pin: missing: 'comment' is done to a pin");
        assert_eq!(reason(bare(Action::Follow)), "taken", "whom they follow need not be the creator of a pin");
        assert!(reason(|e| e.pin = Some("x".repeat(300))).starts_with("pin: 300 bytes long"));
    }

    #[test]
    fn a_pin_is_not_made_in_the_future() {
        let microseconds = Pin { id: "p".into(), created_ms: NOW_MS * 1_000, ..Pin::default() };
        let error = Fact::Pin(microseconds).check(NOW_MS).expect_err("microseconds");
        assert!(error.to_string().starts_with("created_ms: "), "{error}");
    }

    #[test]
    fn traits_are_short_words_and_few() {
        let reason = |traits: Vec<String>| {
            let pin = Fact::Pin(Pin { id: "p".into(), traits: traits.clone(), ..Pin::default() }).check(NOW_MS);
            let pinner = Fact::Pinner(Pinner { id: "ann".into(), traits, ..Pinner::default() }).check(NOW_MS);
            assert_eq!(pin, pinner);
            pin.map_or_else(|refusal| refusal.to_string(), |()| "taken".into())
        };
        assert_eq!(reason(vec!["x".repeat(limits::TRAIT_BYTES_MAX); limits::TRAITS_MAX]), "taken");
        assert_eq!(reason(vec!["x".into(); limits::TRAITS_MAX + 1]), "traits: 129 given, at most 128 are taken");
        assert_eq!(reason(vec!["x".repeat(129)]), "traits: 129 bytes long, at most 128 are taken");
        assert_eq!(reason(vec!["a\n".into()]), "traits: holds a control character");
        assert_eq!(reason(vec![String::new()]), "traits: missing or empty");
    }

    #[test]
    fn a_pin_needs_an_id() {
        let error = Fact::Pin(Pin::default()).check(NOW_MS).expect_err("no id");
        assert_eq!(error.to_string(), "id: missing or empty");
    }
}
