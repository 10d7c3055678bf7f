//! `bowerbird sql`: questions about what happened.

use crate::ask::is_locked;
use crate::engine::Engine;
use crate::lake_roll::{open, open_rolled};
use crate::output::{print_json, print_table, text};
use crate::setup::Setup;
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Query what happened and what was served with SQL.
///
/// Tables: events, requests, served, stages, pins, boards, pinners, understood, and pin_versions, board_versions,
/// pinner_versions with every description there ever was. `describe events` tells the columns. For example:
///
///   bowerbird sql "select action, count(*) from events group by action order by 2 desc"
///
/// The tables are Parquet files in the data directory that any engine can read. While a server runs on the data, it
/// keeps them up to date; otherwise this brings them up first.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The question.
    query: String,
    /// Most rows that are printed [default: lake.sql_rows_max].
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 300)]
    timeout_s: u64,
    /// Ask what is there without bringing it up to date.
    #[arg(long)]
    no_roll: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    setup.must_exist()?;
    let lake = match if args.no_roll { None } else { Some(Engine::open(setup)) } {
        Some(Ok(engine)) => open_rolled(setup, &engine)?,
        Some(Err(error)) if !is_locked(&error) => return Err(error),
        _ => open(setup)?,
    };
    let rows = args.rows.unwrap_or(setup.config.lake.sql_rows_max);
    let table = lake.sql(&args.query, rows, Duration::from_secs(args.timeout_s.max(1)))?;
    if setup.json {
        let row = |row: &Vec<Value>| -> Value {
            table.columns.iter().cloned().zip(row.iter().cloned()).collect::<Map<String, Value>>().into()
        };
        let rows: Vec<Value> = table.rows.iter().map(row).collect();
        print_json(&json!({ "columns": table.columns, "rows": rows, "truncated": table.truncated }));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(text).collect()).collect();
    print_table(&table.columns, &rows);
    if table.truncated {
        println!("… more rows (--rows N shows more)");
    }
    Ok(())
}
