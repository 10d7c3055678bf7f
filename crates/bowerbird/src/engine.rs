//! The engines of a data directory, opened, with views that are up to date.

use crate::ask::is_locked;
use crate::progress::Progress;
use crate::registry::Registry;
use crate::setup::Setup;
use crate::stop::Stop;
use anyhow::{Context, Result};
use domain::{Fact, TopicKind};
use serving::{Consumer, Pipeline, Views};
use std::ops::Deref;
use std::sync::Arc;
use store::{Blobs, EventLog};

/// Facts that are read from the log at a time.
const READ_FACTS: usize = 8_192;

/// What is read of a data directory: log, blobs, and the views over them.
pub(crate) struct Reading {
    pub log: Arc<dyn EventLog>,
    pub blobs: Blobs,
    pub views: Arc<Views>,
}

/// A data directory that this process alone works on, with the consumer that keeps the views up to date.
pub(crate) struct Engine {
    reading: Reading,
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
        Ok(Engine { reading: Reading { log, blobs, views }, consumer })
    }
}

impl Deref for Engine {
    type Target = Reading;

    fn deref(&self) -> &Reading {
        &self.reading
    }
}

impl Reading {
    /// What the data directory holds now. Nothing is kept from other processes: a server may be running, or be started.
    pub(crate) fn open(setup: &Setup) -> Result<Reading> {
        // Where nobody else does, what is new in the log gets its numbers first.
        let engine = match Engine::open(setup) {
            Ok(engine) => Some(engine),
            Err(error) if is_locked(&error) => None,
            Err(error) => return Err(error),
        };
        let log = setup.log_to_read()?;
        let views = match engine {
            Some(engine) => engine.views.clone(),
            None => Arc::new(views_before(log.as_ref(), u64::MAX, setup)?),
        };
        Ok(Reading { log, blobs: setup.blobs()?, views })
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

/// Views of the whole catalogue and of what happened before a moment.
pub(crate) fn views_before(log: &dyn EventLog, before_ms: u64, setup: &Setup) -> Result<Views> {
    let views = Views::sealed(log).context("cannot read the numbers of ids")?;
    tell(&views, log, &setup.stop, &|fact| !matches!(fact, Fact::Event(event) if event.ts_ms >= before_ms))?;
    Ok(views)
}

/// Tells views those facts of a log that are `wanted`.
pub(crate) fn tell(views: &Views, log: &dyn EventLog, stop: &Stop, wanted: &dyn Fn(&Fact) -> bool) -> Result<()> {
    let topics = [TopicKind::Catalogue, TopicKind::Events];
    let progress = Progress::new("views", topics.iter().map(|&topic| log.end(topic)).sum());
    for topic in topics {
        let mut from = 0;
        loop {
            stop.check()?;
            let mut facts = log.read(topic, from, READ_FACTS).context("cannot read the event log")?;
            let Some(last) = facts.last() else { break };
            from = last.0 + 1;
            progress.add(facts.len() as u64);
            facts.retain(|(_, _, fact)| wanted(fact));
            views.apply(topic, &facts);
            views.tidy_now();
        }
    }
    views.commit_text()?;
    progress.finish("facts read");
    Ok(())
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
