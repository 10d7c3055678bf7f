//! Queries of which the answers were judged: import, evaluate.

use crate::bowerbird::House;
use serde_json::json;

#[test]
fn judged_documents_are_looked_for() {
    let house = House::new();
    let corpus = [
        json!({"_id": "lamp", "title": "Brass lamp", "text": "A lamp of brass for the table.", "metadata": {}}),
        json!({"_id": "lantern", "title": "Paper lantern", "text": "It hangs over a table and gives soft light."}),
        json!({"_id": 7, "title": "", "text": "x".repeat(30_000)}),
    ];
    let lines: String = corpus.iter().map(|document| format!("{document}\n")).collect();
    house.write("corpus.jsonl", &(lines + "{\"title\":\"nameless\"}\n"));
    let imported = house.json(&["import", "beir", &house.path("").display().to_string()]);
    assert_eq!((&imported["pins"], &imported["refused"]), (&json!(3), &json!(1)), "{imported}");

    let queries = house.write("queries.tsv", "1\tbrass lamp\n2\tsoft light\n3\tnobody judged\n4\tteapot\n");
    let qrels = house.write("qrels.txt", "1 0 lamp 2\n1 0 lantern 1\n2 0 lantern 1\n2 0 lamp 0\n4 0 teapot 1\n");
    let asked = ["eval", "--queries", &queries, "--qrels", &qrels];
    let figures = house.json(&asked);
    assert_eq!((&figures["queries"], &figures["unknown_documents"]), (&json!(3), &json!(1)), "{figures}");
    // Of the first query the lantern has no word, the document of the third is no pin; so few pins teach no meaning.
    let expected = (2.0 / (2.0 + 1.0 / 3f64.log2()) + 1.0) / 3.0;
    for way in ["bm25", "hybrid"] {
        let found = figures[way]["ndcg@10"].as_f64().expect("a figure");
        assert!((found - expected).abs() < 1e-6, "{way}: {found} for {expected} in {figures}");
        assert!((figures[way]["recall@100"].as_f64().expect("a figure") - 0.5).abs() < 1e-6, "{figures}");
    }
    assert_eq!(figures["vectors"]["recall@100"], json!(0.0), "{figures}");
    let error = house.fails(&["eval", "--protocol", "search", "--queries", &queries]);
    assert!(error.contains("needs --queries FILE and --qrels FILE"), "{error}");
    let bad = house.write("bad.txt", "1 0 lamp much\n");
    let error = house.fails(&["eval", "--queries", &queries, "--qrels", &bad]);
    assert!(error.contains("judges no query"), "{error}");
}
