//! Pins that were embedded in an older space are embedded anew.

use super::{Described, read_pins};
use crate::output::thousands;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result};
use content::{Embedder, Signature, words_of};
use domain::{EventId, Fact, TopicKind, Understood, hash64};
use rayon::prelude::*;
use server::keep_thumbnails;
use std::collections::HashSet;
use store::{Blobs, EventLog};

/// Pins that are embedded and written together: with a large encoder some seconds, which a stop waits for.
const BLOCK: usize = 256;

/// The name of what was understood of a pin in a space: once for each description.
pub(crate) fn understood_id(described: EventId, space: u32) -> EventId {
    EventId(described.0 ^ u128::from(hash64(u64::from(space))))
}

/// Embeds all pins that are not yet in the embedder's space and writes that to the log; gives how many. What is written
/// stays when it is stopped, and the next run goes on behind it.
pub(crate) fn renew(log: &dyn EventLog, blobs: &Blobs, embedder: &Embedder, stop: &Stop) -> Result<u64> {
    let space = embedder.space();
    let mut changed = Changed::from_now(log);
    let mut pins = read_pins(log, stop)?;
    pins.retain(|known| known.understood.as_ref().is_some_and(|understood| understood.space < space));
    if pins.is_empty() {
        return Ok(0);
    }
    let progress = Progress::new("embed", pins.len() as u64);
    for block in pins.chunks(BLOCK) {
        stop.check()?;
        let facts: Result<Vec<Option<(EventId, Fact)>>> =
            block.par_iter().map(|known| renewed(known, blobs, embedder)).collect();
        let mut facts: Vec<(EventId, Fact)> = facts?.into_iter().flatten().collect();
        changed.follow(log)?;
        facts.retain(|(_, fact)| !matches!(fact, Fact::Understood(of) if changed.has(&of.pin)));
        log.append(&facts).context("cannot append to the event log")?;
        progress.add(block.len() as u64);
    }
    progress.finish(&format!("{} pins are in space {space}", thousands(pins.len() as u64)));
    Ok(pins.len() as u64)
}

/// Pins that somebody has changed since the catalogue was read: what was found out of them before is not written.
pub(super) struct Changed {
    from: u64,
    pins: HashSet<String>,
}

impl Changed {
    pub(super) fn from_now(log: &dyn EventLog) -> Changed {
        Changed { from: log.end(TopicKind::Catalogue), pins: HashSet::new() }
    }

    pub(super) fn has(&self, pin: &str) -> bool {
        self.pins.contains(pin)
    }

    pub(super) fn follow(&mut self, log: &dyn EventLog) -> Result<()> {
        loop {
            let facts = log.read(TopicKind::Catalogue, self.from, BLOCK).context("cannot read the event log")?;
            let Some(last) = facts.last() else { return Ok(()) };
            self.from = last.0 + 1;
            self.pins.extend(facts.into_iter().filter_map(|(_, _, fact)| match fact {
                Fact::Pin(pin) => Some(pin.id),
                Fact::PinRemoved(pin) => Some(pin),
                _ => None,
            }));
        }
    }
}

fn renewed(known: &Described, blobs: &Blobs, embedder: &Embedder) -> Result<Option<(EventId, Fact)>> {
    let Some(before) = known.understood.clone() else { return Ok(None) };
    let picture = known.picture(blobs);
    let embedding = embedder.embed(&words_of(&known.pin), picture.as_ref());
    let signature = picture.as_ref().map_or_else(Vec::new, |picture| Signature::of(picture).to_bytes().to_vec());
    let mut understood = Understood { space: embedder.space(), embedding, signature, ..before };
    if let Some((picture, key)) = picture.as_ref().zip(known.pin.image.as_deref())
        && understood.thumbnail_widths.is_empty()
    {
        // An earlier build made one size only.
        understood.size = Some((picture.width(), picture.height()));
        keep_thumbnails(&mut understood, key, picture.thumbnails()?, |key, bytes| put_once(blobs, key, bytes))?;
    }
    Ok(Some((understood_id(known.id, embedder.space()), Fact::Understood(understood))))
}

/// Keeps a blob that is named by its content, unless it is there.
pub(crate) fn put_once(blobs: &Blobs, key: &str, bytes: Vec<u8>) -> Result<()> {
    if blobs.exists(key).context("cannot look for a picture")? {
        return Ok(());
    }
    blobs.put(key, bytes).with_context(|| format!("cannot store {key}"))
}
