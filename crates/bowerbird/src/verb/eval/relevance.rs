//! Graded pairs of queries and pins, judged by the relevance models.

use super::Args;
use crate::evaluate::{Distilling, measure_relevance};
use crate::import::read_judged;
use crate::output::print_json;
use crate::setup::Setup;
use crate::verb::relevance::reading;
use anyhow::{Result, bail};

pub(super) fn run(args: &Args, setup: &Setup) -> Result<()> {
    args.no_holdout()?;
    let (Some(queries), Some(qrels)) = (&args.queries, &args.qrels) else {
        bail!("--protocol relevance needs --queries FILE and --qrels FILE");
    };
    let judged = read_judged(queries, qrels)?;
    let data = reading(setup)?;
    data.install_live()?;
    let protocol = format!(
        "pins graded for queries of {} by {}, each query's ordered by expected level; right from grade 3 on; costs of \
         one thread, reading features included",
        queries.display(),
        qrels.display()
    );
    let distilling = match (&args.distil, &args.pool) {
        (Some(labels), Some(pool)) => Some(Distilling {
            labels: labels.clone(),
            pool: pool.clone(),
            taught: setup.folder("relevance.taught.jsonl"),
            per_query: 40,
            seed: args.seed,
        }),
        _ => None,
    };
    let pipeline = data.pipeline();
    let figures = measure_relevance(setup, (&pipeline, &data.blobs), &judged, protocol, distilling.as_ref())?;
    match setup.json {
        true => print_json(&figures.json()),
        false => figures.print(),
    }
    Ok(())
}
