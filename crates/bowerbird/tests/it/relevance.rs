//! Relevance: grades of a table, labels, a teacher, a student, what they say and what they change.

use crate::bowerbird::House;
use serde_json::{Value, json};

const COLOURS: [&str; 4] = ["Blue", "Red", "Green", "Black"];
const KINDS: [(&str, &str); 4] =
    [("Shirts", "Topwear"), ("Tops", "Topwear"), ("Watches", "Watches"), ("Belts", "Belts")];

/// 480 products of which titles say most; a table with their attributes, and one with titles alone.
fn products(house: &House) -> (String, String) {
    let (mut table, mut bare) =
        ("id,gender,subCategory,articleType,baseColour,productDisplayName\n".to_owned(), "id,title\n".to_owned());
    for number in 0..480 {
        let (colour, (kind, group)) = (COLOURS[number % 4], KINDS[number / 4 % 4]);
        let gender = ["Men", "Women"][number / 16 % 2];
        let title = format!("Maker{} {gender} {colour} {kind}", number % 7);
        table += &format!("{number},{gender},{group},{kind},{colour},{title}\n");
        bare += &format!("{number},{title}\n");
    }
    (house.write("products.csv", &table), house.write("bare.csv", &bare))
}

fn figure(figures: &Value, model: &str, name: &str) -> f64 {
    figures[model][name].as_f64().unwrap_or_else(|| panic!("no {name} of {model} in {figures}"))
}

#[test]
fn grades_become_labels_a_teacher_and_a_student_that_serves() {
    let house = House::new();
    let (table, bare) = products(&house);
    house.json(&["import", "csv", &bare, "--map", "kind=pin,id=id,title=title"]);
    let to = house.path("graded").display().to_string();
    let counts = house.json(&["relevance", "grade", &table, "--to", &to, "--train", "25", "--test", "10"]);
    assert!(counts["pool"].as_u64() > Some(10), "{counts}");
    let at = |name: &str| format!("{to}/{name}");
    let (queries, qrels) = (at("train.queries.tsv"), at("train.qrels"));
    let people = at("people.jsonl");
    let label = ["relevance", "label", "--queries", &queries, "--qrels", &qrels, "--to", &people, "--by", "people"];
    let labels = house.json(&label)["labels"].as_u64().expect("a count");
    assert!(labels > 800, "{labels}");
    assert_eq!(house.json(&label)["new"], json!(0), "labelled before");

    let error = house.fails(&["relevance", "label", "--by", "teacher", "--queries", &queries, "--to", &at("x")]);
    assert!(error.contains("no teacher was learned yet"), "{error}");
    let error = house.fails(&["relevance", "label", "--by", "endpoint", "--queries", &queries, "--to", &at("x")]);
    assert!(error.contains("relevance.url"), "{error}");
    house.json(&["relevance", "train", "--teacher", "--labels", &people, "--epochs", "3"]);
    let pool = at("pool.queries.tsv");
    let taught = at("taught.jsonl");
    let label = ["relevance", "label", "--by", "teacher", "--queries", &pool, "--to", &taught, "--audit", "5"];
    let told = house.json(&label);
    assert_eq!(told["audit"].as_array().map(Vec::len), Some(5), "{told}");
    house.json(&["relevance", "train", "--labels", &people, "--labels", &taught]);

    let (queries, qrels) = (at("test.queries.tsv"), at("test.qrels"));
    let figures = house.json(&["eval", "--protocol", "relevance", "--queries", &queries, "--qrels", &qrels]);
    for model in ["student", "teacher"] {
        assert!(figure(&figures, model, "accuracy") > 0.8, "{figures}");
        assert!(figure(&figures, model, "ndcg@20") > figure(&figures, "words", "ndcg@20") - 0.01, "{figures}");
    }
    assert!(figures["cost_ratio"].as_f64() > Some(1.0), "{figures}");

    let found = house.json(&["query", "search", "blue men shirts", "--explain"]);
    let levels: Vec<f64> = found["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["explanation"]["relevance"]["level"].as_f64())
        .collect();
    assert!(levels.len() > 5 && levels[0] > 3.5 && levels[0] > levels[levels.len() - 1] - 0.5, "{found}");
    let compared = ["relevance", "compare", "--queries", &queries, "--b", "unbounded", "--sample", "9"];
    let compared = house.json(&compared);
    assert!(compared["P@8"]["detectable"].as_f64() >= Some(0.0) && compared["P@8"]["queries"] == 9, "{compared}");
}
