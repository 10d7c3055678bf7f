//! Every format on small files, good rows and bad ones.

mod kuairand;
mod sequences;

use super::*;
use crate::config::Config;
use crate::stop::Stop;
use clap::Parser;
use domain::{Action, Event, Fact, TopicKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// A folder with files and a data directory.
struct Place {
    folder: tempfile::TempDir,
    setup: Setup,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let setup = Setup { data, given: None, config: Config::default(), json: false, stop: Stop::default() };
        Place { folder, setup }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Imports `path` with the words of a command line; gives the summary and what stopped it.
    fn import(&self, format: &str, path: &Path, more: &[&str]) -> (Sink, Option<String>) {
        let refused = self.folder.path().join("refused");
        let mut words: Vec<String> = vec!["import".into(), format.into(), path.display().to_string()];
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words.extend(["--refused".into(), refused.display().to_string()]);
        let line = Line::try_parse_from(words).expect("a command line");
        let (sink, outcome) = bring(&line.args, &self.setup).expect("the data directory opens");
        (sink, outcome.err().map(|error| with_causes(&error)))
    }

    fn fails(&self, format: &str, path: &Path, more: &[&str]) -> String {
        self.import(format, path, more).1.expect("it fails")
    }

    fn refused(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("refused")).expect("the refused rows");
        text.lines().map(str::to_owned).collect()
    }

    fn facts(&self, topic: TopicKind) -> Vec<Fact> {
        let log = self.setup.log().expect("a log");
        log.read(topic, 0, 10_000).expect("facts").into_iter().map(|(_, _, fact)| fact).collect()
    }

    fn events(&self) -> Vec<Event> {
        let facts = self.facts(TopicKind::Events).into_iter();
        facts.filter_map(|fact| if let Fact::Event(event) = fact { Some(event) } else { None }).collect()
    }

    fn pins(&self) -> Vec<domain::Pin> {
        let facts = self.facts(TopicKind::Catalogue).into_iter();
        facts.filter_map(|fact| if let Fact::Pin(pin) = fact { Some(pin) } else { None }).collect()
    }

    fn did(&self) -> Vec<(String, Action, String)> {
        let did = |event: Event| (event.pinner, event.action, event.pin.unwrap_or_default());
        self.events().into_iter().map(did).collect()
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).expect("in memory");
    packed.finish().expect("in memory")
}

fn did(pinner: &str, action: Action, pin: &str) -> (String, Action, String) {
    (pinner.to_owned(), action, pin.to_owned())
}

#[test]
fn bad_json_lines_are_refused_one_by_one_and_the_rest_lands() {
    let place = Place::new();
    let rows: [&[u8]; 12] = [
        br#"{"type":"pin","id":"p1","title":"Oak table","topics":["wood"]}"#,
        br#"{"type":"pin","title":"nameless"}"#,
        br#"{"type":"pinner","id":"ann","name":"Ann"}"#,
        br#"{"type":"board","id":"b1","title":"Tables","pinner":"ann"}"#,
        b"",
        br#"{"type":"event","pinner":"ann","action":"save","pin":"p1","board":"b1","ts":1700000000000}"#,
        br#"{"type":"event","pinner":"ann","action":"repin","pin":"p1","ts":1700000000000}"#,
        br#"{"type":"event","pinner":"ann","action":"save","pin":"p1","ts":1000}"#,
        br#"{"type":"event","pinner":"ann","action":"save","pin":"p1","ts":4102444800000}"#,
        b"{\"type\":\"pin\",\"id\":\"\xff\"}",
        br#"{"type":"event","pinner":"ann","action":"closeup","pin":"p1""#,
        br#"{"type":"event","event_id":"01BX5ZZKBKACTAV9WEVGEMMVRZ","pinner":"ben","action":"hide","pin":"p1"}"#,
    ];
    let path = place.write("facts.jsonl", rows.join(&b'\n'));
    let (sink, stopped) = place.import("jsonl", &path, &[]);
    assert_eq!(stopped, None);
    // One pin is also understood and annotated.
    assert_eq!((sink.summary.read, sink.summary.accepted, sink.summary.refused), (11, 7, 6));
    let refused = place.refused();
    for (line, (number, why)) in refused.iter().zip([
        (2, "id: missing or empty"),
        (7, "action: unknown action 'repin' (known: impression"),
        (8, "before 1990-01-01"),
        (9, "ahead of the server's clock"),
        (10, "not UTF-8 at byte 21"),
        (11, "EOF"),
    ]) {
        assert!(line.starts_with(&format!("facts.jsonl:{number}: ")) && line.contains(why), "{line}");
    }
    assert_eq!(refused.len(), 6);
    assert_eq!(place.did(), [did("ann", Action::Save, "p1"), did("ben", Action::Hide, "p1")]);
    assert_eq!(place.events()[1].event_id.to_string(), "01BX5ZZKBKACTAV9WEVGEMMVRZ");
    let (again, _) = place.import("jsonl", &path, &[]);
    assert_eq!((again.summary.accepted, again.summary.duplicates), (0, 7), "nothing lands twice");
    assert_eq!(place.events().len(), 2);
}

