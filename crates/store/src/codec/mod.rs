//! A fact as bytes: version, kind, fields. Compact, versioned, and safe to read whatever the bytes are.
//!
//! Layout of version 2: one byte version, one byte kind, then the fields in the order of the code below. Numbers are
//! LEB128 unless they are floats (little endian); text is its length and UTF-8; lists are their length and their
//! items; optional fields are announced by a bit of a leading byte. A change of layout is a new version; a build reads
//! its own and says so of others.

mod found;
mod names;
mod read;
mod record;
mod write;

use domain::{Action, Board, Event, EventId, Fact, IdKind, Numbered, Pin, Pinner, PinnerId, RequestRecord, Surface};
use read::Reader;
use write::Writer;

/// The version that is written and read.
const VERSION: u8 = 2;

/// Bytes that are no fact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a readable fact: {0}")]
pub struct BadFact(pub(crate) String);

impl BadFact {
    fn new(reason: impl Into<String>) -> BadFact {
        BadFact(reason.into())
    }
}

mod kind {
    pub(super) const PIN: u8 = 1;
    pub(super) const PIN_REMOVED: u8 = 2;
    pub(super) const UNDERSTOOD: u8 = 3;
    pub(super) const BOARD: u8 = 4;
    pub(super) const PINNER: u8 = 5;
    pub(super) const EVENT: u8 = 6;
    pub(super) const SERVED: u8 = 7;
    pub(super) const NUMBERED: u8 = 8;
    pub(super) const ANNOTATED: u8 = 9;
    pub(super) const CLUSTERED: u8 = 10;
    pub(super) const REVIEWED: u8 = 11;
    pub(super) const DEFINED: u8 = 12;
    /// A request record with arms of experiments behind it.
    pub(super) const SERVED_IN_ARMS: u8 = 13;
}

/// Appends the bytes of a fact to `out`. `id` is the id that is kept beside the bytes, so that an event's own (nearly
/// always the same) need not be kept twice.
pub fn encode(id: EventId, fact: &Fact, out: &mut Vec<u8>) {
    let mut to = Writer(out);
    to.byte(VERSION);
    match fact {
        Fact::Pin(pin) => write_pin(&mut to, pin),
        Fact::PinRemoved(id) => {
            to.byte(kind::PIN_REMOVED);
            to.text(id);
        }
        Fact::Understood(understood) => found::write_understood(&mut to, understood),
        Fact::Annotated(annotated) => found::write_annotated(&mut to, annotated),
        Fact::Clustered(clustered) => found::write_clustered(&mut to, clustered),
        Fact::Reviewed(reviewed) => found::write_reviewed(&mut to, reviewed),
        Fact::Defined(defined) => found::write_defined(&mut to, defined),
        Fact::Board(board) => write_board(&mut to, board),
        Fact::Pinner(pinner) => write_pinner(&mut to, pinner),
        Fact::Event(event) => write_event(&mut to, id, event),
        Fact::Served(served) => {
            to.byte(if served.arms.is_empty() { kind::SERVED } else { kind::SERVED_IN_ARMS });
            record::write(&mut to, served);
            if !served.arms.is_empty() {
                record::write_arms(&mut to, &served.arms);
            }
        }
        Fact::Numbered(numbered) => write_numbered(&mut to, numbered),
    }
}

/// The fact of some bytes; `id` is what was given to [`encode`]. Any bytes may be given: wrong ones are an error.
pub fn decode(id: EventId, bytes: &[u8]) -> Result<Fact, BadFact> {
    let mut from = Reader(bytes);
    let version = from.byte()?;
    if version != VERSION {
        return Err(BadFact::new(format!("version {version}, this build reads {VERSION}: import the data anew")));
    }
    let fact = match from.byte()? {
        kind::PIN => Fact::Pin(read_pin(&mut from)?),
        kind::PIN_REMOVED => Fact::PinRemoved(from.text()?),
        kind::UNDERSTOOD => Fact::Understood(found::read_understood(&mut from)?),
        kind::ANNOTATED => Fact::Annotated(found::read_annotated(&mut from)?),
        kind::CLUSTERED => Fact::Clustered(found::read_clustered(&mut from)?),
        kind::REVIEWED => Fact::Reviewed(found::read_reviewed(&mut from)?),
        kind::DEFINED => Fact::Defined(found::read_defined(&mut from)?),
        kind::BOARD => Fact::Board(read_board(&mut from)?),
        kind::PINNER => Fact::Pinner(read_pinner(&mut from)?),
        kind::EVENT => Fact::Event(read_event(&mut from, id)?),
        kind::SERVED => Fact::Served(Box::new(record::read(&mut from)?)),
        kind::SERVED_IN_ARMS => {
            let record = record::read(&mut from)?;
            Fact::Served(Box::new(RequestRecord { arms: record::read_arms(&mut from)?, ..record }))
        }
        kind::NUMBERED => Fact::Numbered(read_numbered(&mut from)?),
        other => return Err(BadFact::new(format!("kind {other} is unknown"))),
    };
    match from.0.len() {
        0 => Ok(fact),
        more => Err(BadFact::new(format!("{more} bytes too many"))),
    }
}

/// Kinds of ids, in the order of their codes.
const ID_KINDS: [IdKind; 3] = [IdKind::Pinner, IdKind::Pin, IdKind::Board];

