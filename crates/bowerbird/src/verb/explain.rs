//! `bowerbird explain`: why was this shown, and why was that not?

use super::query::{cell, score, sources};
use crate::ask::{Whom, ask};
use crate::client::encoded;
use crate::moment::readable;
use crate::output::{print_json, print_table};
use crate::setup::Setup;
use anyhow::Result;
use serde_json::Value;

/// Tell why the pins of one answer were shown, and why others were not.
///
/// Every answer has a request id. This prints what the funnel did for it: how long each stage took and how many
/// candidates passed, then for each pin where it came from, its chances and what moved it, then what was dropped by
/// whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The request's id.
    request_id: String,
    /// How many ranked pins are printed.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// How many dropped candidates are printed.
    #[arg(long, default_value_t = 10)]
    dropped: usize,
    #[command(flatten)]
    whom: Whom,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let answer = ask(setup, &args.whom, &format!("/v1/requests/{}", encoded(&args.request_id)))?;
    if setup.json {
        print_json(&answer);
    } else {
        print(args, &answer);
    }
    Ok(())
}

fn print(args: &Args, answer: &Value) {
    let subject = match &answer["subject"] {
        Value::Object(subject) => {
            subject.iter().map(|(kind, of)| format!(" for {kind} '{}'", cell(of))).collect::<String>()
        }
        _ => String::new(),
    };
    println!("{}{subject}, pinner '{}'", cell(&answer["surface"]), cell(&answer["pinner"]));
    println!("{} UTC, model '{}'\n", readable(answer["ts"].as_u64().unwrap_or(0)), cell(&answer["model"]));
    print_stages(&answer["explanation"]["stages"]);
    print_items(args, answer);
    print_dropped(args, &answer["explanation"]);
    for words in answer["explanation"]["degraded"].as_array().into_iter().flatten() {
        println!("degraded: {}", cell(words));
    }
}

fn print_stages(stages: &Value) {
    let row = |stage: &Value| {
        let ms = stage["took_us"].as_f64().map_or(String::new(), |us| format!("{:.2}", us / 1e3));
        vec![cell(&stage["name"]), ms, cell(&stage["before"]), cell(&stage["after"]), cell(&stage["note"])]
    };
    let rows: Vec<Vec<String>> = stages.as_array().into_iter().flatten().map(row).collect();
    print_table(&["stage", "ms", "before", "after", "note"].map(str::to_owned), &rows);
    println!();
}

fn print_items(args: &Args, answer: &Value) {
    let row = |item: &Value| {
        let why = &item["explanation"];
        let moves = why["moves"].as_array().into_iter().flatten();
        let mut moves: Vec<String> =
            moves.map(|step| format!("{} {}→{}", cell(&step["by"]), step["from"], step["to"])).collect();
        moves.extend(why["propensity"].as_f64().filter(|chance| *chance < 1.0).map(|p| format!("chance {p:.4}")));
        vec![
            cell(&item["position"]),
            cell(&item["id"]),
            cell(&item["title"]),
            sources(why),
            cell(&why["l1"]["rank"]),
            score(&why["relevance"]["level"]),
            score(&why["heads"]["save"]),
            score(&why["utility"]),
            moves.join(", "),
        ]
    };
    let items = answer["items"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = items.take(args.limit).map(row).collect();
    print_table(&["#", "pin", "title", "from", "L1", "level", "P(save)", "utility", "moved"].map(str::to_owned), &rows);
    println!();
}

fn print_dropped(args: &Args, explanation: &Value) {
    let counts = explanation["dropped_by"].as_object().into_iter().flatten();
    let counts: Vec<String> = counts.map(|(by, count)| format!("{by} {count}")).collect();
    println!("dropped: {}", if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") });
    let dropped = explanation["dropped"].as_array().into_iter().flatten();
    for drop in dropped.take(args.dropped) {
        let from = drop["sources"].as_array().into_iter().flatten();
        let from: Vec<String> = from.map(cell).collect();
        println!("  {} by {} (from {})", cell(&drop["id"]), cell(&drop["by"]), from.join(", "));
    }
}
