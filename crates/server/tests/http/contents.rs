//! What is found out about pins as they come, and what people make of it: sizes, labels, reviews, facets.

use crate::harness::{Nest, Server, annotated_by, empty, small_world};
use content::{Annotating, LabelParams};
use domain::{Annotated, Clustered, EventId, Fact};
use serde_json::{Value, json};
use server::Settings;

const RULES: &str = r#"{"rules": [{"label": "weapons", "terms": ["rifle", {"term": "ammunition", "weight": 2}]}]}"#;

fn strict() -> Annotating {
    Annotating::new(&LabelParams::default(), Some(RULES), None).expect("good rules")
}

fn add(nest: &Nest, id: &str, title: &str) {
    assert_eq!(nest.post("/v1/pins", json!({"id": id, "title": title}).to_string()).status, 200);
    nest.settle();
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().filter_map(|item| item["id"].as_str()).collect()
}

fn append(server: &Server, facts: Vec<Fact>) {
    let name = |place: usize| EventId::new(crate::harness::now_ms(), 1 << 40 | place as u128);
    let facts: Vec<_> = facts.into_iter().enumerate().map(|(place, fact)| (name(place), fact)).collect();
    server.log.append(&facts).unwrap();
    server.settle();
}

#[test]
fn pictures_are_shown_in_three_sizes() {
    let nest = empty();
    add(&nest, "p", "drawn");
    let drawing = small_world().draw(3);
    let picture = content::Picture::from_rgba(drawing.width, drawing.height, &drawing.rgba).unwrap();
    let large = picture.scaled(900, 1_200).to_jpeg(90).unwrap();
    assert_eq!(nest.send("PUT", "/v1/pins/p/image", &[("content-type", "image/jpeg")], &large).status, 200);
    nest.settle();
    let pin = nest.json("/v1/pins/p");
    let images = pin["images"].as_array().expect("images");
    assert_eq!(images.iter().map(|image| image["width"].as_u64().unwrap()).collect::<Vec<_>>(), [136, 236, 474]);
    for image in images {
        let answer = nest.get(image["image"].as_str().unwrap());
        let shown = content::Picture::decode(&answer.body).expect("a picture");
        assert_eq!(u64::from(shown.width()), image["width"].as_u64().unwrap());
        assert!(answer.header("cache-control").unwrap().contains("immutable"), "named by its content");
    }
    assert_eq!(images[2]["image"], pin["image"]);
    let page = nest.get("/as/ann/search?q=drawn").text();
    assert!(page.contains(" 136w, ") && page.contains(" 474w\" sizes=\""), "the browser chooses");
    // A pin described anew keeps all of it.
    add(&nest, "p", "drawn again");
    assert_eq!(nest.json("/v1/pins/p")["images"], pin["images"]);
}

#[test]
fn labels_say_why_hide_and_give_way_to_decisions() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::open_with(directory.path(), Settings::default(), strict());
    let add = |server: &Server, id: &str, title: &str| {
        assert_eq!(server.post("/v1/pins", json!({"id": id, "title": title}).to_string()).status, 200);
        server.settle();
    };
    let decide = |server: &Server, id: &str, verdict: &str| {
        let answer = server.post(&format!("/v1/pins/{id}/review"), json!({"verdict": verdict}).to_string());
        server.settle();
        answer
    };
    add(&server, "fine", "Brass lamp");
    add(&server, "odd", "Old rifle");
    add(&server, "bad", "Ammunition");
    assert_eq!(server.get("/v1/pins/bad").status, 404, "never shown");
    assert!(!ids(&server.json("/v1/feed/ann")).contains(&"bad"));
    let list = server.json("/v1/review");
    assert_eq!((ids(&list), &list["counts"]["withheld"], &list["next"]), (vec!["odd"], &json!(1), &Value::Null));
    let label = json!([{"name": "weapons", "value": 1.0, "threshold": 1.0, "terms": ["rifle"]}]);
    assert_eq!((&list["items"][0]["labels"], &server.json("/v1/pins/odd")["labels"]), (&label, &label));
    assert_eq!(ids(&server.json("/v1/review?list=withheld")), ["bad"]);
    assert_eq!(decide(&server, "odd", "hide").json(), json!({"id": "odd", "verdict": "hide"}));
    assert_eq!(decide(&server, "bad", "show").status, 200);
    assert_eq!((server.get("/v1/pins/odd").status, server.get("/v1/pins/bad").status), (404, 200));
    drop(server);
    let server = Server::open_with(directory.path(), Settings::default(), strict());
    assert_eq!((server.get("/v1/pins/odd").status, server.get("/v1/pins/bad").status), (404, 200), "after a restart");
    assert_eq!(ids(&server.json("/v1/review?list=hidden&limit=1")), ["odd"]);
    assert_eq!(ids(&server.json("/v1/review?list=kept")), ["bad"]);
    add(&server, "bad", "Ammunition box");
    assert_eq!(server.get("/v1/pins/bad").status, 404, "what was kept is not what it is now");
    decide(&server, "odd", "review");
    assert_eq!(server.get("/v1/pins/odd").status, 200, "taken back");
    decide(&server, "nobody", "show").problem(404);
    decide(&server, "odd", "burn").problem(400);
    server.get("/v1/review?list=all").problem(400);
    server.get("/v1/review?after=x").problem(400);
}