fn write_numbered(to: &mut Writer, numbered: &Numbered) {
    to.byte(kind::NUMBERED);
    to.byte(numbered.kind as u8);
    to.number(u64::from(numbered.first));
    to.number(numbered.names.len() as u64);
    for (name, owner) in &numbered.names {
        to.text(name);
        // 0 is nobody.
        to.number(owner.map_or(0, |owner| u64::from(owner.0) + 1));
    }
}

fn read_numbered(from: &mut Reader) -> Result<Numbered, BadFact> {
    let code = from.byte()?;
    let kind = *ID_KINDS.get(usize::from(code)).ok_or_else(|| BadFact::new(format!("kind of id {code} is unknown")))?;
    let first = from.small()?;
    let names = from.list(2, |from| Ok((from.text()?, from.small::<u32>()?.checked_sub(1).map(PinnerId))))?;
    Ok(Numbered { kind, first, names })
}

fn write_pin(to: &mut Writer, pin: &Pin) {
    to.byte(kind::PIN);
    to.flags(&[
        pin.image.is_some(),
        pin.creator.is_some(),
        pin.language.is_some(),
        pin.link.is_some(),
        pin.expires_ms.is_some(),
        pin.unsafe_content,
    ]);
    to.text(&pin.id);
    to.text(&pin.title);
    to.text(&pin.description);
    for text in [&pin.image, &pin.creator, &pin.language, &pin.link].into_iter().flatten() {
        to.text(text);
    }
    to.texts(&pin.topics);
    to.texts(&pin.traits);
    to.number(pin.created_ms);
    pin.expires_ms.into_iter().for_each(|ms| to.number(ms));
}

fn read_pin(from: &mut Reader) -> Result<Pin, BadFact> {
    let [image, creator, language, link, expires, unsafe_content, ..] = from.flags()?;
    Ok(Pin {
        id: from.text()?,
        title: from.text()?,
        description: from.text()?,
        image: from.optional(image, Reader::text)?,
        creator: from.optional(creator, Reader::text)?,
        language: from.optional(language, Reader::text)?,
        link: from.optional(link, Reader::text)?,
        topics: from.texts()?,
        traits: from.texts()?,
        created_ms: from.number()?,
        expires_ms: from.optional(expires, Reader::number)?,
        unsafe_content,
    })
}

fn write_board(to: &mut Writer, board: &Board) {
    to.byte(kind::BOARD);
    to.flags(&[board.pinner.is_some()]);
    to.text(&board.id);
    to.text(&board.title);
    board.pinner.iter().for_each(|pinner| to.text(pinner));
    to.number(board.created_ms);
}

fn read_board(from: &mut Reader) -> Result<Board, BadFact> {
    let [pinner, ..] = from.flags()?;
    Ok(Board {
        id: from.text()?,
        title: from.text()?,
        pinner: from.optional(pinner, Reader::text)?,
        created_ms: from.number()?,
    })
}

fn write_pinner(to: &mut Writer, pinner: &Pinner) {
    to.byte(kind::PINNER);
    to.flags(&[pinner.language.is_some()]);
    to.text(&pinner.id);
    to.text(&pinner.name);
    pinner.language.iter().for_each(|language| to.text(language));
    to.texts(&pinner.traits);
    to.number(pinner.created_ms);
}

fn read_pinner(from: &mut Reader) -> Result<Pinner, BadFact> {
    let [language, ..] = from.flags()?;
    Ok(Pinner {
        id: from.text()?,
        name: from.text()?,
        language: from.optional(language, Reader::text)?,
        traits: from.texts()?,
        created_ms: from.number()?,
    })
}

fn write_event(to: &mut Writer, id: EventId, event: &Event) {
    to.byte(kind::EVENT);
    to.flags(&[
        event.pin.is_some(),
        event.board.is_some(),
        event.query.is_some(),
        event.request_id.is_some(),
        event.position.is_some(),
        event.value.is_some(),
        event.props.is_some(),
        event.event_id != id,
    ]);
    to.byte(event.action.code());
    to.byte(event.surface.code());
    to.number(event.ts_ms);
    to.text(&event.pinner);
    for text in [&event.pin, &event.board, &event.query].into_iter().flatten() {
        to.text(text);
    }
    event.request_id.iter().for_each(|&id| to.id(id));
    event.position.iter().for_each(|&position| to.number(u64::from(position)));
    event.value.iter().for_each(|&value| to.float(value));
    event.props.iter().for_each(|props| to.text(props));
    if event.event_id != id {
        to.id(event.event_id);
    }
}

fn read_event(from: &mut Reader, id: EventId) -> Result<Event, BadFact> {
    let [pin, board, query, request, position, value, props, own_id] = from.flags()?;
    let action = from.byte()?;
    let surface = read_surface(from)?;
    Ok(Event {
        action: Action::from_code(action).ok_or_else(|| BadFact::new(format!("action {action} is unknown")))?,
        surface,
        ts_ms: from.number()?,
        pinner: from.text()?,
        pin: from.optional(pin, Reader::text)?,
        board: from.optional(board, Reader::text)?,
        query: from.optional(query, Reader::text)?,
        request_id: from.optional(request, Reader::id)?,
        position: from.optional(position, Reader::small)?,
        value: from.optional(value, Reader::float)?,
        props: from.optional(props, Reader::text)?,
        event_id: from.optional(own_id, Reader::id)?.unwrap_or(id),
    })
}

fn read_surface(from: &mut Reader) -> Result<Surface, BadFact> {
    let code = from.byte()?;
    Surface::from_code(code).ok_or_else(|| BadFact::new(format!("surface {code} is unknown")))
}
