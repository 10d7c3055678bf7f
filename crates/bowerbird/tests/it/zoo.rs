//! Published encoders: taken over, served, replaced by another while a server runs.

use crate::bowerbird::House;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
#[cfg(feature = "zoo")]
use world::{World, WorldConfig};

/// Writes an encoder as model hubs hold it: the small one of a table in `content`'s tests, with weights by a sine.
fn published(house: &House, name: &str) -> String {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../content/tests/zoo/{name}.json"));
    let told: Value = serde_json::from_slice(&std::fs::read(table).expect("a table")).expect("JSON");
    let folder: PathBuf = house.path(name);
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
    };
    for (name, value) in told["files"].as_object().expect("files") {
        write(name, value.to_string().into_bytes());
    }
    let (mut header, mut bytes) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in told["tensors"].as_object().expect("tensors") {
        let sides = shape.as_array().expect("a shape").iter().map(|side| side.as_u64().expect("a number"));
        let (from, count) = (bytes.len(), sides.product::<u64>());
        let near = if name.contains("norm") && name.ends_with("weight") { 1.0 } else { 0.0 };
        let value = |i: u64| near + 0.3 * ((i + from as u64) as f32 * 12.9898).sin();
        bytes.extend((0..count).flat_map(|i| value(i).to_le_bytes()));
        header.insert(name.clone(), json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, bytes.len()] }));
    }
    let header = Value::Object(header).to_string().into_bytes();
    write("model.safetensors", [&(header.len() as u64).to_le_bytes()[..], &header, &bytes].concat());
    folder.display().to_string()
}

#[cfg(not(feature = "zoo"))]
#[test]
fn a_build_without_published_encoders_says_so() {
    let house = House::new();
    let error = house.fails(&["understand", "--encoder", &published(&house, "bert")]);
    assert!(error.contains("build it with `--features zoo`"), "{error}");
}

#[cfg(feature = "zoo")]
#[test]
fn a_published_encoder_is_taken_over_and_replaced_while_a_server_runs() {
    let house = House::new();
    let world = World::new(WorldConfig { pins: 60, pinners: 4, events: 10, ..WorldConfig::new(5, 1_700_000_000_000) });
    let png = |pin: u32| world.draw(pin).to_png();
    for pin in 0..60 {
        let path = house.path("pictures").join(format!("kind_{}/{pin:03}.png", world.topic_of(pin) % 6));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, png(pin)).expect("a picture");
    }
    house.json(&["import", "images", &house.path("pictures").display().to_string()]);
    let error = house.fails(&["understand", "--encoder", &house.path("pictures").display().to_string()]);
    assert!(error.contains("config.json"), "{error}");

    let (clip, bert) = (published(&house, "clip"), published(&house, "bert"));
    let figures = house.json(&["understand", "--encoder", &clip]);
    assert_eq!((&figures["space"], &figures["embedded"]), (&json!(2), &json!(60)), "{figures}");
    let again = house.json(&["understand", "--encoder", &clip]);
    assert_eq!((&again["space"], &again["embedded"]), (&json!(2), &json!(0)), "it is there: {again}");
    std::fs::remove_dir_all(house.path("clip")).expect("no more needed");

    let server = house.serve();
    let first = |answer: &Value| answer["items"][0]["id"].as_str().unwrap_or_default().to_owned();
    let asked = |pin: u32| server.post_picture("/v1/search/visual?limit=5", &png(pin));
    // Weights that nobody taught bring a picture alone near anything; with a pin's own words it is the pin's vector.
    let with_words = |pin: u32| {
        let words = format!("kind_{0}%20kind_{0}", world.topic_of(pin) % 6);
        server.post_picture(&format!("/v1/search/visual?limit=5&q={words}"), &png(pin))
    };
    let own: Vec<String> = (0..60).step_by(7).map(|pin| format!("{pin:03} → {}", first(&with_words(pin).1))).collect();
    let right = own.iter().filter(|own| own.ends_with(&own[..3])).count();
    assert!(right >= 8, "a pin's own words and picture find it first: {own:?}");

    assert_eq!(house.json(&["understand", "--encoder", &bert])["space"], json!(3));
    let over = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        asked(0).0 == 400
    });
    assert!(over, "the server took over an encoder that reads words alone");
    let (_, problem) = asked(0);
    assert!(problem.to_string().contains("reads words alone"), "{problem}");
    let (status, answer) = server.post_picture("/v1/search/visual?limit=5&q=kind%200", &png(0));
    assert_eq!((status, answer["items"].as_array().map(Vec::len)), (200, Some(5)), "words say something: {answer}");
}
