//! A server keeps what is said of its pins up to date: by rules and versions that are live, learned anew when the
//! catalogue has grown, and pins with one picture together.

use super::{Clusters, Contents, annotate_all, learn_contents, read_pins};
use crate::setup::Setup;
use anyhow::Result;
use content::Annotating;
use domain::TopicKind;
use server::App;
use serving::Consumer;
use std::sync::Arc;
use std::time::Duration;
use store::{Blobs, EventLog};

/// Contents are learned anew when there are so many times as many pins as they were learned from.
const GROWTH: f32 = 1.5;

/// What runs beside a server.
pub(crate) struct ContentsWatch {
    pub contents: Contents,
    pub rules: Annotating,
    pub log: Arc<dyn EventLog>,
    pub blobs: Blobs,
    pub consumer: Arc<Consumer>,
    pub app: App,
    pub setup: Setup,
}

/// What was seen to so far.
#[derive(Default)]
struct Seen {
    clusters: Option<Clusters>,
    /// The version that the server annotates by.
    version: Option<u32>,
    /// How many pins there were when contents were last learned, or could not be.
    pins: usize,
}

impl ContentsWatch {
    /// Looks every so often what there is to do, until it should stop.
    pub(crate) fn watch(&self, every: Duration) {
        let mut seen = Seen::default();
        while self.setup.stop.rest(every) {
            if let Err(error) = self.look(&mut seen) {
                if self.setup.stop.asked() {
                    break;
                }
                tracing::warn!(error = %format!("{error:#}"), "contents were not brought up to date; tried again soon");
            }
        }
        if let Some(Err(error)) = seen.clusters.as_mut().map(|clusters| clusters.keep(&self.blobs)) {
            tracing::warn!(error = %format!("{error:#}"), "the clusters of pictures were not kept");
        }
    }

    fn look(&self, seen: &mut Seen) -> Result<()> {
        self.cluster(&mut seen.clusters)?;
        if self.should_learn(seen)? {
            seen.pins = self.consumer.views().catalogue().pins();
            let pins = read_pins(self.log.as_ref(), &self.setup.stop)?;
            learn_contents(&self.setup, &self.contents, self.consumer.views(), &pins)?;
        }
        let live = self.contents.live()?.unwrap_or(0);
        if seen.version != Some(live) {
            self.annotate(&self.contents.annotating(&self.rules)?)?;
            seen.version = Some(live);
        }
        Ok(())
    }

    /// Annotates what comes from now on by what is live, and what was there before, if that was not done.
    fn annotate(&self, annotating: &Annotating) -> Result<()> {
        self.app.annotate_with(annotating.clone());
        if self.contents.is_applied(annotating)? {
            return Ok(());
        }
        let (log, views, stop) = (self.log.as_ref(), self.consumer.views(), &self.setup.stop);
        annotate_all(log, &self.blobs, views, annotating, stop)?;
        // Whoever was about to write a pin as it was annotated before has done so by then.
        stop.rest(Duration::from_secs(1));
        annotate_all(log, &self.blobs, views, annotating, stop)?;
        self.contents.applied(annotating)?;
        tracing::info!(version = annotating.version(), "pins are annotated by what is live");
        Ok(())
    }

    /// Puts pins with one picture together, as far as the views know the catalogue.
    fn cluster(&self, clusters: &mut Option<Clusters>) -> Result<()> {
        // The end before the lag: what comes in between makes it look as if less were known, never more.
        let end = self.log.end(TopicKind::Catalogue);
        let end = end.saturating_sub(self.consumer.lag()[TopicKind::Catalogue as usize]);
        let clusters = match clusters {
            Some(clusters) => clusters,
            None => clusters.insert(Clusters::open(&self.blobs, self.log.as_ref())?),
        };
        clusters.follow(self.log.as_ref(), &self.blobs, self.consumer.views(), end, &self.setup.stop)?;
        Ok(())
    }

    /// Whether enough is new, and not so much that a server should leave it to `bowerbird understand`.
    fn should_learn(&self, seen: &Seen) -> Result<bool> {
        let config = &self.setup.config.content;
        let pins = self.consumer.views().catalogue().pins();
        if !(config.learn_pins_min..=config.learn_pins_max).contains(&pins) {
            return Ok(false);
        }
        let grown = |before: usize| pins as f32 >= before as f32 * GROWTH;
        let Some(version) = self.contents.live()? else { return Ok(grown(seen.pins)) };
        let known = match self.app.learned() {
            Some(learned) if learned.version == version => learned,
            _ => Arc::new(self.contents.learned(version)?),
        };
        let space = self.consumer.views().content().space();
        Ok(grown(seen.pins.max(known.pins as usize)) || known.space < space)
    }
}
