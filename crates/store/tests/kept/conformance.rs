//! One suite per seam; every engine has to pass it. `make` opens the same place again each time it is called.

use crate::sample;
use domain::{EventId, TopicKind};
use std::sync::Arc;
use std::time::Duration;
use store::{Batch, Blobs, EventLog, StateStore, StoreError, open_blobs, open_log, open_state};

const EVENTS: TopicKind = TopicKind::Events;

fn log_conforms(make: &dyn Fn() -> Arc<dyn EventLog>) {
    let log = make();
    assert_eq!(log.append(&[]).expect("nothing to do").appended, 0);
    appends_once_and_in_order(&*log);
    readers_see_what_is_there(&log);
    drop(log);
    let log = make();
    assert_eq!(log.end(EVENTS), 100, "outlives its handle");
    let again = log.append(&sample::events(50..110)).expect("appended");
    assert_eq!((again.appended, again.duplicates), (10, 50), "so does the window");
    assert_eq!(again.ends[EVENTS as usize], 110);
    topics_are_apart(&*log);
}

fn appends_once_and_in_order(log: &dyn EventLog) {
    let mut batch = sample::events(0..60);
    batch.extend(sample::events(40..80));
    let first = log.append(&batch).expect("appended");
    assert_eq!((first.appended, first.duplicates), (80, 20), "also within a batch");
    assert_eq!(first.ends[EVENTS as usize], 80);
    let second = log.append(&sample::events(0..80)).expect("appended");
    assert_eq!((second.appended, second.duplicates, second.ends[EVENTS as usize]), (0, 80, 80));
    let found = log.read(EVENTS, 0, 1_000).expect("readable");
    assert!(found.iter().map(|record| record.0).eq(0..80), "dense offsets from 0");
    assert!(found.into_iter().map(|(_, id, fact)| (id, fact)).eq(sample::events(0..80)), "in order");
    let some = log.read(EVENTS, 30, 5).expect("readable");
    assert!(some.iter().map(|record| record.0).eq(30..35));
    assert_eq!(log.read(EVENTS, 80, 5).expect("the end").len(), 0);
    assert_eq!(log.read(EVENTS, 10_000, 5).expect("behind the end").len(), 0);
    assert_eq!(log.read(EVENTS, 0, 0).expect("none").len(), 0);
}

fn readers_see_what_is_there(log: &Arc<dyn EventLog>) {
    assert!(log.wait(EVENTS, 79, Duration::ZERO), "there already");
    assert!(!log.wait(EVENTS, 80, Duration::from_millis(20)), "nobody wrote");
    let reader = log.clone();
    let waiting = std::thread::spawn(move || {
        assert!(reader.wait(EVENTS, 80, Duration::from_secs(60)));
        reader.read(EVENTS, 80, 1).expect("readable").len()
    });
    std::thread::sleep(Duration::from_millis(20));
    log.append(&sample::events(80..100)).expect("appended");
    assert_eq!(waiting.join().expect("no panic"), 1);
}

fn topics_are_apart(log: &dyn EventLog) {
    let all = sample::one_of_each();
    let appended = log.append(&all).expect("appended");
    assert_eq!((appended.appended, appended.ends), (17, [9, 112, 4, 2]));
    for topic in TopicKind::ALL {
        let before = if topic == EVENTS { 110 } else { 0 };
        let found = log.read(topic, before, 100).expect("readable");
        let expected = all.iter().filter(|(_, fact)| fact.topic() == topic).cloned();
        assert!(found.into_iter().map(|(_, id, fact)| (id, fact)).eq(expected), "{topic:?}");
    }
    let same_id = sample::one_of_each().into_iter().map(|(_, fact)| (EventId(77), fact)).collect::<Vec<_>>();
    let appended = log.append(&same_id).expect("appended");
    assert_eq!((appended.appended, appended.duplicates), (4, 13), "ids are told apart within a topic");
}

