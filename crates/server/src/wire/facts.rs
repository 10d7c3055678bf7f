//! Rows from outside become facts. The same reading serves the API and the importer's JSON lines.

use super::base64;
use super::fields::{self, Fields, RowRefusal};
use domain::{Board, Event, EventId, Fact, Pin, Pinner, Surface};

/// Which kind of rows a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Things that pinners did.
    Event,
    /// Pins.
    Pin,
    /// Boards.
    Board,
    /// Pinners.
    Pinner,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [RowKind; 4] = [RowKind::Event, RowKind::Pin, RowKind::Board, RowKind::Pinner];

    /// The word for rows of this kind, in paths and figures.
    pub fn as_str(self) -> &'static str {
        match self {
            RowKind::Event => "events",
            RowKind::Pin => "pins",
            RowKind::Board => "boards",
            RowKind::Pinner => "pinners",
        }
    }

    /// The word for one row of this kind: its `type`.
    pub fn noun(self) -> &'static str {
        match self {
            RowKind::Event => "event",
            RowKind::Pin => "pin",
            RowKind::Board => "board",
            RowKind::Pinner => "pinner",
        }
    }

    /// The kind whose rows have this `type`.
    pub fn named(noun: &str) -> Option<RowKind> {
        RowKind::ALL.into_iter().find(|kind| kind.noun() == noun)
    }

    /// The fields that a row of this kind may have besides its `type`.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            RowKind::Event => &[
                "event_id",
                "ts",
                "pinner",
                "action",
                "surface",
                "pin",
                "board",
                "query",
                "request_id",
                "position",
                "value",
                "props",
            ],
            RowKind::Pin => &[
                "id",
                "title",
                "description",
                "image",
                "creator",
                "topics",
                "traits",
                "language",
                "link",
                "created_ms",
                "expires_ms",
                "unsafe",
            ],
            RowKind::Board => &["id", "title", "pinner", "created_ms"],
            RowKind::Pinner => &["id", "name", "language", "traits", "created_ms"],
        }
    }
}

/// A row that was taken: the fact, its idempotency key where the sender gave one, and a picture that came inside.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenRow {
    /// The fact.
    pub fact: Fact,
    /// The sender's own key of the fact.
    pub event_id: Option<EventId>,
    /// Bytes of a picture given as a data URL.
    pub picture: Option<Vec<u8>>,
}

/// Reads one JSON object as a fact and checks it. `now_ms` stands in for a missing time and bounds the given one;
/// `new_id` names an event that came without a name. A row may say its `type`, which then must be that of `kind`.
///
/// # Errors
/// When the row is no JSON object, a field is unknown, missing or of the wrong kind, or the fact breaks a limit.
pub fn read_row(
    kind: RowKind,
    row: &[u8],
    now_ms: u64,
    new_id: impl FnOnce() -> EventId,
) -> Result<TakenRow, RowRefusal> {
    let mut fields = fields::read(row).map_err(|error| RowRefusal::row(error.to_string()))?;
    match kind_of(&mut fields)? {
        Some(other) if other != kind => {
            Err(RowRefusal::field("type", format!("must be '{}' here, not '{}'", kind.noun(), other.noun())))
        }
        _ => fact_of(kind, fields, now_ms, new_id),
    }
}

/// Reads one line of the import format: a row of any kind, named by its `type` (`event`, `pin`, `board`, `pinner`).
///
/// # Errors
/// As [`read_row`], and when there is no such type.
pub fn read_line(row: &[u8], now_ms: u64, new_id: impl FnOnce() -> EventId) -> Result<TakenRow, RowRefusal> {
    let mut fields = fields::read(row).map_err(|error| RowRefusal::row(error.to_string()))?;
    let kind = kind_of(&mut fields)?.ok_or_else(|| RowRefusal::field("type", format!("missing {KNOWN_TYPES}")))?;
    fact_of(kind, fields, now_ms, new_id)
}

const KNOWN_TYPES: &str = "(known: event pin board pinner)";

