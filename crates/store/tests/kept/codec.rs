//! Facts as bytes.

use crate::sample;
use domain::{EventId, Fact, Rng, TopicKind};
use std::path::{Path, PathBuf};
use store::{decode, encode, open_log, verify_log};

fn bytes_of(id: EventId, fact: &Fact) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(id, fact, &mut bytes);
    bytes
}

#[test]
fn every_kind_of_fact_comes_back() {
    for (id, fact) in sample::one_of_each().into_iter().chain(sample::later()) {
        let bytes = bytes_of(id, &fact);
        assert_eq!(decode(id, &bytes), Ok(fact), "{} bytes", bytes.len());
    }
}

#[test]
fn an_event_keeps_its_own_id_only_when_it_is_another() {
    let event = sample::event(1);
    let fact = Fact::Event(event.clone());
    let (same, other) = (bytes_of(event.event_id, &fact), bytes_of(EventId(5), &fact));
    assert_eq!(other.len(), same.len() + 16);
    assert_eq!(decode(EventId(5), &other), Ok(fact));
}

#[test]
fn spoilt_bytes_are_an_error_or_another_fact_but_never_a_panic() {
    let mut rng = Rng::new(11);
    let mut refused = 0;
    for (id, fact) in sample::one_of_each().into_iter().chain(sample::later()) {
        let whole = bytes_of(id, &fact);
        for length in 0..whole.len() {
            assert!(decode(id, &whole[..length]).is_err(), "cut to {length}");
        }
        for _ in 0..4_000 {
            let mut bytes = whole.clone();
            for _ in 0..1 + rng.below(4) {
                let place = rng.below(bytes.len() as u32) as usize;
                bytes[place] = rng.next_u64() as u8;
            }
            refused += u32::from(decode(id, &bytes).is_err());
        }
    }
    for _ in 0..50_000 {
        let mut bytes: Vec<u8> = (0..rng.below(60)).map(|_| rng.next_u64() as u8).collect();
        bytes.splice(0..0, [2, 1 + rng.below(13) as u8]);
        refused += u32::from(decode(EventId(0), &bytes).is_err());
    }
    assert!(refused > 50_000, "{refused}");
}

#[test]
fn bytes_of_another_version_say_so() {
    let error = decode(EventId(0), &[1, 1]).expect_err("too old").to_string();
    assert_eq!(error, "not a readable fact: version 1, this build reads 2: import the data anew");
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/log_v2")
}

#[test]
fn a_log_of_an_older_version_opens_and_says_what_it_is() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/log_v1");
    let folder = tempfile::tempdir().expect("a directory");
    copy(&old, folder.path(), &[TopicKind::Events]);
    let log = open_log(&folder.path().display().to_string()).expect("opens");
    let error = log.read(TopicKind::Events, 0, 100).expect_err("too old").to_string();
    assert!(error.contains("events/00000000000000000000.log: byte "), "{error}");
    assert!(error.ends_with("version 1, this build reads 2: import the data anew"), "{error}");
}

/// Copies the first segments of topics.
fn copy(from: &Path, to: &Path, topics: &[TopicKind]) {
    let name = format!("{:020}.log", 0);
    for topic in topics {
        let (from, to) = (from.join(topic.as_str()), to.join(topic.as_str()));
        std::fs::create_dir(&to).expect("made");
        std::fs::copy(from.join(&name), to.join(&name)).expect("copied");
    }
}

/// A log that an earlier build of this version wrote: the layout changes with the version only.
#[test]
fn a_log_of_this_version_is_readable() {
    let report = verify_log(&fixture().display().to_string()).expect("whole");
    assert_eq!(report.iter().map(|topic| topic.records).sum::<u64>(), 17);
    let folder = tempfile::tempdir().expect("a directory");
    copy(&fixture(), folder.path(), &TopicKind::ALL);
    let log = open_log(&folder.path().display().to_string()).expect("opens");
    for topic in TopicKind::ALL {
        let found = log.read(topic, 0, 100).expect("readable");
        let written = sample::one_of_each().into_iter().filter(|(_, fact)| fact.topic() == topic);
        assert!(found.into_iter().map(|(_, id, fact)| (id, fact)).eq(written), "{topic:?}");
    }
}

/// Writes the fixture anew. Run it by name when there is a new version, into a new folder.
#[test]
#[ignore = "writes the fixture"]
fn write_fixture() {
    let log = open_log(&fixture().display().to_string()).expect("opens");
    log.append(&sample::one_of_each()).expect("appended");
}
