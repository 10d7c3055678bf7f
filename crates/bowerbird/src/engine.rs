//! The engines of a data directory, opened, with views that are up to date.

use crate::progress::Progress;
use crate::registry::Registry;
use crate::setup::Setup;
use anyhow::{Context, Result};
use serving::{Consumer, Pipeline, Views};
use std::sync::Arc;
use store::{Blobs, EventLog};

/// Log, state and blobs of one data directory, and the views over them. One process at a time.
pub(crate) struct Engine {
    pub log: Arc<dyn EventLog>,
    pub blobs: Blobs,
    pub views: Arc<Views>,
    pub consumer: Arc<Consumer>,
}

impl Engine {
    /// Opens everything and reads the log to its end.
    pub(crate) fn open(setup: &Setup) -> Result<Engine> {
        setup.must_exist()?;
        let (log, blobs) = (setup.log()?, setup.blobs()?);
        let state = setup.state()?;
        let views = Arc::new(Views::new()?);
        let consumer = Consumer::open(log.clone(), state, views.clone()).context("cannot restore the views")?;
        let consumer = Arc::new(consumer);
        catch_up(&consumer, setup)?;
        Ok(Engine { log, blobs, views, consumer })
    }

    /// Makes the live model answer, if there is one; gives its version.
    pub(crate) fn install_live(&self) -> Result<Option<String>> {
        let registry = self.registry();
        let Some(version) = registry.live()? else { return Ok(None) };
        self.views.install(Arc::new(registry.model(&version)?)).context("cannot install the live model")?;
        Ok(Some(version))
    }

    /// The models of this data directory.
    pub(crate) fn registry(&self) -> Registry {
        Registry::new(self.blobs.clone())
    }

    /// The funnel over the views.
    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.views.clone(), cores())
    }
}

fn catch_up(consumer: &Consumer, setup: &Setup) -> Result<()> {
    let waiting: u64 = consumer.lag().iter().sum();
    if waiting == 0 {
        return Ok(());
    }
    let progress = Progress::new("views", waiting);
    let done = consumer.catch_up_with(|done, _| progress.set(done)).context("cannot bring the views up to date")?;
    setup.stop.check()?;
    progress.finish(&format!("{} facts applied", crate::output::thousands(done)));
    Ok(())
}

/// Processors that work may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
