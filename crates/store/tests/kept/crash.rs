//! A process that is killed in the middle of ingest loses nothing that it had acknowledged.

use crate::sample;
use domain::{EventId, TopicKind};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use store::{EventLog, open_log};

/// Tells the child where the log is and with which batch to begin.
const PLACE: &str = "BOWERBIRD_TEST_INGEST";
const BATCH: u64 = 50;

fn batch(number: u64) -> Vec<(EventId, domain::Fact)> {
    sample::events(number * BATCH..(number + 1) * BATCH)
}

/// Not a test by itself: what the killed process does. It sends batches from two threads and prints the number of each
/// batch that was acknowledged.
#[test]
fn ingest_until_killed() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let (uri, first) = place.rsplit_once('|').expect("a place");
    let first: u64 = first.parse().expect("a number");
    let log = open_log(uri).expect("opens");
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let log = &log;
            scope.spawn(move || {
                for number in (first + thread..).step_by(2) {
                    let appended = log.append(&batch(number)).expect("appended");
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "ack {number} {}", appended.duplicates).expect("a pipe");
                }
            });
        }
    });
}

fn start(uri: &str, first: u64) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "crash::ingest_until_killed", "--nocapture"])
        .env(PLACE, format!("{uri}|{first}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// Lets the child acknowledge `some` batches, kills it, and gives all batches that it has acknowledged.
fn acknowledged(mut child: Child, some: usize) -> BTreeSet<u64> {
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut acks = BTreeSet::new();
    for line in lines {
        let line = line.expect("text");
        let Some(rest) = line.split("ack ").nth(1) else { continue };
        acks.insert(rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number"));
        if acks.len() == some {
            // SIGKILL; what it had printed until then is still in the pipe and is read to its end.
            child.kill().expect("killed");
        }
    }
    child.wait().expect("ended");
    acks
}

#[test]
fn every_acknowledged_event_is_there_exactly_once_after_kills() {
    let folder = tempfile::tempdir().expect("a directory");
    let uri = folder.path().join("log").display().to_string();
    let (mut acked, mut first) = (BTreeSet::new(), 0);
    for round in 0..6 {
        let acks = acknowledged(start(&uri, first), 15 + round * 7);
        assert!(acks.len() >= 15, "round {round}: {} batches", acks.len());
        acked.extend(acks);
        // The next child begins with batches that were sent but not acknowledged: the log may hold all, some or none
        // of them.
        first = (0..).find(|number| !acked.contains(number)).expect("some number");
        check(&*open_log(&uri).expect("opens after a kill"), &acked);
    }
    let log = open_log(&uri).expect("opens");
    let last = acked.last().copied().expect("some batches") + 2;
    for number in first..=last {
        log.append(&batch(number)).expect("appended");
    }
    check(&*log, &(0..=last).collect());
    assert_eq!(log.end(TopicKind::Events), (last + 1) * BATCH, "sending again doubled nothing");
}

/// Every event of the batches is there, none twice, and each batch's events are in order.
fn check(log: &dyn EventLog, batches: &BTreeSet<u64>) {
    let mut ids = Vec::new();
    while (ids.len() as u64) < log.end(TopicKind::Events) {
        let records = log.read(TopicKind::Events, ids.len() as u64, 1_000).expect("readable");
        assert!(!records.is_empty(), "records up to the end");
        ids.extend(records.into_iter().map(|(_, id, _)| id));
    }
    let there: BTreeSet<EventId> = ids.iter().copied().collect();
    assert_eq!(there.len(), ids.len(), "an event is there twice");
    for &number in batches {
        let sent: Vec<EventId> = batch(number).into_iter().map(|(id, _)| id).collect();
        let members: BTreeSet<EventId> = sent.iter().copied().collect();
        let found: Vec<EventId> = ids.iter().copied().filter(|id| members.contains(id)).collect();
        assert_eq!(found, sent, "batch {number}");
    }
}
