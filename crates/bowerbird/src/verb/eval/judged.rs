//! Queries whose answers were judged.

use super::Args;
use crate::ask::is_locked;
use crate::engine::{Engine, Reading};
use crate::evaluate::{SearchAbout, measure_search};
use crate::import::read_judged;
use crate::output::print_json;
use crate::setup::{Setup, now_ms};
use crate::understand::understood;
use anyhow::{Result, bail};

pub(super) fn run(args: &Args, setup: &Setup) -> Result<()> {
    args.no_holdout()?;
    let (Some(queries), Some(qrels)) = (&args.queries, &args.qrels) else {
        bail!("--protocol search needs --queries FILE and --qrels FILE");
    };
    // A file that cannot be read is told before anything long begins.
    let judged = read_judged(queries, qrels)?;
    let data = match Engine::open(setup) {
        Ok(engine) => {
            understood(setup, &engine)?;
            drop(engine);
            Reading::open(setup)?
        }
        // A server has the directory: what it serves is measured.
        Err(error) if is_locked(&error) => Reading::open(setup)?,
        Err(error) => return Err(error),
    };
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
