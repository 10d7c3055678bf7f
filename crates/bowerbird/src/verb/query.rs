//! `bowerbird query`: what a pinner would see, in the terminal.

use crate::ask::{Whom, ask};
use crate::client::encoded;
use crate::output::{print_json, print_table, text};
use crate::setup::Setup;
use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

/// Ask for a feed, related pins, a search or board ideas.
///
/// Asks the server that runs on the data directory; without one the data is opened for this one question. The answer's
/// request id is what `bowerbird explain` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// How many pins.
    #[arg(long, default_value_t = 10, global = true)]
    limit: usize,
    /// Tell where each pin came from and how it scored.
    #[arg(long, global = true)]
    explain: bool,
    #[command(flatten)]
    whom: Whom,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The home feed of a pinner.
    Feed {
        /// The pinner's id; a stranger gets a feed too.
        pinner: String,
    },
    /// Pins like a pin.
    Related {
        /// The pin's id.
        pin: String,
        /// For whom.
        #[arg(long)]
        pinner: Option<String>,
    },
    /// Pins for words.
    Search {
        /// The words.
        #[arg(required = true)]
        words: Vec<String>,
        /// For whom.
        #[arg(long)]
        pinner: Option<String>,
    },
    /// Ideas for a board.
    Board {
        /// The board's id.
        board: String,
        /// For whom.
        #[arg(long)]
        pinner: Option<String>,
    },
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let answer = ask(setup, &args.whom, &path(args))?;
    if setup.json {
        print_json(&answer);
    } else {
        print(&answer, args.explain);
    }
    Ok(())
}

fn path(args: &Args) -> String {
    let (path, pinner, words) = match &args.what {
        What::Feed { pinner } => (format!("/v1/feed/{}", encoded(pinner)), None, None),
        What::Related { pin, pinner } => (format!("/v1/pins/{}/related", encoded(pin)), pinner.as_ref(), None),
        What::Search { words, pinner } => ("/v1/search".to_owned(), pinner.as_ref(), Some(words.join(" "))),
        What::Board { board, pinner } => (format!("/v1/boards/{}/ideas", encoded(board)), pinner.as_ref(), None),
    };
    let mut path = format!("{path}?limit={}", args.limit);
    for (name, value) in [("pinner", pinner.cloned()), ("q", words)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encoded(&value)));
        }
    }
    if args.explain {
        path.push_str("&explain=true");
    }
    path
}

/// A cell of text, cut to a readable length.
pub(crate) fn cell(value: &Value) -> String {
    let text = text(value);
    if text.chars().count() > 48 { text.chars().take(47).chain(['…']).collect() } else { text }
}

/// A score with three digits behind the point.
pub(crate) fn score(value: &Value) -> String {
    value.as_f64().map_or(String::new(), |value| format!("{value:.3}"))
}

fn print(answer: &Value, explain: bool) {
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let headings = ["#", "pin", "title", "score", "from"].map(str::to_owned);
    let shown = if explain { &headings[..] } else { &headings[..4] };
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let mut row = vec![cell(&item["position"]), cell(&item["id"]), cell(&item["title"]), score(&item["score"])];
            if explain {
                row.push(sources(&item["explanation"]));
            }
            row
        })
        .collect();
    print_table(shown, &rows);
    for words in answer["degraded"].as_array().into_iter().flatten() {
        println!("degraded: {}", cell(words));
    }
    println!("\nrequest {}", cell(&answer["request_id"]));
}

/// `retrieval #3, walks #0`.
pub(crate) fn sources(explanation: &Value) -> String {
    let sources = explanation["sources"].as_array().into_iter().flatten();
    let words: Vec<String> = sources.map(|from| format!("{} #{}", cell(&from["source"]), from["rank"])).collect();
    words.join(", ")
}
