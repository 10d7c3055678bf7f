use super::*;
use domain::Pinner;
use std::sync::Barrier;
use tempfile::TempDir;

const SMALL: Limits = Limits { segment_bytes_max: 4_000, window_ids_max: 100 };
const TOPIC: TopicKind = TopicKind::Catalogue;

fn fact(number: u64) -> (EventId, Fact) {
    let name = "n".repeat(number as usize % 40);
    (EventId(u128::from(number)), Fact::Pinner(Pinner { id: format!("u{number}"), name, ..Pinner::default() }))
}

fn facts(numbers: Range<u64>) -> Vec<(EventId, Fact)> {
    numbers.map(fact).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(folder: &TempDir) -> FileLog {
    FileLog::open_with(folder.path(), SMALL).expect("the log opens")
}

fn all(log: &FileLog) -> Vec<(EventId, Fact)> {
    let mut found = Vec::new();
    while let next = found.len() as u64
        && next < log.end(TOPIC)
    {
        let records = log.read(TOPIC, next, 7).expect("readable");
        assert!(!records.is_empty(), "records up to the end");
        for (offset, id, fact) in records {
            assert_eq!(offset, found.len() as u64);
            found.push((id, fact));
        }
    }
    found
}

/// A log of 200 facts over several segments whose writer was killed: no last marker is there.
fn killed(folder: &TempDir) {
    let log = open(folder);
    for start in (0..200).step_by(10) {
        log.append(&facts(start..start + 10)).expect("appended");
    }
    log.queue().failed = Some("stands in for a kill: closing leaves no marker".to_owned());
}

fn segments(folder: &TempDir) -> Vec<PathBuf> {
    let directory = folder.path().join(TOPIC.as_str());
    let bases = topic::bases(&directory).expect("segments");
    bases.into_iter().map(|base| topic::segment_path(&directory, base)).collect()
}

fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("a segment");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn many_segments_read_as_one_row_also_after_reopening() {
    let folder = folder();
    let log = open(&folder);
    for start in (0..1_000).step_by(8) {
        log.append(&facts(start..(start + 8).min(1_000))).expect("appended");
    }
    assert_eq!(all(&log), facts(0..1_000));
    drop(log);
    assert!(segments(&folder).len() > 5, "{}", segments(&folder).len());
    let log = open(&folder);
    assert_eq!(all(&log), facts(0..1_000));
    let middle = log.read(TOPIC, 456, 2).expect("readable");
    assert_eq!(middle.iter().map(|record| record.0).collect::<Vec<_>>(), [456, 457]);
    assert_eq!(log.read(TOPIC, 1_000, 5).expect("nothing there"), []);
    assert_eq!(log.read(TOPIC, u64::MAX, 5).expect("nothing there"), []);
    let report = verify_log(&folder.path().display().to_string()).expect("whole");
    assert_eq!((report[0].records, report[0].torn_bytes), (1_000, 0));
}

#[test]
fn the_window_of_ids_is_bounded_and_outlives_the_process() {
    let folder = folder();
    let log = open(&folder);
    log.append(&facts(0..250)).expect("appended");
    drop(log);
    let log = open(&folder);
    let again = log.append(&facts(150..250)).expect("appended");
    assert_eq!((again.appended, again.duplicates), (0, 100), "the last hundred are known");
    let forgotten = log.append(&facts(0..10)).expect("appended");
    assert_eq!((forgotten.appended, forgotten.duplicates), (10, 0), "older ones are forgotten");
}

#[test]
fn a_torn_end_is_cut_off_at_any_byte() {
    let origin = folder();
    killed(&origin);
    let last = segments(&origin).pop().expect("a segment");
    let base: u64 = last.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()).expect("a base");
    let whole = std::fs::read(&last).expect("a segment");
    // Every byte of the first frames, then some.
    for length in (0..90).chain((90..whole.len()).step_by(37)) {
        damage(&last, |bytes| {
            bytes.clear();
            bytes.extend_from_slice(&whole[..length]);
        });
        let log = open(&origin);
        let found = all(&log);
        assert!(found.len() as u64 >= base && found.len() < 200, "{length}: {}", found.len());
        assert_eq!(found, facts(0..found.len() as u64), "{length} bytes left");
        let missing = facts(found.len() as u64..200);
        assert_eq!(log.append(&missing).expect("appended").appended, missing.len() as u64);
        assert_eq!(all(&log), facts(0..200), "{length} bytes left");
    }
}