#[test]
fn a_truncated_gzip_lands_up_to_the_break() {
    let place = Place::new();
    let row = |number: u64| {
        let noise = domain::hash64(number);
        format!(
            "{{\"type\":\"event\",\"pinner\":\"ann\",\"action\":\"save\",\"pin\":\"{noise}\",\"ts\":1700000000000}}\n"
        )
    };
    let whole = gzip(&(0..5_000).map(row).collect::<String>());
    let path = place.write("facts.jsonl.gz", &whole[..whole.len() / 2]);
    let (sink, stopped) = place.import("jsonl", &path, &[]);
    let stopped = stopped.expect("the file is broken");
    assert!(stopped.starts_with("facts.jsonl.gz: line "), "{stopped}");
    assert!(stopped.contains("the gzip stream ends in the middle: the file is truncated"), "{stopped}");
    let landed = sink.summary.accepted;
    assert!((1_500..3_500).contains(&landed), "{landed} facts landed");
    assert!(stopped.contains(&format!("line {}:", landed + 1)), "{stopped} after {landed}");
    assert_eq!(place.events().len() as u64, landed);
    let path = place.write("facts.jsonl.gz", &whole);
    let (sink, stopped) = place.import("jsonl", &path, &[]);
    assert_eq!((stopped, sink.summary.duplicates, sink.summary.accepted), (None, landed, 5_000 - landed));
}

#[test]
fn a_table_needs_its_columns_and_good_cells() {
    let place = Place::new();
    let csv = b"item,user,when,what\np1,ann,1700000000,save\np2,ann,soon,save\np3,ben\np\xff,ben,1700000000,save\n\
                \"p,4\",ben,1700000060,closeup\np5,,1700000000,save\n\
                p6,ben,10,save\np7,ben,4102444800,save\np8,ben,1700000000,repin\n";
    let path = place.write("saves.csv", csv);
    let columns = "(the columns are item, user, when, what)";
    assert_eq!(
        place.fails("csv", &path, &["--map", "pin=item_id,pinner=user,ts=when,action=what"]),
        format!("saves.csv: there is no column `item_id` for `pin` {columns}")
    );
    assert_eq!(
        place.fails("csv", &path, &["--map", "pin=item,pinner=user,action=save"]),
        format!("saves.csv: there is no column `ts` and --map names none for it {columns}")
    );
    let (sink, stopped) = place.import("csv", &path, &["--map", "pin=item,pinner=user,ts=when,ts_unit=s,action=what"]);
    assert_eq!((stopped, sink.summary.read, sink.summary.refused), (None, 9, 7));
    assert_eq!(place.did(), [did("ann", Action::Save, "p1"), did("ben", Action::Closeup, "p,4")]);
    assert_eq!(place.events()[1].ts_ms, 1_700_000_060_000);
    assert_eq!(place.pins().iter().map(|pin| pin.id.as_str()).collect::<Vec<_>>(), ["p1", "p,4"]);
    let refused = place.refused();
    for (line, why) in refused.iter().zip([
        "saves.csv:3: ts: 'soon' is neither a number nor a moment",
        "saves.csv:4: 2 cells, the header has 4",
        "saves.csv:5: cell 1 is not UTF-8",
        "saves.csv:7: pinner: missing",
        "saves.csv:8: ts: 10000 ms is before 1990-01-01",
        "saves.csv:9: ts: 4102444800000 ms is more than a day ahead",
        "saves.csv:10: action: unknown action 'repin'",
    ]) {
        assert!(line.starts_with(why), "{line}");
    }
    let (again, _) = place.import("csv", &path, &["--map", "pin=item,pinner=user,ts=when,ts_unit=s,action=what"]);
    assert_eq!((again.summary.accepted, again.summary.duplicates), (0, 2));
}

