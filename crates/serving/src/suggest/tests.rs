use super::*;
use crate::views::Views;
use domain::{Action, Board, Event, EventId, Fact, Pin, PinId, TopicKind};

const NOW_MS: u64 = 1_700_000_000_000;

fn pin(number: u32, title: &str, topic: &str) -> Fact {
    let topics = vec![topic.to_owned()];
    Fact::Pin(Pin { id: number.to_string(), title: title.into(), topics, created_ms: 1, ..Pin::default() })
}

fn apply(views: &Views, topic: TopicKind, facts: Vec<Fact>) {
    let facts: Vec<_> = (1..).zip(facts).map(|(at, fact)| (at, EventId(u128::from(at)), fact)).collect();
    let changes = views.apply(topic, &facts);
    assert_eq!(changes.refused, 0, "{:?}", changes.reasons);
}

/// Forty vases and forty lighthouses in two colours each.
fn catalogue() -> Views {
    let views = Views::new().expect("views");
    let mut facts: Vec<Fact> = (0..80)
        .map(|number| {
            let colour = if number % 2 == 0 { "blue" } else { "green" };
            match number / 40 {
                0 => pin(number, &format!("A {colour} vase on the table"), "ceramic vases"),
                _ => pin(number, &format!("Striped {colour} lighthouse"), "lighthouses"),
            }
        })
        .collect();
    for owner in ["ann", "ben", "cyd"] {
        let (id, title) = (format!("board of {owner}"), "By the Sea".to_owned());
        facts.push(Fact::Board(Board { id, title, pinner: Some(owner.into()), created_ms: 1 }));
    }
    let title = "Gifts for my secret love".to_owned();
    facts.push(Fact::Board(Board { id: "own".into(), title, pinner: Some("ann".into()), created_ms: 1 }));
    apply(&views, TopicKind::Catalogue, facts);
    views
}

fn search(pinner: &str, query: &str, pin: Option<u32>) -> Fact {
    let action = if pin.is_some() { Action::Save } else { Action::Search };
    let event = Event::new(pinner.to_owned(), action, NOW_MS);
    Fact::Event(Event { query: Some(query.into()), pin: pin.map(|pin| pin.to_string()), ..event })
}

fn texts(suggestions: &Suggestions, typed: &str) -> Vec<String> {
    suggestions.complete(typed, "", 8, NOW_MS).into_iter().map(|suggested| suggested.text).collect()
}

#[test]
fn without_a_log_topics_titles_and_boards_complete() {
    let views = catalogue();
    assert!(views.suggestions().is_none());
    views.suggest_now();
    let suggestions = views.suggestions().expect("made");
    let found = suggestions.complete("cer", "", 8, NOW_MS);
    assert_eq!(found, [Suggested { text: "ceramic vases".into(), kind: SuggestedKind::Topic }]);
    assert_eq!(texts(&suggestions, "strip"), ["striped blue lighthouse", "striped green lighthouse"]);
    assert_eq!(texts(&suggestions, " By  the"), ["by the sea"], "a board title that three pinners chose");
    assert_eq!(texts(&suggestions, "gif"), [""; 0], "one pinner's board is nobody else's business");
    assert_eq!(texts(&suggestions, "lighthuo")[0], "lighthouses", "a mistake is forgiven");
    assert_eq!(texts(&suggestions, ""), [""; 0]);
}

#[test]
fn what_was_searched_comes_first_unless_one_pinner_did() {
    let views = catalogue();
    let by_many = (0..5).map(|number| search(&format!("p{number}"), "Blue  vase", None));
    let by_one = (0..50).map(|_| search("ann", "blue secret", None));
    apply(&views, TopicKind::Events, by_many.chain(by_one).collect());
    views.suggest_now();
    let suggestions = views.suggestions().expect("made");
    let found = suggestions.complete("blu", "p1", 8, NOW_MS);
    assert_eq!(found[0], Suggested { text: "blue vase".into(), kind: SuggestedKind::Own });
    let stranger = suggestions.complete("blu", "stranger", 8, NOW_MS);
    assert_eq!(stranger[0], Suggested { text: "blue vase".into(), kind: SuggestedKind::Search });
    let own = suggestions.complete("blu", "ann", 8, NOW_MS);
    assert_eq!(own[0], Suggested { text: "blue secret".into(), kind: SuggestedKind::Own });
    assert!(found.iter().all(|suggested| suggested.text != "blue secret"), "{found:?}");
    assert_eq!(suggestions.trending(5), [Trending { text: "blue vase".into(), ratio: None }]);
}

#[test]
fn mistyped_words_are_read_and_names_are_left() {
    let views = catalogue();
    views.suggest_now();
    let suggestions = views.suggestions().expect("made");
    let reading = suggestions.read("green lighthuose").expect("mistyped");
    assert_eq!((reading.text.as_str(), reading.sure), ("green lighthouse", true), "{reading:?}");
    assert_eq!(suggestions.read("blue vase"), None);
    assert_eq!(suggestions.read("\"lighthuose\""), None, "quotes are meant as they stand");
    assert_eq!(suggestions.instead("\"blue lighthouse\""), ["blue lighthouse", "lighthouse"]);
    assert_eq!(suggestions.instead("vase qwrtz"), ["vase"]);
    assert_eq!(suggestions.instead("qwrtz"), [""; 0]);
}

#[test]
fn guides_split_and_related_searches_lead_to_the_same_pins() {
    let views = catalogue();
    let mut acts = Vec::new();
    for pinner in ["ann", "ben"] {
        for pin in 0..6 {
            acts.push(search(pinner, "vase", Some(pin)));
            acts.push(search(pinner, "pottery", Some(pin)));
            acts.push(search(pinner, "beacon", Some(pin + 50)));
        }
        acts.push(search(pinner, "blue vase", None));
    }
    apply(&views, TopicKind::Events, acts);
    views.suggest_now();
    let suggestions = views.suggestions().expect("made");
    assert_eq!(suggestions.related("Vase"), ["pottery"]);
    assert_eq!(suggestions.related("unheard of"), [""; 0]);
    let found: Vec<PinId> = (0..40).map(PinId).collect();
    let guides = suggestions.guides(&views.catalogue(), "vase", &found);
    let blue = guides.iter().find(|guide| guide.label == "blue").expect("a colour splits vases");
    assert_eq!((blue.query.as_str(), blue.count), ("blue vase", 20), "as it is asked");
    assert!(guides.iter().all(|guide| !guide.query.contains("table")), "all have it: {guides:?}");
}

#[test]
fn the_log_of_searches_is_a_part_of_the_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshots = store::Snapshots::new(folder.path());
    let views = catalogue();
    apply(&views, TopicKind::Events, ["ann", "ben"].map(|pinner| search(pinner, "oak bench", None)).into());
    views.take(Default::default()).expect("taken").write(&snapshots).expect("written");
    let opened = crate::snapshot::Opened::newest(&snapshots).expect("opened");
    assert!(opened.number.is_some());
    opened.views.suggest_now();
    let suggestions = opened.views.suggestions().expect("made");
    assert_eq!(texts(&suggestions, "oak"), ["oak bench"]);
}
