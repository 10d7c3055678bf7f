//! The benches measure something, and say it as programs read it.

use crate::bowerbird::House;
use serde_json::json;

#[test]
fn the_benches_tell_their_figures() {
    let house = House::new();
    let saves = house.write("saves.txt", "1 10 11 12\n2 10 11 13\n3 11 12 13\n");
    assert_eq!(house.run(&["import", "pinterest", &saves]).code, 0);

    let ingest = house.json(&["bench", "ingest", "--events", "3000"]);
    assert_eq!((&ingest["bench"], &ingest["events"]), (&json!("ingest"), &json!(3000)));
    for figure in ["events_per_s", "append_events_per_s", "bytes_per_event"] {
        assert!(ingest[figure].as_f64().is_some_and(|value| value > 0.0), "{figure}: {ingest}");
    }
    let left = std::fs::read_dir(house.data()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("bench-")).collect();
    assert!(left.is_empty(), "{left:?}");

    let feed = house.json(&["bench", "feed", "--rate", "10", "--seconds", "1", "--clients", "2"]);
    assert_eq!((&feed["bench"], &feed["at_rate"]["requests"]), (&json!("feed"), &json!(10)));
    assert_eq!((&feed["at_rate"]["failed"], &feed["saturated"]["failed"]), (&json!(0), &json!(0)));
    for figure in ["latency_ms_p50", "latency_ms_p99", "requests_per_s", "rss_mib", "ready_s"] {
        assert!(feed[figure].as_f64().is_some_and(|value| value > 0.0), "{figure}: {feed}");
    }

    let blend = house.json(&["bench", "blend", "--candidates", "100", "--slate", "20", "--cases", "5"]);
    for figure in ["ssd_cpu_us_p50", "ssd_cpu_us_p99", "blend_cpu_us_p50", "blend_cpu_us_p99"] {
        assert!(blend[figure].as_f64().is_some_and(|value| value > 0.0), "{figure}: {blend}");
    }

    let start = house.json(&["bench", "start", "--pins", "3000", "--starts", "2"]);
    assert_eq!((&start["bench"], &start["starts"][1]["followed"]), (&json!("start"), &json!(0)));
    for known in ["pins", "content", "words", "pin_vectors"] {
        assert_eq!(start["starts"][1][known], 3_000, "{known}: {start}");
    }
    assert_eq!(start["starts"][0]["edges"], start["rebuilt"]["edges"]);
}
