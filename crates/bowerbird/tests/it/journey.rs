//! From real-looking saves to a served feed, verb by verb.

use crate::bowerbird::{House, there};
use serde_json::{Value, json};

/// 60 pinners who save 12 pins each, of two tastes: pins 0-29 or pins 30-59.
fn saves() -> String {
    let mut rng = domain::Rng::new(3);
    let line = |pinner: u32| {
        let first = if pinner.is_multiple_of(2) { 0 } else { 30 };
        let mut pins: Vec<u32> = (first..first + 30).collect();
        rng.shuffle(&mut pins);
        let pins: Vec<String> = pins.iter().take(12).map(u32::to_string).collect();
        format!("{pinner} {}\n", pins.join(" "))
    };
    (0..60).map(line).collect()
}

const SMALL: [(&str, &str); 3] =
    [("BOWERBIRD_TRAIN__EPOCHS", "3"), ("BOWERBIRD_TRAIN__DIM", "16"), ("BOWERBIRD_TRAIN__HIDDEN", "16")];

fn ids(answer: &Value) -> Vec<u64> {
    let items = answer["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").parse().expect("a number")).collect()
}

#[test]
fn from_saves_to_a_feed() {
    let house = House::new();
    let config =
        SMALL.map(|(name, value)| format!("{} = {value}", name.rsplit("__").next().unwrap_or("").to_lowercase()));
    let file = house.write("small.toml", &format!("[train]\n{}\n", config.join("\n")));
    let with = |words: &[&str]| house.json(&[&["--config", file.as_str()], words].concat());

    let saves = house.write("saves.txt", &saves());
    let held = house.path("held.txt").display().to_string();
    let imported = with(&["import", "pinterest", &saves, "--holdout", "0.2", "--holdout-file", &held]);
    assert_eq!((&imported["read"], &imported["pins"], &imported["refused"]), (&json!(60), &json!(60), &json!(0)));
    assert_eq!(imported["held_out"], 120);

    let without = with(&["eval", "--holdout", &held]);
    assert_eq!((&without["model"], &without["pinners"]), (&json!(""), &json!(60)));
    assert!(without["generators"]["walks"]["recall@20"].as_f64().expect("walks found pins") > 0.5);

    let plain = with(&["eval", "--holdout", &held, "--no-variety"]);
    assert!(plain["protocol"].as_str().expect("words").contains("held.txt, without variety"), "{plain}");

    let trained = with(&["train"]);
    assert_eq!(trained["gate"], "passed", "{trained}");
    let version = trained["version"].as_str().expect("a version");
    assert!(there(&house.data(), &format!("blobs/models/{version}/model.bbm")));

    let figures = with(&["eval", "--holdout", &held, "--baselines"]);
    assert_eq!(figures["model"], version);
    assert!(figures["protocol"].as_str().expect("words").contains("full ranking"));
    let baselines = ["baselines/item_knn", "baselines/linear_filter", "baselines/ease"];
    for place in baselines.into_iter().chain(["metrics", "generators/retrieval", "generators/walks"]) {
        let recall = figures.pointer(&format!("/{place}/recall@20")).and_then(Value::as_f64);
        assert!(recall.is_some_and(|recall| recall > 0.6), "{place}: {recall:?} in {figures}");
    }
    for (name, generator) in figures["generators"].as_object().expect("by name") {
        for k in [20, 100, 1_000] {
            assert!(generator[format!("recall@{k}")].is_number(), "{name} has no recall@{k}: {generator}");
        }
    }
    let union = |k: &str| figures["generators"]["union"][format!("recall@{k}")].as_f64().expect("a figure");
    assert!(union("100") > 0.9 && union("20") <= union("100"), "{figures}");
    let found = figures["candidates"]["recall"].as_f64().expect("a figure");
    assert!((found - union("1000")).abs() < 1e-6, "60 pins are all among the first thousand");
    assert_eq!(with(&["eval", "--holdout", &held])["metrics"], figures["metrics"], "the same again");
    let error = house.fails(&["eval"]);
    assert!(error.contains("everything happened at one moment"), "{error}");

    serving(&house);
    asking(&house);
}

