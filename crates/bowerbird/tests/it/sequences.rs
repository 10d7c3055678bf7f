//! Sequences of which the next pin is known: import, train, evaluate.

use crate::bowerbird::House;
use serde_json::{Value, json};

const PINS: u32 = 120;

/// Pinners who walk along a circle of pins, each from some place on.
fn walks(pinners: u32) -> String {
    let mut rng = domain::Rng::new(11);
    let line = |pinner: u32| {
        let (first, length) = (rng.below(PINS), 8 + rng.below(6));
        let pins: Vec<String> = (first..first + length).map(|pin| format!("p{}", pin % PINS)).collect();
        format!("{pinner} {}\n", pins.join(" "))
    };
    (0..pinners).map(line).collect()
}

fn figure(value: &Value, place: &str) -> f64 {
    value.pointer(place).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {place} in {value}"))
}

#[test]
fn the_next_pin_of_a_planted_circle_is_found() {
    let house = House::new();
    let config = house.write("small.toml", "[train]\nepochs = 12\ndim = 32\nhidden = 32\n");
    let with = |words: &[&str]| house.json(&[&["--config", config.as_str()], words].concat());
    let error = house.fails(&["eval", "--protocol", "leave-one-out"]);
    assert!(error.contains("there is no data directory"), "{error}");
    let path = house.write("walks.txt", &walks(400));
    let attributes: serde_json::Map<String, Value> =
        (0..PINS).map(|pin| (format!("p{pin}"), json!([pin % 7]))).collect();
    let attributes = house.write("attributes.json", &Value::from(attributes).to_string());
    let imported = with(&["import", "sequences", &path, "--attributes", &attributes]);
    assert_eq!(
        (&imported["pins"], &imported["held_out"], &imported["too_short"]),
        (&json!(120), &json!(800), &json!(0))
    );
    with(&["train"]);

    let figures = with(&["eval", "--protocol", "leave-one-out", "--baselines", "--slices"]);
    let hits = figure(&figures, "/hr@5");
    assert!(hits > 0.5, "{figures}");
    assert!(hits > 5.0 * figure(&figures, "/baselines/popularity/hr@5"), "{figures}");
    for metric in ["hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr"] {
        let interval = &figures["intervals"][metric];
        let value = figure(&figures, &format!("/{metric}"));
        let [low, high] = [0, 1].map(|end| interval[end].as_f64().expect("an end"));
        assert!((0.0..=1.0).contains(&value) && low <= value && value <= high, "{metric} in {figures}");
    }
    assert_eq!(figures["pinners"], 400);
    assert!(figures["protocol"].as_str().expect("words").contains("the last pin of each sequence of walks.txt"));
    let slices = |name: &str| figures["slices"][name]["pinners"].as_u64().expect("a slice");
    assert_eq!((slices("core") + slices("non_core"), slices("fresh") + slices("familiar")), (400, 400));
    assert!(slices("core") < 200 && figure(&figures, "/similarity").abs() <= 1.0);

    let validation = with(&["eval", "--protocol", "leave-one-out", "--target", "validation", "--pinners", "100"]);
    assert_eq!(validation["pinners"], 100);
    assert!(figure(&validation, "/hr@5") > 0.5, "{validation}");

    // Who tells the log what was withheld cannot ask for it.
    let all: Vec<String> = (0..PINS).map(|pin| format!("p{pin}")).collect();
    let path = house.write("whole.txt", &format!("0 {}\n", all.join(" ")));
    with(&["import", "pinterest", &path]);
    let error = house.fails(&["eval", "--protocol", "leave-one-out"]);
    assert!(error.contains("the log says of 1 pinners that they saved what was withheld of them"), "{error}");
    let error = house.fails(&["import", "pinterest", &path, "--attributes", &attributes]);
    assert!(error.contains("--attributes is for the format sequences"), "{error}");
    let error = house.fails(&["eval", "--protocol", "holdout"]);
    assert!(error.contains("needs --holdout FILE"), "{error}");
    let error = house.fails(&["eval", "--protocol", "leave-one-out", "--holdout", &path]);
    assert!(error.contains("--holdout is for the protocol holdout"), "{error}");
}