#[test]
fn a_hole_in_the_last_group_is_a_torn_write_too() {
    let folder = folder();
    killed(&folder);
    let last = segments(&folder).pop().expect("a segment");
    damage(&last, |bytes| {
        let middle = bytes.len() - 300;
        bytes[middle..middle + 100].fill(0);
    });
    let log = open(&folder);
    let found = all(&log);
    assert!((190..200).contains(&found.len()), "{}", found.len());
    assert_eq!(found, facts(0..found.len() as u64));
}

#[test]
fn damage_before_a_marker_names_file_and_byte_and_loses_nothing() {
    let folder = folder();
    killed(&folder);
    let paths = segments(&folder);
    let last = paths.last().expect("a segment");
    let whole = std::fs::read(last).expect("a segment");
    // The last group is some 600 bytes; everything before it is vouched for by its marker.
    for at in (HEADER..whole.len() - 800).step_by(13) {
        damage(last, |bytes| bytes[at] ^= 0x10);
        let error = FileLog::open_with(folder.path(), SMALL).err().expect("damaged").to_string();
        assert!(error.starts_with(&format!("{}: byte ", last.display())), "{error}");
        assert_eq!(std::fs::read(last).expect("a segment").len(), whole.len(), "left as it was");
        std::fs::write(last, &whole).expect("repaired");
    }
    assert_eq!(all(&open(&folder)), facts(0..200), "all there again");
}

const HEADER: usize = frame::HEADER_BYTES;

#[test]
fn after_a_clean_end_even_the_last_byte_is_vouched_for() {
    let folder = folder();
    open(&folder).append(&facts(0..3)).expect("appended");
    let path = segments(&folder).pop().expect("a segment");
    let bytes = std::fs::read(&path).expect("a segment").len();
    damage(&path, |bytes| {
        let place = bytes.len() - frame::MARKER_BYTES - 1;
        bytes[place] ^= 1;
    });
    let error = FileLog::open_with(folder.path(), SMALL).err().expect("damaged").to_string();
    assert!(error.ends_with("the checksum of the record is wrong"), "{error}");
    let reopened = std::fs::read(&path).expect("a segment").len();
    assert_eq!(bytes, reopened);
}

#[test]
fn opening_again_and_again_adds_nothing() {
    let folder = folder();
    open(&folder).append(&facts(0..3)).expect("appended");
    let path = segments(&folder).pop().expect("a segment");
    let before = std::fs::read(&path).expect("a segment");
    for _ in 0..3 {
        drop(open(&folder));
    }
    assert_eq!(std::fs::read(&path).expect("a segment"), before);
}

#[test]
fn damage_in_an_old_segment_is_found_when_it_is_read() {
    let folder = folder();
    open(&folder).append(&facts(0..3)).expect("appended");
    let log = open(&folder);
    for start in (3..600).step_by(10) {
        log.append(&facts(start..start + 10)).expect("appended");
    }
    drop(log);
    let first = segments(&folder).remove(0);
    damage(&first, |bytes| bytes[1_000] ^= 1);
    let log = open(&folder);
    let error = log.read(TOPIC, 0, 10).expect_err("damaged").to_string();
    assert!(error.starts_with(&format!("{}: byte ", first.display())), "{error}");
    assert!(log.read(TOPIC, 500, 10).is_ok(), "other segments stay readable");
    damage(&first, |bytes| {
        bytes[1_000] ^= 1;
        bytes.truncate(2_000);
    });
    assert!(log.read(TOPIC, 0, 10).is_err(), "a segment in the middle must be whole");
    drop(log);
    std::fs::remove_file(&first).expect("removed");
    let error = FileLog::open_with(folder.path(), SMALL).err().expect("missing").to_string();
    assert!(error.ends_with("the topic's first segment is missing"), "{error}");
}

