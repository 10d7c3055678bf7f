//! Sequences with their last pins withheld.

use super::*;
use crate::import::{Target, WITHHELD, Withheld, read_withheld};

const START_MS: u64 = 1_735_689_600_000;
/// Lines of four pins, over a hundred days.
const STEP_MS: u64 = 25 * 86_400_000;

fn withheld(pinner: &str, place: u64, pins: [&str; 2]) -> Withheld {
    let target = |after: u64, pin: &str| Target { pin: pin.into(), ts_ms: START_MS + (place + after) * STEP_MS };
    Withheld { pinner: pinner.into(), validation: target(0, pins[0]), test: target(1, pins[1]) }
}

#[test]
fn the_last_two_pins_stay_out_of_the_log() {
    let place = Place::new();
    let attributes = place.write("attributes.json", r#"{"a": [3, 1, 3], "b": ["red"], "unseen": []}"#);
    let lines = "1 a b c d\n\n2 c a\n\u{1}bad x y z\n3 b b c a e\n";
    let path = place.write("saves.txt.gz", gzip(lines));
    let words = ["--attributes", attributes.to_str().expect("text")];
    let (sink, stopped) = place.import("sequences", &path, &words);
    assert_eq!(stopped, None);
    assert!(place.refused().iter().all(|row| row.starts_with("saves.txt.gz:4: ")), "{:?}", place.refused());
    assert_eq!((sink.summary.too_short, sink.summary.repeats), (1, 1));
    let events: Vec<Event> = place.events().into_iter().filter(|event| !event.pinner.contains("bad")).collect();
    let acts = |event: &Event| (event.pinner.clone(), event.pin.clone().unwrap_or_default(), event.ts_ms - START_MS);
    let expected = [("1", "a", 0), ("1", "b", 1), ("2", "c", 0), ("2", "a", 2), ("3", "b", 0), ("3", "c", 1)];
    let expected = expected.map(|(pinner, pin, after)| (pinner.to_owned(), pin.to_owned(), after * STEP_MS));
    assert_eq!(events.iter().map(acts).collect::<Vec<_>>(), expected);
    assert!(events.iter().all(|event| event.action == Action::Save));
    assert!(events.iter().all(|event| event.board == Some(format!("board-{}", event.pinner))));
    let pins: Vec<(String, String)> = place.pins().into_iter().map(|pin| (pin.id, pin.traits.join(" "))).collect();
    let find = |id: &str| pins.iter().find(|pin| pin.0 == id).map(|pin| pin.1.as_str());
    assert_eq!((find("a"), find("b")), (Some("attribute=1 attribute=3"), Some("attribute=red")));
    assert_eq!((find("c"), find("e"), find("unseen")), (Some(""), Some(""), Some("")), "withheld pins can be found");

    let kept = read_withheld(&place.setup.folder(WITHHELD)).expect("what was withheld");
    let mut rows = kept.rows;
    rows.retain(|row| !row.pinner.contains("bad"));
    assert_eq!(kept.name, "saves.txt.gz");
    assert_eq!(rows, [withheld("1", 2, ["c", "d"]), withheld("3", 2, ["a", "e"])]);
    let (again, _) = place.import("sequences", &path, &words);
    assert_eq!(again.summary.accepted, 0);
}

#[test]
fn another_import_replaces_what_is_withheld() {
    let place = Place::new();
    let withheld_at = place.setup.folder(WITHHELD);
    let path = place.write("a.txt", "1 a b c\n");
    place.import("sequences", &path, &["--ts", "2025-01-01"]);
    let path = place.write("b.txt", "2 a b c d\n");
    place.import("sequences", &path, &[]);
    let kept = read_withheld(&withheld_at).expect("what was withheld");
    assert_eq!((kept.name.as_str(), kept.rows), ("b.txt", vec![withheld("2", 2, ["c", "d"])]));
    let whole = gzip("3 a b c\n");
    let path = place.write("c.txt.gz", &whole[..whole.len() - 9]);
    assert!(place.fails("sequences", &path, &[]).contains("truncated"));
    let error = read_withheld(&withheld_at).expect_err("the import did not end").to_string();
    assert!(error.contains("there is no ") && error.contains("import sequences"), "{error}");
}

#[test]
fn damage_is_told_with_its_place() {
    let place = Place::new();
    let path = place.write("a.txt", "1 a b c\n");
    let with = |text: &str| {
        let attributes = place.write("attributes.json", text);
        place.fails("sequences", &path, &["--attributes", attributes.to_str().expect("text")])
    };
    let error = with("{\"a\": [1],\n \"b\": 7}");
    assert!(error.contains("attributes.json is no JSON object of lists") && error.contains("line 2"), "{error}");
    let many: Vec<String> = (0..129).map(|number| number.to_string()).collect();
    let attributes = place.write("attributes.json", format!("{{\"a\": [{}]}}", many.join(",")));
    let (sink, stopped) = place.import("sequences", &path, &["--attributes", attributes.to_str().expect("text")]);
    assert_eq!((stopped, sink.summary.refused), (None, 1), "the pin is described without");
    assert_eq!(place.refused(), ["attributes.json:1: traits: 129 given, at most 128 are taken"]);

    let at = place.setup.folder(WITHHELD);
    let good = std::fs::read_to_string(&at).expect("text");
    let damaged = |text: &str| {
        std::fs::write(&at, text).expect("written");
        read_withheld(&at).expect_err("damaged").to_string()
    };
    let lines: Vec<&str> = good.lines().collect();
    let cut = format!("{}\n{}", lines[0], &lines[1][..lines[1].len() - 3]);
    assert!(damaged(&cut).starts_with("leave-one-out.jsonl: line 2: EOF"), "{}", damaged(&cut));
    assert!(damaged(&good.replace("\"test\"", "\"tset\"")).contains("line 2: unknown field `tset`"));
    assert!(damaged(&good.replace("\"version\":1", "\"version\":7")).contains("version 7, this build reads 1"));
    assert!(damaged(lines[0]).contains("nothing is withheld of a.txt"));
    assert!(damaged("").contains("is empty"));
    let long = format!("{}\n{{\"pinner\":\"{}\"}}\n", lines[0], "x".repeat(5 << 20));
    assert!(damaged(&long).contains("line 2: longer than "));
}
