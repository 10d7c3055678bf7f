//! Pins that were embedded in an older space are embedded anew.

use super::{Described, read_pins};
use crate::output::thousands;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result};
use content::{Embedder, words_of};
use domain::{EventId, Fact, TopicKind, Understood, hash64};
use rayon::prelude::*;
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
    let mut changed = Changed { from: log.end(TopicKind::Catalogue), pins: HashSet::new() };
    let mut pins = read_pins(log, stop)?;
    pins.retain(|known| known.understood.as_ref().is_some_and(|understood| understood.space < space));
    if pins.is_empty() {
        return Ok(0);
    }
    let progress = Progress::new("embed", pins.len() as u64);
    for block in pins.chunks(BLOCK) {
        stop.check()?;
        let mut facts: Vec<(EventId, Fact)> =
            block.par_iter().filter_map(|known| renewed(known, blobs, embedder)).collect();
        changed.follow(log)?;
        facts.retain(|(_, fact)| !matches!(fact, Fact::Understood(of) if changed.pins.contains(&of.pin)));
        log.append(&facts).context("cannot append to the event log")?;
        progress.add(block.len() as u64);
    }
    progress.finish(&format!("{} pins are in space {space}", thousands(pins.len() as u64)));
    Ok(pins.len() as u64)
}

/// Pins that somebody has changed since the catalogue was read: what was found out of them before is not written.
struct Changed {
    from: u64,
    pins: HashSet<String>,
}

impl Changed {
    fn follow(&mut self, log: &dyn EventLog) -> Result<()> {
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

fn renewed(known: &Described, blobs: &Blobs, embedder: &Embedder) -> Option<(EventId, Fact)> {
    let embedding = embedder.embed(&words_of(&known.pin), known.picture(blobs).as_ref());
    let understood = Understood { space: embedder.space(), embedding, ..known.understood.clone()? };
    Some((understood_id(known.id, embedder.space()), Fact::Understood(understood)))
}