/// A server on the data: a feed of the right taste, an action that shows at once, an answer that is explained.
fn serving(house: &House) {
    let server = house.serve();
    let feed = server.json("/v1/feed/4?limit=15");
    let own = ids(&feed).iter().filter(|&&pin| pin < 30).count();
    assert!(own >= 12, "{own} of 15 pins are of the pinner's taste: {feed}");
    let first = ids(&feed)[0];
    let events = format!(
        "[{{\"pinner\":\"4\",\"action\":\"hide\",\"pin\":\"{first}\"}},\
         {{\"pinner\":\"4\",\"action\":\"nod\",\"pin\":\"1\"}}]"
    );
    let (status, body) = server.post("/v1/events", &events);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("unknown action 'nod'"), "{body}");
    // Within a second the next feed knows.
    let gone = (0..40).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        !ids(&server.json("/v1/feed/4?limit=50")).contains(&first)
    });
    assert!(gone, "pin {first} was hidden and is still shown");
    // A model that is trained beside it goes live without a pause; what needs the data for itself says who has it.
    let before = server.json("/v1/feed/4")["model"].clone();
    let trained = house.run(&["train", "--epochs", "1", "--force"]);
    assert_eq!(trained.code, 0, "{}", trained.err);
    let swapped = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        server.json("/v1/feed/4")["model"] != before
    });
    assert!(swapped, "the server still answers with {before}");
    let error = house.fails(&["import", "jsonl", &house.write("none.jsonl", "")]);
    assert!(error.contains("is held by another process"), "{error}");
    assert_eq!(server.end(), 0);
    let kept = house.json(&["sql", "--no-roll", "select count(distinct request_id) as n from served"]);
    assert!(kept["rows"][0]["n"].as_u64().expect("a number") >= 2, "the lake has the last requests: {kept}");
}

/// The data without a server: questions, SQL, health.
fn asking(house: &House) {
    let feed = house.json(&["query", "feed", "5", "--limit", "12", "--explain"]);
    assert_eq!(ids(&feed).len(), 12);
    let id = feed["request_id"].as_str().expect("an id");
    let told = house.run(&["explain", id]);
    assert_eq!(told.code, 0, "{}", told.err);
    for words in ["home, pinner '5'", "retrieval", "walks", "utility", "dropped: "] {
        assert!(told.out.contains(words), "{words} is not in {}", told.out);
    }
    let related = house.json(&["query", "related", "31"]);
    assert!(ids(&related).iter().filter(|&&pin| pin >= 30).count() >= 8, "{related}");
    assert_eq!(house.json(&["query", "board", "board-4"])["surface"], "board");
    let error = house.fails(&["explain", "01BX5ZZKBKACTAV9WEVGEMMVRZ"]);
    assert!(error.contains("there is no request"), "{error}");

    let counted = house.json(&["sql", "select action, count(*) as n from events group by action order by action"]);
    assert_eq!(counted["rows"], json!([{"action": "hide", "n": 1}, {"action": "save", "n": 600}]));
    let served = house.json(&["sql", "select count(distinct request_id) as n from served"]);
    assert!(served["rows"][0]["n"].as_u64().expect("a number") >= 3, "{served}");
    let error = house.fails(&["sql", "select nothing from nowhere"]);
    assert!(error.contains("nowhere"), "{error}");

    let checks = house.json(&["doctor"]);
    let verdicts = checks["checks"].as_array().expect("checks").iter().map(|check| &check["verdict"]);
    assert!(verdicts.clone().all(|verdict| verdict != "broken") && verdicts.count() >= 8, "{checks}");
}

#[test]
fn init_makes_a_manual_and_keys() {
    let house = House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    let manual = std::fs::read_to_string(house.data().join("bowerbird.toml")).expect("the manual");
    assert!(manual.contains("[params.walk]"));
    assert!(house.fails(&["init"]).contains("is there already"));
    let made = house.run(&["init", "--key", "phone:write"]);
    let secret = made.out.trim();
    assert!(made.code == 0 && secret.len() > 60, "{}{}", made.out, made.err);
    let manual = std::fs::read_to_string(house.data().join("bowerbird.toml")).expect("the manual");
    assert!(manual.contains("role = \"write\"") && !manual.contains(secret));
    assert!(house.fails(&["init", "--key", "phone:read"]).contains("a key named 'phone' already"));
    assert!(house.fails(&["init", "--key", "tv:king"]).contains("unknown role 'king'"));
    let feed = house.json(&["query", "feed", "a"]);
    assert_eq!(feed["pinner"], "a", "who may read the data needs no key");
    let server = house.serve();
    assert_eq!(server.get("/v1/feed/a").0, 401, "a key is asked for");
    assert_eq!(server.end(), 0);
}

#[test]
fn what_is_wrong_is_said_once_and_plainly() {
    let house = House::new();
    assert!(house.fails(&["train"]).contains("there is no data directory"));
    assert!(house.fails(&["import", "csv", "nothing.csv"]).contains("there is no nothing.csv"));
    assert_eq!(house.run(&["import", "xml", "nothing"]).code, 2, "wrong usage");
    let file = house.write("wrong.toml", "[server]\nadress = \"127.0.0.1:1\"\n");
    let error = house.fails(&["--config", &file, "serve"]);
    assert!(error.contains("wrong.toml") && error.contains("adress"), "{error}");
    let error = house.fails(&["serve", "--address", "0.0.0.0:0"]);
    assert!(error.contains("keys"), "{error}");
    let csv = house.write("saves.csv", "item,user\n1,2\n");
    let error = house.fails(&["import", "csv", &csv, "--map", "pin=item,pinner=user,ts=when,action=save"]);
    assert!(error.contains("there is no column `when` for `ts` (the columns are item, user)"), "{error}");
}
