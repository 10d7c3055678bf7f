//! How long completions take, letter by letter, over a million queries.
//!
//! `BOWERBIRD_DATASETS=DIR cargo run --release -p bowerbird-index --example completion`
//!
//! Queries are one to five neighbouring words of titles in `fashion_products/products.csv.gz`, often from two titles;
//! how often each was asked follows Zipf's law. Queries are typed letter by letter, then with one letter replaced.

use domain::Rng;
use flate2::read::GzDecoder;
use index::{Completer, CompleterParams, LoggedQuery};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

const ENTRIES: usize = 1_000_000;
const TYPED: usize = 1_000;
const ROUNDS: usize = 3;
const LIVE: usize = 1_000;
const K: usize = 10;
const DAY_MS: u64 = 86_400_000;
const NOW_MS: u64 = 20_000 * DAY_MS;

/// The words of every title: the last cell of a line.
fn titles() -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let folder = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| "../shared/data".into());
    let file = std::fs::File::open(Path::new(&folder).join("fashion_products/products.csv.gz"))?;
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text)?;
    let words = |line: &str| {
        let title = line.splitn(10, ',').last().unwrap_or_default().to_lowercase();
        let words = title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    Ok(text.lines().skip(1).map(words).filter(|words| words.len() > 1).collect())
}

/// Some neighbouring words of a title.
fn part<'a>(rng: &mut Rng, titles: &'a [Vec<String>]) -> &'a [String] {
    let title = &titles[rng.below(titles.len() as u32) as usize];
    let start = rng.below(title.len() as u32) as usize;
    &title[start..(start + 1 + rng.below(3) as usize).min(title.len())]
}

fn queries(titles: &[Vec<String>]) -> Vec<LoggedQuery> {
    let mut rng = Rng::new(1);
    let mut texts = BTreeSet::new();
    while texts.len() < ENTRIES {
        let mut words = part(&mut rng, titles).to_vec();
        if rng.below(4) > 0 {
            words.extend_from_slice(part(&mut rng, titles));
        }
        texts.insert(words.join(" "));
    }
    let mut texts: Vec<String> = texts.into_iter().collect();
    rng.shuffle(&mut texts);
    let query = |(rank, text): (usize, String)| {
        let last_ms = NOW_MS - u64::from(rng.below(90)) * DAY_MS;
        LoggedQuery { text, popularity: 1e6 / (rank + 1) as f32 + 1.0, last_ms }
    };
    texts.into_iter().enumerate().map(query).collect()
}

/// `text` with the letter at `at` replaced.
fn mistyped(text: &str, at: usize) -> String {
    text.chars().enumerate().map(|(place, letter)| if place == at { 'q' } else { letter }).collect()
}

/// Asks for the completions of each text and prints how long that took: of each the quickest of some rounds through all
/// texts, since a shared machine stops now and then.
fn measure(name: &str, completer: &Completer, typed: &[String], own: &[&str]) {
    let mut times_us = vec![f64::INFINITY; typed.len()];
    let mut offered = 0;
    for _ in 0..ROUNDS {
        offered = 0;
        for (text, time_us) in typed.iter().zip(&mut times_us) {
            let started = Instant::now();
            offered += completer.complete(text, K, NOW_MS, own).len();
            *time_us = time_us.min(started.elapsed().as_secs_f64() * 1e6);
        }
    }
    times_us.sort_by(f64::total_cmp);
    let at = |share: f64| times_us[((times_us.len() - 1) as f64 * share) as usize];
    println!(
        "{name:<28}{:>8}{:>10.1}{:>10.0}{:>10.0}{:>10.0}",
        typed.len(),
        offered as f64 / typed.len() as f64,
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn main() -> Result<(), Box<dyn Error>> {
    let titles = titles()?;
    let queries = queries(&titles);
    let mut rng = Rng::new(2);
    let asked: Vec<String> = (0..TYPED).map(|_| queries[rng.below(ENTRIES as u32) as usize].text.clone()).collect();
    let started = Instant::now();
    let mut completer = Completer::new(CompleterParams::default(), queries);
    println!("{} queries, built in {:.1} s", completer.len(), started.elapsed().as_secs_f64());
    for number in 0..LIVE {
        let text = format!("{} {number}", asked[number % asked.len()]);
        completer.record(LoggedQuery { text, popularity: 1.0, last_ms: NOW_MS });
    }
    let beginnings = |text: &String| {
        let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
        ends.map(|end| text[..end].to_owned()).collect::<Vec<_>>()
    };
    let exact: Vec<String> = asked.iter().flat_map(beginnings).collect();
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for text in &exact {
        let letters = text.chars().count();
        if letters >= 4 {
            early.push(mistyped(text, rng.below(2) as usize));
            late.push(mistyped(text, 2 + rng.below(letters as u32 - 2) as usize));
        }
    }
    let own: Vec<&str> = asked.iter().take(50).map(String::as_str).collect();
    println!("{:<28}{:>8}{:>10}{:>10}{:>10}{:>10}", "µs", "texts", "offered", "p50", "p99", "most");
    measure("as meant", &completer, &exact, &own);
    measure("wrong in the first two", &completer, &early, &own);
    measure("wrong later", &completer, &late, &own);
    let one: Vec<String> = ('a'..='z').map(String::from).collect();
    measure("one letter", &completer, &one, &own);
    let started = Instant::now();
    let merged = completer.merged();
    println!("merged into {} queries in {:.1} s", merged.len(), started.elapsed().as_secs_f64());
    Ok(())
}
