//! Brings data in: a file of some format becomes checked facts in the log, row by row.

mod beir;
mod fashion;
mod holdout;
mod images;
mod jsonl;
mod judged;
mod known;
mod kuairand;
mod lines;
mod mapping;
mod movielens;
mod pictures;
mod pinterest;
mod repeats;
mod sequences;
mod sink;
mod summary;
mod table;
mod tables;
mod withheld;

pub(crate) use holdout::{HeldSaves, read as read_holdout};
pub(crate) use judged::{JudgedQuery, read as read_judged};
pub(crate) use sink::Sink;
pub(crate) use summary::Refused;
pub(crate) use table::{Fields, Table};
pub(crate) use withheld::{Target, WITHHELD, Withheld, read as read_withheld};

use crate::moment;
use crate::output::{print_json, with_causes};
use crate::progress::Progress;
use crate::setup::Setup;
use crate::understand::{LeftOut, read_ids};
use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use domain::Fact;
use holdout::HoldOut;
use mapping::Mapping;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use store::EventLog;

/// Bring data in.
///
/// Rows are checked one by one: a bad one is refused with its file, line and reason, the rest lands. Importing the same
/// file again adds nothing, a newer export of it adds what is new. Files may be gzip. Stop `bowerbird serve` on the
/// same data directory first.
///
///   jsonl      one fact a line, the fields of the API:
///              {"type":"pin","id":"p1","title":"Oak table","topics":["wood"],"image":"https://…"}
///              {"type":"event","pinner":"ann","action":"save","pin":"p1","board":"b1","ts":1700000000000}
///   csv        a header and rows, separated by commas or tabs; --map names the columns, for example
///              --map pin=item_id,pinner=user_id,ts=timestamp,ts_unit=s,action=save
///              --map kind=pin,id=sku,title=name,topics=tags,list_split=;,image=file
///   parquet    the same mapping
///   pinterest  `pinner pin pin …`, one line a pinner with their one board
///   sequences  `pinner pin pin …` in the order of time; --attributes FILE is a JSON object {pin: [attribute, …]}. The
///              last two pins of each line stay out of the log, for `bowerbird eval --protocol leave-one-out`
///   movielens  a folder with ratings.csv, movies.csv, tags.csv
///   kuairand   a folder with log_….csv, video_features_basic.csv, user_features.csv, user_histories….jsonl, or one
///              log in such a folder; also one of likes and hates alone. A click is a closeup, a long view a
///              long_click, a like a save, a forward a share, a hate a hide, a visit of the profile a click. Tabs of
///              the app have numbers only, and the five surfaces stand for them: 1 is home, 0 related, 4 search, 6
///              board, all others notification
///   fashion    a folder with products.csv and a zip of pictures named by id
///   images     a folder tree of pictures (JPEG, PNG, WebP); the names of the folders are topics, the path is the id
///   beir       a folder with corpus.jsonl: documents with _id, title and text, of which the first 20,000 bytes are
///              kept; queries and judgements are for `bowerbird eval --protocol search`
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The format of the data.
    format: Format,
    /// The file, or the folder for formats of several files.
    path: PathBuf,
    /// csv, parquet: which column is which field, `field=column,…`. Fields not named are taken from columns of their
    /// own name; `kind=event|pin|board|pinner` says what the rows are; an action may be a word instead of a column.
    #[arg(long, value_name = "FIELD=COLUMN,…", default_value = "", hide_default_value = true)]
    map: String,
    /// The moment of events that carry none (a date or RFC 3339) [default for pinterest and sequences:
    /// 2025-01-01; sequences begin then and go on for a hundred days].
    #[arg(long, value_name = "MOMENT")]
    ts: Option<String>,
    /// sequences: what else is known of pins.
    #[arg(long, value_name = "FILE")]
    attributes: Option<PathBuf>,
    /// Pins (an id a line) that no encoder learns from, so that it can be measured on them; they are imported all the
    /// same.
    #[arg(long, value_name = "IDS")]
    exclude: Option<PathBuf>,
    /// fashion: take titles and pictures alone, so that attributes can grade what is found
    /// (`bowerbird relevance grade`).
    #[arg(long)]
    bare: bool,
    /// Write every refused row to this file.
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// How many refused rows are shown.
    #[arg(long, value_name = "N", default_value_t = 10)]
    refused_shown: u64,
    /// pinterest: keep this share of each board's pins out of the log …
    #[arg(long, value_name = "SHARE", requires = "holdout_file")]
    holdout: Option<f64>,
    /// … and write them to this file, in the same format, for `bowerbird eval --holdout`.
    #[arg(long, value_name = "FILE", requires = "holdout")]
    holdout_file: Option<PathBuf>,
    /// Seed of the hold-out.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// What can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Jsonl,
    Csv,
    Parquet,
    Pinterest,
    Sequences,
    Movielens,
    Kuairand,
    Fashion,
    Images,
    Beir,
}

/// The moment of saves in formats that carry none.
const UNTIMED_TS: &str = "2025-01-01";

/// Imports a file of JSON lines quietly; gives how many facts were new.
pub(crate) fn import_jsonl(path: &Path, setup: &Setup) -> Result<u64> {
    let mut sink = Sink::open("jsonl", setup, Refused::new(10, None)?)?;
    let read = jsonl::import(path, &mut sink, &Arc::new(Progress::quiet()));
    sink.finish()?;
    read?;
    Ok(sink.summary.accepted)
}

