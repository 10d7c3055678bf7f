//! The engines of a data directory, opened, with views that are up to date.

use crate::ask::{is_locked, serves_nowhere};
use crate::progress::Progress;
use crate::registry::Registry;
use crate::relevance::Kept;
use crate::setup::Setup;
use crate::stop::Stop;
use crate::understand::Encoders;
use anyhow::{Context, Result};
use content::{Embedder, SPACE};
use domain::{Embedding, Fact, TopicKind};
use serving::{Consumer, Opened, Pipeline, Views};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;
use store::{Blobs, EventLog, Snapshots};

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
    pub snapshots: Snapshots,
    /// How the opening went.
    pub opening: Opening,
}

/// What was opened, and how long that took.
pub(crate) struct Opening {
    /// The number of the snapshot that the views are from; `None` when they were made from the log.
    pub snapshot: Option<u64>,
    /// Seconds by part; those of the snapshot and the log are opened side by side.
    pub parts: Vec<(&'static str, f64)>,
    /// Facts that were read from the log behind the snapshot.
    pub followed: u64,
}

impl Engine {
    /// Opens everything, from the newest snapshot if there is one, and reads the log to its end.
    pub(crate) fn open(setup: &Setup) -> Result<Engine> {
        setup.must_exist()?;
        let snapshots = setup.snapshots();
        let mut parts = Vec::new();
        let (opened, log) = std::thread::scope(|threads| {
            let opened = threads.spawn(|| Opened::newest(&snapshots));
            let log = timed("log", &mut parts, || setup.log());
            (opened.join().expect("invariant: a snapshot that cannot be used is an error"), log)
        });
        let (opened, log) = (opened.context("cannot make views")?, log?);
        // The directory is ours: a server that said so before was killed.
        serves_nowhere(setup);
        let blobs = setup.blobs()?;
        let state = timed("state", &mut parts, || setup.state())?;
        parts.extend(opened.parts.iter().map(|(name, time)| (*name, time.as_secs_f64())));
        let (snapshot, consumer) = timed("numbers", &mut parts, || {
            let consumer = Consumer::open(log.clone(), state, opened)?;
            anyhow::Ok((consumer.snapshot(), Arc::new(consumer)))
        })
        .context("cannot open the views")?;
        let followed = timed("follow", &mut parts, || catch_up(&consumer, setup))?;
        let views = consumer.views().clone();
        let opening = Opening { snapshot, parts, followed };
        let engine = Engine { reading: Reading { log, blobs, views }, consumer, snapshots, opening };
        engine.embed_words()?;
        if engine.consumer.since_kept() >= setup.config.server.snapshot_facts_min {
            engine.keep();
        }
        Ok(engine)
    }

    /// Keeps the views as a snapshot, if there is anything new. The log has everything: what cannot be kept is told.
    pub(crate) fn keep(&self) {
        keep(&self.consumer, &self.snapshots);
    }
}

/// Keeps the views as a snapshot, if there is anything new.
pub(crate) fn keep(consumer: &Consumer, snapshots: &Snapshots) {
    match consumer.keep(snapshots) {
        Ok(Some(number)) => tracing::info!(number, "the views are kept as a snapshot"),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the views were not kept as a snapshot"),
    }
}

fn timed<T>(name: &'static str, parts: &mut Vec<(&'static str, f64)>, work: impl FnOnce() -> T) -> T {
    let since = Instant::now();
    let made = work();
    parts.push((name, since.elapsed().as_secs_f64()));
    made
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
        let reading = Reading { log, blobs: setup.blobs()?, views };
        reading.embed_words()?;
        Ok(reading)
    }

    /// Embeds the words of questions from now on in the space that the pins are in.
    pub(crate) fn embed_words(&self) -> Result<()> {
        embed_words(&self.views, self.embedder()?);
        Ok(())
    }

    /// What understands pins: that of the space that they are in.
    pub(crate) fn embedder(&self) -> Result<Embedder> {
        let encoders = Encoders::new(self.blobs.clone());
        let content = self.views.content();
        if content.is_empty() { encoders.embedder() } else { encoders.embedder_of(content.space()) }
    }

    /// Makes the live model answer, if there is one, and the live student of relevance; gives the model's version.
    pub(crate) fn install_live(&self) -> Result<Option<String>> {
        Kept::new(self.blobs.clone()).install(&self.views)?;
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

/// Embeds the words of questions that are asked of views by an embedder, if that was learned.
pub(crate) fn embed_words(views: &Views, embedder: Embedder) {
    if embedder.space() <= SPACE {
        // Nothing was learned of which words go with which pictures.
        return;
    }
    let embed = move |words: &str| Embedding { space: embedder.space(), vector: embedder.embed(words, None) };
    views.embed_words_with(Arc::new(embed));
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

fn catch_up(consumer: &Consumer, setup: &Setup) -> Result<u64> {
    let waiting: u64 = consumer.lag().iter().sum();
    if waiting == 0 {
        return Ok(0);
    }
    let progress = Progress::new("views", waiting);
    let done = consumer.catch_up_with(|done, _| progress.set(done)).context("cannot bring the views up to date")?;
    setup.stop.check()?;
    progress.finish(&format!("{} facts applied", crate::output::thousands(done)));
    Ok(done)
}

/// Processors that work may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
