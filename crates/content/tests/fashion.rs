//! How well the embedding works on real product photos and titles (skipped where the data is absent).

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use content::{CONTENT_DIM, Embedder, Picture, TEXT_DIM};
use domain::Rng;

/// A product as it is judged.
struct Product {
    kind: u32,
    kind_and_colour: u32,
    titled: bool,
    /// Picture only, words only, both.
    vectors: [Vec<f32>; 3],
}

const K: usize = 10;

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("BOWERBIRD_DATASETS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    Some(root.join("fashion_products")).filter(|folder| folder.join("images_60x80.zip").exists())
}

/// Every `step`-th product.
fn products(folder: &Path, step: usize) -> Vec<Product> {
    let table = std::fs::File::open(folder.join("products.csv.gz")).expect("the table");
    let archive = std::fs::File::open(folder.join("images_60x80.zip")).expect("the pictures");
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(archive)).expect("a zip");
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut number = |word: String| {
        let next = numbers.len() as u32;
        *numbers.entry(word).or_insert(next)
    };
    let mut rows = csv::Reader::from_reader(flate2::read::GzDecoder::new(table));
    let rows: Vec<csv::StringRecord> = rows.records().step_by(step).map(|row| row.expect("a row")).collect();
    rows.iter()
        .map(|row| {
            let mut bytes = Vec::new();
            archive.by_name(&format!("{}.jpg", &row[0])).expect("a picture").read_to_end(&mut bytes).expect("bytes");
            let picture = Picture::decode(&bytes).expect("a photo");
            let title = &row[9];
            Product {
                kind: number(row[4].to_owned()),
                kind_and_colour: number(format!("{}/{}", &row[4], &row[5])),
                titled: !title.is_empty(),
                vectors: [("", Some(&picture)), (title, None), (title, Some(&picture))]
                    .map(|(words, picture)| Embedder::default().embed(words, picture)),
            }
        })
        .collect()
}

/// Mean share of the ten nearest that have the query's label.
fn precision(products: &[Product], queries: &[usize], from: usize, to: usize, label: impl Fn(&Product) -> u32) -> f32 {
    let mut sum = 0.0;
    for &query in queries {
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(K + 1);
        for (other, product) in products.iter().enumerate() {
            if other == query || product.vectors[to].is_empty() {
                continue;
            }
            let score: f32 = products[query].vectors[from].iter().zip(&product.vectors[to]).map(|(a, b)| a * b).sum();
            if best.len() < K || score > best[K - 1].0 {
                let place = best.partition_point(|&(known, _)| known >= score);
                best.insert(place, (score, other));
                best.truncate(K);
            }
        }
        sum += best.iter().filter(|&&(_, other)| label(&products[other]) == label(&products[query])).count() as f32;
    }
    sum / (K * queries.len()) as f32
}

fn figures(step: usize, queries: usize) -> Option<[f32; 4]> {
    let Some(folder) = folder() else {
        // Straight to stderr: what a passing test prints is not shown.
        _ = writeln!(std::io::stderr(), "skipped: fashion_products is not here");
        return None;
    };
    let products = products(&folder, step);
    let mut queries: Vec<usize> = {
        let mut order: Vec<usize> = (0..products.len()).collect();
        Rng::new(20_240_601).shuffle(&mut order);
        order.into_iter().take(queries).collect()
    };
    let looks = precision(&products, &queries, 0, 0, |product| product.kind);
    let coloured = precision(&products, &queries, 0, 0, |product| product.kind_and_colour);
    let both = precision(&products, &queries, 2, 2, |product| product.kind);
    queries.retain(|&query| products[query].titled);
    let words = precision(&products, &queries, 1, 1, |product| product.kind);
    let asked = precision(&products, &queries, 1, 2, |product| product.kind);
    println!(
        "{} products, {} of {CONTENT_DIM} numbers for words: P@10 same article type: picture {looks:.4} (and colour \
         {coloured:.4}), words {words:.4}, both {both:.4}; words asking for pins with both {asked:.4}",
        products.len(),
        TEXT_DIM
    );
    Some([looks, words, both, asked])
}

#[test]
fn likes_are_near_on_a_sample() {
    let Some([looks, words, both, asked]) = figures(12, 500) else { return };
    assert!(looks > 0.46 && words > 0.48 && both > 0.58 && asked > 0.48);
}

#[test]
#[ignore = "the whole catalogue takes a minute"]
fn likes_are_near_in_the_whole_catalogue() {
    let Some([looks, words, both, asked]) = figures(1, 2_000) else { return };
    assert!(looks > 0.6 && words > 0.75 && both > 0.8 && asked > 0.75);
}