/// Reads a log of events as its import would, without importing anything: the facts that `log` does not hold, in the
/// order of the file. JSON lines are told by their name, anything else is KuaiRand.
pub(crate) fn read_events(path: &Path, setup: &Setup, log: &dyn EventLog) -> Result<Vec<Fact>> {
    let lines = path.file_name().is_some_and(|name| name.to_string_lossy().contains(".jsonl"));
    let (mut sink, kept) = Sink::keeping(if lines { "jsonl" } else { "kuairand" }, setup, log)?;
    let quiet = Arc::new(Progress::quiet());
    let read = match lines {
        true => jsonl::import(path, &mut sink, &quiet),
        false => kuairand::import(path, &mut sink, &quiet),
    };
    sink.finish()?;
    read?;
    if sink.summary.refused > 0 {
        bail!("{}: {} rows were refused, so figures would be wrong", path.display(), sink.summary.refused);
    }
    let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(kept.into_iter().map(|(_, fact)| fact).collect())
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let (sink, outcome) = bring(args, setup)?;
    report(&sink, setup, outcome.as_ref().err());
    outcome?;
    match (sink.summary.accepted + sink.summary.duplicates, sink.summary.refused) {
        (0, 1..) => Err(anyhow!("every row was refused")),
        _ => Ok(()),
    }
}

/// Brings everything in that can be: the sink that took it, and what stopped the reading, if anything did.
fn bring(args: &Args, setup: &Setup) -> Result<(Sink, Result<()>)> {
    if !args.path.exists() {
        bail!("there is no {}", args.path.display());
    }
    if args.holdout.is_some() && args.format != Format::Pinterest {
        bail!("--holdout is for the format pinterest");
    }
    if args.attributes.is_some() && args.format != Format::Sequences {
        bail!("--attributes is for the format sequences");
    }
    // What is wrong with the arguments is told before anything is opened.
    let mapping = Mapping::parse(&args.map)?;
    if let Some(ids) = &args.exclude {
        LeftOut::add(setup, &read_ids(ids)?)?;
    }
    let refused = Refused::new(args.refused_shown, args.refused.as_deref())?;
    let mut sink = Sink::open(args.format.name(), setup, refused)?;
    let progress = Arc::new(Progress::new("import", total_bytes(args)));
    let read = read(args, setup, &mapping, &mut sink, &progress);
    // Whatever stopped the reading, what was read lands.
    let landed = sink.finish();
    progress.finish(if read.is_ok() && landed.is_ok() { "done" } else { "stopped" });
    Ok((sink, read.and(landed)))
}

fn read(args: &Args, setup: &Setup, mapping: &Mapping, sink: &mut Sink, progress: &Arc<Progress>) -> Result<()> {
    let path = args.path.as_path();
    let moment = |text: &str| moment::parse(text, moment::Unit::Milli).map_err(|reason| anyhow!("--ts: {reason}"));
    let ts_ms = args.ts.as_deref().map(moment).transpose()?;
    let fixed: Vec<(&str, Value)> = ts_ms.map(|ts_ms| ("ts", ts_ms.into())).into_iter().collect();
    match args.format {
        Format::Jsonl => jsonl::import(path, sink, progress),
        Format::Csv => tables::csv(path, mapping, &fixed, sink, progress),
        Format::Parquet => tables::parquet(path, mapping, &fixed, sink, progress),
        Format::Pinterest => {
            let ts_ms = ts_ms.map_or_else(|| moment(UNTIMED_TS), Ok)?;
            pinterest::import(path, ts_ms, hold_out(args)?, sink, progress)
        }
        Format::Sequences => {
            let start_ms = ts_ms.map_or_else(|| moment(UNTIMED_TS), Ok)?;
            let withheld = setup.folder(WITHHELD);
            sequences::import(path, args.attributes.as_deref(), start_ms, &withheld, sink, progress)
        }
        Format::Movielens => movielens::import(path, sink, progress),
        Format::Kuairand => kuairand::import(path, sink, progress),
        Format::Fashion => fashion::import(path, args.bare, sink, progress),
        Format::Images => images::import(path, sink, progress),
        Format::Beir => beir::import(path, sink, progress),
    }
}

fn hold_out(args: &Args) -> Result<Option<HoldOut>> {
    match (args.holdout, &args.holdout_file) {
        (Some(share), Some(file)) => HoldOut::create(file, share, args.seed).map(Some),
        _ => Ok(None),
    }
}

fn report(sink: &Sink, setup: &Setup, error: Option<&anyhow::Error>) {
    if setup.json {
        print_json(&sink.summary.json(error.map(with_causes).as_deref()));
    } else {
        println!("{}", sink.summary.words());
    }
}

/// Bytes on disk that will be read; 0 when they are not what progress counts.
fn total_bytes(args: &Args) -> u64 {
    let path = args.path.as_path();
    let files = match args.format {
        Format::Parquet => return 0,
        Format::Jsonl | Format::Csv | Format::Pinterest => vec![path.to_owned()],
        Format::Sequences => [Some(path.to_owned()), args.attributes.clone()].into_iter().flatten().collect(),
        Format::Movielens => movielens::files(path),
        Format::Kuairand => kuairand::files(path),
        Format::Fashion => fashion::files(path),
        Format::Images => return 0,
        Format::Beir => beir::files(path),
    };
    files.iter().filter_map(|path: &PathBuf| path.metadata().ok()).map(|meta| meta.len()).sum()
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Pinterest => "pinterest",
            Format::Sequences => "sequences",
            Format::Movielens => "movielens",
            Format::Kuairand => "kuairand",
            Format::Fashion => "fashion",
            Format::Images => "images",
            Format::Beir => "beir",
        }
    }
}

#[cfg(test)]
mod tests;