#[test]
fn the_console_shows_reasons_and_takes_decisions() {
    let nest = annotated_by(strict());
    add(&nest, "odd", "Old <rifle>");
    let page = nest.get("/console/review").text();
    assert!(
        page.contains("Old &lt;rifle&gt;") && page.contains("<b>weapons</b> 1.00, threshold 1.00: rifle"),
        "{page}"
    );
    assert!(nest.get("/console").text().contains("1 pins wait for a review"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = nest.send("POST", "/console/review", &form, b"id=odd&list=waiting&verdict=hide");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/console/review?list=waiting")));
    nest.settle();
    assert!(nest.get("/console/review").text().contains("No pin is on this list."));
    assert!(nest.get("/console/review?list=hidden").text().contains("value=\"show\""));
    assert_eq!(nest.get("/v1/pins/odd").status, 404);
    assert_eq!(nest.send("POST", "/console/review", &form, b"id=odd&verdict=").status, 400);
}

#[test]
fn lists_are_long_and_come_in_parts() {
    let nest = annotated_by(strict());
    let rows: Vec<Value> = (0..7).map(|i| json!({"id": format!("r{i}"), "title": "Rifle"})).collect();
    nest.post("/v1/pins", json!(rows).to_string());
    nest.settle();
    let first = nest.json("/v1/review?limit=5");
    assert_eq!(ids(&first), ["r6", "r5", "r4", "r3", "r2"], "the newest first");
    let rest = nest.json(&format!("/v1/review?limit=5&after={}", first["next"]));
    assert_eq!((ids(&rest), &rest["next"]), (vec!["r1", "r0"], &Value::Null));
}

#[test]
fn searches_are_counted_and_narrowed() {
    let nest = empty();
    for (id, colour, topic) in [("a", "red", "lamps"), ("b", "blue", "lamps"), ("c", "blue", "rugs")] {
        let row = json!({"id": id, "title": format!("{colour} thing"), "topics": [topic], "creator": "studio"});
        nest.post("/v1/pins", row.to_string());
    }
    let terms = |id: &str, term: &str| {
        Fact::Annotated(Annotated { pin: id.into(), terms: vec![(term.into(), 0.8)], ..Annotated::default() })
    };
    append(&nest, vec![terms("a", "warm light"), terms("b", "cold \"light\""), terms("c", "soft")]);
    let list = nest.json("/v1/search?q=thing&facets=topic,annotation");
    assert_eq!(list["facets"]["topic"], json!([{"value": "lamps", "pins": 2}, {"value": "rugs", "pins": 1}]));
    assert_eq!(list["facets"]["annotation"][0], json!({"value": "cold \"light\"", "pins": 1}));
    assert!(nest.json("/v1/search?q=thing").get("facets").is_none(), "only where they are asked for");
    nest.get("/v1/search?q=thing&facets=price").problem(400);
    assert_eq!(ids(&nest.json("/v1/search?q=thing&filter=annotation:%22warm%20light%22")), ["a"]);
    assert_eq!(ids(&nest.json("/v1/search?q=soft")), ["c"], "terms are words");
    assert_eq!(nest.json("/v1/pins/a")["annotations"], json!([{"term": "warm light", "confidence": 0.8}]));

    let page = nest.get("/as/ann/search?q=thing").text();
    assert!(page.contains("href=\"/as/ann/search?q=thing&amp;topic=lamps\">lamps <small>2</small>"), "{page}");
    assert!(!page.contains("creator=studio"), "what all have narrows nothing");
    let narrowed = nest.get("/as/ann/search?q=thing&topic=lamps&annotation=cold%20%22light%22").text();
    assert!(narrowed.contains("data-pin=\"b\"") && !narrowed.contains("data-pin=\"a\""));
    let off = "class=\"chip on\" href=\"/as/ann/search?q=thing&amp;annotation=cold%20%22light%22\"";
    assert!(narrowed.contains(off), "each choice can be taken off: {narrowed}");
    let none = nest.get("/as/ann/search?q=thing&topic=rugs&annotation=warm%20light").text();
    assert!(none.contains("No pin fits all of this") && none.contains("class=\"chip on\""));
    nest.get("/as/ann/search?q=thing&price=3").problem(400);
}

#[test]
fn pins_with_one_picture_know_each_other() {
    let nest = empty();
    for id in ["a", "b", "c"] {
        add(&nest, id, "lamp");
    }
    append(&nest, vec![Fact::Clustered(Clustered { pin: "b".into(), head: "a".into() })]);
    assert_eq!(nest.json("/v1/pins/a")["near_duplicates"], json!(["b"]));
    let found = nest.json("/v1/search?q=lamp");
    assert_eq!(ids(&found).len(), 2, "one of a picture: {found}");
    assert!(!ids(&nest.json("/v1/pins/a/related")).contains(&"b"));
    assert!(nest.get("/as/ann/pin/a").text().contains("The same picture: "));
}
