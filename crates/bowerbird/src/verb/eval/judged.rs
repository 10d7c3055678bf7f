//! Queries whose answers were judged.

use super::Args;
use crate::engine::Reading;
use crate::evaluate::{SearchAbout, measure_search};
use crate::import::read_judged;
use crate::output::print_json;
use crate::setup::{Setup, now_ms};
use anyhow::{Result, bail};

pub(super) fn run(args: &Args, setup: &Setup) -> Result<()> {
    args.no_holdout()?;
    let (Some(queries), Some(qrels)) = (&args.queries, &args.qrels) else {
        bail!("--protocol search needs --queries FILE and --qrels FILE");
    };
    // A file that cannot be read is told before anything long begins.
    let judged = read_judged(queries, qrels)?;
    let data = Reading::open(setup)?;
    let model = data.install_live()?.unwrap_or_default();
    let protocol = format!(
        "queries of {} judged by {}; full ranking of all pins, asked by nobody, exploration off, mean over queries \
         with an answer",
        queries.display(),
        qrels.display()
    );
    let about = SearchAbout { protocol, model, now_ms: now_ms() };
    let figures = measure_search(&data.pipeline(), &setup.config.params, &judged, about, &setup.stop)?;
    match setup.json {
        true => print_json(&figures.json()),
        false => figures.print(),
    }
    Ok(())
}