fn state_conforms(make: &dyn Fn() -> Arc<dyn StateStore>) {
    let state = make();
    assert_eq!(state.get("pins", b"a").expect("readable"), None);
    assert_eq!(state.scan("pins", b"", 10).expect("readable"), []);
    assert_eq!(state.offset("views", EVENTS).expect("readable"), 0);
    let mut batch = Batch::new();
    batch.put("pins", b"a", b"1").put("pins", b"b", b"2").put("pins", [255, 0], b"3").put("boards", b"a", b"4");
    batch.put("pins", b"c", b"old").put("pins", b"c", b"new").put("pins", b"d", b"x").delete("pins", b"d");
    batch.offset("views", EVENTS, 41).offset("views", EVENTS, 42).offset("lake", EVENTS, 7);
    assert_eq!(batch.len(), 8);
    state.write(batch).expect("written");
    state_holds(&*state);
    drop(state);
    let state = make();
    state_holds(&*state);
    let mut batch = Batch::new();
    batch.delete("pins", b"a").delete("nothing", b"here").offset("views", TopicKind::Catalogue, u64::MAX);
    state.write(batch).expect("written");
    assert_eq!(state.get("pins", b"a").expect("readable"), None);
    assert_eq!(state.offset("views", TopicKind::Catalogue).expect("readable"), u64::MAX);
    assert_eq!(state.offset("views", EVENTS).expect("readable"), 42, "topics are apart");
    state.write(Batch::new()).expect("nothing to do");
    state_refuses(&*state);
}

fn state_holds(state: &dyn StateStore) {
    assert_eq!(state.get("pins", b"a").expect("readable").as_deref(), Some(&b"1"[..]));
    assert_eq!(state.get("boards", b"a").expect("readable").as_deref(), Some(&b"4"[..]), "spaces are apart");
    assert_eq!(state.get("pins", b"d").expect("readable"), None, "the later change counts");
    let keys = |from: &[u8], max| -> Vec<Vec<u8>> {
        state.scan("pins", from, max).expect("readable").into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys(b"", 10), [b"a".to_vec(), b"b".to_vec(), b"c".to_vec(), vec![255, 0]], "in the order of bytes");
    assert_eq!(keys(b"b", 2), [b"b".to_vec(), b"c".to_vec()]);
    assert_eq!(keys(b"b\0", 10), [b"c".to_vec(), vec![255, 0]]);
    assert_eq!(state.scan("pins", b"c", 1).expect("readable"), [(b"c".to_vec(), b"new".to_vec())]);
    assert_eq!(state.offset("views", EVENTS).expect("readable"), 42);
    assert_eq!(state.offset("lake", EVENTS).expect("readable"), 7);
}

fn state_refuses(state: &dyn StateStore) {
    let refused = |change: &dyn Fn(&mut Batch) -> usize| {
        let mut batch = Batch::new();
        batch.put("pins", b"half", b"1");
        change(&mut batch);
        state.write(batch).expect_err("refused").to_string()
    };
    for name in ["", "#offsets", "a/b", "Ä", "0a", &"x".repeat(65)] {
        let name = name.to_owned();
        assert!(refused(&|batch| batch.put(name.clone(), b"k", b"").len()).contains("cannot name a space"), "{name}");
        assert!(refused(&|batch| batch.offset(name.clone(), EVENTS, 1).len()).contains("cannot name a consumer"));
        assert!(state.get(&name, b"k").is_err() && state.scan(&name, b"", 1).is_err());
    }
    assert!(refused(&|batch| batch.put("pins", b"", b"").len()).starts_with("a key of 0 bytes"));
    assert!(refused(&|batch| batch.put("pins", vec![0; 70_000], b"").len()).starts_with("a key of 70000 bytes"));
    assert_eq!(state.get("pins", b"half").expect("readable"), None, "a refused batch leaves nothing behind");
}