#[test]
fn a_table_of_pins_brings_pictures_that_lie_beside_it() {
    let place = Place::new();
    place.write("oak.png", picture(3));
    let csv = "sku,name,tags,file,facts\n1,Oak table,wood;table,oak.png,size=m; legs=4\n2,Elm chair,,gone.png,\n\
               3,Ash bench,wood,,\"[\"\"legs=2\"\"]\"\n";
    let path = place.write("pins.csv", csv);
    let map = "kind=pin,id=sku,title=name,topics=tags,list_split=;,image=file,traits=facts";
    let (sink, stopped) = place.import("csv", &path, &["--map", map]);
    assert_eq!((stopped, sink.summary.refused), (None, 1));
    assert!(place.refused()[0].starts_with("pins.csv:3: image: "), "{:?}", place.refused());
    let pins = place.pins();
    assert_eq!(pins.iter().map(|pin| pin.title.as_str()).collect::<Vec<_>>(), ["Oak table", "Ash bench"]);
    assert_eq!(pins[0].topics, ["wood", "table"]);
    assert_eq!((&pins[0].traits, &pins[1].traits), (&vec!["size=m".into(), "legs=4".into()], &vec!["legs=2".into()]));
    let key = pins[0].image.clone().expect("a picture");
    let kept = place.setup.blobs().expect("blobs").get(&key).expect("readable");
    assert_eq!(kept, Some(picture(3)));
}

/// A real picture.
fn picture(number: u32) -> Vec<u8> {
    let config =
        world::WorldConfig { pins: 100, pinners: 20, events: 0, ..world::WorldConfig::new(1, 1_700_000_000_000) };
    world::World::new(config).draw(number).to_png()
}

#[test]
fn parquet_is_mapped_like_csv() {
    let place = Place::new();
    let rows = "{\"type\":\"event\",\"pinner\":\"ann\",\"action\":\"save\",\"pin\":\"p1\",\"ts\":1700000000000}\n\
                {\"type\":\"event\",\"pinner\":\"ben\",\"action\":\"hide\",\"pin\":\"p2\",\"ts\":1700000001000}\n";
    let path = place.write("facts.jsonl", rows);
    place.import("jsonl", &path, &[]);
    // The lake's own files are Parquet that somebody else could have written.
    let lake = crate::lake_roll::open(&place.setup).expect("a lake");
    let log = place.setup.log().expect("a log");
    lake.roll(log.as_ref(), None, &mut |_| ()).expect("rolled");
    drop((lake, log));
    let events = place.setup.folder("blobs/lake/events");
    let month = std::fs::read_dir(events).expect("months").next().expect("one").expect("readable").path();
    let file = std::fs::read_dir(month).expect("files").next().expect("one").expect("readable").path();
    let other = Place::new();
    let why = other.fails("parquet", &file, &["--map", "pinner=nobody"]);
    assert!(why.contains("there is no column `nobody` for `pinner` (the columns are "), "{why}");
    let (sink, stopped) = other.import("parquet", &file, &["--map", "pinner=pinner"]);
    assert_eq!((stopped, sink.summary.read, sink.summary.refused), (None, 2, 0), "{:?}", other.refused());
    assert_eq!(other.did(), [did("ann", Action::Save, "p1"), did("ben", Action::Hide, "p2")]);
    assert_eq!(other.events()[1].ts_ms, 1_700_000_001_000);
    let broken = other.write("broken.parquet", b"PAR1 not really PAR1");
    assert!(other.fails("parquet", &broken, &[]).contains("broken.parquet"));
}

#[test]
fn a_board_a_line_with_some_pins_held_out() {
    let place = Place::new();
    let line = |pinner: u32| {
        let pins: Vec<String> = (0..10).map(|pin| (pinner + pin).to_string()).collect();
        format!("{pinner} {}\n", pins.join(" "))
    };
    let text: String = (0..20).map(line).chain(["20 7 7 8\n".into(), "\u{1}bad 1\n".into(), "21\n".into()]).collect();
    let path = place.write("saves.txt.gz", gzip(&text));
    let held = place.folder.path().join("held.txt");
    let words = ["--holdout", "0.2", "--holdout-file", held.to_str().expect("text"), "--seed", "5"];
    let (sink, stopped) = place.import("pinterest", &path, &words);
    assert_eq!(stopped, None);
    assert_eq!((sink.summary.repeats, sink.summary.held_out), (1, 40));
    assert!(sink.summary.refused >= 1 && place.refused()[0].starts_with("saves.txt.gz:22: "), "{:?}", place.refused());
    let kept: Vec<Event> = place.events().into_iter().filter(|event| !event.pinner.contains("bad")).collect();
    assert_eq!(kept.len(), 20 * 8 + 2);
    assert!(kept.iter().all(|event| event.board == Some(format!("board-{}", event.pinner))));
    let rows = read_holdout(&held).expect("held-out saves");
    assert_eq!(rows.len(), 20);
    for (pinner, pins) in rows {
        let own = kept.iter().filter(|event| event.pinner == pinner).filter_map(|event| event.pin.clone());
        let mut all: Vec<String> = own.chain(pins).collect();
        all.sort();
        let first: u32 = pinner.parse().expect("a number");
        let mut expected: Vec<String> = (first..first + 10).map(|pin| pin.to_string()).collect();
        expected.sort();
        assert_eq!(all, expected, "nothing is lost, nothing is in both");
    }
    let before = std::fs::read(&held).expect("the file");
    let (again, _) = place.import("pinterest", &path, &words);
    assert_eq!(again.summary.accepted, 0);
    assert_eq!(std::fs::read(&held).expect("the file"), before, "the same seed holds out the same");
    // Held-out pins are described all the same, so that they can be found.
    assert_eq!(place.pins().len(), 29);
}

