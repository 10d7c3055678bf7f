//! How well terms, topics and semantic ids hold on real product titles and photos (skipped where the data is absent).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::PathBuf;

use content::{AnnotationCounts, CONTENT_DIM, Embedder, LearnedTopics, Picture, SemanticIds, Taxonomy, TopicParams};
use csv::StringRecord;

// Columns of the table.
const SUB_CATEGORY: usize = 3;
const KIND: usize = 4;
const COLOUR: usize = 5;
const USAGE: usize = 8;
const TITLE: usize = 9;

/// Every `step`-th product with a title.
fn products(step: usize) -> Option<(PathBuf, Vec<StringRecord>)> {
    let root = std::env::var_os("BOWERBIRD_DATASETS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let folder = root.join("fashion_products");
    let Ok(table) = std::fs::File::open(folder.join("products.csv.gz")) else {
        // Straight to stderr: what a passing test prints is not shown.
        _ = writeln!(std::io::stderr(), "skipped: fashion_products is not here");
        return None;
    };
    let mut rows = csv::Reader::from_reader(flate2::read::GzDecoder::new(table));
    let rows = rows.records().step_by(step).map(|row| row.expect("a row"));
    Some((folder, rows.filter(|row| !row[TITLE].is_empty()).collect()))
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace([' ', '-'], "").trim_end_matches('s').to_owned()
}

/// A half of the products is read with its attributes; of the other half only titles are seen.
#[test]
fn confident_terms_are_attributes_that_were_not_told() {
    let Some((_, rows)) = products(4) else { return };
    let attributes = |row: &StringRecord| [KIND, COLOUR, USAGE].map(|column| row[column].to_owned());
    let mut counts = AnnotationCounts::default();
    rows.iter().step_by(2).for_each(|row| counts.observe(&row[TITLE], "", &attributes(row)));
    let annotator = counts.finish();
    let (mut told, mut right, mut sure) = (0.0, 0.0, 0.0);
    for row in rows.iter().skip(1).step_by(2) {
        // A word of an attribute counts, since "shoes" is right for "Sports Shoes".
        let known: BTreeSet<String> = attributes(row)
            .iter()
            .flat_map(|attribute| attribute.split(' ').chain([attribute.as_str()]).map(plain).collect::<Vec<_>>())
            .collect();
        for annotation in annotator.annotate(&row[TITLE], "", &[]).iter().filter(|a| a.confidence >= 0.8) {
            told += 1.0;
            sure += annotation.confidence;
            right += f32::from(u8::from(known.contains(&plain(&annotation.term))));
        }
    }
    let (precision, confidence) = (right / told, sure / told);
    println!("{told} terms at a confidence of .8: {precision:.4} right, mean confidence {confidence:.4}");
    assert!(told > 7_000.0 && precision > 0.9 && (precision - confidence).abs() < 0.04);
}

#[test]
fn titles_name_their_article_type() {
    let Some((_, rows)) = products(4) else { return };
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for row in &rows {
        let (above, kind) = (format!("above {}", &row[SUB_CATEGORY]), &row[KIND]);
        lines.insert(above.clone(), format!("{above},{},", &row[SUB_CATEGORY]));
        lines.insert(kind.to_owned(), format!("{kind},{kind},{above}"));
    }
    let lines: Vec<String> = std::iter::once("id,name,parent".into()).chain(lines.into_values()).collect();
    let taxonomy = Taxonomy::parse(&lines.join("\n")).expect("a taxonomy");
    let (mut named, mut right) = (0.0, 0.0);
    for row in &rows {
        let topics = taxonomy.assign(&row[TITLE], "");
        if let Some(first) = topics.iter().find(|found| !found.topic.starts_with("above ")) {
            named += 1.0;
            right += f32::from(u8::from(first.topic == row[KIND]));
        }
    }
    let (named, right) = (named / rows.len() as f32, right / named);
    println!("{named:.4} of the titles name an article type, {right:.4} of them theirs");
    assert!(named > 0.8 && right > 0.94);
}

#[test]
fn topics_and_semantic_ids_gather_article_types() {
    let Some((folder, rows)) = products(12) else { return };
    let archive = std::fs::File::open(folder.join("images_60x80.zip")).expect("the pictures");
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(archive)).expect("a zip");
    let mut vectors = Vec::new();
    for row in &rows {
        let mut bytes = Vec::new();
        archive.by_name(&format!("{}.jpg", &row[0])).expect("a picture").read_to_end(&mut bytes).expect("bytes");
        vectors.extend(Embedder::default().embed(&row[TITLE], Some(&Picture::decode(&bytes).expect("a photo"))));
    }
    let ids = SemanticIds::learn(&vectors, CONTENT_DIM, 1).expect("learned");
    let codes: Vec<[u8; 4]> =
        vectors.chunks_exact(CONTENT_DIM).map(|vector| ids.code(vector).expect("a code")).collect();
    let alike = |bytes: usize| {
        let pairs = (1..rows.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let sharing = pairs.filter(|&(a, b)| codes[a][..bytes] == codes[b][..bytes]);
        let same: Vec<bool> = sharing.map(|(a, b)| rows[a][KIND] == rows[b][KIND]).collect();
        same.iter().filter(|&&same| same).count() as f32 / same.len() as f32
    };
    let alike = [0, 1, 2].map(alike);
    println!("pairs of one article type: all {:.4}, first byte shared {:.4}, two {:.4}", alike[0], alike[1], alike[2]);
    assert!(alike[0] < 0.1 && alike[1] > 0.5 && alike[2] > 0.7);

    let topics =
        LearnedTopics::learn(&vectors, CONTENT_DIM, &[], &TopicParams { topics: 50, seed: 1 }).expect("learned");
    let assigned: Vec<(usize, f32)> =
        vectors.chunks_exact(CONTENT_DIM).map(|vector| topics.assign(vector).expect("a topic")).collect();
    let mut of_topic: BTreeMap<usize, BTreeMap<&str, u32>> = BTreeMap::new();
    for ((topic, _), row) in assigned.iter().zip(&rows) {
        *of_topic.entry(*topic).or_default().entry(&row[KIND]).or_default() += 1;
    }
    let first = |topic: usize| of_topic[&topic].iter().max_by_key(|(_, count)| **count).map(|(kind, _)| *kind);
    let purity = |least: f32| {
        let sure = assigned.iter().zip(&rows).filter(|((_, confidence), _)| *confidence >= least);
        let right: Vec<bool> = sure.map(|((topic, _), row)| first(*topic) == Some(&row[KIND])).collect();
        right.iter().filter(|&&right| right).count() as f32 / right.len() as f32
    };
    let (all, sure) = (purity(0.0), purity(0.8));
    println!("of their topic's most frequent article type: all {all:.4}, where the topic is sure {sure:.4}");
    assert!(all > 0.5 && sure > all + 0.1);
}
