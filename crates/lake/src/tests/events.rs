//! Events in order of time.

use super::*;

#[test]
fn events_come_in_order_of_time_and_can_be_stopped() {
    let house = House::new();
    const START_MS: u64 = 1_700_000_000_000;
    // Late ones come later in the log, and some come at one moment.
    let moments: Vec<u64> = (0..30_000u64).map(|number| START_MS + hash64(number) % 9_000 * 1_000).collect();
    let told = |number: u64, ts_ms: u64| match event(number, ts_ms) {
        Fact::Event(told) => told,
        other => panic!("{other:?}"),
    };
    let facts: Vec<Fact> = (0..).zip(&moments).map(|(number, &ts_ms)| Fact::Event(told(number, ts_ms))).collect();
    house.append(facts);
    let search = Event { pin: None, ..Event::new("ann", Action::Search, START_MS) };
    house.append(vec![Fact::Event(search)]);
    house.roll();
    let mut read: Vec<(u64, Event)> = Vec::new();
    let mut batches = 0;
    let mut take = |events: Vec<(u64, Event)>| {
        read.extend(events);
        batches += 1;
        true
    };
    house.lake.events_in_time(&mut take).expect("read");
    assert!(batches > 1);
    assert_eq!(read.len(), moments.len(), "a search is about no pin");
    assert!(read.is_sorted_by_key(|(offset, event)| (event.ts_ms, *offset)));
    for (offset, found) in read.iter().step_by(997) {
        let expected = told(*offset, moments[*offset as usize]);
        assert_eq!(*found, Event { event_id: EventId(0), props: None, ..expected });
    }
    let mut batches = 0;
    let stop = &mut |_| {
        batches += 1;
        false
    };
    house.lake.events_in_time(stop).expect("stopped");
    assert_eq!(batches, 1);
    assert_eq!(house.one("SELECT count(*) FROM events"), json!(30_001), "nobody holds the lake");
}
