//! A fresh machine with nothing on it.

use crate::bowerbird::House;
use serde_json::Value;

const WORLD: [&str; 9] = ["demo", "--pins", "150", "--pinners", "80", "--events", "6000", "--no-serve", "--json"];

#[test]
fn a_world_is_made_learned_and_served() {
    let house = House::new();
    let file = house.write("small.toml", "[train]\nepochs = 4\ndim = 16\nhidden = 16\n");
    let run = |words: &[&str]| house.run(&[&["--config", file.as_str()], words].concat());
    let made = run(&WORLD);
    assert_eq!(made.code, 0, "{}", made.err);
    let made: Value = serde_json::from_str(&made.out).expect("JSON");
    let taste = &made["figures"]["taste"];
    let [served, random, best] = ["served", "random", "planted"].map(|of| taste[of].as_f64().expect("a figure"));
    assert!(served > random && served < best, "{taste}");
    assert!(made["figures"]["baselines"]["popularity"]["recall@20"].is_number(), "{made}");
    let [varied, plain] = ["served", "by_utility"].map(|of| &made["figures"]["variety"][of]);
    let neighbours = |of: &Value| of["same_topic_neighbours"].as_f64().expect("a figure");
    assert!(neighbours(varied) < neighbours(plain), "{varied} {plain}");

    // A second start serves what is there; another world is refused.
    let again = run(&WORLD);
    let again: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(again["figures"], made["figures"]);
    let other = run(&["demo", "--pins", "151", "--no-serve"]);
    assert!(other.code == 1 && other.err.contains("holds another world (--seed 7 --pins 150"), "{}", other.err);

    let words = [&["--config", file.as_str()], &WORLD[..7], &["--json", "--port", "0"]].concat();
    let shown = house.until_told(&words, "open http://");
    assert_eq!(shown.lines().count(), 1, "nothing but JSON: {shown}");
    assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON")["figures"], made["figures"]);

    let server = house.serve();
    let feed = server.json("/v1/feed/pinner-00003?limit=10");
    let items = feed["items"].as_array().expect("items");
    assert_eq!(items.len(), 10);
    assert_eq!(server.get("/").0, 200, "the pinner app is there");
    let searched = server.json("/v1/search?q=lake");
    assert!(!searched["items"].as_array().expect("items").is_empty());
    assert_eq!(server.end(), 0);
}

#[test]
fn other_peoples_data_is_left_alone() {
    let house = House::new();
    let saves = house.write("saves.txt", "1 2 3\n");
    assert_eq!(house.run(&["import", "pinterest", &saves]).code, 0);
    assert!(house.fails(&["demo", "--no-serve"]).contains("holds other data"));
}
