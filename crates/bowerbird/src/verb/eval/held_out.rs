//! Saves that were held out of the log.

use super::{Args, measured};
use crate::engine::Reading;
use crate::evaluate::{About, Case, Figures, PROTOCOL, held_cases};
use crate::import::read_holdout;
use crate::learn::read_acts;
use crate::setup::{Setup, now_ms};
use anyhow::{Context, Result, ensure};

pub(super) fn figures(args: &Args, setup: &Setup) -> Result<Figures> {
    let file = args.holdout.as_deref().context("the protocol holdout needs --holdout FILE")?;
    // A file that cannot be read is told before anything long begins.
    let held = read_holdout(file)?;
    let data = Reading::open(setup)?;
    let model = data.install_live()?.unwrap_or_default();
    let cases = held_cases(&held, &data.views.catalogue());
    let pins = data.views.catalogue().pins();
    let known = |case: &Case| case.right.iter().any(|pin| pin.index() < pins);
    ensure!(
        cases.iter().any(known),
        "no pin that {} holds out is in the catalogue (a line is `pinner pin pin …`, as `import pinterest --holdout` \
         writes it)",
        file.display()
    );
    let read = || read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop);
    let acts = args.needs_acts().then(read).transpose()?;
    let protocol = format!("held-out saves of {}; {PROTOCOL}", file.display());
    let about = About { protocol, model, single: false };
    measured(args, setup, &data.pipeline(), cases, acts.as_ref(), now_ms(), about)
}
