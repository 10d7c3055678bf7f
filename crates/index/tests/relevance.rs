//! Relevance on collections with human judgements. Skips, with a line that says so, where they are not at hand.

use domain::PinId;
use flate2::read::GzDecoder;
use index::{TextDocument, TextIndex, TextSearcher, TextWeights};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::PathBuf;

/// Query → documents judged relevant.
type Judgements = BTreeMap<String, BTreeSet<PinId>>;

fn read(collection: &str, file: &str) -> Option<String> {
    let sets = std::env::var_os("BOWERBIRD_DATASETS").map(PathBuf::from);
    let sets = sets.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let Ok(bytes) = std::fs::File::open(sets.join(collection).join(file)) else {
        // Straight to stderr: what a passing test prints is not shown.
        _ = writeln!(std::io::stderr(), "skipped: the data set {collection} is not at hand");
        return None;
    };
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).expect("a whole gzip file of text");
    Some(text)
}

/// The texts between `<tag>` and `</tag>`, in order.
fn tagged<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    text.split(open.as_str()).skip(1).filter_map(|rest| rest.split_once(&close)).map(|(inside, _)| inside).collect()
}

fn indexed<'a>(documents: impl Iterator<Item = (PinId, &'a str, &'a str)>) -> TextSearcher {
    let mut index = TextIndex::new().expect("an index in memory");
    for (pin, title, description) in documents {
        let words = TextDocument { title, description, ..TextDocument::default() };
        index.upsert(pin, &words).expect("an index in memory takes words");
    }
    index.commit().expect("an index in memory");
    index.searcher()
}

/// Mean nDCG@10 with binary gains over the judged queries.
fn ndcg_at_10(searcher: &TextSearcher, queries: &[(String, String)], judgements: &Judgements) -> f64 {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let mut values = Vec::new();
    for (query, text) in queries {
        let Some(relevant) = judgements.get(query) else { continue };
        let found = searcher.search(text, 10).expect("any text can be searched for");
        let hits = found.iter().enumerate().filter(|(_, (pin, _))| relevant.contains(pin));
        let ideal: f64 = (0..relevant.len().min(10)).map(gain).sum();
        values.push(hits.map(|(place, _)| gain(place)).sum::<f64>() / ideal);
    }
    values.iter().sum::<f64>() / values.len() as f64
}

fn judgements(text: &str, pin_of: &dyn Fn(&str) -> Option<PinId>) -> Judgements {
    let mut all = Judgements::new();
    for line in text.lines() {
        let [query, _, document, grade] = line.split_whitespace().collect::<Vec<_>>()[..] else { continue };
        if grade.parse::<i32>().is_ok_and(|grade| grade > 0) {
            let pin = pin_of(document).expect("judged documents are in the collection");
            all.entry(query.to_owned()).or_default().insert(pin);
        }
    }
    all
}

/// A collection with what was asked of it and which documents answer.
struct Collection {
    searcher: TextSearcher,
    queries: Vec<(String, String)>,
    judgements: Judgements,
}

impl Collection {
    fn ndcg_at_10(&self, searcher: &TextSearcher) -> f64 {
        ndcg_at_10(searcher, &self.queries, &self.judgements)
    }
}

fn cranfield() -> Option<Collection> {
    let read = |file| read("cranfield", file);
    let documents = read("cran.all.1400.xml.gz")?;
    let (topics, grades) = (read("cran.qry.xml.gz")?, read("cranqrel.trec.txt.gz")?);
    let numbers = tagged(&documents, "docno").into_iter().map(|number| PinId(number.trim().parse().expect("a number")));
    let texts = tagged(&documents, "title").into_iter().zip(tagged(&documents, "text"));
    // The text repeats the title.
    let bodies = texts.map(|(title, text)| (title, text.strip_prefix(title).unwrap_or(text)));
    let searcher = indexed(numbers.zip(bodies).map(|(pin, (title, text))| (pin, title, text)));
    let texts = tagged(&topics, "title").into_iter();
    let queries = texts.enumerate().map(|(at, text)| ((at + 1).to_string(), text.to_owned())).collect();
    Some(Collection { searcher, queries, judgements: judgements(&grades, &|id| id.parse().ok().map(PinId)) })
}

fn scifact() -> Option<Collection> {
    let read = |file| read("scifact", file);
    let corpus = read("corpus.jsonl.gz")?;
    let (claims, grades) = (read("queries_train.tsv.gz")?, read("qrels_train.txt.gz")?);
    let corpus: Vec<serde_json::Value> =
        corpus.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let word = |document: &'static str| move |value: &'_ serde_json::Value| value[document].as_str().map(str::to_owned);
    let column = |name| corpus.iter().map(word(name)).map(Option::unwrap_or_default).collect::<Vec<String>>();
    let (ids, titles, texts) = (column("id"), column("title"), column("text"));
    // Their ids are large numbers; pins are dense.
    let dense: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let documents = titles.iter().zip(&texts).enumerate();
    let searcher = indexed(documents.map(|(at, (title, text))| (PinId(at as u32), title.as_str(), text.as_str())));
    let claims = claims.lines().filter_map(|line| line.split_once('\t'));
    let queries = claims.map(|(number, text)| (number.to_owned(), text.to_owned())).collect();
    let judgements = judgements(&grades, &|id| dense.get(id).map(|&at| PinId(at as u32)));
    Some(Collection { searcher, queries, judgements })
}

#[test]
fn cranfield_is_searched_as_well_as_a_plain_bm25_does() {
    let Some(collection) = cranfield() else { return };
    assert_eq!(collection.searcher.len(), 1_400);
    let ndcg = collection.ndcg_at_10(&collection.searcher);
    println!("cranfield: nDCG@10 {ndcg:.4} (a plain BM25 reaches .3562)");
    assert!(ndcg > 0.385, "{ndcg}");
}

#[test]
fn scifact_is_searched_as_well_as_a_plain_bm25_does() {
    let Some(collection) = scifact() else { return };
    let ndcg = collection.ndcg_at_10(&collection.searcher);
    println!("scifact, train claims: nDCG@10 {ndcg:.4} (a plain BM25 reaches .6846)");
    assert!(ndcg > 0.70, "{ndcg}");
}

#[test]
#[ignore = "measures; run by hand, with --nocapture"]
fn what_other_weights_would_reach() {
    let (Some(cranfield), Some(scifact)) = (cranfield(), scifact()) else { return };
    let report = |name: &str, value: f32, weights: TextWeights| {
        let [a, b] = [&cranfield, &scifact].map(|of| of.ndcg_at_10(&of.searcher.weighed(weights.clone())));
        println!("{name:10} {value:4.2}  cranfield {a:.4}  scifact {b:.4}  mean {:.4}", (a + b) / 2.0);
    };
    let of = TextWeights::default;
    report("default", 0.0, of());
    [0.6, 0.9, 1.5, 2.0].into_iter().for_each(|k1| report("k1", k1, TextWeights { k1, ..of() }));
    [0.5, 0.65, 0.85].into_iter().for_each(|b| report("b", b, TextWeights { b, ..of() }));
    [0.0, 0.15, 0.45, 0.6].into_iter().for_each(|title| report("title", title, TextWeights { title, ..of() }));
    [0.0, 0.1, 0.3, 0.4].into_iter().for_each(|written| report("written", written, TextWeights { written, ..of() }));
}
