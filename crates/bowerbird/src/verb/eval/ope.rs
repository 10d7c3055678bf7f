//! Policies, each judged by the log of another.

use super::Args;
use crate::evaluate::{judge_policies, read_policy_logs};
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::{Result, ensure};

pub(super) fn run(args: &Args, setup: &Setup) -> Result<()> {
    args.no_holdout()?;
    ensure!(args.log.len() >= 2, "--protocol ope needs --log FILE FILE…, logs of two policies or more");
    let figures = judge_policies(&read_policy_logs(&args.log)?)?;
    match setup.json {
        true => print_json(&serde_json::to_value(&figures)?),
        false => figures.print(),
    }
    Ok(())
}
