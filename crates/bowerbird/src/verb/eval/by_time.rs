//! The split by time: fresh views of the time before, and cases of the time after.

use super::{Args, measured};
use crate::engine::{Reading, cores, views_before};
use crate::evaluate::{About, Figures, PROTOCOL, later_cases};
use crate::lake_roll::open_rolled;
use crate::learn::{Acts, Task, read_acts, train};
use crate::moment::readable;
use crate::setup::Setup;
use crate::understand::Encoders;
use ::train::Device;
use anyhow::{Result, bail};
use lake::Lake;
use serving::{Pipeline, Views};
use std::sync::Arc;
use store::EventLog;

pub(super) fn figures(args: &Args, setup: &Setup) -> Result<Figures> {
    args.no_holdout()?;
    if !(args.later > 0.0 && args.later < 1.0) {
        bail!("--later: {} is not between 0 and 1", args.later);
    }
    let data = Reading::open(setup)?;
    let log = data.log.clone();
    let all = read_acts(log.as_ref(), &data.views.catalogue(), &setup.stop)?;
    let Some(from_ms) = all.split_ms(args.later) else {
        bail!("everything happened at one moment, so time cannot split it: use --holdout FILE");
    };
    let registry = data.registry();
    let live = registry.live()?.map(|version| anyhow::Ok((registry.card(&version)?, version))).transpose()?;
    let live = live.filter(|(card, _)| card.data_range_ms.1 < from_ms).map(|(_, version)| version);
    let hears_later = Encoders::new(data.blobs.clone()).heard_until_ms()? >= from_ms;
    let lake = open_rolled(setup, &data)?;
    drop(data);

    let views = Arc::new(views_before(log.as_ref(), from_ms, setup)?);
    let pipeline = Pipeline::new(views.clone(), cores());
    let cases = later_cases(&all, from_ms, &views.catalogue());
    let before = all.before(from_ms);
    let model = match live {
        Some(version) => {
            views.install(Arc::new(registry.model(&version)?))?;
            version
        }
        None if args.no_model => String::new(),
        None => throwaway(setup, &views, (log.as_ref(), &lake), &before, from_ms)?,
    };
    let moment = readable(from_ms);
    // Contents say a little of what was saved beside what.
    let contents = if hears_later { "; contents are of an encoder that heard of later acts, too" } else { "" };
    let protocol = format!("what was done from {moment} UTC on, after what was done before; {PROTOCOL}{contents}");
    let about = About { protocol, model, single: false };
    measured(args, setup, &pipeline, cases, Some(&before), from_ms, about)
}

/// A model of what was done and shown before a moment.
fn throwaway(
    setup: &Setup,
    views: &Arc<Views>,
    (log, lake): (&dyn EventLog, &Lake),
    before: &Acts,
    now_ms: u64,
) -> Result<String> {
    let task = Task {
        device: Device::Cpu,
        views,
        log,
        params: &setup.config.params,
        config: &setup.config.train,
        checkpoint: None,
        registry: None,
        lake: Some(lake),
        now_ms,
        stop: &setup.stop,
    };
    let outcome = train(&task, before)?;
    Ok(format!("throwaway {}", outcome.model.version()))
}
