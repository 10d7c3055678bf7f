//! A server takes a new encoder over.

use super::{Encoders, renew};
use crate::engine::embed_words;
use crate::stop::Stop;
use anyhow::Result;
use content::Embedder;
use server::App;
use serving::Views;
use std::sync::Arc;
use std::time::Duration;
use store::{Blobs, EventLog};

/// Pins are embedded anew, while the server answers, when another encoder is live.
pub(crate) struct Renewal {
    pub encoders: Encoders,
    pub log: Arc<dyn EventLog>,
    pub blobs: Blobs,
    pub views: Arc<Views>,
    pub app: App,
    pub stop: Stop,
}

impl Renewal {
    /// Looks every so often which encoder is live, until it should stop; the first time also for what an earlier run
    /// has left.
    pub(crate) fn watch(&self, every: Duration) {
        let mut done = None;
        while self.stop.rest(every) {
            let live = match self.encoders.live() {
                Ok(live) => live.filter(|space| done != Some(*space)),
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "cannot look which encoder is live");
                    None
                }
            };
            let Some(space) = live else { continue };
            match self.encoders.embedder_of(space) {
                Ok(embedder) => match self.renew(&embedder, every) {
                    Ok(()) => {
                        tracing::info!(space, "contents are those of the live encoder");
                        done = Some(space);
                    }
                    Err(_) if self.stop.asked() => return,
                    Err(error) => tracing::warn!(space, error = %format!("{error:#}"), "pins were not embedded"),
                },
                // An encoder that cannot be used is not tried again until another one is named.
                Err(error) => {
                    tracing::error!(space, error = %format!("{error:#}"), "a new encoder cannot be used");
                    done = Some(space);
                }
            }
        }
    }

    /// Embeds everything, waits until that is served, and sees to what came meanwhile.
    fn renew(&self, embedder: &Embedder, every: Duration) -> Result<()> {
        let again = || renew(self.log.as_ref(), &self.blobs, embedder, &self.stop);
        again()?;
        while self.views.content().space() < embedder.space() {
            self.stop.check()?;
            self.stop.rest(every);
            again()?;
        }
        self.app.embed_with(embedder.clone());
        embed_words(&self.views, embedder.clone());
        // Whoever was about to write a pin as the old encoder saw it has done so by then.
        self.stop.rest(every);
        again().map(|_| ())
    }
}