fn blobs_conform(make: &dyn Fn() -> Blobs) {
    let blobs = make();
    assert_eq!(blobs.get("models/live").expect("readable"), None);
    assert!(!blobs.exists("models/live").expect("readable"));
    blobs.delete("models/live").expect("nothing to do");
    assert_eq!(blobs.list("").expect("readable"), Vec::<String>::new());
    for key in ["models/v1/card.json", "models/v1/model.bbm", "models/v2/card.json", "media/a b.jpg", "top"] {
        blobs.put(key, key.as_bytes().to_vec()).expect("written");
    }
    blobs.put("top", b"again".to_vec()).expect("written");
    blobs.put("empty", Vec::new()).expect("written");
    drop(blobs);
    let blobs = make();
    assert_eq!(blobs.get("top").expect("readable").as_deref(), Some(&b"again"[..]));
    assert_eq!(blobs.get("empty").expect("readable"), Some(Vec::new()));
    assert_eq!(blobs.get("media/a b.jpg").expect("readable").as_deref(), Some(&b"media/a b.jpg"[..]));
    assert_eq!(blobs.list("models/v1/").expect("readable"), ["models/v1/card.json", "models/v1/model.bbm"]);
    assert_eq!(blobs.list("models/v").expect("readable").len(), 3, "a prefix may end within a name");
    assert_eq!(blobs.list("").expect("readable").len(), 6);
    assert_eq!(blobs.list("nothing/").expect("readable").len(), 0);
    assert_eq!(blobs.get("models").expect("a directory is no blob"), None);
    blobs.delete("top").expect("deleted");
    assert!(!blobs.exists("top").expect("readable"));
    for key in ["", "/a", "a/", "a//b", "..", "a/../b", ".staging/x", "a\\b", "a\nb", "ü", "a?", &"x".repeat(201)] {
        let error = blobs.put(key, Vec::new()).expect_err("refused").to_string();
        assert!(error.contains("cannot name a blob"), "{error}");
        assert!(blobs.get(key).is_err() && blobs.exists(key).is_err() && blobs.delete(key).is_err(), "{key}");
    }
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a directory");
    let uri = format!("file://{}", folder.path().join("deeper/down").display());
    (folder, uri)
}

#[test]
fn the_embedded_log_conforms() {
    let (_folder, uri) = folder();
    log_conforms(&|| open_log(&uri).expect("opens"));
}

#[test]
fn the_embedded_state_conforms() {
    let (_folder, uri) = folder();
    state_conforms(&|| open_state(&uri).expect("opens"));
}

#[test]
fn local_blobs_conform() {
    let (_folder, uri) = folder();
    blobs_conform(&|| open_blobs(&uri).expect("opens"));
}

#[test]
fn two_cannot_hold_the_same_directory() {
    let (_folder, uri) = folder();
    let log = open_log(&uri).expect("opens");
    let error = open_log(&uri).err().expect("held");
    assert!(matches!(&error, StoreError::Locked { path, .. } if path.ends_with("lock")), "{error}");
    let holder = format!("lock' is held by another process (id {}): stop that one, or use", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    drop(log);
    open_log(&uri).expect("free again");
    let state_uri = format!("{uri}-state");
    let state = open_state(&state_uri).expect("opens");
    assert!(matches!(open_state(&state_uri), Err(StoreError::Locked { .. })));
    drop(state);
    open_state(&state_uri).expect("free again");
}

#[test]
fn blobs_work_on_any_thread_of_any_runtime() {
    let (_folder, uri) = folder();
    let round = |blobs: &Blobs, key: &str| {
        blobs.put(key, vec![1; 1_000]).expect("written");
        assert_eq!(blobs.get(key).expect("readable").map(|bytes| bytes.len()), Some(1_000));
        assert!(!blobs.list("").expect("readable").is_empty());
    };
    let blobs = open_blobs(&uri).expect("opens");
    round(&blobs, "plain");
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let (pooled, inside) = (blobs.clone(), blobs);
        tokio::task::spawn_blocking(move || round(&pooled, "pooled")).await.expect("no panic");
        round(&inside, "inside");
        drop(inside);
    });
}

#[test]
fn many_blobs_may_be_put_at_once() {
    let (_folder, uri) = folder();
    let blobs = open_blobs(&uri).expect("opens");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let blobs = &blobs;
            scope.spawn(move || {
                for number in 0..10 {
                    blobs.put("shared", vec![thread; 10_000]).expect("written");
                    blobs.put(&format!("own/{thread}-{number}"), vec![thread; 100]).expect("written");
                    let shared = blobs.get("shared").expect("readable").expect("there");
                    assert!(shared.len() == 10_000 && shared.iter().all(|byte| *byte == shared[0]), "one or the other");
                }
            });
        }
    });
    assert_eq!(blobs.list("own/").expect("readable").len(), 80);
}
