//! How long a keystroke takes in a large log.

use super::judge::{WRONG_FROM, mistyped};
use super::popular::Popular;
use crate::verb::bench::clock::quantile;
use domain::Rng;
use index::{Completer, CompleterParams, LoggedQuery};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Made-up words, so many different ones; a few are in many searches.
const WORDS: u32 = 30_000;
/// Searches that are typed.
const TYPED: usize = 500;
const NOW_MS: u64 = 1_760_000_000_000;

/// A word of syllables, always the same for its number.
fn word(number: u32) -> String {
    const SYLLABLES: [&str; 32] = [
        "ba", "be", "bo", "ca", "co", "da", "de", "do", "fa", "fi", "ga", "go", "la", "le", "li", "lo", "ma", "me",
        "mi", "mo", "na", "ne", "no", "pa", "pe", "ra", "re", "ri", "sa", "se", "ta", "to",
    ];
    let mut rng = Rng::new(u64::from(number));
    (0..2 + rng.below(3)).map(|_| SYLLABLES[rng.below(32) as usize]).collect()
}

fn searches(entries: usize) -> BTreeMap<String, u32> {
    let mut rng = Rng::new(53);
    let mut found = BTreeMap::new();
    while found.len() < entries {
        let skewed = |rng: &mut Rng| (f64::from(rng.uniform()).powi(3) * f64::from(WORDS)) as u32;
        let text: Vec<String> = (0..2 + rng.below(3)).map(|_| word(skewed(&mut rng))).collect();
        // Zipf's law: the n-th search is asked 1 / n times as often.
        let popularity = (1.0 / f64::from(rng.uniform()).max(1e-6)) as u32;
        found.insert(text.join(" "), popularity);
    }
    found
}

/// Types searches of a log of so many and times every keystroke.
pub(super) fn measure(entries: usize, shown: usize) -> Value {
    let log = searches(entries);
    let mut rng = Rng::new(59);
    let texts: Vec<&str> = log.keys().map(String::as_str).collect();
    let typed: Vec<&str> = (0..TYPED).map(|_| texts[rng.below(texts.len() as u32) as usize]).collect();
    let wrong = mistyped(&typed);
    let logged = |(text, &popularity): (&String, &u32)| LoggedQuery {
        text: text.clone(),
        popularity: popularity as f32,
        last_ms: NOW_MS,
    };
    let since = Instant::now();
    let completer = Completer::new(CompleterParams::default(), log.iter().map(logged).collect());
    let build_s = since.elapsed().as_secs_f64();
    let popular = Popular::counted(log.iter().map(|(text, &count)| (text.clone(), count)));
    let ours = |text: &str| completer.complete(text, shown, NOW_MS, &[]).len();
    json!({
        "entries": completer.len(),
        "build_s": build_s,
        "as_meant": times(&typed, 1, &ours),
        "wrong_letter": times(&wrong, WRONG_FROM, &ours),
        "popularity": times(&typed, 1, &|text| popular.complete(text, shown).len()),
    })
}

/// What keystrokes take: of each beginning the quickest of three, since a shared machine stops now and then.
fn times<T: AsRef<str>>(typed: &[T], from: usize, complete: &dyn Fn(&str) -> usize) -> Value {
    let mut all: Vec<f64> = Vec::new();
    for text in typed.iter().map(AsRef::as_ref) {
        for (end, _) in text.char_indices().skip(from) {
            let once = || {
                let since = Instant::now();
                std::hint::black_box(complete(&text[..end]));
                since.elapsed().as_secs_f64() * 1e6
            };
            all.push((0..3).map(|_| once()).fold(f64::INFINITY, f64::min));
        }
    }
    all.sort_by(f64::total_cmp);
    json!({ "keystrokes": all.len(), "us_p50": quantile(&all, 0.5), "us_p99": quantile(&all, 0.99) })
}
