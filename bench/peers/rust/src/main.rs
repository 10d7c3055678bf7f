//! Vector indexes of other projects, one a process: reads one JSON order a line, answers one JSON line for each figure.
//! The conversation is that of `../runner/worker.py`; the folder that is read is described in `bench/README.md`.

mod clock;
mod diskann_graph;
mod exchange;
mod hnsw_rs_graph;
mod orders;
mod peer;
mod usearch_graph;

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::exchange::Workload;
use crate::orders::{Order, Worker};
use crate::peer::Peer;

/// `bowerbird-peers LIBRARY BUILD_JSON EXPORT_DIR`
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, build, folder] = arguments.as_slice() else {
        bail!("usage: bowerbird-peers LIBRARY BUILD_JSON EXPORT_DIR");
    };
    let build: Value = serde_json::from_str(build).context("BUILD_JSON")?;
    let peer: Box<dyn Peer> = match library.as_str() {
        "usearch" => Box::new(usearch_graph::Usearch::new(&build)?),
        "hnsw_rs" => Box::new(hnsw_rs_graph::HnswRs::new(&build)?),
        "diskann" => diskann_graph::new(&build)?,
        other => bail!("no library {other:?} here"),
    };
    let mut worker = Worker::new(peer, Workload::open(Path::new(folder))?);
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str(&line?).context("an order")? {
            Order::Build { index } => say(&worker.build(&index)?)?,
            Order::Load { index, settings } => say(&worker.load(&index, &settings)?)?,
            Order::Measure { settings, cpu_min_s, cpu_max_s } => {
                for setting in &settings {
                    say(&worker.measure(setting, cpu_min_s, cpu_max_s)?)?;
                }
                say(&json!({ "done": true }))?;
            }
        }
    }
    Ok(())
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