fn kind_of(fields: &mut Fields<'_>) -> Result<Option<RowKind>, RowRefusal> {
    let Some(noun) = fields.cow("type")? else { return Ok(None) };
    let kind = RowKind::named(&noun);
    kind.map(Some).ok_or_else(|| RowRefusal::field("type", format!("unknown {KNOWN_TYPES}")))
}

fn fact_of(
    kind: RowKind,
    mut fields: Fields<'_>,
    now_ms: u64,
    new_id: impl FnOnce() -> EventId,
) -> Result<TakenRow, RowRefusal> {
    let (fact, event_id, picture) = match kind {
        RowKind::Event => {
            let given = fields.word("event_id")?;
            let event = event(&mut fields, given.unwrap_or_else(new_id), now_ms)?;
            (Fact::Event(event), given, None)
        }
        RowKind::Pin => {
            let (pin, picture) = pin(&mut fields, now_ms)?;
            (Fact::Pin(pin), None, picture)
        }
        RowKind::Board => (Fact::Board(board(&mut fields, now_ms)?), None, None),
        RowKind::Pinner => (Fact::Pinner(pinner(&mut fields, now_ms)?), None, None),
    };
    fields.finish(kind.fields())?;
    fact.check(now_ms)?;
    Ok(TakenRow { fact, event_id, picture })
}

fn event(fields: &mut Fields<'_>, event_id: EventId, now_ms: u64) -> Result<Event, RowRefusal> {
    let missing = |name| RowRefusal::field(name, "missing");
    let position = fields.whole("position")?;
    let position = position.map(|position| {
        u16::try_from(position).map_err(|_| RowRefusal::field("position", format!("must be at most {}", u16::MAX)))
    });
    Ok(Event {
        event_id,
        ts_ms: fields.whole("ts")?.unwrap_or(now_ms),
        pinner: fields.id("pinner")?.ok_or_else(|| missing("pinner"))?,
        action: fields.word("action")?.ok_or_else(|| missing("action"))?,
        surface: fields.word("surface")?.unwrap_or(Surface::Home),
        pin: fields.id("pin")?,
        board: fields.id("board")?,
        query: fields.text("query")?,
        request_id: fields.word("request_id")?,
        position: position.transpose()?,
        value: fields.number("value")?.map(|value| value as f32),
        props: fields.props(),
    })
}

fn pin(fields: &mut Fields<'_>, now_ms: u64) -> Result<(Pin, Option<Vec<u8>>), RowRefusal> {
    let (image, picture) = match fields.cow("image")? {
        Some(image) if image.starts_with("data:") => (None, Some(picture(&image)?)),
        Some(image) => (Some(web_address("image", image.into_owned())?), None),
        None => (None, None),
    };
    let pin = Pin {
        id: fields.id("id")?.unwrap_or_default(),
        title: fields.text("title")?.unwrap_or_default(),
        description: fields.text("description")?.unwrap_or_default(),
        image,
        creator: fields.id("creator")?,
        topics: fields.texts("topics")?,
        traits: fields.texts("traits")?,
        language: language(fields)?,
        link: fields.text("link")?.map(|link| web_address("link", link)).transpose()?,
        created_ms: fields.whole("created_ms")?.unwrap_or(now_ms),
        expires_ms: fields.whole("expires_ms")?,
        unsafe_content: fields.flag("unsafe")?,
    };
    Ok((pin, picture))
}

fn board(fields: &mut Fields<'_>, now_ms: u64) -> Result<Board, RowRefusal> {
    Ok(Board {
        id: fields.id("id")?.unwrap_or_default(),
        title: fields.text("title")?.unwrap_or_default(),
        pinner: fields.id("pinner")?,
        created_ms: fields.whole("created_ms")?.unwrap_or(now_ms),
    })
}

fn pinner(fields: &mut Fields<'_>, now_ms: u64) -> Result<Pinner, RowRefusal> {
    Ok(Pinner {
        id: fields.id("id")?.unwrap_or_default(),
        name: fields.text("name")?.unwrap_or_default(),
        language: language(fields)?,
        traits: fields.texts("traits")?,
        created_ms: fields.whole("created_ms")?.unwrap_or(now_ms),
    })
}