#[test]
fn many_appenders_share_a_sync() {
    let folder = folder();
    let log = open(&folder);
    let (threads, each) = (16, 20);
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads as u64 {
            let (log, start) = (&log, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..each {
                    let place = thread * 1_000 + number;
                    let appended = log.append(&[fact(place)]).expect("appended");
                    let end = appended.ends[TOPIC as usize];
                    assert!(log.end(TOPIC) >= end, "synced when told so");
                    let own = log.read(TOPIC, end - 1, 1).expect("readable");
                    assert_eq!(own[0].1, EventId(u128::from(place)));
                }
            });
        }
    });
    let found = all(&log);
    assert_eq!(found.len(), threads * each as usize);
    for thread in 0..threads as u128 {
        let own: Vec<u128> = found.iter().map(|(id, _)| id.0).filter(|id| id / 1_000 == thread).collect();
        assert_eq!(own, (thread * 1_000..thread * 1_000 + u128::from(each)).collect::<Vec<_>>(), "in order");
    }
    let markers: usize = segments(&folder).iter().map(|path| markers_in(path)).sum();
    assert!(markers < found.len(), "{markers} groups for {} appends", found.len());
}

fn markers_in(path: &Path) -> usize {
    let length = std::fs::metadata(path).expect("a segment").len();
    let mut scanner = scan::Scanner::open(path, HEADER as u64, length).expect("a segment");
    let mut markers = 0;
    while let scan::Step::Frame { frame, .. } = scanner.step().expect("readable") {
        markers += usize::from(frame.kind == frame::MARKER);
    }
    markers
}

#[test]
fn a_failed_write_stops_the_log_and_keeps_what_was_acknowledged() {
    let folder = folder();
    let log = open(&folder);
    log.append(&facts(0..5)).expect("appended");
    // A directory in the place of the next segment stands in for a disk that refuses.
    let blocked = topic::segment_path(&folder.path().join(TOPIC.as_str()), 105);
    std::fs::create_dir(&blocked).expect("made");
    log.append(&facts(5..105)).expect("appended");
    let error = log.append(&facts(105..106)).expect_err("refused").to_string();
    assert!(error.starts_with("the event log takes nothing more since a write failed"), "{error}");
    assert!(log.append(&facts(106..107)).is_err(), "for good");
    assert_eq!(all(&log), facts(0..105), "still readable");
    drop(log);
    std::fs::remove_dir(&blocked).expect("removed");
    let log = open(&folder);
    let again = log.append(&facts(100..110)).expect("appended");
    assert_eq!((again.appended, again.duplicates), (5, 5));
    assert_eq!(all(&log), facts(0..110));
}

#[test]
fn a_leader_that_panics_leaves_nobody_waiting() {
    let folder = folder();
    let log = open(&folder);
    log.append(&facts(0..5)).expect("appended");
    std::thread::scope(|scope| {
        let lead = Lead::take(&log, &mut log.queue());
        let waits = scope.spawn(|| log.append(&facts(5..10)));
        while log.queue().next[TOPIC as usize] == 5 {
            std::thread::yield_now();
        }
        let leader = scope.spawn(move || {
            let _lead = lead;
            panic!("stands in for a defect in the middle of a write");
        });
        assert!(leader.join().is_err());
        let error = waits.join().expect("an answer").expect_err("nobody knows what was written").to_string();
        assert!(error.starts_with("the event log takes nothing more since a write failed"), "{error}");
    });
    drop(log);
    assert_eq!(all(&open(&folder)), facts(0..5), "what was acknowledged is there");
}

#[test]
fn facts_that_are_too_long_are_refused_by_name() {
    let folder = folder();
    let log = open(&folder);
    let long = Pinner { name: "x".repeat(FACT_BYTES_MAX), ..Pinner::default() };
    let error = log.append(&[(EventId(1), Fact::Pinner(long))]).expect_err("too long").to_string();
    assert!(error.starts_with("the fact of event id 00000000000000000000000001 takes 16777"), "{error}");
    assert_eq!(log.append(&facts(0..1)).expect("appended").appended, 1, "others are taken");
}
