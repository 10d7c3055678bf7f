//! The tables: their columns, and how facts become rows.

use crate::columns::{Cell, Column, Kind, Rows};
use domain::{
    ArmOf, Event, EventId, Fact, HEAD_COUNT, PinId, RequestRecord, ServedItem, SourceSet, Subject, TopicKind,
};

/// Every table and view that can be asked, in alphabetical order.
pub const TABLES: [&str; 12] = [
    "board_versions",
    "boards",
    "events",
    "exposures",
    "pin_versions",
    "pinner_versions",
    "pinners",
    "pins",
    "requests",
    "served",
    "stages",
    "understood",
];

/// A table that lies in files.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// The topic that it is made from.
    pub(crate) topic: TopicKind,
    pub(crate) columns: &'static [Column],
    /// Whether its rows are spread over months by their `dt`.
    pub(crate) monthly: bool,
    /// What rows of a file are sorted by.
    pub(crate) order: &'static [&'static str],
}

use Kind::{Day, Flag, Float, Floats, Int, Moment, Text, Texts};

pub(crate) const SPECS: [Spec; 9] = [
    Spec {
        name: "events",
        topic: TopicKind::Events,
        columns: &[
            ("log_offset", Int),
            ("event_id", Text),
            ("ts", Moment),
            ("dt", Day),
            ("pinner", Text),
            ("action", Text),
            ("surface", Text),
            ("pin", Text),
            ("board", Text),
            ("query", Text),
            ("request_id", Text),
            ("position", Int),
            ("value", Float),
            ("props", Text),
        ],
        monthly: true,
        order: &["pinner", "ts", "log_offset"],
    },
    Spec {
        name: "requests",
        topic: TopicKind::Requests,
        columns: &[
            ("log_offset", Int),
            ("request_id", Text),
            ("ts", Moment),
            ("dt", Day),
            ("pinner", Text),
            ("surface", Text),
            ("subject_kind", Text),
            ("subject", Text),
            ("subject_id", Int),
            ("model", Text),
            ("first_position", Int),
            ("shown", Int),
            ("ranked", Int),
            ("dropped", Int),
            ("took_us", Int),
            ("degraded", Texts),
        ],
        monthly: true,
        order: &["pinner", "ts", "log_offset"],
    },
    Spec {
        name: "served",
        topic: TopicKind::Requests,
        columns: &[
            ("log_offset", Int),
            ("request_id", Text),
            ("ts", Moment),
            ("dt", Day),
            ("pinner", Text),
            ("surface", Text),
            ("position", Int),
            ("shown", Flag),
            ("pin_id", Int),
            ("pin", Text),
            ("sources", Texts),
            ("source_ranks", Floats),
            ("source_scores", Floats),
            ("l1_rank", Int),
            ("l1", Float),
            ("l2_rank", Int),
            ("utility", Float),
            ("p_save", Float),
            ("p_closeup", Float),
            ("p_click", Float),
            ("p_long_click", Float),
            ("p_share", Float),
            ("p_follow", Float),
            ("p_comment", Float),
            ("p_hide", Float),
            ("features", Floats),
            ("moves", Texts),
            ("propensity", Float),
        ],
        monthly: true,
        order: &["pinner", "ts", "log_offset", "position"],
    },
    Spec {
        name: "stages",
        topic: TopicKind::Requests,
        columns: &[
            ("log_offset", Int),
            ("request_id", Text),
            ("ts", Moment),
            ("dt", Day),
            ("pinner", Text),
            ("surface", Text),
            ("stage", Text),
            ("number", Int),
            ("took_us", Int),
            ("before", Int),
            ("after", Int),
            ("note", Text),
        ],
        monthly: true,
        order: &["pinner", "ts", "log_offset", "number"],
    },
    Spec {
        name: "pin_versions",
        topic: TopicKind::Catalogue,
        columns: &[
            ("log_offset", Int),
            ("id", Text),
            ("removed", Flag),
            ("title", Text),
            ("description", Text),
            ("image", Text),
            ("creator", Text),
            ("topics", Texts),
            ("traits", Texts),
            ("language", Text),
            ("link", Text),
            ("created", Moment),
            ("expires", Moment),
            ("unsafe_content", Flag),
        ],
        monthly: false,
        order: &["id", "log_offset"],
    },
    Spec {
        name: "understood",
        topic: TopicKind::Catalogue,
        columns: &[
            ("log_offset", Int),
            ("pin", Text),
            ("space", Int),
            ("embedding", Floats),
            ("width", Int),
            ("height", Int),
            ("palette", Texts),
            ("thumbnail", Text),
        ],
        monthly: false,
        order: &["pin", "log_offset"],
    },
    Spec {
        name: "board_versions",
        topic: TopicKind::Catalogue,
        columns: &[("log_offset", Int), ("id", Text), ("title", Text), ("pinner", Text), ("created", Moment)],
        monthly: false,
        order: &["pinner", "id", "log_offset"],
    },
    Spec {
        name: "pinner_versions",
        topic: TopicKind::Catalogue,
        columns: &[
            ("log_offset", Int),
            ("id", Text),
            ("name", Text),
            ("language", Text),
            ("traits", Texts),
            ("created", Moment),
        ],
        monthly: false,
        order: &["id", "log_offset"],
    },
    Spec {
        name: "exposures",
        topic: TopicKind::Requests,
        columns: &[
            ("log_offset", Int),
            ("request_id", Text),
            ("ts", Moment),
            ("dt", Day),
            ("pinner", Text),
            ("surface", Text),
            ("experiment", Text),
            ("arm", Text),
        ],
        monthly: true,
        order: &["experiment", "pinner", "ts", "log_offset"],
    },
];

