//! Pictures: in as data URLs and uploads, out as thumbnails.

use crate::harness::{Nest, empty, small_world};
use serde_json::json;

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32, place: u32| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        text.extend((0..4).map(|place| if place as usize <= group.len() { digit(bits, place) } else { '=' }));
    }
    text
}

fn image_of(nest: &Nest, pin: &str) -> String {
    nest.settle();
    nest.json(&format!("/v1/pins/{pin}"))["image"].as_str().expect("an image").to_owned()
}

#[test]
fn a_picture_in_a_data_url_becomes_a_thumbnail() {
    let nest = empty();
    let png = small_world().draw(3).to_png();
    let row = json!({"id": "p1", "title": "Drawn", "image": format!("data:image/png;base64,{}", base64(&png))});
    assert_eq!(nest.post("/v1/pins", row.to_string()).json()["accepted"], 1);
    let image = image_of(&nest, "p1");
    let shown = nest.get(&image);
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/jpeg")));
    assert!(shown.header("cache-control").unwrap().contains("immutable"));
    assert!(shown.body.starts_with(&[0xFF, 0xD8, 0xFF]));
    let tag = shown.header("etag").unwrap();
    assert_eq!(nest.send("GET", &image, &[("if-none-match", tag)], b"").status, 304);
    let sheet = nest.json("/v1/pins/p1");
    assert_eq!(sheet["size"]["width"], 480);
    assert!(sheet["color"].as_str().unwrap().starts_with('#') && sheet["palette"].as_array().unwrap().len() > 1);
    let large = nest.get(sheet["picture"].as_str().unwrap());
    assert_eq!((large.header("content-type"), large.body == png), (Some("image/png"), true), "the original is kept");

    // Described anew without a picture it keeps the one that it has.
    nest.post("/v1/pins", json!({"id": "p1", "title": "Renamed"}).to_string());
    nest.settle();
    let again = nest.json("/v1/pins/p1");
    assert_eq!((&again["title"], &again["image"]), (&json!("Renamed"), &json!(image)));
}

#[test]
fn a_picture_is_put_to_a_pin() {
    let nest = empty();
    let png = small_world().draw(4).to_png();
    let put = |pin: &str, kind: &str, bytes: &[u8]| {
        nest.send("PUT", &format!("/v1/pins/{pin}/image"), &[("content-type", kind)], bytes)
    };
    put("p1", "image/png", &png).problem(404);
    nest.post("/v1/pins", json!({"id": "p1", "title": "Words", "topics": ["a"]}).to_string());
    let answer = put("p1", "image/png", &png);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(nest.get(&image_of(&nest, "p1")).status, 200);
    assert_eq!(nest.json("/v1/pins/p1")["topics"], json!(["a"]), "the words stay");
    assert!(put("p1", "text/plain", &png).problem(415).contains("image/jpeg"));
    assert!(put("p1", "image/png", b"not a picture").problem(400).contains("not a JPEG, PNG or WebP"));
    assert!(put("p1", "image/png", &png[..png.len() / 2]).problem(400).contains("decoded"));
    assert!(put("p1", "image/png", b"").status == 400);
    // A bomb: a small file that says it is huge.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    assert_eq!(put("p1", "image/png", &bomb).status, 400);
    assert_eq!(nest.get("/health/live").status, 200);
}

#[test]
fn what_was_written_a_moment_ago_is_not_taken_back() {
    let nest = empty();
    let pictures = [5, 6].map(|number| small_world().draw(number).to_png());
    let describe = |title: &str| {
        let row = json!({"id": "p1", "title": title}).to_string();
        assert_eq!(nest.post("/v1/pins", row).json()["accepted"], 1);
    };
    let put = |png: &[u8]| nest.send("PUT", "/v1/pins/p1/image", &[("content-type", "image/png")], png);
    let shown = || {
        nest.settle();
        let sheet = nest.json("/v1/pins/p1");
        let picture = sheet["picture"].as_str().map(|picture| nest.get(picture).body);
        (sheet["title"].as_str().unwrap().to_owned(), picture)
    };
    for (round, png) in pictures.iter().cycle().take(6).enumerate() {
        let (words, others) = (format!("words {round}"), format!("other words {round}"));
        describe(&words);
        assert_eq!(put(png).status, 200);
        assert!(shown() == (words, Some(png.clone())), "round {round}: the picture came with old words");
        assert_eq!(put(&pictures[(round + 1) % 2]).status, 200);
        describe(&others);
        let other = pictures[(round + 1) % 2].clone();
        assert!(shown() == (others, Some(other)), "round {round}: the words came with the old picture");
    }
    assert_eq!(nest.send("DELETE", "/v1/pins/p1", &[], b"").status, 200);
    put(&pictures[0]).problem(404);
    nest.settle();
    nest.get("/v1/pins/p1").problem(404);
}

#[test]
fn who_writes_words_and_who_writes_pictures_do_not_undo_each_other() {
    let nest = empty();
    let pictures = [5, 6].map(|number| small_world().draw(number).to_png());
    nest.post("/v1/pins", json!({"id": "p1", "title": "first"}).to_string());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for png in pictures.iter().cycle().take(5) {
                let answer = nest.send("PUT", "/v1/pins/p1/image", &[("content-type", "image/png")], png);
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        });
        for number in 0..5 {
            nest.post("/v1/pins", json!({"id": "p1", "title": format!("title {number}")}).to_string());
        }
    });
    nest.settle();
    let sheet = nest.json("/v1/pins/p1");
    assert_eq!(sheet["title"], "title 4");
    assert!(nest.get(sheet["picture"].as_str().unwrap()).body == pictures[0], "the last picture");
}

#[test]
fn a_web_address_is_kept_as_it_is() {
    let nest = empty();
    nest.post("/v1/pins", json!({"id": "p1", "image": "https://pictures.example/1.jpg"}).to_string());
    assert_eq!(image_of(&nest, "p1"), "https://pictures.example/1.jpg");
    let answer = nest.post("/v1/pins", json!({"id": "p2", "image": "javascript:alert(1)"}).to_string());
    assert!(answer.problem(400).contains("http(s)"));
}

#[test]
fn nothing_but_pictures_goes_out() {
    let nest = empty();
    nest.blobs.put("models/live", b"v1".to_vec()).unwrap();
    nest.blobs.put("media/notes.jpg", b"<script>".to_vec()).unwrap();
    for path in [
        "/media/models/live",
        "/media/media/notes.jpg",
        "/media/thumbs/..%2F..%2Fmodels%2Flive",
        "/media/..%2Fmodels/live",
        "/media/thumbs/.hidden.jpg",
        "/media/thumbs/nothing.jpg",
        "/media/thumbs/%2e%2e",
        "/media/thumbs/a%00.jpg",
    ] {
        let status = nest.get(path).status;
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
}
