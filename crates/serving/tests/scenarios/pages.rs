//! Pages of one ranking, and the records they leave.

use crate::world::*;
use domain::{Subject, Surface};
use serving::{CacheLimits, Cursor, RecordSink, SlateCache};
use std::sync::Arc;

#[test]
fn pages_stay_the_same_while_the_world_changes() {
    let world = World::new();
    world.tell(co_saves());
    let cache = SlateCache::new(CacheLimits::default());
    let request = world.request("ann", Surface::Home, Subject::None);
    let slate = Arc::new(world.serve(request.clone(), &params()));
    cache.put(request.request_id, slate.clone(), NOW_MS);
    world.tell(vec![domain::Fact::PinRemoved("d".into()), pin("new"), save("ben", "new"), save("cat", "new")]);
    let cursor: Cursor = format!("{}.2", request.request_id).parse().expect("a cursor");
    let kept = cache.get(cursor.request_id, NOW_MS + 1_000).expect("kept");
    assert_eq!(kept.items, slate.items);
}

#[test]
fn a_served_page_can_be_explained_later() {
    let world = World::new();
    world.tell(co_saves());
    let sink = RecordSink::start(world.log.clone()).expect("a sink");
    let request = world.request("ann", Surface::Home, Subject::None);
    assert_eq!(world.consumer.find_request(request.request_id).expect("asked"), None);
    let slate = Arc::new(world.serve(request.clone(), &params()));
    for (offset, why) in [(0, "taken"), (0, "twice is once"), (2, "the next page")] {
        assert!(sink.record(request.clone(), slate.clone(), offset, 2), "{why}");
    }
    let counts = sink.close();
    assert!(!sink.record(request.clone(), slate.clone(), 4, 2), "closed");
    assert_eq!((counts.written, counts.dropped, counts.waiting), (3, 0, 0));
    assert_eq!(world.log.end(domain::TopicKind::Requests), 2);
    world.consumer.catch_up().expect("caught up");
    let record = world.consumer.find_request(request.request_id).expect("asked").expect("found");
    assert_eq!((record.pinner.as_str(), record.offset, record.shown), ("ann", 2, 2));
    assert_eq!(record.trace.ranked, slate.trace.ranked);
    assert_eq!(record.trace.dropped, slate.trace.dropped);
    let world = world.restart();
    let again = world.consumer.find_request(request.request_id).expect("asked").expect("found after a restart");
    assert_eq!(again, record);
}