const EVENTS: usize = 0;
const REQUESTS: usize = 1;
const SERVED: usize = 2;
const STAGES: usize = 3;
const PIN_VERSIONS: usize = 4;
const UNDERSTOOD: usize = 5;
const BOARD_VERSIONS: usize = 6;
const PINNER_VERSIONS: usize = 7;
const EXPOSURES: usize = 8;

/// The views over the tables, as SQL.
pub(crate) const VIEWS: [(&str, &str); 3] = [
    (
        "pins",
        "SELECT v.id, v.title, v.description, v.image, v.creator, v.topics, v.traits, v.language, v.link, v.created, \
         v.expires, v.unsafe_content, u.space, u.width, u.height, u.palette, u.thumbnail \
         FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY log_offset DESC) AS age FROM pin_versions) v \
         LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY pin ORDER BY log_offset DESC) AS age FROM understood) u \
         ON u.pin = v.id AND u.age = 1 WHERE v.age = 1 AND NOT v.removed",
    ),
    (
        "boards",
        "SELECT id, title, pinner, created FROM (SELECT *, row_number() OVER \
         (PARTITION BY id ORDER BY log_offset DESC) AS age FROM board_versions) v WHERE v.age = 1",
    ),
    (
        "pinners",
        "SELECT id, name, language, traits, created FROM (SELECT *, row_number() OVER \
         (PARTITION BY id ORDER BY log_offset DESC) AS age FROM pinner_versions) v WHERE v.age = 1",
    ),
];

/// Rows of all tables that are waiting to be written.
pub(crate) struct Unit {
    pub(crate) tables: [Rows; SPECS.len()],
}

impl Unit {
    pub(crate) fn new() -> Unit {
        Unit { tables: SPECS.each_ref().map(|spec| Rows::new(spec.columns)) }
    }

    pub(crate) fn rows(&self) -> usize {
        self.tables.iter().map(|rows| rows.rows).sum()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.tables.iter().map(|rows| rows.bytes).sum()
    }

