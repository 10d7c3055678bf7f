//! Impressions of which the outcome is known: import, train, judge a later log.

use crate::bowerbird::House;
use domain::Rng;
use serde_json::{Value, json};
use std::path::Path;

const VIDEOS: u32 = 40;
const PEOPLE: u32 = 60;
const START_MS: u64 = 1_651_000_000_000;
const HEADER: &str = "user_id,video_id,time_ms,is_click,is_like,is_hate,long_view,play_time_ms,tab\n";

/// A log of impressions: some videos are clicked far more often than others, and who clicks much does so always.
fn log(rows: u32, seed: u64, from_ms: u64) -> String {
    let mut rng = Rng::new(seed);
    let row = |number: u32| {
        let (person, video) = (rng.below(PEOPLE), rng.below(VIDEOS));
        let chance = 0.1 + 0.6 * (video % 4) as f32 / 4.0 + 0.2 * (person % 2) as f32;
        let clicked = u32::from(rng.uniform() < chance);
        let long = u32::from(clicked == 1 && rng.below(2) == 0);
        let (ts_ms, played) = (from_ms + u64::from(number) * 20_000, 500 + 9_000 * clicked);
        format!("{person},{video},{ts_ms},{clicked},0,0,{long},{played},{}\n", number % 2)
    };
    HEADER.to_owned() + &(0..rows).map(row).collect::<String>()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn figure(value: &Value, place: &str) -> f64 {
    value.pointer(place).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {place} in {value}"))
}

#[test]
fn what_was_shown_teaches_and_a_later_log_judges() {
    let house = House::new();
    let config = house.write("small.toml", "[train]\nepochs = 2\ndim = 16\nhidden = 16\n");
    let with = |words: &[&str]| house.json(&[&["--config", config.as_str()], words].concat());
    let folder = house.path("kuairand");
    write(&folder, "video_features_basic.csv", "video_id,author_id,tag,upload_dt\n");
    write(&folder, "log_first.csv", &log(12_000, 1, START_MS));
    let later = write(&house.path("later"), "log_later.csv", &log(3_000, 2, START_MS + 12_000 * 20_000));
    with(&["import", "kuairand", &folder.display().to_string()]);
    let trained = with(&["train"]);
    assert!(figure(&trained, "/counts/ranker_rows_seen") > 11_000.0, "{trained}");

    let before = with(&["sql", "SELECT count(*) AS events FROM events"]);
    let judged = with(&["eval", "--protocol", "ranking", "--holdout", &later]);
    assert_eq!(with(&["sql", "SELECT count(*) AS events FROM events"]), before, "nothing was imported");
    assert_eq!((judged["rows"].as_u64(), &judged["model"]), (Some(3_000), &trained["version"]));
    let closeup = &judged["heads"]["closeup"];
    // The best that can be known of these clicks is an area of about .72.
    assert!(figure(closeup, "/all/auc") > 0.65, "{closeup}");
    assert!(figure(closeup, "/all/gauc") > 0.62 && figure(closeup, "/all/ne") < 0.97, "{closeup}");
    assert!((0.85..1.15).contains(&figure(closeup, "/all/calibration")), "{closeup}");
    for surface in ["home", "related"] {
        assert_eq!(closeup[surface]["rows"], json!(1_500), "{closeup}");
        assert!(figure(closeup, &format!("/{surface}/auc")) > 0.6, "{closeup}");
    }
    assert!(judged["heads"]["share"]["all"]["auc"].is_null(), "nobody shared anything");
    let frozen = with(&["eval", "--protocol", "ranking", "--holdout", &later, "--frozen"]);
    assert!(figure(&frozen, "/heads/closeup/all/auc") > 0.6, "{frozen}");

    with(&["import", "kuairand", &later]);
    let error = house.fails(&["eval", "--protocol", "ranking", "--holdout", &later]);
    assert!(error.contains("shows nothing that the log does not hold"), "{error}");
}
