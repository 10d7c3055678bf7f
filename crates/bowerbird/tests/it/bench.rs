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

const SMALL: &str = "[train]\ndim = 16\nhidden = 16\nepochs = 2\nlayers = 1\n";

/// Lines of pinners, each with `pins` of 160 pins of one of four tastes.
fn tastes(pinners: usize, pins: usize) -> String {
    let pin = |pinner: usize, place: usize| 4 * ((7 * pinner + 3 * place) % 40) + pinner % 4;
    let line = |pinner: usize| {
        let pins: Vec<String> = (0..pins).map(|place| pin(pinner, place).to_string()).collect();
        format!("{pinner} {}\n", pins.join(" "))
    };
    (0..pinners).map(line).collect()
}

#[test]
fn an_ablation_tells_each_variant_and_each_published_order() {
    let house = House::new();
    let (saves, config) = (house.write("saves.txt", &tastes(60, 12)), house.write("small.toml", SMALL));
    assert_eq!(house.run(&["import", "pinterest", &saves]).code, 0);
    let ablation = |table: &str| house.json(&["--config", &config, "bench", "ablation", "--table", table]);

    let negatives = ablation("negatives");
    assert_eq!((&negatives["table"], &negatives["pinners"]), (&json!("negatives"), &json!(60)));
    assert!(negatives["config"]["candidates_max"].as_u64().expect("a number") < 160, "negatives are sampled");
    let rows = negatives["rows"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["variant"].as_str()).collect();
    assert_eq!(names, ["uniform", "uniform, logQ", "in-batch", "in-batch, logQ", "mixed", "mixed, logQ"]);
    for row in rows {
        let [low, high] = [0, 1].map(|end| row["intervals"]["recall@10"][end].as_f64().expect("an end"));
        let recall = row["recall@10"].as_f64().expect("a figure");
        assert!(low <= recall && recall <= high && recall > 0.0, "{row}");
    }
    assert_eq!(negatives["order"].as_array().map(Vec::len), Some(6));
    assert_eq!(ablation("neighbours")["order"][0]["claim"], "neighbours > no neighbours");

    let told = |table: &str| house.fails(&["--config", &config, "bench", "ablation", "--table", table]);
    assert!(told("targets").contains("it needs times"));
    assert!(told("fresh").contains("no pin has contents"));
    assert!(told("fusion").contains("too few impressions"));
}

#[test]
fn an_ablation_of_sequences_lets_user_vectors_grow_old() {
    let house = House::new();
    let (saves, config) = (house.write("sequences.txt", &tastes(60, 12)), house.write("small.toml", SMALL));
    assert_eq!(house.run(&["import", "sequences", &saves]).code, 0);
    let targets = house.json(&["--config", &config, "bench", "ablation", "--table", "targets", "--pinners", "40"]);
    assert_eq!(targets["pinners"], 40);
    assert!(targets["protocol"].as_str().expect("words").starts_with("the last pin of each sequence"), "{targets}");
    let rows = targets["rows"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[1]["variant"]), (16, &json!("next, 1 act old")));
    let claims = targets["order"].as_array().expect("claims");
    assert!(claims[1]["claim"].as_str().expect("words").starts_with("dense loses less than next"), "{targets}");
}
