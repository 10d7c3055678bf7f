//! How quickly words are searched and become visible, on a catalogue of short titles drawn from a seed. Run by hand:
//! `PINS=300000 cargo test --release -p bowerbird-index --test text_speed -- --ignored --nocapture`.

use domain::{PinId, Rng};
use index::{Columns, Filter, PinSet, TextDocument, TextIndex, TextSearcher};
use std::sync::Arc;
use std::time::Instant;

const VOCABULARY: u32 = 40_000;
const QUERIES: usize = 300;
const K: usize = 500;
/// Each query is asked so often; the quickest time counts.
const ROUNDS: usize = 5;

fn pins() -> u32 {
    std::env::var("PINS").ok().and_then(|pins| pins.parse().ok()).unwrap_or(50_000)
}

/// CPU time of this thread (s).
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's CPU time");
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

/// CPU time of all threads so far (s), in steps of a hundredth.
fn process_cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells a process's CPU time");
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    numbers.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// A made-up word; small numbers are common.
fn word(number: u32) -> String {
    const SOUNDS: [&str; 16] =
        ["ba", "do", "ke", "li", "mu", "na", "pe", "ro", "sa", "ti", "vu", "wo", "ya", "zi", "fe", "gu"];
    let mut rest = number + 16;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SOUNDS[(rest % 16) as usize]);
        rest /= 16;
    }
    word
}

/// Zipf-like: the logarithm of the rank is uniform.
fn zipf(rng: &mut Rng) -> u32 {
    ((VOCABULARY as f32).powf(rng.uniform()) - 1.0) as u32
}

fn title(rng: &mut Rng) -> String {
    (0..3 + rng.below(6)).map(|_| word(zipf(rng))).collect::<Vec<_>>().join(" ")
}

fn put(index: &mut TextIndex, pin: u32, rng: &mut Rng) {
    let (title, description) = (title(rng), format!("{} {}", title(rng), title(rng)));
    let topics = [word(rng.below(300)), word(rng.below(300))];
    let boards = [word(zipf(rng)), format!("{} {}", word(zipf(rng)), word(zipf(rng)))];
    let words = TextDocument {
        title: &title,
        description: &description,
        topics: &topics,
        boards: &boards,
        ..TextDocument::default()
    };
    index.upsert(PinId(pin), &words).expect("takes words");
}

fn filled(pins: u32) -> TextIndex {
    let mut rng = Rng::new(1);
    let mut index = TextIndex::new().expect("an index in memory");
    let start = Instant::now();
    for pin in 0..pins {
        put(&mut index, pin, &mut rng);
        if pin % 50_000 == 49_999 {
            index.commit().expect("commits");
        }
    }
    index.settle().expect("settles");
    println!("{pins} pins loaded in {:.1} s", start.elapsed().as_secs_f64());
    index
}

fn queries(words: u32) -> Vec<String> {
    let mut rng = Rng::new(words.into());
    (0..QUERIES).map(|_| (0..words).map(|_| word(zipf(&mut rng)) + " ").collect()).collect()
}

fn report(name: &str, searcher: &TextSearcher, queries: &[String], filter: Option<&Filter>) {
    let columns = Columns::new();
    let everything = Filter::everything();
    let bound = filter.unwrap_or(&everything).bind(&columns).expect("no field");
    let mut times_ms = vec![f64::INFINITY; queries.len()];
    let mut plans = std::collections::BTreeMap::<String, u32>::new();
    let cpu = cpu_s();
    for round in 0..ROUNDS {
        for (query, time_ms) in queries.iter().zip(&mut times_ms) {
            let start = Instant::now();
            let found = searcher.search_within(query, K, &bound).expect("searches");
            *time_ms = time_ms.min(start.elapsed().as_secs_f64() * 1e3);
            if round == 0 {
                let plan = found.plan.to_string();
                *plans.entry(plan.split(':').next().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
    }
    let per_s = (queries.len() * ROUNDS) as f64 / (cpu_s() - cpu);
    times_ms.sort_by(f64::total_cmp);
    let at = |share: f64| times_ms[(times_ms.len() as f64 * share) as usize];
    println!("{name:28} {per_s:8.0} queries a CPU second, p50 {:.3} ms, p99 {:.3} ms  {plans:?}", at(0.5), at(0.99));
}

#[test]
#[ignore = "measures; run by hand"]
fn queries_a_cpu_second() {
    let pins = pins();
    let index = filled(pins);
    let searcher = index.searcher();
    for words in [1, 2, 3, 6] {
        report(&format!("{words} words"), &searcher, &queries(words), None);
    }
    let three = queries(3);
    for share in [0.5, 0.1, 0.01, 0.001] {
        let mut rng = Rng::new(9);
        let passing: PinSet = (0..pins).map(PinId).filter(|_| rng.uniform() < share).collect();
        report(
            &format!("3 words, {} % pass", share * 100.0),
            &searcher,
            &three,
            Some(&Filter::Pins(Arc::new(passing))),
        );
    }
    let phrases: Vec<String> = queries(2).iter().map(|query| format!("\"{query}\"")).collect();
    report("a phrase of 2 words", &searcher, &phrases, None);
}

#[test]
#[ignore = "measures; run by hand"]
fn time_until_visible() {
    let pins = pins();
    let mut index = filled(pins);
    let mut rng = Rng::new(2);
    let mut times_ms = Vec::new();
    let cpu = process_cpu_s();
    for round in 0..200 {
        let start = Instant::now();
        for at in 0..500 {
            let pin = if at % 2 == 0 { rng.below(pins) } else { pins + round * 250 + at / 2 };
            put(&mut index, pin, &mut rng);
        }
        index.commit().expect("commits");
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times_ms.sort_by(f64::total_cmp);
    let (p50, p99, most) = (times_ms[100], times_ms[198], times_ms[199]);
    println!("{:.0} ms of CPU each, joins beside included", (process_cpu_s() - cpu) * 1e3 / 200.0);
    println!("{pins} pins: 500 upserts and a commit take p50 {p50:.0} ms, p99 {p99:.0} ms, most {most:.0} ms");
}
