//! Figures, not judgements: run by name with `--ignored --nocapture`.

use crate::sample;
use domain::TopicKind;
use std::time::Instant;
use store::{Batch, encode, open_blobs, open_log, open_state};

fn per_second(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

#[test]
#[ignore = "prints figures"]
fn measure() {
    // Beside the sources rather than in the system's temporary folder, which may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a directory");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let count = 1_000_000;
    let facts = sample::events(0..count);

    let mut bytes = Vec::new();
    let since = Instant::now();
    facts.iter().for_each(|(id, fact)| encode(*id, fact, &mut bytes));
    println!("encode: {:.0}/s, {} bytes each", per_second(count, since), bytes.len() as u64 / count);

    for batch in [1_000, 10_000, 100_000] {
        let log = open_log(&at(&format!("log{batch}"))).expect("opens");
        let since = Instant::now();
        for facts in facts.chunks(batch) {
            log.append(facts).expect("appended");
        }
        println!("append, durable, batches of {batch}: {:.0} events/s", per_second(count, since));
    }
    let log = open_log(&at("log1000"));
    drop(log);
    let since = Instant::now();
    let log = open_log(&at("log1000")).expect("opens");
    println!("open with {count} events: {:?}", since.elapsed());
    let since = Instant::now();
    let mut from = 0;
    while from < log.end(TopicKind::Events) {
        from += log.read(TopicKind::Events, from, 10_000).expect("readable").len() as u64;
    }
    println!("read: {:.0} events/s", per_second(count, since));

    let log = open_log(&at("small")).expect("opens");
    for threads in [1, 8, 64] {
        let since = Instant::now();
        let each = 1_024 / threads;
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (log, facts) = (&log, &facts[(threads * 4_096 + thread * each)..][..each]);
                scope.spawn(move || facts.iter().all(|fact| log.append(std::slice::from_ref(fact)).is_ok()));
            }
        });
        println!("append one by one, {threads} threads: {:.0} events/s", per_second(1_024, since));
    }

    let state = open_state(&at("state")).expect("opens");
    let since = Instant::now();
    for start in (0..200_000u32).step_by(2_000) {
        let mut batch = Batch::new();
        for key in start..start + 2_000 {
            batch.put("pins", key.to_be_bytes(), [7; 100]);
        }
        batch.offset("views", TopicKind::Events, u64::from(start));
        state.write(batch).expect("written");
    }
    println!("state, batches of 2000 values of 100 bytes: {:.0} values/s", per_second(200_000, since));
    let since = Instant::now();
    let found = state.scan("pins", b"", 1_000_000).expect("readable").len();
    println!("state scan: {:.0} values/s", per_second(found as u64, since));

    let blobs = open_blobs(&at("blobs")).expect("opens");
    for threads in [1, 8] {
        let since = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let blobs = &blobs;
                let put = move |number| blobs.put(&format!("t/{thread}-{number}"), vec![1; 20_000]).expect("written");
                scope.spawn(move || (0..256 / threads).for_each(put));
            }
        });
        println!("blobs of 20 kB, {threads} threads: {:.0}/s", per_second(256, since));
    }
    println!("memory: {}", memory());
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("unknown").to_owned()
}
