//! Pictures in folders: import, understand, look for by picture.

use crate::bowerbird::House;
use serde_json::json;
use std::collections::BTreeMap;
use world::{World, WorldConfig};

/// Draws pictures of a world's topics into folders; gives the files by id and which of them are asked about.
fn drawn(house: &House) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let world = World::new(WorldConfig { pins: 240, pinners: 4, events: 10, ..WorldConfig::new(5, 1_700_000_000_000) });
    let mut files = BTreeMap::new();
    for pin in 0..240 {
        let id = format!("kind_{}/{pin:03}", world.topic_of(pin) % 6);
        let path = house.path("pictures").join(format!("{id}.png"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let png = world.draw(pin).to_png();
        std::fs::write(&path, &png).expect("a picture");
        files.insert(id, png);
    }
    let asked = files.keys().step_by(6).cloned().collect();
    (files, asked)
}

#[test]
fn an_encoder_is_learned_and_finds_pictures_that_it_never_saw() {
    let house = House::new();
    let (files, asked) = drawn(&house);
    std::fs::write(house.path("pictures").join("broken.jpg"), b"\xFF\xD8\xFFno").expect("a file");
    let ids = house.write("ids.txt", &asked.join("\n"));
    let pictures = house.path("pictures").display().to_string();
    let imported = house.json(&["import", "images", &pictures, "--exclude", &ids]);
    assert_eq!((&imported["pins"], &imported["pictures_refused"]), (&json!(241), &json!(1)), "{imported}");
    assert_eq!(house.json(&["import", "images", &pictures])["accepted"], json!(0));

    let figures = house.json(&["eval", "--protocol", "visual", "--queries", &ids]);
    assert_eq!((&figures["space"], &figures["queries"]), (&json!(2), &json!(asked.len())), "{figures}");
    let precision = figures["precision@10"]["pictures"]["label"].as_f64().expect("a figure");
    assert!(precision > 0.5, "six kinds: {figures}");
    let again = house.json(&["understand", "--embed-only"]);
    assert_eq!((&again["space"], &again["embedded"]), (&json!(2), &json!(0)), "the encoder stays");

    let server = house.serve();
    let (status, answer) = server.post_picture("/v1/search/visual?limit=10", &files[&asked[0]]);
    assert_eq!(status, 200, "{answer}");
    let found: Vec<&str> =
        answer["items"].as_array().expect("items").iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!((found.len(), found[0]), (10, asked[0].as_str()), "its own picture first: {found:?}");
    let kind = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let alike = found.iter().filter(|id| kind(id) == kind(&asked[0])).count();
    assert!(alike >= 5, "{found:?}");

    // A second encoder while the server runs: it embeds everything and goes over.
    assert_eq!(house.json(&["understand"])["space"], json!(3));
    let over = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let (_, answer) = server.post_picture("/v1/search/visual?limit=1", &files[&asked[0]]);
        answer["items"][0]["id"] == json!(asked[0]) && spaces(&server).contains("3")
    });
    assert!(over, "the server took the encoder over");
}

/// The content spaces that metrics tell of.
fn spaces(server: &crate::bowerbird::Server) -> String {
    let (_, text) = server.get("/metrics");
    text.lines().filter(|line| line.contains("content_space")).map(str::to_owned).collect()
}

#[test]
fn what_cannot_be_measured_is_told() {
    let house = House::new();
    house.write("corpus.jsonl", &format!("{}\n", json!({"_id": "a", "title": "A lamp", "text": ""})));
    house.json(&["import", "beir", &house.path("").display().to_string()]);
    let ids = house.write("ids.txt", "a\n");
    let error = house.fails(&["eval", "--protocol", "visual", "--queries", &ids]);
    assert!(error.contains("none of the 1 queries is a pin with a picture"), "{error}");
    let error = house.fails(&["understand"]);
    assert!(error.contains("1 pins have words, 64 are needed"), "{error}");
    let error = house.fails(&["import", "images", &house.path("corpus.jsonl").display().to_string()]);
    assert!(error.contains("is not a folder"), "{error}");
}
