//! A real log, real files, real questions.

mod events;

use crate::{Lake, LakeError, ROWS_MAX, TABLES, Table, read_parquet};
use domain::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{EventLog, open_log};
use tempfile::TempDir;

const SECONDS: Duration = Duration::from_secs(60);
const DAY_MS: u64 = 86_400_000;

struct House {
    folder: TempDir,
    log: Arc<dyn EventLog>,
    lake: Lake,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a directory");
        let log = open_log(&folder.path().join("log").display().to_string()).expect("a log");
        // Characters that mean something in URLs and in patterns must not matter.
        let lake = Lake::open(&folder.path().join("a [lake]*? 100% ü")).expect("a lake");
        House { folder, log, lake }
    }

    fn lake_path(&self) -> PathBuf {
        self.folder.path().join("a [lake]*? 100% ü")
    }

    fn append(&self, facts: Vec<Fact>) {
        let start = TopicKind::ALL.map(|topic| self.log.end(topic)).iter().sum::<u64>();
        let with_ids = facts.into_iter().enumerate().map(|(n, fact)| (EventId(u128::from(start) + n as u128), fact));
        self.log.append(&with_ids.collect::<Vec<_>>()).expect("appended");
    }

    fn roll(&self) -> crate::Rolled {
        let name = |pin: PinId| (pin.0 < 100).then(|| format!("pin-{}", pin.0));
        self.lake.roll(&*self.log, Some(&name), &mut |_| {}).expect("rolled")
    }

    fn ask(&self, query: &str) -> Table {
        self.lake.sql(query, 1_000, SECONDS).unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    fn one(&self, query: &str) -> Value {
        self.ask(query).rows[0][0].clone()
    }

    fn error(&self, query: &str) -> String {
        self.lake.sql(query, 10, SECONDS).map_or_else(|error| error.to_string(), |table| format!("{table:?}"))
    }
}

fn event(number: u64, ts_ms: u64) -> Fact {
    let action = if number.is_multiple_of(4) { Action::Save } else { Action::Impression };
    Fact::Event(Event {
        event_id: EventId(u128::from(number)),
        pin: Some(format!("p{}", number % 50)),
        request_id: Some(EventId(5)),
        position: Some((number % 20) as u16),
        value: number.is_multiple_of(4).then_some(0.1),
        ..Event::new(format!("u{}", number * 7 % 13), action, ts_ms)
    })
}

/// 3,000 events, one every ten hours from 2021 on.
fn history() -> Vec<Fact> {
    (0..3_000).map(|number| event(number, 1_609_459_200_000 + number * 36_000_000)).collect()
}

