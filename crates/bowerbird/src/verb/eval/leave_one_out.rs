//! The last pins of sequences, withheld by `import sequences`.

use super::{Args, measured};
use crate::engine::Reading;
use crate::evaluate::{About, Figures, sequence_cases};
use crate::import::{WITHHELD, read_withheld};
use crate::learn::read_acts;
use crate::setup::{Setup, now_ms};
use anyhow::{Result, ensure};

pub(super) fn figures(args: &Args, setup: &Setup) -> Result<Figures> {
    args.no_holdout()?;
    setup.must_exist()?;
    let sequences = read_withheld(&setup.folder(WITHHELD))?;
    let data = Reading::open(setup)?;
    let model = data.install_live()?.unwrap_or_default();
    let acts = read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop)?;
    let (cases, known) = sequence_cases(&sequences.rows, args.target, &acts, &data.views.catalogue());
    ensure!(
        known == 0,
        "the log says of {known} pinners that they saved what was withheld of them, so it would not be looked for: \
         import the sequences into a data directory of their own"
    );
    let protocol = format!(
        "leave one out: {} of each sequence of {}, asked for with everything before it; full ranking of all pins \
         through the served funnel, pins of the sequence masked, exploration off, mean over pinners; a pin that is \
         not among the first 100 adds nothing to mrr",
        args.target.as_str(),
        sequences.name
    );
    let about = About { protocol, model, single: true };
    measured(args, setup, &data.pipeline(), cases, Some(&acts), now_ms(), about)
}
