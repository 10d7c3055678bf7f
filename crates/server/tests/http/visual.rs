//! Search by picture: one that comes along, a pin's own, a part of it.

use crate::harness::{Nest, empty, small_world};
use serde_json::{Value, json};
use world::World;

/// Pins with drawn pictures, `w0` to `w39`.
fn drawn() -> (Nest, World) {
    let (nest, world) = (empty(), small_world());
    for pin in 0..40 {
        nest.post("/v1/pins", json!({"id": format!("w{pin}"), "title": format!("thing {pin}")}).to_string());
        let png = world.draw(pin).to_png();
        assert_eq!(
            nest.send("PUT", &format!("/v1/pins/w{pin}/image"), &[("content-type", "image/png")], &png).status,
            200
        );
    }
    nest.settle();
    (nest, world)
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().expect("items").iter().filter_map(|item| item["id"].as_str()).collect()
}

#[test]
fn pictures_and_pins_are_looked_for() {
    let (nest, world) = drawn();
    let ask = |path: &str, body: &[u8]| nest.send("POST", path, &[("content-type", "image/png")], body);
    let png = world.draw(7).to_png();
    let answer = ask("/v1/search/visual?limit=5", &png).json();
    assert_eq!((ids(&answer)[0], ids(&answer).len(), &answer["surface"]), ("w7", 5, &json!("search")));
    let cursor = answer["next_cursor"].as_str().expect("more");
    let next = nest.send("POST", &format!("/v1/search/visual?limit=5&cursor={cursor}"), &[], b"").json();
    assert_eq!(ids(&next).len(), 5);
    assert!(ids(&next).iter().all(|id| !ids(&answer).contains(id)), "no pin twice");

    let by_pin = nest.send("POST", "/v1/search/visual?pin=w7&limit=5", &[], b"").json();
    assert_eq!(ids(&by_pin), ids(&answer), "the same picture");
    let part = nest.send("POST", "/v1/search/visual?pin=w7&limit=5&crop=0.5,0.5,0.5,0.5", &[], b"").json();
    assert_ne!(ids(&part), ids(&by_pin), "a part looks otherwise");
    let with_words = ask("/v1/search/visual?q=thing+12&limit=40", &png).json();
    assert!(ids(&with_words).contains(&"w12"));
}

#[test]
fn what_cannot_be_looked_for_is_told() {
    let (nest, world) = drawn();
    nest.post("/v1/pins", json!({"id": "bare", "title": "no picture"}).to_string());
    nest.settle();
    let png = world.draw(7).to_png();
    let ask = |path: &str, kind: &str, body: &[u8]| nest.send("POST", path, &[("content-type", kind)], body);
    ask("/v1/search/visual", "image/png", &png[..40]).problem(400);
    ask("/v1/search/visual", "text/plain", b"words").problem(415);
    ask("/v1/search/visual?crop=0,0,2,1", "image/png", &png).problem(400);
    ask("/v1/search/visual?size=3", "image/png", &png).problem(400);
    nest.send("POST", "/v1/search/visual?pin=nobody", &[], b"").problem(404);
    nest.send("POST", "/v1/search/visual?pin=bare", &[], b"").problem(400);
}

#[test]
fn the_app_shows_what_looks_alike() {
    let (nest, world) = drawn();
    let page = nest.get("/as/ann/look?pin=w7&crop=0,0,0.5,0.5&q=blue").text();
    assert!(page.contains("data-region=\"pin\"") && page.contains("width=\"50%\"") && page.contains("data-pin=\"w7\""));
    assert!(page.contains("value=\"blue\""));
    let part = nest.send("POST", "/as/ann/look", &[("content-type", "image/png")], &world.draw(3).to_png());
    assert!(part.text().contains("data-pin=\"w3\"") && !part.text().contains("<html"), "{}", part.status);
    assert_eq!(nest.get("/as/ann/look").status, 400);
}