    /// Adds the rows of a fact.
    pub(crate) fn push(&mut self, offset: u64, id: EventId, fact: &Fact, name: &dyn Fn(PinId) -> Option<String>) {
        let at = Cell::Int(offset as i64);
        match fact {
            Fact::Event(event) => self.push_event(at, id, event),
            // Tables speak of ids from outside.
            // What was found out about pins is told again by whoever finds it out.
            Fact::Numbered(_) | Fact::Annotated(_) | Fact::Clustered(_) | Fact::Reviewed(_) | Fact::Defined(_) => {}
            Fact::Served(record) => self.push_request(at, record, name),
            Fact::Pin(_) | Fact::PinRemoved(_) => self.push_pin(at, fact),
            Fact::Understood(understood) => {
                let (width, height) = understood.size.unzip();
                let palette: Vec<String> =
                    understood.palette.iter().map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}")).collect();
                self.tables[UNDERSTOOD].push([
                    at,
                    Cell::Text(&understood.pin),
                    Cell::Int(i64::from(understood.space)),
                    Cell::Floats(&understood.embedding),
                    Cell::int(width),
                    Cell::int(height),
                    Cell::Texts(&palette),
                    Cell::text(understood.thumbnail.as_deref()),
                ]);
            }
            Fact::Board(board) => self.tables[BOARD_VERSIONS].push([
                at,
                Cell::Text(&board.id),
                Cell::Text(&board.title),
                Cell::text(board.pinner.as_deref()),
                Cell::Moment(board.created_ms),
            ]),
            Fact::Pinner(pinner) => self.tables[PINNER_VERSIONS].push([
                at,
                Cell::Text(&pinner.id),
                Cell::Text(&pinner.name),
                Cell::text(pinner.language.as_deref()),
                Cell::Texts(&pinner.traits),
                Cell::Moment(pinner.created_ms),
            ]),
        }
    }

    fn push_pin(&mut self, at: Cell<'_>, fact: &Fact) {
        let gap = Cell::Gap;
        match fact {
            Fact::PinRemoved(id) => {
                let (id, yes) = (Cell::Text(id), Cell::Flag(true));
                self.tables[PIN_VERSIONS].push([at, id, yes, gap, gap, gap, gap, gap, gap, gap, gap, gap, gap, gap]);
            }
            Fact::Pin(pin) => self.tables[PIN_VERSIONS].push([
                at,
                Cell::Text(&pin.id),
                Cell::Flag(false),
                Cell::Text(&pin.title),
                Cell::Text(&pin.description),
                Cell::text(pin.image.as_deref()),
                Cell::text(pin.creator.as_deref()),
                Cell::Texts(&pin.topics),
                Cell::Texts(&pin.traits),
                Cell::text(pin.language.as_deref()),
                Cell::text(pin.link.as_deref()),
                Cell::Moment(pin.created_ms),
                pin.expires_ms.map_or(gap, Cell::Moment),
                Cell::Flag(pin.unsafe_content),
            ]),
            _ => {}
        }
    }

    fn push_event(&mut self, at: Cell<'_>, id: EventId, event: &Event) {
        let (id, request) = (id.to_string(), event.request_id.map(|id| id.to_string()));
        self.tables[EVENTS].push([
            at,
            Cell::Text(&id),
            Cell::Moment(event.ts_ms),
            Cell::Moment(event.ts_ms),
            Cell::Text(&event.pinner),
            Cell::Text(event.action.as_str()),
            Cell::Text(event.surface.as_str()),
            Cell::text(event.pin.as_deref()),
            Cell::text(event.board.as_deref()),
            Cell::text(event.query.as_deref()),
            Cell::text(request.as_deref()),
            Cell::int(event.position),
            event.value.map_or(Cell::Gap, Cell::Float),
            Cell::text(event.props.as_deref()),
        ]);
    }

    fn push_request(&mut self, at: Cell<'_>, record: &RequestRecord, name: &dyn Fn(PinId) -> Option<String>) {
        let request_id = record.request_id.to_string();
        let common = [
            at,
            Cell::Text(&request_id),
            Cell::Moment(record.ts_ms),
            Cell::Moment(record.ts_ms),
            Cell::Text(&record.pinner),
            Cell::Text(record.surface.as_str()),
        ];
        self.push_summary(common, record, name);
        for (position, item) in record.trace.ranked.iter().enumerate() {
            let shown = position as u64 >= u64::from(record.offset)
                && (position as u64) < u64::from(record.offset) + u64::from(record.shown);
            self.push_item(common, position, shown, item, name);
        }
        for (number, stage) in record.trace.stages.iter().enumerate() {
            let [at, request_id, ts, dt, pinner, surface] = common;
            self.tables[STAGES].push([
                at,
                request_id,
                ts,
                dt,
                pinner,
                surface,
                Cell::Text(&stage.name),
                Cell::Int(number as i64),
                Cell::Int(i64::from(stage.took_us)),
                Cell::Int(i64::from(stage.before)),
                Cell::Int(i64::from(stage.after)),
                Cell::text(stage.note.as_deref()),
            ]);
        }
    }

    fn push_summary(&mut self, common: [Cell<'_>; 6], record: &RequestRecord, name: &dyn Fn(PinId) -> Option<String>) {
        let [at, request_id, ts, dt, pinner, surface] = common;
        for ArmOf { experiment, arm } in &record.arms {
            let (experiment, arm) = (Cell::Text(experiment), Cell::Text(arm));
            self.tables[EXPOSURES].push([at, request_id, ts, dt, pinner, surface, experiment, arm]);
        }
        let (kind, text, dense) = match &record.subject {
            Subject::None => ("none", None, None),
            Subject::Pin(pin) => ("pin", name(*pin), Some(pin.0)),
            Subject::Board(board) => ("board", None, Some(board.0)),
            Subject::Query(query) => ("query", Some(query.clone()), None),
        };
        self.tables[REQUESTS].push([
            at,
            request_id,
            ts,
            dt,
            pinner,
            surface,
            Cell::Text(kind),
            Cell::text(text.as_deref()),
            Cell::int(dense),
            Cell::Text(&record.trace.model),
            Cell::Int(i64::from(record.offset)),
            Cell::Int(i64::from(record.shown)),
            Cell::Int(record.trace.ranked.len() as i64),
            Cell::Int(record.trace.dropped.len() as i64),
            Cell::Int(record.trace.took_us() as i64),
            Cell::Texts(&record.trace.degraded),
        ]);
    }

    fn push_item(
        &mut self,
        common: [Cell<'_>; 6],
        position: usize,
        shown: bool,
        item: &ServedItem,
        name: &dyn Fn(PinId) -> Option<String>,
    ) {
        let [at, request_id, ts, dt, pinner, surface] = common;
        let pin = name(item.pin);
        let sources = source_names(item.sources);
        let (ranks, scores): (Vec<f32>, Vec<f32>) =
            item.offers.iter().map(|&(rank, score)| (f32::from(rank), score)).unzip();
        let moves: Vec<String> =
            item.moves.iter().map(|moved| format!("{} {}>{}", moved.by, moved.from, moved.to)).collect();
        let [save, closeup, click, long_click, share, follow, comment, hide]: [f32; HEAD_COUNT] = item.heads;
        self.tables[SERVED].push([
            at,
            request_id,
            ts,
            dt,
            pinner,
            surface,
            Cell::Int(position as i64),
            Cell::Flag(shown),
            Cell::Int(i64::from(item.pin.0)),
            Cell::text(pin.as_deref()),
            Cell::Texts(&sources),
            Cell::Floats(&ranks),
            Cell::Floats(&scores),
            Cell::Int(i64::from(item.l1_rank)),
            Cell::Float(item.l1),
            Cell::Int(i64::from(item.l2_rank)),
            Cell::Float(item.utility),
            Cell::Float(save),
            Cell::Float(closeup),
            Cell::Float(click),
            Cell::Float(long_click),
            Cell::Float(share),
            Cell::Float(follow),
            Cell::Float(comment),
            Cell::Float(hide),
            Cell::Floats(&item.features),
            Cell::Texts(&moves),
            Cell::Float(item.propensity),
        ]);
    }
}

fn source_names(sources: SourceSet) -> Vec<String> {
    sources.iter().map(|source| source.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_the_columns_of_the_heads_and_their_names() {
        let heads = domain::HEADS.map(|head| format!("p_{head}"));
        let columns: Vec<&str> = SPECS[SERVED].columns.iter().map(|&(name, _)| name).collect();
        let first = columns.iter().position(|name| *name == "p_save").expect("a head");
        assert_eq!(columns[first..first + HEAD_COUNT], heads);
        let mut names: Vec<&str> = SPECS.iter().map(|spec| spec.name).chain(VIEWS.map(|(name, _)| name)).collect();
        names.sort_unstable();
        assert_eq!(names, TABLES);
        for spec in &SPECS {
            assert!(spec.order.iter().all(|by| spec.columns.iter().any(|(name, _)| name == by)), "{}", spec.name);
            assert_eq!(spec.monthly, spec.columns.iter().any(|&(name, _)| name == "dt"), "{}", spec.name);
        }
        for (place, name) in [(EVENTS, "events"), (SERVED, "served"), (UNDERSTOOD, "understood")] {
            assert_eq!(SPECS[place].name, name);
        }
    }
}
