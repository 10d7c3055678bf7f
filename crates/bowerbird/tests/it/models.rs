//! The versions of a model: compared, switched under load, rolled back, removed, reported.

use crate::bowerbird::{House, Server, there};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: usize = 4;
/// A running server looks every second.
const SEEN_WITHIN: Duration = Duration::from_secs(8);

/// 40 pinners who save 10 of 30 pins of their taste each, and two models that learned from that with other seeds.
fn two_models(house: &House) -> [String; 2] {
    let line = |pinner: u32| {
        let pins = (0..10).map(|place| format!(" {}", 30 * (pinner % 2) + (pinner * 7 + place * 3) % 30));
        format!("{pinner}{}\n", pins.collect::<String>())
    };
    let saves = house.write("saves.txt", &(0..40).map(line).collect::<String>());
    assert_eq!(house.run(&["import", "pinterest", &saves]).code, 0);
    let config = "[server]\nmodel_check_s = 1\n[train]\nepochs = 2\ndim = 16\nhidden = 16\n";
    std::fs::write(house.data().join("bowerbird.toml"), config).expect("a file");
    ["1", "2"].map(|seed| house.json(&["train", "--seed", seed])["version"].as_str().expect("a version").to_owned())
}

/// How many answers each version gave while it was asked for feeds without a pause; every one must be whole.
fn ask(server: &Server, client: usize, over: &AtomicBool) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for number in 0.. {
        if over.load(Ordering::Acquire) {
            break;
        }
        let feed = server.json(&format!("/v1/feed/{}?limit=10&explain=true", (number + client) % 40));
        assert_eq!(feed["items"].as_array().map(Vec::len), Some(10), "{feed}");
        assert!(feed["items"].to_string().contains("retrieval"), "the model finds pins all the time: {feed}");
        *answers.entry(feed["model"].as_str().expect("a version").to_owned()).or_default() += 1;
    }
    answers
}

/// Waits until the server answers with a version.
fn until_seen(server: &Server, version: &str) {
    let since = Instant::now();
    while server.json("/v1/feed/1?limit=1")["model"] != version {
        assert!(since.elapsed() < SEEN_WITHIN, "{version} was promoted and does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn models_are_switched_under_load_without_a_failed_request() {
    let house = House::new();
    let [first, second] = two_models(&house);
    let server = house.serve();
    until_seen(&server, &second);
    let over = AtomicBool::new(false);
    let answers = std::thread::scope(|scope| {
        let (server, over) = (&server, &over);
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || ask(server, client, over))).collect();
        for _ in 0..3 {
            assert_eq!(house.json(&["models", "promote", &first, "--force"])["live"], *first);
            until_seen(server, &first);
            assert_eq!(house.json(&["models", "rollback"]), json!({"live": second, "before": first}));
            until_seen(server, &second);
        }
        over.store(true, Ordering::Release);
        clients.into_iter().map(|client| client.join().expect("no request failed")).collect::<Vec<_>>()
    });
    for answered in &answers {
        assert_eq!(answered.keys().collect::<Vec<_>>(), [&first, &second], "every client saw both");
    }
    assert!(answers.iter().flat_map(BTreeMap::values).sum::<usize>() > 200, "{answers:?}");
    assert_eq!(server.end(), 0);
    told(&house, &first, &second);
}

/// What the verbs say of the two, of which the second is live and the first was before it.
fn told(house: &House, first: &str, second: &str) {
    let listed = house.json(&["models", "list"]);
    assert_eq!((&listed["live"], &listed["before"]), (&json!(second), &json!([first])));
    let live: Vec<&Value> = listed["models"].as_array().expect("models").iter().map(|model| &model["live"]).collect();
    assert_eq!(live, [false, true]);
    let table = house.run(&["models", "list"]).out;
    assert!(table.lines().last().is_some_and(|line| line.starts_with(&format!("{second}  live"))), "{table}");

    let card = house.json(&["models", "show", first]);
    assert_eq!((&card["version"], card["curve"].as_array().map(Vec::len)), (&json!(first), Some(2)));
    assert!(card["curve"][1]["loss"].is_number() && card["seconds"].as_f64().is_some_and(|s| s > 0.0), "{card}");
    assert!(there(&house.data(), &format!("blobs/models/{first}/report.html")));
    let out = house.path("report.html").display().to_string();
    assert_eq!(house.json(&["models", "report", "--out", &out]), json!({"version": second, "file": out}));
    let report = std::fs::read_to_string(&out).expect("the report");
    assert!(report.contains(second) && report.contains("<svg") && !report.contains("<script"));

    assert!(house.fails(&["models", "remove", second]).contains("is live"));
    let unknown = house.fails(&["models", "show", "v7"]);
    // The most similar ones first, and versions are moments: any order.
    assert!(["there is no model 'v7' (kept: ", first, second].iter().all(|part| unknown.contains(part)), "{unknown}");
    assert_eq!(house.json(&["models", "rollback", "--of", second])["live"], *first);
    assert_eq!(house.json(&["models", "rollback", "--of", second])["live"], *first, "given twice, done once");
    assert!(house.fails(&["models", "rollback"]).contains("nothing that is still kept was live before"));
    assert_eq!(house.json(&["models", "remove", second])["removed"], second);
    assert!(!there(&house.data(), &format!("blobs/models/{second}/model.bbm")));
    assert_eq!(house.json(&["models", "promote", first])["gate"], Value::Null, "it is live already");
}