#[test]
fn another_hold_out_or_none_brings_every_save_once() {
    let line = |pinner: u32| {
        let pins: Vec<String> = (0..10).map(|pin| (pinner + pin).to_string()).collect();
        format!("{pinner} {}\n", pins.join(" "))
    };
    let text: String = (0..20).map(line).collect();
    let place = Place::new();
    let path = place.write("saves.txt", &text);
    let held = place.folder.path().join("held.txt");
    let with = |share: &str, seed: &str| {
        let words = ["--holdout", share, "--holdout-file", held.to_str().expect("text"), "--seed", seed];
        place.import("pinterest", &path, &words).0.summary.accepted
    };
    with("0.2", "5");
    assert_eq!(place.events().len(), 20 * 8);
    with("0.3", "6");
    let (again, stopped) = place.import("pinterest", &path, &[]);
    assert_eq!((stopped, again.summary.refused), (None, 0));
    let mut saves: Vec<(String, String)> =
        place.events().into_iter().map(|event| (event.pinner, event.pin.unwrap_or_default())).collect();
    assert_eq!(saves.len(), 20 * 10, "nothing is there twice");
    saves.sort();
    saves.dedup();
    assert_eq!(saves.len(), 20 * 10, "nothing is lost");
    assert_eq!(with("0.5", "7"), 0, "a hold-out takes nothing back");
}

#[test]
fn a_newer_export_adds_what_is_new() {
    let place = Place::new();
    let row = |pin: &str| {
        let act = r#"{"type":"event","pinner":"ann","action":"closeup","ts":1700000000000,"pin":"#;
        format!("{act}\"{pin}\"}}\n")
    };
    let (a, b, new) = (row("a"), row("b"), row("new"));
    let path = place.write("events.jsonl", [&*a, &b, &a].concat());
    assert_eq!(place.import("jsonl", &path, &[]).0.summary.accepted, 3, "rows that say the same stay apart");
    let newer = [&*new, &a, &a, &b].concat();
    for (name, expected) in [("events.jsonl", 1), ("renamed.jsonl", 0)] {
        let path = place.write(name, &newer);
        assert_eq!(place.import("jsonl", &path, &[]).0.summary.accepted, expected, "{name}");
    }

    let header = "pinner,pin,ts,action\n";
    let rows = ["1,23,1700000000,save\n", "12,3,1700000000,save\n"];
    for (order, accepted) in [([0, 1], [4, 0]), ([1, 0], [0, 0])] {
        let text: String = std::iter::once(header).chain(order.map(|row| rows[row])).collect();
        let path = place.write("saves.csv", text);
        for expected in accepted {
            let (sink, _) = place.import("csv", &path, &["--map", "ts=ts,ts_unit=s"]);
            assert_eq!(sink.summary.accepted, expected, "two saves of two pins, in whatever order");
        }
    }
}

#[test]
fn what_has_no_moment_comes_again_with_another_file() {
    let place = Place::new();
    let event = "{\"type\":\"event\",\"pinner\":\"ann\",\"action\":\"closeup\",\"pin\":\"a\"}\n";
    let board = "{\"type\":\"board\",\"id\":\"b\",\"title\":\"Oak\"}\n";
    for (name, accepted) in [("monday.jsonl", 2), ("tuesday.jsonl", 2), ("monday.jsonl", 0)] {
        let path = place.write(name, [event, board].concat());
        assert_eq!(place.import("jsonl", &path, &[]).0.summary.accepted, accepted, "{name}");
    }
}