fn served(request: u128, pins: std::ops::Range<u32>) -> Fact {
    let item = |pin: u32| ServedItem {
        pin: PinId(pin),
        sources: SourceSet::default().with(Source::Walks).with(Source::Text),
        offers: vec![(3, 0.5), (0, 7.0)],
        l1_rank: 1,
        l1: 0.25,
        l2_rank: 2,
        heads: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
        utility: 0.75,
        features: vec![1.0, 0.0, 2.5],
        moves: vec![Move { by: "spacing/topic".into(), from: 4, to: 2 }],
        propensity: 0.25,
    };
    let stage = |name: &str, took_us: u32| StageTrace { name: name.into(), took_us, before: 9, after: 4, note: None };
    Fact::Served(Box::new(RequestRecord {
        request_id: EventId(request),
        ts_ms: 1_700_000_000_000,
        pinner: "ann".into(),
        surface: Surface::Related,
        subject: Subject::Pin(PinId(7)),
        offset: 1,
        shown: 2,
        arms: vec![ArmOf { experiment: "variety".into(), arm: "off".into() }],
        trace: Trace {
            stages: vec![stage("generate", 700), stage("generate/walks", 600), stage("l2", 300)],
            dropped: vec![Drop { pin: PinId(9), by: "seen", sources: SourceSet::default() }],
            ranked: pins.map(item).collect(),
            degraded: vec!["no text".into()],
            model: "m1".into(),
        },
    }))
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn events_are_asked_by_day_month_and_pinner() {
    let house = House::new();
    house.append(history());
    let rolled = house.roll();
    assert_eq!((rolled.records, rolled.rows, rolled.files), (3_000, 3_000, 42));
    assert_eq!(house.one("SELECT count(*) FROM events"), json!(3_000));
    assert_eq!(house.one("SELECT count(*) FROM events WHERE month = '2021-02'"), json!(67));
    assert_eq!(house.one("SELECT count(*) FROM events WHERE dt = '2021-02-01'"), json!(2));
    assert_eq!(house.one("SELECT count(*) FROM events WHERE dt >= '2021-02-01' AND dt < '2021-03-01'"), json!(67));
    let by_ts = "SELECT count(*) FROM events WHERE ts >= '2021-02-01' AND ts < '2021-03-01'";
    assert_eq!(house.one(by_ts), json!(67));
    let first = house.ask("SELECT * FROM events ORDER BY log_offset LIMIT 1");
    let columns =
        "log_offset event_id ts dt pinner action surface pin board query request_id position value props month";
    assert_eq!(first.columns.join(" "), columns);
    let id = |number: u128| EventId(number).to_string();
    let expected = json!([
        0,
        id(0),
        "2021-01-01T00:00:00Z",
        "2021-01-01",
        "u0",
        "save",
        "home",
        "p0",
        null,
        null,
        id(5),
        0,
        0.1,
        null,
        "2021-01"
    ]);
    assert_eq!(json!(first.rows[0]), expected);
    let rates = "SELECT action, count(*) AS n, round(avg(position), 2) FROM events GROUP BY action ORDER BY n";
    assert_eq!(
        house.ask(rates).rows,
        [[json!("save"), json!(750), json!(8.0)], [json!("impression"), json!(2_250), json!(10.0)]]
    );
    for file in parquet_files(&house.lake_path().join("events")) {
        let pinners = read_parquet(&file).expect("opens").map(|row| row.expect("readable")[4].clone());
        assert!(pinners.is_sorted(), "{}", file.display());
    }
}

#[test]
fn a_request_is_a_row_with_its_pins_and_stages() {
    let house = House::new();
    house.append(vec![served(1, 0..3), served(2, 99..101)]);
    assert_eq!(house.roll().rows, 2 + 5 + 6 + 2);
    let arms = house.ask("SELECT pinner, experiment, arm, surface FROM exposures ORDER BY request_id");
    assert_eq!(json!(arms.rows[1]), json!(["ann", "variety", "off", "related"]));
    let request = house.ask("SELECT * FROM requests ORDER BY request_id LIMIT 1");
    let id = EventId(1).to_string();
    let expected = json!([
        0,
        id,
        "2023-11-14T22:13:20Z",
        "2023-11-14",
        "ann",
        "related",
        "pin",
        "pin-7",
        7,
        "m1",
        1,
        2,
        3,
        1,
        1_000,
        ["no text"],
        "2023-11"
    ]);
    assert_eq!(json!(request.rows[0]), expected);
    let items = house.ask(
        "SELECT position, shown, pin_id, pin, sources, source_ranks, source_scores, l1, utility, p_save, p_hide, features, \
         moves, propensity FROM served ORDER BY request_id, position",
    );
    let first = json!([
        0,
        false,
        0,
        "pin-0",
        ["walks", "text"],
        [3.0, 0.0],
        [0.5, 7.0],
        0.25,
        0.75,
        0.1,
        0.8,
        [1.0, 0.0, 2.5],
        ["spacing/topic 4>2"],
        0.25
    ]);
    assert_eq!(json!(items.rows[0]), first);
    assert_eq!(
        items.rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>(),
        [false, true, true, false, true].map(Value::from)
    );
    assert_eq!(items.rows[4][3], Value::Null, "a pin whose name is not known");
    let stages =
        house.ask("SELECT stage, took_us, before, after, note FROM stages WHERE request_id LIKE '%1' ORDER BY number");
    assert_eq!(json!(stages.rows[1]), json!(["generate/walks", 600, 9, 4, null]));
    let joined = "SELECT count(*) FROM served s JOIN requests r ON r.request_id = s.request_id WHERE array_has(s.sources, 'walks')";
    assert_eq!(house.one(joined), json!(5));
}

#[test]
fn the_catalogue_shows_the_newest_of_each() {
    let house = House::new();
    let with_traits = || Pin { traits: vec!["size=m".into()], ..Pin::default() };
    let pin = |id: &str, title: &str| {
        Fact::Pin(Pin { id: id.into(), title: title.into(), topics: vec!["red".into()], ..with_traits() })
    };
    let understood = |width| {
        Fact::Understood(Understood {
            pin: "a".into(),
            space: 1,
            embedding: vec![0.5, 0.25],
            size: Some((width, 20)),
            palette: vec![[255, 0, 16]],
            thumbnail: None,
            ..Understood::default()
        })
    };
    house.append(vec![pin("a", "old"), pin("b", "gone"), understood(1), pin("c", "back")]);
    house.roll();
    house.append(vec![pin("a", "new"), Fact::PinRemoved("b".into()), Fact::PinRemoved("c".into())]);
    house.append(vec![understood(10), pin("c", "here"), pin("d", "far")]);
    let board =
        |title: &str| Fact::Board(Board { id: "k".into(), title: title.into(), pinner: None, created_ms: u64::MAX });
    house.append(vec![board("x"), board("y")]);
    let traits = vec!["plan=free".into()];
    let ann = Pinner { id: "ann".into(), name: "Ann".into(), traits, created_ms: 1_000, ..Pinner::default() };
    house.append(vec![Fact::Pinner(ann)]);
    house.roll();
    let pins = house.ask("SELECT id, title, topics, traits, width, palette FROM pins ORDER BY id");
    let expected = json!([
        ["a", "new", ["red"], ["size=m"], 10, ["#ff0010"]],
        ["c", "here", ["red"], ["size=m"], null, null],
        ["d", "far", ["red"], ["size=m"], null, null]
    ]);
    assert_eq!(json!(pins.rows), expected);
    assert_eq!(house.one("SELECT count(*) FROM pin_versions"), json!(8));
    assert_eq!(json!(house.ask("SELECT * FROM boards").rows), json!([["k", "y", null, "9999-12-31T23:59:59.999Z"]]));
    let pinners = house.ask("SELECT * FROM pinners").rows;
    assert_eq!(json!(pinners), json!([["ann", "Ann", null, ["plan=free"], "1970-01-01T00:00:01Z"]]));
    assert_eq!(house.one("SELECT embedding FROM understood LIMIT 1"), json!([0.5, 0.25]));
}

#[test]
fn an_empty_lake_has_all_tables_and_no_rows() {
    let house = House::new();
    for table in TABLES {
        let all = house.ask(&format!("SELECT * FROM {table}"));
        assert!(all.rows.is_empty() && all.columns.len() >= 4, "{table}");
        assert!(house.ask(&format!("DESCRIBE {table}")).rows.len() >= 4, "{table}");
    }
    assert_eq!(house.roll(), crate::Rolled::default());
    let names = house.ask("SHOW TABLES");
    let names = names.rows.iter().filter(|row| row[1] == "lake").map(|row| row[2].as_str().unwrap_or_default());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    assert_eq!(names, TABLES);
}

#[test]
fn questions_that_cannot_be_answered_say_why() {
    let house = House::new();
    let known = TABLES.join(" ");
    assert_eq!(house.error("SELECT * FROM evnts"), format!("unknown table 'evnts' (known: {known})"));
    assert!(
        house.error("SELECT nope FROM events").contains("Valid fields are"),
        "{}",
        house.error("SELECT nope FROM events")
    );
    assert!(house.error("SELEC 1").contains("SELEC"), "{}", house.error("SELEC 1"));
    assert!(house.error("").len() < 200 && house.error("SELECT 1; SELECT 2").contains("single SQL statement"));
    let inside = house.folder.path().join("x.parquet").display().to_string();
    for change in [
        "CREATE TABLE x (a INT)".to_owned(),
        "CREATE TABLE x AS SELECT 1".to_owned(),
        "CREATE VIEW x AS SELECT 1".to_owned(),
        "DROP TABLE events".to_owned(),
        "INSERT INTO events SELECT * FROM events".to_owned(),
        "DELETE FROM events".to_owned(),
        "UPDATE events SET pin = 'x'".to_owned(),
        "TRUNCATE TABLE events".to_owned(),
        format!("COPY events TO '{inside}'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{inside}'"),
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "PREPARE p AS SELECT 1".to_owned(),
        "BEGIN".to_owned(),
    ] {
        let error = house.error(&change);
        assert!(!error.starts_with("Table {"), "{change}: {error}");
    }
    assert!(!Path::new(&inside).exists());
    for outside in
        ["SELECT * FROM '/etc/passwd'", "SELECT * FROM \"/etc/passwd\"", "SELECT * FROM read_csv('/etc/passwd')"]
    {
        assert!(!house.error(outside).contains("root"), "{outside}");
    }
    assert_eq!(house.error("DROP TABLE events"), "only questions are answered: DDL not supported: DropTable");
}

#[test]
fn answers_are_bounded_in_rows_time_memory_and_depth() {
    let house = House::new();
    house.append(history());
    house.roll();
    let some = house.lake.sql("SELECT * FROM events", 10, SECONDS).expect("answered");
    assert!(some.truncated && some.rows.len() == 10);
    let exact = house.lake.sql("SELECT * FROM events", 3_000, SECONDS).expect("answered");
    assert!(!exact.truncated && exact.rows.len() == 3_000);
    let none = house.lake.sql("SELECT * FROM events", 0, SECONDS).expect("answered");
    assert!(none.truncated && none.rows.is_empty());
    let long = "SELECT count(*) FROM events a, events b, events c, events d WHERE a.pin < b.pin AND c.pin < d.pin";
    let error = house.lake.sql(long, 10, Duration::from_millis(300)).expect_err("too long");
    assert_eq!(error.to_string(), "the question took longer than 300 ms");
    let greedy = "SELECT a.value, array_agg(b.value) FROM generate_series(1, 60000000) a(value) \
                  JOIN generate_series(1, 60000000) b(value) ON a.value = b.value GROUP BY 1";
    let error = house.lake.sql(greedy, 10, SECONDS).expect_err("too much").to_string();
    assert_eq!(error, "the question needs more than 256 MiB of memory: ask for less, or aggregate first");
    assert!(house.error("SELECT repeat('x', 2000000000)").contains("repeat"));
    let many = house.lake.sql("SELECT value FROM generate_series(1, 3000000)", usize::MAX, SECONDS).expect("answered");
    assert!(many.truncated && many.rows.len() == ROWS_MAX);
    let chain = |times: usize, (open, middle, close): (&str, &str, &str)| {
        house.error(&format!("SELECT {}{middle}{}", open.repeat(times), close.repeat(times)))
    };
    for link in [
        ("1+", "1", ""),
        ("(", "1", ")"),
        ("NOT ", "true", ""),
        ("- ", "1", ""),
        ("[", "1", "]"),
        ("abs(", "1", ")"),
        ("true OR ", "true", ""),
        ("1 UNION ALL SELECT ", "1", ""),
        ("CASE WHEN true THEN 1 ELSE ", "1", " END"),
    ] {
        assert!(!chain(crate::sql::OPERATORS_MAX / 2 - 2, link).is_empty(), "whatever the answer is, there is one");
        let error = chain(crate::sql::OPERATORS_MAX + 1, link);
        assert!(error.contains(" operators and joins, at most 400 are taken"), "{error}");
    }
    for list in ["1 IN (1LIST)", "1LIST", "pin LIST FROM events", "concat('1'LIST)"] {
        assert!(!house.error(&format!("SELECT {}", list.replace("LIST", &",1".repeat(7_000)))).is_empty(), "{list}");
    }
    let joined = |tables: usize| {
        let tables: String = (0..tables).map(|n| format!("events a{n},")).collect();
        house.error(&format!("SELECT 1 FROM {tables} events x LIMIT 1"))
    };
    assert!(joined(30).starts_with("Table {"));
    assert_eq!(joined(40), "the question has 40 joins, at most 32 are taken");
    assert!(house.error(&"x".repeat(crate::SQL_BYTES_MAX + 1)).ends_with("at most 16384 are taken"));
    assert_eq!(house.one("SELECT 1"), json!(1), "still there");
}

#[test]
fn a_crash_at_any_moment_loses_and_doubles_nothing() {
    let house = House::new();
    let mut facts = history();
    facts.truncate(500);
    house.append(facts.clone());
    house.append(vec![served(1, 0..50)]);
    let offsets = house.lake_path().join("offsets.json");
    house.roll();
    let committed = std::fs::read(&offsets).expect("offsets");
    house.append((500..900).map(|number| event(number, 1_609_459_200_000 + number * 36_000_000)).collect());
    house.append(vec![served(2, 0..50)]);
    house.roll();
    let files = parquet_files(&house.lake_path()).len();
    let check = |house: &House| {
        assert_eq!(house.one("SELECT count(*) FROM events"), json!(900));
        assert_eq!(house.one("SELECT count(DISTINCT event_id) FROM events"), json!(900));
        assert_eq!(house.one("SELECT count(*) FROM served"), json!(100));
    };
    check(&house);
    // Killed after the files were moved into place, before the offsets were replaced; half of a file lies aside.
    std::fs::write(&offsets, &committed).expect("written");
    std::fs::write(house.lake_path().join(".staging/events-0.parquet"), b"half").expect("written");
    house.roll();
    check(&house);
    assert_eq!(parquet_files(&house.lake_path()).len(), files);
    // The same, but asked before it is rolled again: what is not committed is not there.
    std::fs::write(&offsets, &committed).expect("written");
    let again = Lake::open(&house.lake_path()).expect("opens");
    let count = again.sql("SELECT count(*) FROM events", 1, SECONDS).expect("answered");
    assert_eq!(count.rows[0][0], json!(500));
    house.roll();
    check(&house);
    assert_eq!(house.roll(), crate::Rolled::default(), "nothing new");
}

#[test]
fn large_rolls_are_cut_into_units_and_told_about() {
    let house = House::new();
    for start in (0..300_000u64).step_by(50_000) {
        house.append((start..start + 50_000).map(|number| event(number, 1_700_000_000_000 + number)).collect());
    }
    let mut seen = Vec::new();
    let rolled = house.lake.roll(&*house.log, None, &mut |progress| seen.push(progress)).expect("rolled");
    assert_eq!((rolled.records, rolled.files), (300_000, 2));
    assert!(seen.iter().all(|progress| progress.end == 300_000 && progress.topic == TopicKind::Events));
    assert!(seen.iter().map(|progress| progress.offset).eq([262_144, 300_000]), "{seen:?}");
    assert_eq!(house.lake.offset(TopicKind::Events).expect("known"), 300_000);
    assert_eq!(house.one("SELECT count(*) FROM events"), json!(300_000));
    assert_eq!(house.one("SELECT sum(log_offset) FROM events"), json!(300_000u64 * 299_999 / 2));
}

#[test]
fn small_files_are_merged_while_others_ask() {
    let house = House::new();
    let other = Lake::open(&house.lake_path()).expect("opens");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let mut last = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let found = other.sql("SELECT count(*), count(DISTINCT event_id) FROM events", 1, SECONDS);
                let row = found.expect("answered").rows.remove(0);
                assert_eq!(row[0], row[1], "no event twice");
                assert!(row[0].as_u64() >= Some(last), "none lost");
                last = row[0].as_u64().unwrap_or(0);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        for round in 0..60u64 {
            house.append((round * 10..round * 10 + 10).map(|n| event(n, 1_700_000_000_000 + n)).collect());
            house.append(vec![served(u128::from(round), 0..3)]);
            house.roll();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        asker.join().expect("no panic");
    });
    let files = || parquet_files(&house.lake_path().join("events"));
    house.append(vec![event(600, 1_700_000_000_600)]);
    let before: Vec<_> = files().into_iter().map(|path| (std::fs::read(&path).expect("a file"), path)).collect();
    house.roll();
    (601..610).for_each(|n| {
        house.append(vec![event(n, 1_700_000_000_000 + n)]);
        house.roll();
    });
    assert!(files().len() <= 10, "{:?}", files());
    let check = |house: &House| {
        assert_eq!(house.one("SELECT count(*) FROM events"), json!(610));
        assert_eq!(house.one("SELECT count(DISTINCT log_offset) FROM events"), json!(610));
        assert_eq!(house.one("SELECT count(*) FROM served"), json!(180));
        assert_eq!(house.one("SELECT count(*) FROM stages"), json!(180));
    };
    check(&house);
    // Killed between placing the merged file and removing those that it was made of.
    before.iter().for_each(|(bytes, path)| std::fs::write(path, bytes).expect("written"));
    assert!(house.one("SELECT count(*) FROM events").as_u64() > Some(610));
    drop(Lake::open(&house.lake_path()).expect("opens"));
    check(&house);
}

