//! `bowerbird bench autocomplete`: what completions are worth to who types, and how long a keystroke takes.

mod judge;
mod popular;
mod searches;
mod speed;

use crate::output::{print_json, print_table, thousands};
use crate::setup::Setup;
use anyhow::{Result, ensure};
use judge::{LENGTHS, judge, mistyped};
use popular::Popular;
use searches::{Search, planted};
use serde_json::{Value, json};

/// Completions that are shown.
const SHOWN: usize = 8;
/// Most searches that are typed: evenly spread over the later part of the log.
const TYPED_MAX: usize = 3_000;
/// The part of the searches, by time, that is known when the others are typed.
const KNOWN_SHARE: f64 = 0.8;

/// Types the later part of a planted log of searches letter by letter, as meant and with a wrong letter, and asks for
/// completions from the catalogue and the earlier part: the real suggestions of a server. Beside it the most popular
/// searches with the same beginning, and how long a keystroke takes in a log of a million searches.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Searches of the log, about.
    #[arg(long, default_value_t = 20_000)]
    queries: u32,
    /// Searches of the log in which keystrokes are timed.
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
}

/// Runs the bench.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    ensure!((100..=1_000_000).contains(&args.queries), "--queries is beyond 100 to 1,000,000");
    ensure!((1_000..=2_000_000).contains(&args.entries), "--entries is beyond 1,000 to 2,000,000");
    eprintln!("planting searches");
    let (world, all) = planted(args.queries);
    let known = (all.len() as f64 * KNOWN_SHARE) as usize;
    let (known, later) = all.split_at(known);
    let step = later.len().div_ceil(TYPED_MAX).max(1);
    let later: Vec<&Search> = later.iter().step_by(step).collect();
    let typed: Vec<&str> = later.iter().map(|search| search.text.as_str()).collect();
    ensure!(!typed.is_empty(), "the world has too few searches");
    setup.stop.check()?;
    let views = searches::views(&world, known)?;
    let Some(suggestions) = views.suggestions() else { anyhow::bail!("no suggestions were made") };
    let popular = Popular::of(known.iter().map(|search| search.text.as_str()));
    let now_ms = known.last().map_or(0, |search| search.ts_ms);
    let asked = |text: &str, pinner: &str| -> Vec<String> {
        suggestions.complete(text, pinner, SHOWN, now_ms).into_iter().map(|found| found.text).collect()
    };
    let ours = |number: usize, text: &str| asked(text, &later[number].pinner);
    let stranger = |_: usize, text: &str| asked(text, "");
    let theirs = |_: usize, text: &str| popular.complete(text, SHOWN);
    eprintln!("typing {} searches", thousands(typed.len() as u64));
    let wrong = mistyped(&typed);
    let heard = typed.iter().filter(|text| popular.knows(text)).count();
    let mut figures = json!({
        "bench": "autocomplete",
        "searches": all.len(),
        "known": known.len(),
        "known_distinct": popular.len(),
        "completions": suggestions.completions(),
        "typed": typed.len(),
        "typed_heard_before": heard as f64 / typed.len() as f64,
        "as_meant": {
            "ours": judge(&typed, &typed, 1, &ours),
            "ours_to_strangers": judge(&typed, &typed, 1, &stranger),
            "popularity": judge(&typed, &typed, 1, &theirs),
        },
        "wrong_letter": {
            "ours": judge(&typed, &wrong, judge::WRONG_FROM, &ours),
            "ours_to_strangers": judge(&typed, &wrong, judge::WRONG_FROM, &stranger),
            "popularity": judge(&typed, &wrong, judge::WRONG_FROM, &theirs),
        },
    });
    setup.stop.check()?;
    eprintln!("timing keystrokes in a log of {} searches", thousands(args.entries as u64));
    figures["keystrokes"] = speed::measure(args.entries, SHOWN);
    if setup.json {
        print_json(&figures)
    } else {
        print(&figures)
    }
    Ok(())
}

fn print(figures: &Value) {
    let figure = |value: &Value| format!("{:.3}", value.as_f64().unwrap_or_default());
    let mut headings = vec!["typed".to_owned(), "completed by".to_owned(), "MRR".to_owned(), "saved".to_owned()];
    headings.extend(LENGTHS.map(|length| format!("MRR@{length}")));
    let mut rows = Vec::new();
    for (name, how) in [("as_meant", "as meant"), ("wrong_letter", "a wrong letter")] {
        for by in ["ours", "ours_to_strangers", "popularity"] {
            let part = &figures[name][by];
            let mut row = vec![how.to_owned(), by.to_owned(), figure(&part["mrr"]), figure(&part["keystrokes_saved"])];
            row.extend(LENGTHS.map(|length| figure(&part["mrr_at"][length.to_string()])));
            rows.push(row);
        }
    }
    print_table(&headings, &rows);
    let headings = ["keystroke (µs)", "p50", "p99"].map(str::to_owned);
    let row = |name: &str| {
        let part = &figures["keystrokes"][name];
        vec![name.to_owned(), figure(&part["us_p50"]), figure(&part["us_p99"])]
    };
    println!();
    print_table(&headings, &["as_meant", "wrong_letter", "popularity"].map(row));
}
