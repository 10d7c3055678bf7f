//! Facts of every kind with every field in use.

use domain::*;

pub(crate) fn event(number: u64) -> Event {
    let (action, ts_ms) = (Action::ALL[(number % 15) as usize], 1_700_000_000_000 + number);
    Event {
        event_id: EventId::new(ts_ms, u128::from(hash64(number))),
        surface: Surface::ALL[(number % 5) as usize],
        pin: Some(format!("pin-{}", number % 1_009)),
        board: number.is_multiple_of(3).then(|| format!("board-{}", number % 31)),
        position: number.is_multiple_of(2).then_some((number % 50) as u16),
        ..Event::new(format!("pinner-{}", number % 97), action, ts_ms)
    }
}

pub(crate) fn events(numbers: std::ops::Range<u64>) -> Vec<(EventId, Fact)> {
    numbers.map(event).map(|event| (event.event_id, Fact::Event(event))).collect()
}

fn full_event() -> Event {
    Event {
        query: Some("grüne Küche".into()),
        request_id: Some(EventId(99)),
        position: Some(u16::MAX),
        value: Some(1234.5),
        props: Some(r#"{"app":"ios"}"#.into()),
        ..event(6)
    }
}

fn full_pin() -> Pin {
    Pin {
        id: "p/1 ✓".into(),
        title: "A red chair".into(),
        description: "Oak and wool.\nTwo lines.".into(),
        image: Some("media/1.jpg".into()),
        creator: Some("ann".into()),
        topics: vec!["chairs".into(), "red".into()],
        traits: vec!["wood=oak".into()],
        language: Some("en".into()),
        link: Some("https://example.org/?a=b".into()),
        created_ms: u64::MAX,
        expires_ms: Some(0),
        unsafe_content: true,
    }
}

fn record(subject: Subject) -> RequestRecord {
    let stage = |note: Option<&str>| StageTrace {
        name: "generate/walks".into(),
        took_us: 1_500,
        before: 0,
        after: 421,
        note: note.map(str::to_owned),
    };
    let item = |pin: u32| ServedItem {
        pin: PinId(pin),
        sources: SourceSet(0b101),
        offers: vec![(3, 0.25), (u16::MAX, -1.0)],
        l1_rank: 7,
        l1: 0.5,
        l2_rank: 2,
        heads: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        utility: -0.75,
        features: vec![0.0, 1.5, 0.0, -0.0, f32::INFINITY, 0.0, 0.0, 8.0, 9.0],
        moves: vec![
            Move { by: "same creator".into(), from: 3, to: 9 },
            Move { by: "explore".into(), from: 9, to: 4 },
            Move { by: "rule/spring".into(), from: 4, to: 2 },
        ],
        propensity: if pin % 7 == 3 { 0.05 } else { 1.0 },
    };
    RequestRecord {
        request_id: EventId(u128::MAX),
        ts_ms: 1_700_000_000_000,
        pinner: "ann".into(),
        surface: Surface::Related,
        subject,
        offset: 20,
        shown: 2,
        arms: Vec::new(),
        trace: Trace {
            stages: vec![stage(None), stage(Some("deadline missed"))],
            dropped: vec![
                Drop { pin: PinId(5), by: "seen", sources: SourceSet(1) },
                Drop { pin: PinId(u32::MAX), by: "same creator", sources: SourceSet(64) },
            ],
            ranked: (0..30).map(item).collect(),
            degraded: vec!["search was left out".into()],
            model: "2024-11-23-a".into(),
        },
    }
}

/// One fact of each kind and shape that the first build of this version wrote, with ids that are their places.
pub(crate) fn one_of_each() -> Vec<(EventId, Fact)> {
    let understood = Understood {
        pin: "p1".into(),
        space: 1,
        embedding: (0..64).map(|i| i as f32 / 64.0).collect(),
        size: Some((640, 480)),
        palette: vec![[1, 2, 3], [255, 0, 9]],
        thumbnail: Some("thumbs/1.jpg".into()),
        ..Understood::default()
    };
    let board = Board { id: "b1".into(), title: "Kitchen".into(), pinner: Some("ann".into()), created_ms: 5 };
    let pinner = Pinner {
        id: "ann".into(),
        name: "Ann".into(),
        language: Some("de".into()),
        traits: vec!["plan=free".into(), "device=phone".into()],
        created_ms: 300,
    };
    let served = |subject| Fact::Served(Box::new(record(subject)));
    let facts = [
        Fact::Pin(full_pin()),
        Fact::Pin(Pin { id: "p2".into(), ..Pin::default() }),
        Fact::PinRemoved("p1".into()),
        Fact::Understood(understood),
        Fact::Understood(Understood::default()),
        Fact::Board(board),
        Fact::Board(Board::default()),
        Fact::Pinner(pinner),
        Fact::Pinner(Pinner::default()),
        Fact::Event(full_event()),
        Fact::Event(event(1)),
        served(Subject::None),
        served(Subject::Pin(PinId(7))),
        served(Subject::Board(BoardId(8))),
        served(Subject::Query("red chair".into())),
        Fact::Numbered(Numbered {
            kind: IdKind::Pin,
            first: 7,
            names: vec![("p/1 ✓".into(), None), ("p2".into(), None)],
        }),
        Fact::Numbered(Numbered {
            kind: IdKind::Board,
            first: u32::MAX - 2,
            names: vec![("b1".into(), Some(PinnerId(0))), ("b2".into(), None)],
        }),
    ];
    facts.into_iter().enumerate().map(|(place, fact)| (EventId(place as u128), fact)).collect()
}

/// What later builds of this version write besides.
pub(crate) fn later() -> Vec<(EventId, Fact)> {
    let understood = Understood {
        pin: "p1".into(),
        thumbnail: Some("thumbs/1.jpg".into()),
        thumbnail_widths: vec![136, 236],
        signature: (0..=255).collect(),
        ..Understood::default()
    };
    let label = |name: &str, terms: &[&str]| Label {
        name: name.into(),
        value: -1.5,
        threshold: 2.0,
        terms: terms.iter().map(|&term| term.to_owned()).collect(),
    };
    let annotated = Annotated {
        pin: "p1".into(),
        learned: 7,
        rules: u64::MAX,
        language: Some("de".into()),
        labels: vec![label("blurred", &[]), label("weapons", &["hand gun", "rifle"])],
        verdict: Verdict::Review,
        terms: vec![("brass lamp".into(), 0.75), ("größe".into(), 0.0)],
        topics: vec!["lamps".into()],
        semantic_id: Some([0, 255, 1, 2]),
    };
    let facts = [
        Fact::Understood(understood),
        Fact::Annotated(annotated),
        Fact::Annotated(Annotated::default()),
        Fact::Clustered(Clustered { pin: "p2".into(), head: "p1".into() }),
        Fact::Reviewed(Reviewed { pin: "p1".into(), verdict: Verdict::Hide, ts_ms: 1_700_000_000_000 }),
        Fact::Defined(Defined { id: "variety".into(), definition: "{}".into(), ts_ms: 1_700_000_000_000 }),
        Fact::Served(Box::new(RequestRecord {
            arms: vec![ArmOf { experiment: "variety".into(), arm: "off".into() }],
            ..record(Subject::None)
        })),
    ];
    facts.into_iter().enumerate().map(|(place, fact)| (EventId(1_000 + place as u128), fact)).collect()
}