#[test]
fn one_rolls_at_a_time_and_only_its_own_log() {
    let house = House::new();
    house.append(history());
    let other = Lake::open(&house.lake_path()).expect("opens");
    let mut errors = Vec::new();
    let mut meanwhile = |_| errors.extend(other.roll(&*house.log, None, &mut |_| {}).err());
    house.lake.roll(&*house.log, None, &mut meanwhile).expect("rolled");
    assert!(matches!(errors[..], [LakeError::Locked(_)]), "{errors:?}");
    let short = open_log(&house.folder.path().join("short").display().to_string()).expect("a log");
    let error = other.roll(&*short, None, &mut |_| {}).expect_err("another log").to_string();
    assert!(error.contains("it holds 'events' up to 3000, but the log ends at 0: it is of another log"), "{error}");
    std::fs::write(house.lake_path().join("offsets.json"), "{\"version\":1}").expect("written");
    let error = Lake::open(&house.lake_path()).err().expect("another version").to_string();
    assert!(error.contains("offsets.json: version Some(1), this build reads 2; delete"), "{error}");
}

#[test]
fn questions_may_come_from_inside_a_runtime() {
    let house = House::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async move {
        assert_eq!(house.one("SELECT 1"), json!(1));
        drop(house);
    });
}

#[test]
fn parquet_is_imported_row_by_row_as_text() {
    let house = House::new();
    house.append(history());
    house.append(vec![served(1, 0..2)]);
    house.roll();
    let file = parquet_files(&house.lake_path().join("events")).remove(0);
    let rows = read_parquet(&file).expect("opens");
    assert_eq!(rows.columns()[..4], ["log_offset", "event_id", "ts", "dt"]);
    let expected = rows.rows();
    let rows: Vec<Vec<Option<String>>> = rows.map(|row| row.expect("readable")).collect();
    assert_eq!((rows.len() as u64, expected), (75, 75), "every ten hours in January");
    let first = rows.iter().find(|row| row[0].as_deref() == Some("0")).expect("the first event");
    assert_eq!(first[2].as_deref(), Some("1609459200000"), "moments are milliseconds");
    assert_eq!(first[3], Some((1_609_459_200_000 / DAY_MS * DAY_MS).to_string()));
    assert_eq!((first[8].as_deref(), first[12].as_deref()), (None, Some("0.1")));
    let served = parquet_files(&house.lake_path().join("served")).remove(0);
    let row = read_parquet(&served).expect("opens").next().expect("a row").expect("readable");
    assert_eq!((row[7].as_deref(), row[10].as_deref()), (Some("false"), Some(r#"["walks","text"]"#)));
}

#[test]
fn spoilt_parquet_is_an_error_that_names_the_file() {
    let house = House::new();
    house.append(history());
    house.roll();
    let whole = std::fs::read(&parquet_files(&house.lake_path().join("events"))[0]).expect("a file");
    let path = house.folder.path().join("spoilt.parquet");
    let read = |bytes: &[u8]| -> (usize, Vec<String>) {
        std::fs::write(&path, bytes).expect("written");
        let (mut good, mut errors) = (0, Vec::new());
        match read_parquet(&path) {
            Err(error) => errors.push(error.to_string()),
            Ok(rows) => rows.for_each(|row| match row {
                Ok(_) => good += 1,
                Err(error) => errors.push(error.to_string()),
            }),
        }
        assert!(errors.iter().all(|error| error.starts_with(&path.display().to_string())), "{errors:?}");
        (good, errors)
    };
    assert_eq!(read(&whole), (75, Vec::new()));
    for length in [0, 3, 4, 8, 100, whole.len() / 2, whole.len() - 1] {
        assert_eq!(read(&whole[..length]).1.len(), 1, "cut to {length}");
    }
    assert_eq!(read(b"pinner,pin\nann,p1\n").1.len(), 1);
    let mut data = whole.clone();
    data[200..400].fill(0xAA);
    let (_, errors) = read(&data);
    assert!(errors.iter().any(|error| error.contains("row group 0: ")), "{errors:?}");
    let mut rng = Rng::new(5);
    let mut broken = 0;
    for _ in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..1 + rng.below(3) {
            let place = rng.below(bytes.len() as u32) as usize;
            bytes[place] = rng.next_u64() as u8;
        }
        broken += usize::from(!read(&bytes).1.is_empty());
    }
    assert!(broken > 50, "{broken}");
    let missing = read_parquet(&house.folder.path().join("none.parquet")).err().expect("missing").to_string();
    assert!(missing.contains("none.parquet: No such file"), "{missing}");
}

/// Figures, not judgements: run by name with `--ignored --nocapture`.
#[test]
#[ignore = "prints figures"]
fn measure() {
    let house = House::new();
    let time = |what: &str, run: &mut dyn FnMut()| {
        let since = std::time::Instant::now();
        run();
        println!("{what}: {:?}", since.elapsed());
    };
    for start in (0..800_000u64).step_by(50_000) {
        house.append((start..start + 50_000).map(|number| event(number, 1_700_000_000_000 + number * 1_000)).collect());
    }
    house.append((0..1_000).map(|request| served(request, 0..100)).collect());
    time("roll 800,000 events and 1,000 requests of 100 pins", &mut || assert!(house.roll().rows > 0));
    let bytes = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let size: u64 = parquet_files(&house.lake_path()).iter().map(bytes).sum();
    println!("{size} bytes in {} files", parquet_files(&house.lake_path()).len());
    for query in [
        "SELECT 1",
        "SELECT action, count(*) FROM events GROUP BY action",
        "SELECT dt, count(DISTINCT pinner) FROM events GROUP BY dt ORDER BY dt",
        "SELECT avg(utility) FROM served WHERE shown",
    ] {
        time(query, &mut || drop(house.ask(query)));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("unknown"));
}
