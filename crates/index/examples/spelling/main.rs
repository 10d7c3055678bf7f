//! How well misspelt phrases of real titles are put right, how often right ones are changed, and how long it takes.
//!
//! `BOWERBIRD_DATASETS=DIR cargo run --release -p bowerbird-index --example spelling -- [--development] [--export DIR]`
//!
//! Reads `fashion_products/products.csv.gz`. `--development` asks the phrases that parameters were chosen on, otherwise
//! the other half is asked; `--export` writes phrases, words and pairs of words for `bench/peers/spelling`.

mod misspell;
mod phrases;

use index::{SpellerBuilder, SpellerParams, Spelling};
use phrases::{Catalogue, Kind, Phrase};
use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

/// Where a correction is searched for at once, not only suggested.
const CONFIDENCE_MIN: f32 = 0.6;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let catalogue = Catalogue::read()?;
    let mut builder = SpellerBuilder::new(SpellerParams::default());
    catalogue.words.iter().for_each(|(word, count)| builder.add_word(word, *count as f32));
    catalogue.pairs.iter().for_each(|((left, right), count)| builder.add_pair(left, right, *count as f32));
    let started = Instant::now();
    let speller = builder.build();
    println!(
        "{} words, {} pairs, built in {:.0} ms",
        catalogue.words.len(),
        catalogue.pairs.len(),
        started.elapsed().as_secs_f64() * 1e3
    );
    if let Some(at) = arguments.iter().position(|argument| argument == "--export") {
        catalogue.export(arguments.get(at + 1).ok_or("--export DIR")?)?;
    }
    let development = arguments.iter().any(|argument| argument == "--development");
    let phrases: Vec<&Phrase> = catalogue.phrases.iter().filter(|phrase| phrase.development == development).collect();
    let started_s = cpu_s()?;
    let found: Vec<Spelling> = phrases.iter().map(|phrase| speller.correct(&phrase.typed)).collect();
    let each_us = (cpu_s()? - started_s) * 1e6 / found.len() as f64;
    println!("{} phrases, {each_us:.0} µs of CPU each; of them right, in %:", found.len());
    println!("{:<20}{:>8}{:>12}{:>16}", "", "phrases", "suggested", "searched for");
    for kind in Kind::ALL {
        let of_kind = phrases.iter().zip(&found).filter(|(phrase, _)| phrase.kind == kind);
        let of_kind: Vec<_> = of_kind.collect();
        let share = |right: &dyn Fn(&Phrase, &Spelling) -> bool| {
            100.0 * of_kind.iter().filter(|(phrase, found)| right(phrase, found)).count() as f64 / of_kind.len() as f64
        };
        let suggested = share(&|phrase, found| found.text == phrase.meant);
        let searched = share(&|phrase, found| searched_for(phrase, found) == phrase.meant);
        println!("{:<20}{:>8}{suggested:>12.2}{searched:>16.2}", kind.name(), of_kind.len());
    }
    println!("{}", calibration(&phrases, &found));
    if arguments.iter().any(|argument| argument == "--wrong") {
        for (phrase, found) in phrases.iter().zip(&found).filter(|(phrase, found)| found.text != phrase.meant) {
            println!(
                "{}\t{}\t{}\t{}\t{:.2}",
                phrase.kind.name(),
                phrase.typed,
                phrase.meant,
                found.text,
                found.confidence
            );
        }
    }
    Ok(())
}

/// CPU time of this thread (s).
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

fn searched_for<'a>(phrase: &'a Phrase, found: &'a Spelling) -> &'a str {
    if found.confidence >= CONFIDENCE_MIN { &found.text } else { &phrase.typed }
}

/// How often corrections are right that are so sure.
fn calibration(phrases: &[&Phrase], found: &[Spelling]) -> String {
    let mut text = String::from("confidence of a correction: how many, how many % of them right\n");
    let bins = [0.0, 0.3, 0.5, 0.7, 0.9, 0.99, 1.01];
    for bin in bins.windows(2) {
        let sure = |found: &Spelling| !found.changes.is_empty() && (bin[0]..bin[1]).contains(&found.confidence);
        let these: Vec<_> = phrases.iter().zip(found).filter(|(_, found)| sure(found)).collect();
        let right = these.iter().filter(|(phrase, found)| found.text == phrase.meant).count();
        let share = 100.0 * right as f64 / these.len().max(1) as f64;
        let _ = writeln!(text, "  {:.2} to {:.2}: {:>6} {share:>6.1}", bin[0], f32::min(bin[1], 1.0), these.len());
    }
    text
}
