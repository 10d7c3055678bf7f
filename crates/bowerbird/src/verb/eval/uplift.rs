//! Whom a message brings back who would not have come without.

use super::Args;
use crate::evaluate::measure_uplift;
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::{Context, Result};

pub(super) fn run(args: &Args, setup: &Setup) -> Result<()> {
    args.no_holdout()?;
    let train = args.train.as_deref().context("--protocol uplift needs --train FILE")?;
    let figures = measure_uplift(train, args.test.as_deref(), args.seed, &setup.stop)?;
    match setup.json {
        true => print_json(&serde_json::to_value(&figures)?),
        false => figures.print(),
    }
    Ok(())
}
