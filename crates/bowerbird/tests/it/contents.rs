//! What pins are about: learned, annotated, labelled, put together; in bulk and as they come.

use crate::bowerbird::{House, Server};
use content::Picture;
use serde_json::{Value, json};
use std::time::Duration;
use world::{World, WorldConfig};

fn world() -> World {
    World::new(WorldConfig { pins: 60, pinners: 4, events: 10, ..WorldConfig::new(5, 1_700_000_000_000) })
}

/// Pictures in folders whose names are topics, some of them twice: once with a border cut.
fn pictures(house: &House) {
    let world = world();
    for pin in 0..60 {
        let drawing = world.draw(pin);
        let picture = Picture::from_rgba(drawing.width, drawing.height, &drawing.rgba).expect("a drawing");
        let folder = house.path("pictures").join(format!("kind {}", world.topic_of(pin) % 4));
        std::fs::create_dir_all(&folder).expect("a folder");
        let write = |name: String, picture: &Picture| {
            std::fs::write(folder.join(name), picture.to_jpeg(88).expect("a JPEG")).expect("a picture");
        };
        write(format!("{pin:03}.jpg"), &picture);
        if pin % 20 == 7 {
            write(format!("{pin:03} cut.jpg"), &picture.cropped([0.03, 0.03, 0.94, 0.94]));
        }
    }
}

/// Asks until the answer is as it should be.
fn until(server: &Server, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let (status, text) = server.get(path);
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if status == 200 && is_so(&answer) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{path} is not as it should be: {}", server.get(path).1);
}

#[test]
fn pins_are_annotated_in_bulk_and_as_they_come() {
    let house = House::new();
    pictures(&house);
    house.json(&["import", "images", &house.path("pictures").display().to_string()]);
    let rows: Vec<String> = (0..60)
        .map(|i| {
            let title = format!("{} brass lamp for the {}", ["old", "new"][i % 2], ["kitchen", "hall", "desk"][i % 3]);
            json!({"type": "pin", "id": format!("lamp-{i}"), "title": title, "topics": ["brass lamps"]}).to_string()
        })
        .collect();
    let rows = house.write("lamps.jsonl", &rows.join("\n"));
    house.json(&["import", "jsonl", &rows]);
    let told = house.json(&["understand", "--contents-only"]);
    assert_eq!((&told["embedded"], &told["contents"]["version"]), (&json!(0), &json!(1)), "{told}");
    assert!(told["contents"]["terms"].as_u64() > Some(0) && told["annotated"] == json!(123), "{told}");
    assert_eq!((&told["shared_pictures"], &told["pins_with_shared_pictures"]), (&json!(3), &json!(6)), "{told}");
    let again = house.json(&["understand", "--embed-only"]);
    assert_eq!(again["embedded"], json!(0));

    let rules = json!({"rules": [{"label": "sold", "terms": ["desk"]}]}).to_string();
    house.write("data/rules.json", &rules);
    house.write("data/bowerbird.toml", "[content]\nsafety = \"rules.json\"\n[server]\nmodel_check_s = 1\n");
    let server = house.serve();
    // The rules are held against what was there before.
    let review = until(&server, "/v1/review", |review| review["counts"]["waiting"] == json!(20));
    let label = json!([{"name": "sold", "value": 1.0, "threshold": 1.0, "terms": ["desk"]}]);
    assert_eq!(review["items"][0]["labels"], label);
    let lamp = until(&server, "/v1/pins/lamp-0", |lamp| lamp["semantic_id"].is_array());
    let terms = lamp["annotations"].as_array().expect("terms");
    assert!(terms.iter().any(|found| found["term"] == json!("kitchen")), "{lamp}");
    let cut = format!("/v1/pins/kind%20{}%2F007%20cut", world().topic_of(7) % 4);
    let cut = until(&server, &cut, |pin| pin["near_duplicates"].is_array());
    assert_eq!(cut["near_duplicates"].as_array().map(Vec::len), Some(1), "{cut}");

    // What comes is annotated at once, and put together a moment later.
    let row = json!({"id": "new", "title": "Small brass lamp for a desk"});
    assert_eq!(server.post("/v1/pins", &row.to_string()).0, 200);
    let new = until(&server, "/v1/pins/new", |_| true);
    assert_eq!(new["labels"], label);
    assert!(new["annotations"].as_array().is_some_and(|terms| !terms.is_empty()), "{new}");
    let png = world().draw(7).to_png();
    let (status, answer) = server.send_picture("PUT", "/v1/pins/new/image", &png);
    assert_eq!(status, 200, "{answer}");
    let new = until(&server, "/v1/pins/new", |pin| pin["near_duplicates"].as_array().is_some_and(|all| all.len() == 2));
    assert_eq!(new["images"].as_array().map(Vec::len), Some(3), "{new}");
}

#[test]
fn what_is_wrong_with_rules_is_told_at_the_start() {
    let house = House::new();
    let rows = house.write("rows.jsonl", &json!({"type": "pin", "id": "a", "title": "A lamp"}).to_string());
    house.json(&["import", "jsonl", &rows]);
    let few = house.json(&["understand", "--contents-only"]);
    assert_eq!((&few["contents"], &few["annotated"]), (&Value::Null, &json!(0)), "too few to learn of: {few}");
    house.write("data/bowerbird.toml", "[content]\nsafety = \"gone.json\"\n");
    let error = house.fails(&["serve", "--address", "127.0.0.1:0"]);
    assert!(error.contains("content.safety: cannot read") && error.contains("gone.json"), "{error}");
}
