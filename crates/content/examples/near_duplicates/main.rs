//! How well near-duplicate pictures are found: variants of some pictures of a catalogue (crops, recompressions, mirror
//! images, borders, tints, several at once) are put into the index among all of the catalogue, in a seeded order.
//!
//! `cargo run --release -p bowerbird-content --example near_duplicates -- PICTURES [--half first|second|all]
//! [--every N] [--json] [--wrong]`
//!
//! PICTURES is a folder, a zip or a tar file. `--half` takes the pictures of one (seeded) half only: weights and
//! thresholds were chosen on the first. `--every N` makes variants of every N-th picture (20). `--wrong` lists the
//! catalogue pictures that were wrongly put together. Truth is the same picture or one with exactly the same pixels;
//! what of the rest is one photo listed twice is told beside it (`same_photo` in `measure.rs`).

mod measure;
mod pictures;
mod variants;

use std::time::{Duration, Instant};

use content::{NearDuplicates, Picture, SIGNATURE_BYTES, Signature};
use domain::{Rng, hash64};

use measure::{Item, Report};

struct Arguments {
    path: String,
    /// Which halves are taken: the first, the second.
    halves: [bool; 2],
    every: usize,
    json: bool,
    wrong: bool,
}

/// What a run took.
#[derive(Default)]
struct Cost {
    decode: Duration,
    sign: Duration,
    insert: Duration,
}

fn arguments() -> Option<Arguments> {
    let mut found = Arguments { path: String::new(), halves: [true; 2], every: 20, json: false, wrong: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => found.json = true,
            "--wrong" => found.wrong = true,
            "--every" => found.every = words.next()?.parse().ok().filter(|&every| every > 0)?,
            "--half" => {
                found.halves = match words.next()?.as_str() {
                    "first" => [true, false],
                    "second" => [false, true],
                    "all" => [true; 2],
                    _ => return None,
                }
            }
            _ => found.path = word,
        }
    }
    Some(found).filter(|found| !found.path.is_empty())
}

fn main() {
    let Some(arguments) = arguments() else {
        eprintln!("usage: near_duplicates PICTURES [--half first|second|all] [--every N] [--json] [--wrong]");
        std::process::exit(2);
    };
    let (mut cost, since) = (Cost::default(), Instant::now());
    let named = pictures::read(arguments.path.as_ref()).expect("pictures that can be read");
    let named: Vec<pictures::Named> = named
        .into_iter()
        .zip(0u64..)
        .filter(|(_, place)| arguments.halves[(hash64(*place) % 2) as usize])
        .map(|(named, _)| named)
        .collect();
    let decoded = Instant::now();
    let pictures: Vec<Picture> = named.iter().filter_map(|(_, bytes)| Picture::decode(bytes).ok()).collect();
    assert_eq!(pictures.len(), named.len(), "some pictures could not be decoded");
    cost.decode = decoded.elapsed();
    let items = items(pictures.len(), arguments.every);
    let index = filled(&items, &pictures, &mut cost);
    let report = measure::report(&index, &items, &pictures);
    if arguments.wrong {
        report.wrong.iter().for_each(|&(one, other)| println!("{}\t{}", named[one].0, named[other].0));
    }
    if arguments.json { json(&report, &items, &cost) } else { table(&report, &items, &cost, &index, since) }
}

/// The catalogue and variants of every `every`-th picture of a seeded order, all in another seeded order.
fn items(pictures: usize, every: usize) -> Vec<Item> {
    let mut rng = Rng::new(20_261_128);
    let mut sources: Vec<usize> = (0..pictures).collect();
    rng.shuffle(&mut sources);
    let variants =
        sources.iter().step_by(every).flat_map(|&source| variants::CHANGES.map(|change| (source, Some(change))));
    let all = (0..pictures).map(|source| (source, None)).chain(variants);
    let mut items: Vec<Item> = all.map(|(source, change)| Item { source, change }).collect();
    rng.shuffle(&mut items);
    items
}

fn filled(items: &[Item], pictures: &[Picture], cost: &mut Cost) -> NearDuplicates {
    let mut index = NearDuplicates::default();
    let mut rng = Rng::new(7);
    for (id, item) in (0u32..).zip(items) {
        let source = &pictures[item.source];
        let changed = item.change.map(|change| {
            let bytes = variants::changed(source, change, &mut rng);
            Picture::decode(&bytes).expect("a JPEG that was just written")
        });
        let since = Instant::now();
        let signature = Signature::of(changed.as_ref().unwrap_or(source));
        cost.sign += since.elapsed();
        let since = Instant::now();
        index.insert(id, signature, &[]);
        cost.insert += since.elapsed();
    }
    index
}

fn table(report: &Report, items: &[Item], cost: &Cost, index: &NearDuplicates, since: Instant) {
    let variants = items.iter().filter(|item| item.change.is_some()).count();
    let own = items.len() - variants;
    println!("{own} pictures, {variants} variants; {:.1} s in all", since.elapsed().as_secs_f64());
    println!("| pairs | put together | right | same photo | wanted | precision | by photo | recall |");
    println!("|--|--|--|--|--|--|--|--|");
    let with_variant = report.all.without(&report.catalogue);
    for (name, pairs) in [("all", report.all), ("with a variant", with_variant), ("catalogue only", report.catalogue)] {
        let measure::Pairs { together, right, same_photo, wanted } = pairs;
        let [precision, by_photo, recall] = [pairs.precision(), pairs.precision_by_photo(), pairs.recall()];
        println!(
            "| {name} | {together} | {right} | {same_photo} | {wanted} | {precision:.4} | {by_photo:.4} | {recall:.4} |"
        );
    }
    for (name, &(count, found)) in &report.found {
        println!("{name}: {found} of {count} with their source ({:.4})", found as f64 / count.max(1) as f64);
    }
    let (groups, whole) = report.groups;
    println!("groups of exact duplicates in one cluster: {whole} of {groups}; largest cluster {}", report.largest);
    let micros = |time: Duration, count: usize| time.as_secs_f64() * 1e6 / count.max(1) as f64;
    let (decode, sign, insert) =
        (micros(cost.decode, own), micros(cost.sign, items.len()), micros(cost.insert, items.len()));
    println!("decode {decode:.0} µs, signature {sign:.0} µs, insertion {insert:.0} µs a picture, on one core:");
    println!(
        "{:.0} pictures a second decoded, {:.0} already decoded",
        1e6 / (decode + sign + insert),
        1e6 / (sign + insert)
    );
    println!("{SIGNATURE_BYTES} bytes a signature, {} bytes a picture in memory", index.bytes() / items.len().max(1));
}

fn json(report: &Report, items: &[Item], cost: &Cost) {
    let found: Vec<String> =
        report.found.iter().map(|(name, (count, found))| format!("\"{name}\":[{found},{count}]")).collect();
    let per_second = items.len() as f64 / (cost.sign + cost.insert).as_secs_f64().max(1e-9);
    println!(
        "{{\"items\":{},\"precision\":{:.5},\"precision_by_photo\":{:.5},\"recall\":{:.5},\"wrong\":{},\
         \"groups\":{},\"groups_whole\":{},\"largest\":{},\"pictures_per_second\":{per_second:.1},\"found\":{{{}}}}}",
        items.len(),
        report.all.precision(),
        report.all.precision_by_photo(),
        report.all.recall(),
        report.wrong.len(),
        report.groups.0,
        report.groups.1,
        report.largest,
        found.join(",")
    );
}
