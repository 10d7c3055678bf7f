//! The lake of a data directory, and how it is kept up to the log.

use crate::engine::Reading;
use crate::output::thousands;
use crate::progress::Progress;
use crate::setup::Setup;
use anyhow::{Context, Result, bail};
use domain::PinId;
use lake::{Lake, Rolled};
use serving::Views;
use std::path::PathBuf;
use store::EventLog;

/// Opens the lake: the folder `lake` of the blobs.
pub(crate) fn open(setup: &Setup) -> Result<Lake> {
    let folder = folder(setup)?;
    Lake::open(&folder).with_context(|| format!("cannot open the lake {}", folder.display()))
}

fn folder(setup: &Setup) -> Result<PathBuf> {
    let uri = setup.uri(&setup.config.data.blobs);
    match uri.strip_prefix("file://") {
        Some(path) => Ok(PathBuf::from(path).join("lake")),
        None if !uri.contains("://") => Ok(PathBuf::from(uri).join("lake")),
        None => bail!("the lake needs blobs in a directory, not {uri}"),
    }
}

/// The lake of a data directory, brought up to the end of its log and told about.
pub(crate) fn open_rolled(setup: &Setup, data: &Reading) -> Result<Lake> {
    let lake = open(setup)?;
    let progress = Progress::new("lake", 0);
    let rolled = roll(&lake, data.log.as_ref(), &data.views, &mut |units| progress.set(units))?;
    if rolled.rows > 0 {
        progress.finish(&format!("{} rows added", thousands(rolled.rows)));
    }
    Ok(lake)
}

/// Brings the lake up to the end of the log. Request records name pins by number; the views give them their ids.
pub(crate) fn roll(lake: &Lake, log: &dyn EventLog, views: &Views, told: &mut dyn FnMut(u64)) -> Result<Rolled> {
    let name = |pin: PinId| Some(views.catalogue().pin_key(pin).to_owned()).filter(|key| !key.is_empty());
    let mut units = 0;
    let mut progress = |_| {
        units += 1;
        told(units);
    };
    lake.roll(log, Some(&name), &mut progress).context("cannot bring the lake up to date")
}