fn language(fields: &mut Fields<'_>) -> Result<Option<String>, RowRefusal> {
    let Some(code) = fields.text("language")? else { return Ok(None) };
    if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(RowRefusal::field("language", "must be a two-letter code such as 'en'"));
    }
    Ok(Some(code.to_ascii_lowercase()))
}

/// Only addresses of the web: whatever else a browser would follow (`javascript:`) stays out.
fn web_address(field: &str, text: String) -> Result<String, RowRefusal> {
    if is_web_address(&text) {
        return Ok(text);
    }
    let what = if field == "image" { "an http(s) address or a base64 data URL" } else { "an http(s) address" };
    Err(RowRefusal::field(field, format!("must be {what}")))
}

/// Whether a browser may follow the text as a link.
pub(crate) fn is_web_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https")) && !text.chars().any(|c| c.is_control() || c == ' ')
}

fn picture(url: &str) -> Result<Vec<u8>, RowRefusal> {
    let (head, data) = url.split_once(',').ok_or_else(|| RowRefusal::field("image", "a data URL needs a comma"))?;
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return Err(RowRefusal::field("image", "a data URL must be base64 (data:image/jpeg;base64,…)"));
    }
    base64::decode(data).ok_or_else(|| RowRefusal::field("image", "the data URL is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Action;

    const NOW_MS: u64 = 1_800_000_000_000;

    fn read(kind: RowKind, row: &str) -> Result<TakenRow, String> {
        read_row(kind, row.as_bytes(), NOW_MS, || EventId(9)).map_err(|refusal| refusal.to_string())
    }

    fn why(kind: RowKind, row: &str) -> String {
        read(kind, row).expect_err(row)
    }

    #[test]
    fn an_event_comes_in_whole_and_with_defaults() {
        let row = r#"{"event_id":"01BX5ZZKBKACTAV9WEVGEMMVRZ","ts":1700000000000,"pinner":"ann","action":"save",
            "surface":"search","pin":7,"board":"b","query":"oak","request_id":"01BX5ZZKBKACTAV9WEVGEMMVS0",
            "position":3,"value":1.5,"props":{"a":[1,{"b":null}]}}"#;
        let Ok(TakenRow { fact: Fact::Event(event), event_id: Some(id), .. }) = read(RowKind::Event, row) else {
            panic!("an event")
        };
        assert_eq!((event.event_id, event.pin.as_deref(), event.position), (id, Some("7"), Some(3)));
        assert_eq!(event.props.as_deref(), Some(r#"{"a":[1,{"b":null}]}"#));
        let Ok(TakenRow { fact: Fact::Event(event), event_id, .. }) =
            read(RowKind::Event, r#"{"pinner":"ann","action":"closeup","pin":"p\u00e9","value":null}"#)
        else {
            panic!("an event")
        };
        assert_eq!((event_id, event.event_id, event.ts_ms), (None, EventId(9), NOW_MS));
        assert_eq!((event.action, event.surface, event.pin.as_deref()), (Action::Closeup, Surface::Home, Some("pé")));
    }

    #[test]
    fn a_bad_event_names_its_field() {
        let why = |row| why(RowKind::Event, row);
        assert!(
            why(r#"{"pinner":"a","action":"repin","pin":"p"}"#).starts_with("action: unknown action 'repin' (known:")
        );
        assert_eq!(why(r#"{"action":"save","pin":"p"}"#), "pinner: missing");
        assert_eq!(why(r#"{"pinner":"a","action":"save"}"#), "pin: missing: 'save' is done to a pin");
        assert!(why(r#"{"pinner":"a","action":"save","pin":"p","ts":12}"#).contains("before 1990-01-01"));
        assert!(why(r#"{"pinner":"a","action":"save","pin":"p","ts":4102444800000}"#).contains("ahead"));
        assert!(why(r#"{"pinner":"a","action":"save","pin":"p","ts":"now"}"#).contains("a whole number"));
        assert!(why(r#"{"pinner":"a","action":"save","pin":["p"]}"#).contains("must be text, not a list"));
        assert!(why(r#"{"pinner":"a","action":"save","pin":"p","positon":1}"#).starts_with("positon: unknown field"));
        assert!(why(r#"{"pinner":"a","action":"save","pin":"p","position":70000}"#).contains("at most 65535"));
        assert!(why(r#"{"pinner":"a","action":"save","pin":"p","event_id":"x"}"#).contains("not a ULID"));
        assert!(why(r#"{"pinner":"a","pinner":"b","action":"save"}"#).contains("given twice"));
        assert!(why("7").contains("invalid type"));
        assert!(why(r#"{"pinner":"a""#).contains("EOF"));
    }

    #[test]
    fn a_line_names_its_kind() {
        let line = |row: &str| read_line(row.as_bytes(), NOW_MS, || EventId(9)).map_err(|refusal| refusal.to_string());
        let board = line(r#"{"id":"b","type":"board","title":"Oak"}"#).expect("a board").fact;
        assert!(matches!(board, Fact::Board(board) if board.title == "Oak"));
        assert_eq!(line(r#"{"id":"b"}"#), Err("type: missing (known: event pin board pinner)".into()));
        assert_eq!(line(r#"{"type":"slate"}"#), Err("type: unknown (known: event pin board pinner)".into()));
        assert!(line(r#"{"type":"pin","id":"p","nmae":"x"}"#).expect_err("a typo").contains("nmae: unknown field"));
        assert_eq!(line(r#"{"type":"pin"}"#), Err("id: missing or empty".into()));
    }

    #[test]
    fn a_row_may_say_its_kind_if_it_is_the_one() {
        assert!(read(RowKind::Board, r#"{"type":"board","id":"b"}"#).is_ok());
        let why = |row| why(RowKind::Event, row);
        assert_eq!(why(r#"{"type":"pin","id":"p"}"#), "type: must be 'event' here, not 'pin'");
        assert_eq!(why(r#"{"type":"slate"}"#), "type: unknown (known: event pin board pinner)");
    }

    #[test]
    fn a_pin_takes_web_addresses_and_pictures_only() {
        let pin = r#"{"id":"p","title":"Oak","topics":"wood","image":"data:image/png;base64,AAEC","unsafe":true}"#;
        let taken = read(RowKind::Pin, pin).expect("a pin");
        assert_eq!(taken.picture, Some(vec![0, 1, 2]));
        let Ok(TakenRow { fact: Fact::Pin(oak), .. }) = read(RowKind::Pin, r#"{"id":"p","traits":["wood=oak"]}"#)
        else {
            panic!("a pin")
        };
        assert_eq!(oak.traits, ["wood=oak"]);
        let why = |row| why(RowKind::Pin, row);
        assert_eq!(why(r#"{"title":"Oak"}"#), "id: missing or empty");
        assert!(why(r#"{"id":"p","link":"javascript:alert(1)"}"#).starts_with("link: must be an http(s) address"));
        assert!(why(r#"{"id":"p","image":"/etc/passwd"}"#).starts_with("image: must be an http(s) address or"));
        assert!(why(r#"{"id":"p","image":"data:image/png,x"}"#).contains("must be base64"));
        assert!(why(r#"{"id":"p","image":"data:image/png;base64,*"}"#).contains("not base64"));
        assert!(why(r#"{"id":"p","language":"english"}"#).contains("two-letter"));
        assert_eq!(why(r#"{"id":"p","traits":["a",""]}"#), "traits: missing or empty");
        assert!(why(r#"{"id":"p","props":{}}"#).starts_with("props: unknown field"));
        assert!(read(RowKind::Board, r#"{"id":"b","pinner":"ann"}"#).is_ok());
        assert!(read(RowKind::Pinner, r#"{"id":4,"name":"Ann","language":"EN","traits":["plan=free"]}"#).is_ok());
    }
}
