//! A planted world is lived in: a real server in its time, trained at night, beside peers.

use crate::bowerbird::House;
use serde_json::Value;

const SMALL: &str = "[train]\nepochs = 2\ndim = 16\nhidden = 16\nlayers = 1\nrank_epochs = 2\n";

#[test]
fn days_pass_and_are_told() {
    let house = House::new();
    let file = house.write("small.toml", SMALL);
    let (at, report) = (house.path("world"), house.path("world.html"));
    let words = ["--config", &file, "world", "run", "--pinners", "60", "--pins", "300", "--days", "2", "--no-pictures"];
    let policies = ["--policies", "ours,popularity,oracle"];
    let places = ["--at", at.to_str().expect("text"), "--report", report.to_str().expect("text")];
    let told = house.json(&[&words[..], &policies, &places].concat());
    let days = |place: usize| told["policies"][place]["days"].as_array().expect("days").clone();
    let figure = |day: &Value, name: &str| day[name].as_f64().expect("a figure");
    for (place, name) in ["ours", "popularity", "oracle"].into_iter().enumerate() {
        assert_eq!(told["policies"][place]["policy"], name);
        assert_eq!(days(place).len(), 2);
        assert_eq!(days(place)[0]["sessions"], days(2)[0]["sessions"], "the same world begins");
        for day in &days(place) {
            let share = figure(day, "oracle_share");
            assert!(figure(day, "sessions") > 5.0 && share > 0.0 && share <= 1.001, "{name}: {day}");
            assert!(figure(day, "active_pinners") <= figure(day, "sessions"));
        }
    }
    assert!(days(2).iter().all(|day| figure(day, "oracle_share") > 0.999), "{told}");
    assert!(figure(&days(2)[0], "value_per_session") > figure(&days(0)[0], "value_per_session"), "{told}");
    let learned = &days(0)[0];
    assert!(figure(learned, "trained_s") > 0.0 && learned["model"].as_str().is_some_and(|model| !model.is_empty()));
    let page = std::fs::read_to_string(&report).expect("a report");
    assert!(page.matches("<svg").count() == 4 && page.contains("popularity") && !page.contains("http"));
    let again = house.fails(&[&words[..], &policies, &places].concat());
    assert!(again.contains("is there already"), "{again}");
}

#[test]
fn a_server_with_a_clock_of_its_own_is_told_the_time() {
    let house = House::new();
    let server = house.serve_with(&["--clock", "given"], Some(1_767_225_600_000));
    let ready = server.json("/health/ready");
    assert_eq!((&ready["clock"]["kind"], &ready["clock"]["now"]), (&"given".into(), &1_767_225_600_000u64.into()));
    let post = |body: &str| server.post("/v1/clock", body).0;
    assert_eq!(
        (post("{\"now\":1767225600001}"), post("{\"now\":5}"), post("{}"), post("{\"now\":0}")),
        (200, 400, 400, 400)
    );
    let event = |ts: u64| format!("{{\"pinner\":\"a\",\"pin\":\"p\",\"action\":\"save\",\"ts\":{ts}}}");
    assert_eq!(server.post("/v1/events", &event(1_767_225_600_000)).0, 200);
    assert_eq!(server.post("/v1/events", &event(1_800_000_000_000)).0, 400, "far ahead of the time it was told");
    let list = server.json("/v1/feed/a");
    let request: domain::EventId = list["request_id"].as_str().expect("an id").parse().expect("a ULID");
    assert_eq!(request.ts_ms(), 1_767_225_600_001);
    assert_eq!(server.end(), 0);

    let wall = house.serve();
    assert_eq!(wall.json("/health/ready")["clock"]["kind"], "wall");
    assert_eq!(wall.post("/v1/clock", "{\"now\":1767225600001}").0, 404);
    assert_eq!(wall.end(), 0);
}