#[test]
fn films_are_saved_when_they_are_rated_well() {
    let place = Place::new();
    place.write(
        "movies.csv",
        "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n2,\"Jury, The (1931)\",(none)\n",
    );
    place.write("tags.csv", "userId,movieId,tag,timestamp\n9,1,Pixar,1\n8,1,funny,1\n");
    place.write(
        "ratings.csv",
        "userId,movieId,rating,timestamp\n7,1,4.0,851866703\n7,2,3.5,851866704\n8,3,5,938629179\n8,1,good,938629179\n",
    );
    let (sink, stopped) = place.import("movielens", place.folder.path(), &[]);
    assert_eq!((stopped, sink.summary.refused), (None, 1));
    assert_eq!(place.refused(), ["ratings.csv:5: rating: 'good' is not such a number"]);
    assert_eq!(place.did(), [did("7", Action::Save, "1"), did("7", Action::Closeup, "2"), did("8", Action::Save, "3")]);
    let pins = place.pins();
    let find = |id: &str| pins.iter().find(|pin| pin.id == id).expect("the film");
    assert_eq!(
        (find("1").topics.join(" "), find("1").description.as_str()),
        ("adventure animation".into(), "funny, pixar")
    );
    assert_eq!((find("2").title.as_str(), find("2").created_ms), ("Jury, The (1931)", 0));
    assert_eq!(find("1").created_ms, 788_918_400_000, "1995-01-01");
    assert_eq!(find("3").title, "", "a film that only the ratings know");
    let (again, _) = place.import("movielens", place.folder.path(), &[]);
    assert_eq!((again.summary.accepted, place.events().len()), (0, 3));
}

#[test]
fn products_come_with_pictures_and_a_broken_one_is_told() {
    let place = Place::new();
    place.write(
        "products.csv",
        "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n\
         1,Men,Apparel,Topwear,Tshirts,Blue,Summer,2011,Sports,Blue shirt\n\
         2,Women,Apparel,Topwear,Tops,Red,Fall,2012,Casual,\n\
         3,Men,Shoes,Shoes,Boots,Black,Fall,2012,Casual,Boots\n",
    );
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [("1.jpg", picture(1)), ("3.jpg", b"no picture".to_vec())] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("in memory");
        zip.write_all(&bytes).expect("in memory");
    }
    place.write("pictures.zip", zip.finish().expect("in memory").into_inner());
    let (sink, stopped) = place.import("fashion", place.folder.path(), &[]);
    assert_eq!((stopped, sink.summary.refused, sink.summary.pictures_refused), (None, 0, 1));
    assert!(place.refused()[0].starts_with("products.csv:4: picture of pin 3: "), "{:?}", place.refused());
    let pins = place.pins();
    assert_eq!(pins.iter().map(|pin| pin.title.as_str()).collect::<Vec<_>>(), ["Blue shirt", "Red Tops", "Boots"]);
    assert_eq!(pins.iter().map(|pin| pin.image.is_some()).collect::<Vec<_>>(), [true, false, false]);
    let understood: Vec<domain::Understood> = place
        .facts(TopicKind::Catalogue)
        .into_iter()
        .filter_map(|fact| if let Fact::Understood(understood) = fact { Some(understood) } else { None })
        .collect();
    assert_eq!(understood.len(), 3, "words are understood where a picture is not");
    assert!(understood[0].thumbnail.is_some() && understood[2].thumbnail.is_none());
    assert!(!understood[0].thumbnail_widths.is_empty() && !understood[0].signature.is_empty());
    let (again, _) = place.import("fashion", place.folder.path(), &[]);
    assert_eq!(again.summary.accepted, 0);
}

#[test]
fn what_cannot_begin_says_why() {
    let place = Place::new();
    let csv = place.write("a.csv", "a\n1\n");
    assert!(place.fails("movielens", &csv, &[]).contains("there is no column `userId` (the columns are a)"));
    assert!(place.fails("kuairand", place.folder.path(), &[]).contains("holds no log_….csv"));
    assert!(place.fails("fashion", place.folder.path(), &[]).contains("holds no products.csv and no products.csv.gz"));
    let held = place.folder.path().join("held");
    let words = ["--holdout", "1.5", "--holdout-file", held.to_str().expect("text")];
    assert!(place.fails("pinterest", &csv, &words).contains("1.5 is not between 0 and 1"));
    assert!(place.fails("pinterest", &csv, &["--ts", "yesterday"]).contains("--ts: 'yesterday'"));
}
